package mesh

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
)

// secureGateway is a Gateway with TLS for one host with a certificate of its own and for one that asks clients for theirs, and a redirect
// to it.
const secureGateway = `---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: door}
spec:
  servers:
  - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"], tls: {httpsRedirect: true}}
  - {port: {number: 443, name: https, protocol: HTTPS}, hosts: [a.example], tls: {mode: SIMPLE, credentialName: a}}
  - {port: {number: 443, name: mutual, protocol: HTTPS}, hosts: ["*.b.example"], tls: {mode: MUTUAL, credentialName: b}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: door}
spec:
  hosts: [a.example, x.b.example]
  gateways: [door]
  http:
  - {match: [{uri: {prefix: /old}}], redirect: {uri: /new}}
  - {route: [{destination: {host: one}}]}
---
`

// client sends requests to an address, as a client that asks for a name and has these certificates.
func client(address, name string, secure *tls.Config, certificates []tls.Certificate) *http.Client {
	secure = secure.Clone()
	if secure != nil {
		secure.ServerName, secure.Certificates = name, certificates
	}
	return &http.Client{
		Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: secure, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// TestSecureGateway: the servers of a port with TLS are told apart by the name that a client asks for, and their certificates are those
// of the mesh alone.
func TestSecureGateway(t *testing.T) {
	m := applied(t, Options{}, secureGateway+serviceOne+deployment1("one"))
	at := func(port int) (address string, secure *tls.Config) {
		t.Helper()
		found, err := m.Address(t.Context(), manifests.Entry{Gateway: "default/door", Port: port})
		if err != nil {
			t.Fatal(err)
		}
		scheme := "http://"
		if found.TLS != nil {
			scheme = "https://"
		}
		return found.URL[len(scheme):], found.TLS
	}
	plain, none := at(80)
	address, secure := at(443)
	if none != nil || secure == nil || address == plain {
		t.Fatalf("port 80 is at %s with %v, port 443 at %s with %v", plain, none, address, secure)
	}
	own := secure.Certificates
	for _, c := range []struct {
		what, url    string
		name         string
		secure       *tls.Config
		certificates []tls.Certificate
		status       int
		location     string
	}{
		{"the redirect", "http://a.example/x?y=1", "", nil, nil, 301, "https://a.example/x?y=1"},
		{"the redirect before a rule that redirects", "http://a.example/old", "", nil, nil, 301, "https://a.example/old"},
		{"the redirect of a host without rules", "http://any.example:80/", "", nil, nil, 301, "https://any.example:80/"},
		{"a server with a certificate", "https://a.example/", "a.example", secure, nil, 200, ""},
		{"a rule that redirects, by the scheme of the request", "https://a.example/old", "a.example", secure, nil, 301, "https://a.example/new"},
		{"a client with a certificate", "https://x.b.example/", "x.b.example", secure, own, 200, ""},
		{"a host of another server than the one that was asked for", "https://x.b.example/", "a.example", secure, nil, 404, ""},
	} {
		to := address
		if c.secure == nil {
			to = plain
		}
		response, err := client(to, c.name, c.secure, c.certificates).Get(c.url)
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		response.Body.Close()
		if response.StatusCode != c.status || response.Header.Get("Location") != c.location {
			t.Errorf("%s: %d, location %q; want %d, %q", c.what, response.StatusCode, response.Header.Get("Location"), c.status, c.location)
		}
	}
	_, err := client(address, "x.b.example", secure, nil).Get("https://x.b.example/")
	if err == nil || !strings.Contains(err.Error(), "tls: certificate required") {
		t.Errorf("a client without a certificate: %v, want a refusal", err)
	}
	if _, err := client(address, "c.example", secure, nil).Get("https://c.example/"); !errors.Is(err, io.EOF) {
		t.Errorf("a name that no server has: %v, want a connection that is closed", err)
	}
	stranger := &tls.Config{RootCAs: x509.NewCertPool()}
	if _, err := client(address, "a.example", stranger, nil).Get("https://a.example/"); !errors.As(err, new(x509.UnknownAuthorityError)) {
		t.Errorf("somebody who does not know the mesh: %v, want no trust", err)
	}
}
