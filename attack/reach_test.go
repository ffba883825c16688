package attack

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

// Every host that cannot be reached is told, with what helps.
func TestReach(t *testing.T) {
	secure := httptest.NewUnstartedServer(nil)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // it logs who does not trust it
	secure.StartTLS()
	defer secure.Close()
	plain := httptest.NewServer(nil)
	defer plain.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	pool := x509.NewCertPool()
	pool.AddCert(secure.Certificate()) // it is for example.com and 127.0.0.1
	for _, c := range []struct {
		name, url, host string
		trust           *tls.Config
		class, text     string
	}{
		{"plain", plain.URL, "", nil, "", ""},
		{"a name without an address", "http://no-such-host.invalid/", "", nil, Unknown, "no-such-host.invalid:80 cannot be reached: "},
		{"nobody listens", "http://" + closed.Addr().String(), "", nil, Refused, "connection refused"},
		{"an unknown authority", secure.URL, "", nil, Secure, "--cacert FILE"},
		{"any certificate", secure.URL, "", &tls.Config{InsecureSkipVerify: true}, "", ""},
		{"a trusted authority", secure.URL, "example.com", &tls.Config{RootCAs: pool}, "", ""},
		{"another name", secure.URL, "shop.test", &tls.Config{RootCAs: pool}, Secure, "--header 'Host: NAME'"},
		{"no TLS", strings.Replace(plain.URL, "http", "https", 1), "", nil, Secure, "may have to begin with http://"},
	} {
		plan := planFor(c.url, 1, 1)
		plan.TLS, plan.Cohorts[0].Host = c.trust, c.host
		public, err := Reach(t.Context(), &plan)
		var failed Unreachable
		switch {
		case len(public) > 0:
			t.Errorf("%s: %v is public", c.name, public)
		case c.class == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.class != "" && (!errors.As(err, &failed) || failed.Class != c.class || !strings.Contains(err.Error(), c.text)):
			t.Errorf("%s: %v of class %q, want %q of class %q", c.name, err, failed.Class, c.text, c.class)
		}
	}
}

func TestIsPublic(t *testing.T) {
	for address, want := range map[string]bool{"127.0.0.1:80": false, "10.1.2.3:80": false, "192.168.0.1:80": false, "[::1]:80": false, "[::ffff:10.0.0.1]:80": false,
		"[fd00::1]:80": false, "8.8.8.8:80": true, "[2001:4860:4860::8888]:443": true, "172.32.0.1:80": true} {
		if got := isPublic(net.TCPAddrFromAddrPort(netip.MustParseAddrPort(address))); got != want {
			t.Errorf("%s: public %v, want %v", address, got, want)
		}
	}
}
