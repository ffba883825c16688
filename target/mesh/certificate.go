package mesh

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"sync"
	"time"
)

// issuer makes the certificates of a mesh: those of its gateways' servers, and that of its clients, which servers with tls.mode MUTUAL
// ask for. They are in memory alone, and nobody else trusts them.
type issuer struct {
	key  *ecdsa.PrivateKey // of the issuer, and of the servers that it makes certificates for
	own  *x509.Certificate
	pool *x509.CertPool
	// client is how clients connect.
	client *tls.Config

	mutex  sync.Mutex
	leaves map[string]*tls.Certificate // by the name that a client asks for
}

const (
	// validity is how long certificates hold. The longest run takes days.
	validity = 365 * 24 * time.Hour
	// mostLeaves is how many certificates of servers are kept: a client may ask a server for "*" for any name.
	mostLeaves = 4096
)

// newIssuer makes the certificate of an issuer, and that of the clients.
func newIssuer() (*issuer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	i := &issuer{key: key, pool: x509.NewCertPool(), leaves: make(map[string]*tls.Certificate)}
	template := &x509.Certificate{Subject: pkix.Name{CommonName: "embedded mesh of hellochaos"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	made, err := i.sign(template, template)
	if err != nil {
		return nil, err
	}
	if i.own, err = x509.ParseCertificate(made.Certificate[0]); err != nil {
		return nil, fmt.Errorf("reading the certificate of the issuer: %w", err)
	}
	i.pool.AddCert(i.own)
	client, err := i.sign(&x509.Certificate{Subject: pkix.Name{CommonName: "client of hellochaos"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, i.own)
	if err != nil {
		return nil, err
	}
	i.client = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: i.pool, Certificates: []tls.Certificate{*client}}
	return i, nil
}

// sign makes a certificate that holds from now on.
func (i *issuer) sign(template, by *x509.Certificate) (*tls.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("drawing the number of a certificate: %w", err)
	}
	now := time.Now()
	template.SerialNumber, template.NotBefore, template.NotAfter = serial, now.Add(-time.Hour), now.Add(validity)
	template.KeyUsage |= x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, by, &i.key.PublicKey, i.key)
	if err != nil {
		return nil, fmt.Errorf("making a certificate: %w", err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: i.key}, nil
}

// leaf is the certificate of a server for the name that a client asks for. One for each name holds where a server has "*", for which
// there is no certificate.
func (i *issuer) leaf(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	if made := i.leaves[hello.ServerName]; made != nil {
		return made, nil
	}
	template := &x509.Certificate{Subject: pkix.Name{CommonName: "server of a gateway"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	if hello.ServerName != "" {
		template.DNSNames = []string{hello.ServerName}
	}
	made, err := i.sign(template, i.own)
	if err == nil && len(i.leaves) < mostLeaves {
		i.leaves[hello.ServerName] = made
	}
	return made, err
}

// server is how a server accepts clients that it asks for a certificate so.
func (i *issuer) server(asks tls.ClientAuthType) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: i.leaf, ClientAuth: asks, ClientCAs: i.pool}
}

// host is how a host outside the mesh accepts clients, by a certificate with these names. It takes clients with a certificate of the issuer,
// and without any.
func (i *issuer) host(names []string) (*tls.Config, error) {
	made, err := i.sign(&x509.Certificate{Subject: pkix.Name{CommonName: "host outside the mesh"}, DNSNames: names, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, i.own)
	if err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{*made}, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: i.pool}, nil
}
