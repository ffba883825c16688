package attack

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Trust says whose certificates a plan accepts: any where insecure is true, or else those that the authorities of a file in PEM form have
// signed, or where the file has no name those that the system trusts. The error names the flag.
func Trust(insecure bool, cacert string) (*tls.Config, error) {
	settings := &tls.Config{InsecureSkipVerify: insecure} // where the user asks for it
	if cacert == "" {
		return settings, nil
	}
	if insecure {
		return nil, errors.New("--cacert and --insecure: give one of them, since --insecure accepts any certificate")
	}
	text, err := os.ReadFile(filepath.Clean(cacert))
	if err != nil {
		var of *os.PathError
		if errors.As(err, &of) {
			err = of.Err
		}
		return nil, fmt.Errorf("--cacert %s: %w", cacert, err)
	}
	settings.RootCAs = x509.NewCertPool()
	if !settings.RootCAs.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("--cacert %s: has no certificate in PEM form (-----BEGIN CERTIFICATE-----)", cacert)
	}
	return settings, nil
}
