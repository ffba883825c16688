package mesh

import (
	"crypto/tls"
	"errors"
	"fmt"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/target"
)

// door is a port of a Gateway, and whether its servers have TLS.
type door struct {
	manifests.Caller
	tls bool
}

// openGateways starts a proxy for each port of each Gateway that is new. It stays when its Gateway goes away, and then answers 404.
func (m *Mesh) openGateways(rules *manifests.Rules) error {
	for name, g := range rules.Gateways {
		for _, s := range g.Servers {
			at := door{manifests.Caller{Gateway: name, Port: s.Port}, s.TLS}
			if m.gateways[at] != nil {
				continue
			}
			gateway, err := m.openDoor(at)
			if err != nil {
				return err
			}
			m.gateways[at] = gateway
		}
	}
	return nil
}

// openDoor starts the proxy of a port.
func (m *Mesh) openDoor(at door) (*proxy, error) {
	p := m.unstarted("gateway")
	p.gateway = true
	if !at.tls {
		return p, p.start(nil)
	}
	t := terminator{proxy: p, at: at.Caller, configs: map[manifests.ClientCertificate]*tls.Config{
		manifests.NoCertificate:       m.issuer.Server(tls.NoClientCert),
		manifests.OptionalCertificate: m.issuer.Server(tls.VerifyClientCertIfGiven),
		manifests.RequiredCertificate: m.issuer.Server(tls.RequireAndVerifyClientCert),
	}}
	return p, p.start(&tls.Config{MinVersion: tls.VersionTLS12, GetConfigForClient: t.accept})
}

// terminator accepts the connections of clients with TLS.
type terminator struct {
	proxy   *proxy
	at      manifests.Caller
	configs map[manifests.ClientCertificate]*tls.Config
}

// errNoServer says that no server has the name that a client asks for.
var errNoServer = errors.New("no server has the name that the client asks for")

// accept is how the server accepts a client that has the name for which it asks. Where none has it, Envoy finds no filter chain, and
// closes the connection without a word of TLS.
func (t *terminator) accept(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	if view := t.proxy.current.Load(); view != nil {
		if s := view.rules.ServerFor(t.at, hello.ServerName); s != nil {
			return t.configs[s.Certificate], nil
		}
	}
	hello.Conn.Close()
	return nil, errNoServer
}

// gatewayAddress is the address of the port of a Gateway at which an entry's requests enter.
func (m *Mesh) gatewayAddress(entry manifests.Entry) (target.Address, error) {
	caller, _, err := m.rules.CallerOf(entry)
	if err != nil {
		return target.Address{}, err
	}
	if m.broken.bypassed {
		service, err := m.behind(caller)
		if err != nil {
			return target.Address{}, err
		}
		host, err := m.podOf(service)
		return onLoopback(host), err
	}
	if gateway := m.gateways[door{caller, false}]; gateway != nil && !m.rules.Secure(caller) {
		return onLoopback(gateway.server.address), nil
	}
	return target.Address{URL: "https://" + m.gateways[door{caller, true}].server.address, Way: way + " with TLS", TLS: m.issuer.Client()}, nil
}

// behind is the Service to which a gateway sends a request for "/" of the host by which requests enter at a port.
func (m *Mesh) behind(at manifests.Caller) (*manifests.Service, error) {
	host, _ := m.rules.EntryHost(at.Gateway, at.Port)
	rule := m.rules.Table(at).Route(&manifests.Request{Host: host, Path: "/"})
	for i := range rule.Split {
		if service := m.rules.Services[rule.Split[i].Host]; service != nil {
			return service, nil
		}
	}
	return nil, fmt.Errorf("no Service is behind port %d of Gateway %s that requests could enter at in its place", at.Port, at.Gateway)
}
