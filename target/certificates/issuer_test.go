package certificates

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"testing"
)

// TestSecret has a server speak TLS by the data of a Secret: the clients of its issuer take it by any name, and those of another issuer do not.
func TestSecret(t *testing.T) {
	ours, others := issuer(t), issuer(t)
	data, err := ours.Secret("shop.example")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(data["tls.crt"], data["tls.key"])
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(data["ca.crt"]) {
		t.Fatal("ca.crt has no certificate")
	}
	server := &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: roots}
	for name, c := range map[string]struct {
		client *tls.Config
		ok     bool
	}{
		"of the issuer":                         {ours.ClientOfSecret(), true},
		"that looks at the name":                {ours.Client(), false},
		"of another issuer":                     {others.ClientOfSecret(), false},
		"of the issuer, without a certificate":  {&tls.Config{RootCAs: ours.Roots()}, false},
		"that has the Secret's own certificate": {&tls.Config{RootCAs: roots, ServerName: "shop.example", Certificates: []tls.Certificate{pair}}, true},
	} {
		client := c.client.Clone()
		if client.ServerName == "" {
			client.ServerName = "other.example"
		}
		if err := shake(t, client, server); (err == nil) != c.ok {
			t.Errorf("a client %s: %v, want it to connect: %v", name, err, c.ok)
		}
	}
}

// TestServer connects to servers that have a certificate for each name, and to a host that has one for its own.
func TestServer(t *testing.T) {
	i := issuer(t)
	host, err := i.Host([]string{"api.example"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		server *tls.Config
		name   string
		ok     bool
	}{{i.Server(tls.NoClientCert), "a.example", true}, {i.Server(tls.RequireAndVerifyClientCert), "b.example", true}, {host, "api.example", true}, {host, "a.example", false}} {
		client := i.Client().Clone()
		client.ServerName = c.name
		if err := shake(t, client, c.server); (err == nil) != c.ok {
			t.Errorf("%s: %v, want it to connect: %v", c.name, err, c.ok)
		}
	}
}

func issuer(t *testing.T) *Issuer {
	t.Helper()
	i, err := NewIssuer()
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// shake is the error of the client or of the server with which a connection begins.
func shake(t *testing.T, client, server *tls.Config) error {
	t.Helper()
	near, far := net.Pipe()
	served := make(chan error, 1)
	go func() {
		defer far.Close()
		served <- tls.Server(far, server).HandshakeContext(t.Context())
	}()
	err := tls.Client(near, client).HandshakeContext(t.Context())
	near.Close()
	if other := <-served; err == nil {
		err = other
	}
	return err
}
