package mesh

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/target/certificates"
)

// opener opens TLS to a destination, as the sidecars of a DestinationRule's callers do. Methods of nil are those of connections without TLS.
type opener struct {
	how    *manifests.Origination
	issuer *certificates.Issuer
	// ours says that a stand-in of the mesh answers, whose certificate the mesh made. Others must have one that this machine trusts.
	ours bool
}

// opener is how the proxy opens TLS; nil where how is nil.
func (v *view) opener(how *manifests.Origination, ours bool) *opener {
	if how == nil {
		return nil
	}
	return &opener{how, v.issuer, ours}
}

// text is the same for openers that do the same; empty for nil.
func (o *opener) text() string {
	if o == nil {
		return ""
	}
	return fmt.Sprint(*o.how, o.ours)
}

// asked is the name for which the server is asked where a host is sent.
func (o *opener) asked(host string) string {
	if o == nil {
		return ""
	}
	return o.how.Asked(host)
}

// open opens TLS over a connection, and asks for a name. It closes the connection on error.
func (o *opener) open(ctx context.Context, conn net.Conn, asked string) (net.Conn, error) {
	if o == nil {
		return conn, nil
	}
	if manifests.AbsoluteName(asked) { // crypto/tls would leave the dot out, which Envoy does not
		conn.Close()
		return nil, fmt.Errorf("opening TLS: no server may be asked for %s, a name with a dot at its end", asked)
	}
	secure := tls.Client(conn, o.config(asked))
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, fmt.Errorf("opening TLS: %w", err)
	}
	return secure, nil
}

// config is how TLS is opened. crypto/tls always wants the name that it asks for in the certificate, which Envoy does not: verify takes the
// place of that.
func (o *opener) config(asked string) *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: asked, InsecureSkipVerify: true}
	config.VerifyConnection = func(state tls.ConnectionState) error { return o.verify(&state, asked) }
	if o.how.Mutual {
		config.Certificates = o.issuer.Client().Certificates
	}
	return config
}

// verify refuses a certificate that nobody vouches for, and one without the names that the proxy expects (Envoy's DefaultCertValidator).
func (o *opener) verify(state *tls.ConnectionState, asked string) error {
	if len(state.PeerCertificates) == 0 {
		return errors.New("the server shows no certificate")
	}
	leaf := state.PeerCertificates[0]
	if !o.how.Unverified {
		if err := o.vouched(leaf, state.PeerCertificates[1:]); err != nil {
			return err
		}
	}
	names := slices.Clone(leaf.DNSNames)
	for _, ip := range leaf.IPAddresses {
		names = append(names, ip.String())
	}
	if !o.how.Trusts(names, asked) {
		return fmt.Errorf("the proxy asks for %s, and does not accept a certificate for %v", asked, names)
	}
	return nil
}

// vouched is an error unless somebody whom the proxy trusts vouches for a certificate, by those that the server sends with it.
func (o *opener) vouched(leaf *x509.Certificate, sent []*x509.Certificate) error {
	roots := (*x509.CertPool)(nil) // nil is what this machine trusts
	if o.ours {
		roots = o.issuer.Roots()
	}
	between := x509.NewCertPool()
	for _, c := range sent {
		between.AddCert(c)
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between})
	return err
}
