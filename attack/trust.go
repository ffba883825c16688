package attack

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Trust says whose certificates a plan accepts: any where insecure is true, or else those that the authorities of a file in PEM form have
// signed, or where the file has no name those that the system trusts. cert and key are files with the certificate that the requests have
// themselves; both are empty where they have none. The error names the flag.
func Trust(insecure bool, cacert, cert, key string) (*tls.Config, error) {
	settings := &tls.Config{InsecureSkipVerify: insecure} // where the user asks for it
	if (cert == "") != (key == "") {
		return nil, errors.New("--cert and --key: give both, the certificate and its private key")
	}
	if cert != "" {
		pair, err := tls.LoadX509KeyPair(filepath.Clean(cert), filepath.Clean(key))
		if err != nil {
			return nil, fmt.Errorf("--cert %s and --key %s: %w", cert, key, err)
		}
		settings.Certificates = []tls.Certificate{pair}
	}
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

// Resolve reads addresses in the form of curl, HOST:PORT:ADDRESS, where ADDRESS may have a port of its own. The error joins one line for each
// that cannot be read.
func Resolve(texts []string) (map[string]string, error) {
	to := map[string]string{}
	var problems []error
	for _, text := range texts {
		host, rest, _ := strings.Cut(text, ":")
		port, address, _ := strings.Cut(rest, ":")
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			ip, wrong := netip.ParseAddr(strings.Trim(address, "[]"))
			number, notPort := strconv.ParseUint(port, 10, 16)
			at, err = netip.AddrPortFrom(ip, uint16(number)), errors.Join(wrong, notPort)
		}
		if _, notPort := strconv.ParseUint(port, 10, 16); err != nil || notPort != nil || host == "" {
			problems = append(problems, fmt.Errorf("--resolve %s: must be HOST:PORT:ADDRESS, such as shop.example:443:127.0.0.1, or with another port at its end", text))
			continue
		}
		to[net.JoinHostPort(host, port)] = at.String()
	}
	return to, errors.Join(problems...)
}
