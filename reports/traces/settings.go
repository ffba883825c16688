package traces

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/hellochaos/hellochaos/reports/destination"
)

// settings are the settings that OpenTelemetry's exporters read from the environment variables OTEL_EXPORTER_OTLP_*.
type settings struct {
	headers http.Header
	secrets destination.Secrets // the values of the headers
	gzip    bool
	tls     *tls.Config // nil where the system's certificates are used
}

// setting returns the value of OTEL_EXPORTER_OTLP_TRACES_X, or else of OTEL_EXPORTER_OTLP_X, and the name of the variable.
func setting(name string) (variable, value string) {
	const all, traces = "OTEL_EXPORTER_OTLP_", "OTEL_EXPORTER_OTLP_TRACES_"
	if value := os.Getenv(traces + name); value != "" {
		return traces + name, value
	}
	return all + name, os.Getenv(all + name)
}

// readSettings reads the environment. The error has everything that is wrong there. It does not have the text of a header, which may be
// a secret.
func readSettings() (s settings, err error) {
	var problems []error
	variable, compression := setting("COMPRESSION")
	switch s.gzip = compression == "gzip"; compression {
	case "", "none", "gzip":
	default:
		problems = append(problems, fmt.Errorf("%s: %q: must be gzip or none", variable, compression))
	}
	s.headers = make(http.Header)
	variable, headers := setting("HEADERS")
	if headers != "" {
		for i, pair := range strings.Split(headers, ",") {
			name, value, found := strings.Cut(pair, "=")
			value, err := url.PathUnescape(strings.TrimSpace(value))
			name = strings.TrimSpace(name)
			if !found || !token(name) || err != nil || strings.ContainsFunc(value, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
				problems = append(problems, fmt.Errorf("%s: entry %d must be key=value with a percent-encoded value; commas separate the entries", variable, i+1))
				continue
			}
			s.headers.Set(name, value)
			s.secrets = append(s.secrets, value, url.PathEscape(value))
			s.secrets = append(s.secrets, strings.Fields(value)...) // "Bearer" and the token
		}
	}
	s.tls, err = certificates()
	return s, errors.Join(append(problems, err)...)
}

// token reports whether a name can be that of a header (RFC 9110, 5.6.2).
func token(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(c rune) bool {
		return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
	})
}

// certificates reads the certificate files that the environment names. It returns nil where it names none.
func certificates() (*tls.Config, error) {
	variable, authority := setting("CERTIFICATE")
	certVariable, certificate := setting("CLIENT_CERTIFICATE")
	keyVariable, key := setting("CLIENT_KEY")
	if cmp.Or(authority, certificate, key) == "" {
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	var problems []error
	if authority != "" {
		text, err := os.ReadFile(authority)
		config.RootCAs = x509.NewCertPool()
		if err == nil && !config.RootCAs.AppendCertsFromPEM(text) {
			err = fmt.Errorf("%q has no certificate in PEM form", authority)
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", variable, err))
		}
	}
	switch {
	case (certificate == "") != (key == ""):
		problems = append(problems, fmt.Errorf("%s and %s: must both be given, or neither", certVariable, keyVariable))
	case certificate != "":
		pair, err := tls.LoadX509KeyPair(certificate, key)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s and %s: %w", certVariable, keyVariable, err))
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, errors.Join(problems...)
}
