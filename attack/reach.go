package attack

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// reachTime is how long a first connection may take, with its TLS.
const reachTime = 10 * time.Second

// Unreachable is the error of a host to which no request could be sent.
type Unreachable struct {
	Address string // host and port
	Class   string // of the error, such as Refused
	Err     error
}

func (u Unreachable) Error() string {
	return fmt.Sprintf("%s cannot be reached: %v%s", u.Address, u.Err, u.advice())
}

func (u Unreachable) Unwrap() error { return u.Err }

// advice says what to do about an error of TLS.
func (u Unreachable) advice() string {
	var signed x509.UnknownAuthorityError
	var name x509.HostnameError
	switch {
	case errors.As(u.Err, &signed):
		return " (--cacert FILE names the authority that signed the certificate, and --insecure accepts any)"
	case errors.As(u.Err, &name):
		return " (--header 'Host: NAME' asks for another name, and --insecure accepts the certificate of any)"
	case u.Class == Secure && strings.Contains(u.Err.Error(), "first record does not look like"):
		return " (the server speaks no TLS at this port: the address may have to begin with http://)"
	case u.Class == Secure && errors.As(u.Err, new(*tls.CertificateVerificationError)):
		return " (--insecure accepts any certificate)"
	}
	return ""
}

// Reach resolves the names of all hosts of a plan and opens one connection to each, with TLS where the requests have it. It returns the
// addresses that are none of this machine or of a private network, in order, and joins an Unreachable for each host that cannot be reached. It
// sends no request.
func Reach(ctx context.Context, plan *Plan) (public []string, err error) {
	var wait sync.WaitGroup
	var mutex sync.Mutex
	var problems []error
	limit := make(chan struct{}, 16)
	for host, name := range plan.hosts() {
		wait.Go(func() {
			limit <- struct{}{}
			defer func() { <-limit }()
			at, err := reach(ctx, host, name, plan)
			mutex.Lock()
			defer mutex.Unlock()
			if err != nil {
				problems = append(problems, Unreachable{host, string(classify(err, nil)), err})
			} else if isPublic(at) {
				public = append(public, host)
			}
		})
	}
	wait.Wait()
	slices.Sort(public)
	slices.SortFunc(problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return public, errors.Join(problems...)
}

// hosts are the addresses to which requests of a plan go, each with the name that its TLS asks for; empty without TLS.
func (p *Plan) hosts() map[string]string {
	hosts := map[string]string{}
	for i := range p.Cohorts {
		c := &p.Cohorts[i]
		to := p.urlOf(c)
		port, name := cmp.Or(to.Port(), "80"), ""
		if to.Scheme == "https" {
			port, name = cmp.Or(to.Port(), "443"), to.Hostname()
			if c.Host != "" {
				name = (&url.URL{Host: c.Host}).Hostname()
			}
		}
		hosts[net.JoinHostPort(to.Hostname(), port)] = name
	}
	return hosts
}

// reach opens a connection and closes it. It returns the address of the other side.
func reach(ctx context.Context, host, name string, plan *Plan) (net.Addr, error) {
	ctx, stop := context.WithTimeout(ctx, reachTime)
	defer stop()
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", host)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	if name == "" {
		return connection.RemoteAddr(), nil
	}
	settings := plan.TLS.Clone()
	if settings == nil {
		settings = &tls.Config{}
	}
	settings.ServerName = cmp.Or(settings.ServerName, name)
	return connection.RemoteAddr(), tls.Client(connection, settings).HandshakeContext(ctx)
}

// isPublic reports whether an address is none of this machine, and none of a private network.
func isPublic(at net.Addr) bool {
	to, err := netip.ParseAddrPort(at.String())
	if err != nil {
		return true
	}
	ip := to.Addr().Unmap()
	return !ip.IsLoopback() && !ip.IsPrivate() && !ip.IsLinkLocalUnicast() && !ip.IsUnspecified()
}
