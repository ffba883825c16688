package attack

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
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
	case errors.Is(u.Err, errNoHTTP2) || u.Class == Secure && strings.Contains(u.Err.Error(), "no application protocol"):
		return " (without --http2, requests are of HTTP/1.1)"
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
	for host, to := range plan.hosts() {
		wait.Go(func() {
			limit <- struct{}{}
			defer func() { <-limit }()
			at, err := reach(ctx, to, plan)
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

// hosts are the hosts and ports to which requests of a plan go, each with the address to connect to and the name that its TLS asks for.
func (p *Plan) hosts() map[string]destination {
	hosts := map[string]destination{}
	for i := range p.Cohorts {
		to := p.urlOf(&p.Cohorts[i])
		hosts[hostAndPort(to)] = p.destinationOf(&p.Cohorts[i])
	}
	return hosts
}

// reach opens a connection and closes it. It returns the address of the other side.
func reach(ctx context.Context, to destination, plan *Plan) (net.Addr, error) {
	ctx, stop := context.WithTimeout(ctx, reachTime)
	defer stop()
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", to.address)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	if to.name == "" {
		return connection.RemoteAddr(), nil
	}
	secure, err := plan.secure(ctx, connection, to.name)
	if err == nil && plan.HTTP2 && secure.ConnectionState().NegotiatedProtocol != "h2" {
		err = errNoHTTP2
	}
	return connection.RemoteAddr(), err
}

// errNoHTTP2 is the error of a server that agreed to nothing when it was asked for HTTP/2.
var errNoHTTP2 = errors.New(errTLS + "the server does not speak HTTP/2")

// isPublic reports whether an address is none of this machine, and none of a private network.
func isPublic(at net.Addr) bool {
	to, err := netip.ParseAddrPort(at.String())
	if err != nil {
		return true
	}
	ip := to.Addr().Unmap()
	return !ip.IsLoopback() && !ip.IsPrivate() && !ip.IsLinkLocalUnicast() && !ip.IsUnspecified()
}
