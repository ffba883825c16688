package traces

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// Flags say where traces are sent to.
type Flags struct{ otlp, zipkin string }

// AddFlags adds them to a command's.
func AddFlags(set *pflag.FlagSet) *Flags {
	f := new(Flags)
	set.StringVar(&f.otlp, "otlp-endpoint", "", "`URL` of an OTLP/HTTP receiver for the traces of sampled requests; headers by OTEL_EXPORTER_OTLP_HEADERS")
	set.StringVar(&f.zipkin, "zipkin-url", "", "`URL` of a Zipkin for the traces of sampled requests; the report links to them")
	return f
}

// Destinations are where traces are sent to; nil: not there.
type Destinations struct {
	otlp, zipkin *url.URL
	settings     settings // of the OTLP receiver
	// patience is how long all sending and asking may take together: a report is worth more than where else it is seen.
	patience time.Duration
	// flush is how long spans may be on their way: Envoy sends them every 5 seconds.
	flush time.Duration
}

// Destinations reads the flags; its error has everything that is wrong with them and with the environment they need.
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
		if d.zipkin != nil { // where its API and its page are, whichever of them was given
			d.zipkin.Path = strings.TrimSuffix(d.zipkin.Path, "/api/v2/spans")
			d.zipkin.Path = strings.TrimSuffix(d.zipkin.Path, "/zipkin")
		}
	}
	return d, errors.Join(problems...)
}

// address reads a URL that has no credentials in it: it is printed, and it is in the report's command line.
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
