package traces

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// Flags are the values of the flags that name where traces are sent.
type Flags struct{ otlp, zipkin string }

// AddFlags adds the flags to those of a command.
func AddFlags(set *pflag.FlagSet) *Flags {
	f := new(Flags)
	set.StringVar(&f.otlp, "otlp-endpoint", "", "`URL` of an OTLP/HTTP receiver that gets the traces of sampled requests; OTEL_EXPORTER_OTLP_HEADERS sets headers")
	set.StringVar(&f.zipkin, "zipkin-url", "", "`URL` of a Zipkin that gets the traces of sampled requests; the report links to them")
	return f
}

// Destinations are the programs to which traces are sent. A URL is nil where the user did not name one.
type Destinations struct {
	otlp, zipkin *url.URL
	settings     settings // of the OTLP receiver
	// patience is how long all requests may take together. It is short, because the user waits for the report.
	patience time.Duration
	// flush is how long the spans of the mesh may take to arrive: Envoy sends them every 5 seconds.
	flush time.Duration
}

// Destinations reads the flags. The error has everything that is wrong with them and with the environment variables that they need.
func (f *Flags) Destinations() (d Destinations, err error) {
	d.patience, d.flush = 10*time.Second, 6*time.Second
	var problems []error
	if f.otlp != "" {
		d.otlp, err = address("otlp-endpoint", f.otlp)
		problems = append(problems, err)
		if d.otlp != nil && !strings.HasSuffix(d.otlp.Path, "/v1/traces") {
			d.otlp = d.otlp.JoinPath("v1/traces")
		}
		d.settings, err = readSettings()
		problems = append(problems, err)
	}
	if f.zipkin != "" {
		d.zipkin, err = address("zipkin-url", f.zipkin)
		problems = append(problems, err)
		if d.zipkin != nil { // The user may have given the address of Zipkin's API or of its page.
			d.zipkin.Path = strings.TrimSuffix(d.zipkin.Path, "/api/v2/spans")
			d.zipkin.Path = strings.TrimSuffix(d.zipkin.Path, "/zipkin")
		}
	}
	return d, errors.Join(problems...)
}

// address reads a URL, and refuses one with credentials: the URL is printed, and is a part of the command in the report.
func address(flag, text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "":
		return nil, fmt.Errorf("--%s: must be http://HOST[:PORT][/PATH] or https://…", flag)
	case u.User != nil && flag == "otlp-endpoint":
		return nil, fmt.Errorf("--%s: must have no user or password in it; OTEL_EXPORTER_OTLP_HEADERS takes Authorization=Basic%%20…", flag)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("--%s: must have no user, password, ? or # in it", flag)
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), ""
	return u, nil
}
