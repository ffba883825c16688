// Package certificates makes the certificates of a run: those of the gateways, hosts and clients of a mesh that is tested. Nobody else
// trusts them. The package must not know where they are used.
package certificates

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"time"
)

// Issuer makes the certificates of a run: those of gateways' servers, of hosts outside the mesh, and that of its clients, which servers
// with tls.mode MUTUAL ask for. Its own key is in memory alone.
type Issuer struct {
	key  *ecdsa.PrivateKey // of the issuer, and of the servers whose keys stay in memory
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

// NewIssuer makes the certificate of an issuer, and that of the clients.
func NewIssuer() (*Issuer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	i := &Issuer{key: key, pool: x509.NewCertPool(), leaves: make(map[string]*tls.Certificate)}
	template := &x509.Certificate{Subject: pkix.Name{CommonName: "run of hellochaos"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	made, err := i.sign(template, template, key)
	if err != nil {
		return nil, err
	}
	if i.own, err = x509.ParseCertificate(made.Certificate[0]); err != nil {
		return nil, fmt.Errorf("reading the certificate of the issuer: %w", err)
	}
	i.pool.AddCert(i.own)
	client, err := i.sign(&x509.Certificate{Subject: pkix.Name{CommonName: "client of hellochaos"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, i.own, key)
	if err != nil {
		return nil, err
	}
	i.client = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: i.pool, Certificates: []tls.Certificate{*client}}
	return i, nil
}

// sign makes a certificate for a key. It holds from an hour ago, since the clocks of nodes differ, for as long as validity.
func (i *Issuer) sign(template, by *x509.Certificate, key *ecdsa.PrivateKey) (*tls.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("drawing the number of a certificate: %w", err)
	}
	now := time.Now()
	template.SerialNumber, template.NotBefore, template.NotAfter = serial, now.Add(-time.Hour), now.Add(validity)
	template.KeyUsage |= x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, by, &key.PublicKey, i.key)
	if err != nil {
		return nil, fmt.Errorf("making a certificate: %w", err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// Client is how a client connects: by the certificate of the clients, to servers whose certificate is of this issuer and has the name that
// is asked for.
func (i *Issuer) Client() *tls.Config { return i.client }

// ClientOfSecret is Client for the servers that have the certificate of Secret, in which no name is looked at: one certificate serves all
// hosts of a gateway.
func (i *Issuer) ClientOfSecret() *tls.Config {
	config := i.client.Clone()
	config.InsecureSkipVerify = true // VerifyConnection verifies all but the name
	config.VerifyConnection = func(s tls.ConnectionState) error {
		if len(s.PeerCertificates) == 0 {
			return errors.New("the server has shown no certificate")
		}
		_, err := s.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: i.pool})
		return err
	}
	return config
}

// Roots are what trusts the certificates of the issuer.
func (i *Issuer) Roots() *x509.CertPool { return i.pool }

// Secret is the data of a Secret of type kubernetes.io/tls, by key: tls.crt and tls.key have a certificate with these names, for servers and
// for clients, and ca.crt has that of the issuer. The private key is made for the Secret.
func (i *Issuer) Secret(names ...string) (map[string][]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	template := serverTemplate("secret of hellochaos", names...)
	template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageClientAuth)
	made, err := i.sign(template, i.own, key)
	if err != nil {
		return nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("writing a key: %w", err)
	}
	certificate := func(der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}) }
	return map[string][]byte{"tls.crt": certificate(made.Certificate[0]), "tls.key": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}),
		"ca.crt": certificate(i.own.Raw)}, nil
}

// serverTemplate is the certificate of a server before it is signed.
func serverTemplate(name string, hosts ...string) *x509.Certificate {
	return &x509.Certificate{Subject: pkix.Name{CommonName: name}, DNSNames: hosts, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
}

// leaf is the certificate of a server for the name that a client asks for. One for each name holds where a server has "*", for which
// there is no certificate.
func (i *Issuer) leaf(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	if made := i.leaves[hello.ServerName]; made != nil {
		return made, nil
	}
	template := serverTemplate("server of a gateway")
	if hello.ServerName != "" {
		template.DNSNames = []string{hello.ServerName}
	}
	made, err := i.sign(template, i.own, i.key)
	if err == nil && len(i.leaves) < mostLeaves {
		i.leaves[hello.ServerName] = made
	}
	return made, err
}

// Server is how a server accepts clients that it asks for a certificate so. It has a certificate for each name that is asked for.
func (i *Issuer) Server(asks tls.ClientAuthType) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: i.leaf, ClientAuth: asks, ClientCAs: i.pool}
}

// Host is how a host outside the mesh accepts clients, by a certificate with these names. It takes clients with a certificate of the issuer,
// and without any.
func (i *Issuer) Host(names []string) (*tls.Config, error) {
	made, err := i.sign(serverTemplate("host outside the mesh", names...), i.own, i.key)
	if err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{*made}, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: i.pool}, nil
}
