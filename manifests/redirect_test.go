package manifests

import "testing"

// The port of a request goes from the Location where it is that of the scheme that x-forwarded-proto names, and the redirect names another one.
func TestLocationPort(t *testing.T) {
	for _, c := range []struct {
		to                            Redirect
		scheme, forwarded, host, want string
	}{
		{Redirect{Scheme: "https"}, "http", "http", "one.example:80", "https://one.example/new"},
		{Redirect{Scheme: "https"}, "http", "http", "one.example:8080", "https://one.example:8080/new"},
		{Redirect{Scheme: "https"}, "http", "A", "one.example:80", "https://one.example:80/new"}, // real Envoy does so
		{Redirect{Scheme: "http"}, "https", "https", "one.example:443", "http://one.example/new"},
		{Redirect{}, "http", "http", "one.example:80", "http://one.example:80/new"},
		{Redirect{Port: 8443, Scheme: "https"}, "http", "A", "one.example:80", "https://one.example:8443/new"},
		{Redirect{Authority: "two.example", Scheme: "https"}, "http", "http", "one.example:80", "https://two.example/new"},
	} {
		if got := c.to.Location(c.scheme, c.forwarded, c.host, "/new"); got != c.want {
			t.Errorf("%+v from %s by %q: %s, want %s", c.to, c.host, c.forwarded, got, c.want)
		}
	}
}
