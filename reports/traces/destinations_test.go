package traces

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

func TestDestinations(t *testing.T) {
	for _, c := range []struct{ otlp, zipkin, wantOTLP, wantZipkin string }{
		{"http://c:4318", "http://z:9411", "http://c:4318/v1/traces", "http://z:9411"},
		{"https://c/otel/", "https://z/a/zipkin/", "https://c/otel/v1/traces", "https://z/a"},
		{"https://c/v1/traces", "https://z/api/v2/spans", "https://c/v1/traces", "https://z"},
	} {
		to := destinations(t, "--otlp-endpoint", c.otlp, "--zipkin-url", c.zipkin)
		if to.otlp.String() != c.wantOTLP || to.zipkin.String() != c.wantZipkin {
			t.Errorf("%s and %s are %s and %s, want %s and %s", c.otlp, c.zipkin, to.otlp, to.zipkin, c.wantOTLP, c.wantZipkin)
		}
	}
}

// All problems are reported together, each with its flag or variable, and without a secret.
func TestDestinationProblems(t *testing.T) {
	for _, c := range []struct {
		otlp, zipkin, headers string
		want                  []string
	}{
		{"collector:4318", "ftp://z", "", []string{"--otlp-endpoint: must be http", "--zipkin-url: must be http"}},
		{"https://u:secret@c", "https://u:secret@z", "", []string{"--otlp-endpoint: must have no user or password", "--zipkin-url: must have no user"}},
		{"https://c?key=secret", "https://z/#secret", "", []string{"--otlp-endpoint: must have no user", "--zipkin-url: must have no user"}},
		{"https://c", "http://z:port", "a=b,secret", []string{"OTEL_EXPORTER_OTLP_HEADERS: entry 2", "--zipkin-url: must be"}},
		{"https://c", "", "=secret,a=%zzsecret", []string{"OTEL_EXPORTER_OTLP_HEADERS: entry 1", "OTEL_EXPORTER_OTLP_HEADERS: entry 2"}},
		{"https://c", "", "bad name=secret", []string{"OTEL_EXPORTER_OTLP_HEADERS: entry 1"}},
		{"https://c", "", "a=secret%0d%0ax:y", []string{"OTEL_EXPORTER_OTLP_HEADERS: entry 1"}},
		{"", "https://z", "secret", nil}, // nobody reads it
	} {
		t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", c.headers)
		set := pflag.NewFlagSet("run", pflag.ContinueOnError)
		flags := AddFlags(set)
		if err := set.Parse([]string{"--otlp-endpoint", c.otlp, "--zipkin-url", c.zipkin}); err != nil {
			t.Fatal(err)
		}
		_, err := flags.Destinations()
		if err == nil {
			if len(c.want) > 0 {
				t.Errorf("%+v: no error", c)
			}
			continue
		}
		lines := strings.Split(err.Error(), "\n")
		for i, want := range c.want {
			if len(lines) != len(c.want) || !strings.HasPrefix(lines[i], want) {
				t.Errorf("%+v: %q", c, lines)
			}
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q has the secret in it", err)
		}
	}
}

// What the environment says of compression and certificates is refused where it cannot be obeyed.
func TestSettings(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "zstd")
	t.Setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere.pem")
	t.Setenv("OTEL_EXPORTER_OTLP_CLIENT_KEY", "key.pem")
	_, err := readSettings()
	want := `OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: "zstd": must be gzip or none
OTEL_EXPORTER_OTLP_CERTIFICATE: open /nowhere.pem: no such file or directory
OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_CLIENT_KEY: must both be given, or neither`
	if err == nil || err.Error() != want {
		t.Errorf("%v, want\n%s", err, want)
	}
}
