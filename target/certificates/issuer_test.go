package certificates

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"testing"
	"time"
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
	open := &tls.Config{Certificates: []tls.Certificate{pair}}
	closed := &tls.Config{Certificates: open.Certificates, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: roots}
	for name, c := range map[string]struct {
		client, server *tls.Config
		ok             bool
	}{
		"of the issuer":                               {ours.ClientOfSecret(), closed, true},
		"that looks at the name":                      {ours.Client(), open, false},
		"that trusts another issuer":                  {others.ClientOfSecret(), open, false},
		"with a certificate of another issuer":        {&tls.Config{InsecureSkipVerify: true, Certificates: others.Client().Certificates}, closed, false},
		"without a certificate":                       {&tls.Config{InsecureSkipVerify: true}, closed, false},
		"without a certificate, where none is wanted": {&tls.Config{RootCAs: ours.Roots(), ServerName: "shop.example"}, open, true},
		"that has the Secret's own certificate":       {&tls.Config{RootCAs: roots, ServerName: "shop.example", Certificates: open.Certificates}, closed, true},
	} {
		client := c.client.Clone()
		if client.ServerName == "" {
			client.ServerName = "other.example"
		}
		if err := shake(t, client, c.server); (err == nil) != c.ok {
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
	listener, err := tls.Listen("tcp", "127.0.0.1:0", server)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	served := make(chan error, 1)
	go func() {
		conn, err := listener.Accept()
		if err == nil {
			defer conn.Close()
			err = conn.(*tls.Conn).HandshakeContext(ctx)
		}
		served <- err
	}()
	conn, err := (&tls.Dialer{Config: client}).DialContext(ctx, "tcp", listener.Addr().String())
	if err == nil {
		defer conn.Close()
	}
	return errors.Join(err, <-served)
}
