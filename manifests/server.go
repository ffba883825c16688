package manifests

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// Server is a server of a Gateway whose requests meet the rules for HTTP: one that speaks HTTP, with TLS that it terminates or without.
type Server struct {
	// Gateway is the "namespace/name" of its Gateway, and Index its place in spec.servers.
	Gateway string
	Index   int
	// File and Line are where it stands.
	File string
	Line int
	// Port is that of the Service through which requests reach the server.
	Port int
	// TLS says that the server terminates TLS: a client names the host that it wants when it connects (SNI).
	TLS bool
	// Certificate is what a server with TLS asks of its clients.
	Certificate ClientCertificate
	// Credential is the Secret that has the certificate of a server with TLS (credentialName, or the first of credentialNames); empty where
	// the certificate is elsewhere.
	Credential string
	// Redirect says that a server without TLS answers 301 to https to every request for its hosts, before any rule is looked at
	// (tls.httpsRedirect; require_tls in Istio's buildGatewayHTTPRouteConfig).
	Redirect bool

	patterns []hostPattern // its hosts in lower case
	written  []hostPattern // its hosts as they are written
	settings bool          // whether it has the field tls
	out      bool          // whether Istio leaves it out
	labels   string        // of its pods, as far as its Gateway names them

	// spec is the listener of Gateway API for which the server stands, with its name and hostname, "*" where it has none; routes says that
	// it takes HTTPRoutes. nil for a server of Istio's Gateway.
	spec              *gatewayv1.Listener
	section, hostname string
	routes            bool
	podNamespace      string // that of the pods of a Gateway of Gateway API; empty: gatewayNamespace
}

// ClientCertificate says whether a server with TLS asks its clients for a certificate.
type ClientCertificate int

// What a server may ask for.
const (
	NoCertificate       ClientCertificate = iota // tls.mode SIMPLE
	OptionalCertificate                          // OPTIONAL_MUTUAL
	RequiredCertificate                          // MUTUAL, ISTIO_MUTUAL
)

// Opaque is a server of a Gateway to which no rule for HTTP applies.
type Opaque struct {
	File string
	Line int
	Port int
	// Why says as a clause what it does instead: "its protocol is TCP".
	Why string
}

// String names the server: "Gateway default/shop, servers[1]".
func (s *Server) String() string {
	list := "servers"
	if s.spec != nil {
		list = "listeners"
	}
	return fmt.Sprintf("Gateway %s, %s[%d]", s.Gateway, list, s.Index)
}

// Hosts are those of the server, as they are written, in lower case: a host that only VirtualServices of one namespace may have is
// "namespace/host".
func (s *Server) Hosts() (all []string) {
	for _, p := range s.patterns {
		host := p.host
		if p.namespace != "*" {
			host = p.namespace + "/" + host
		}
		all = append(all, host)
	}
	return all
}

// serves are the hosts of a VirtualService that the server admits, in lower case; none where it is left out. They are compared as they are
// written (Istio's Names.Intersection).
func (s *Server) serves(v *virtualService) (hosts []string) {
	written := v.written
	if v.attached != nil {
		written = v.attached.listeners[s]
	}
	if s.out || (s.spec != nil) != (v.attached != nil) {
		return nil
	}
	for _, host := range written {
		for _, p := range s.written {
			if p.namespace != "*" && p.namespace != v.namespace {
				continue
			}
			if both, ok := narrower(p.host, host); ok && !slices.Contains(hosts, strings.ToLower(both)) {
				hosts = append(hosts, strings.ToLower(both))
			}
		}
	}
	return hosts
}

// admitted are the hosts that the server serves by a VirtualService that is bound to its Gateway.
func (s *Server) admitted(v *virtualService) []string {
	if !v.boundTo(s.Gateway) || !v.knownIn(s.listener().namespace) {
		return nil
	}
	return s.serves(v)
}

// exactness is how exactly the server's hosts name a host; 0 where none does.
func (s *Server) exactness(host string) (most int) {
	for _, p := range s.patterns {
		most = max(most, exactness(p.host, host))
	}
	return most
}

// exactness is how exactly a pattern names a host: by the host itself more than by any pattern, and by a longer pattern more than by a
// shorter one. It is 0 where the pattern does not cover the host.
func exactness(pattern, host string) int {
	switch {
	case pattern == host:
		return math.MaxInt
	case covers(pattern, host):
		return len(pattern)
	}
	return 0
}

// listener is where the server takes requests. Its pods run in gatewayNamespace, or those of a Gateway of Gateway API in its own namespace.
func (s *Server) listener() listener {
	return listener{s.Gateway, cmp.Or(s.podNamespace, gatewayNamespace), s.Port, s.labels, s.TLS}
}

// listenerAt is where a Gateway takes requests at a port.
func (r *Rules) listenerAt(gateway string, port int) listener {
	if servers := r.door(Caller{Gateway: gateway, Port: port}).servers; len(servers) > 0 {
		at := servers[0].listener()
		at.gateway = gateway
		return at
	}
	return listener{gateway: gateway, namespace: gatewayNamespace, port: port}
}

// redirect is the answer of a server with tls.httpsRedirect to requests that come without TLS. Envoy makes it of the host and the path
// of the request (createSslRedirectPath in its source/common/http/utility.cc).
func (s *Server) redirect() *Rule {
	return &Rule{Name: s.String(), File: s.File, Line: s.Line, Hosts: s.Hosts(), Match: "requests without TLS",
		Redirect: &Redirect{Status: http.StatusMovedPermanently, Scheme: "https", keepsPort: true}}
}

// addGateway adds a Gateway with its servers.
func (r *Rules) addGateway(o *Object, spec *networking.Gateway) {
	g := &Gateway{Selector: spec.Selector, object: o, name: o.namespace() + "/" + o.Meta.Name}
	for i, from := range spec.Servers {
		line := o.lines.of(fmt.Sprintf("spec.servers[%d]", i), o.Line)
		if why := opaque(from); why != "" {
			g.Opaque = append(g.Opaque, Opaque{o.File, line, int(from.Port.GetNumber()), why})
			continue
		}
		s := &Server{Gateway: g.name, Index: i, File: o.File, Line: line, Port: int(from.Port.GetNumber()), settings: from.Tls != nil, labels: strings.Join(pairs(g.Selector), ",")}
		s.TLS = isHTTPS(from.Port.GetProtocol())
		s.Redirect = !s.TLS && from.Tls.GetHttpsRedirect()
		s.Credential = from.Tls.GetCredentialName()
		if names := from.Tls.GetCredentialNames(); len(names) > 0 {
			s.Credential = names[0]
		}
		switch from.Tls.GetMode() {
		case networking.ServerTLSSettings_MUTUAL, networking.ServerTLSSettings_ISTIO_MUTUAL:
			s.Certificate = RequiredCertificate
		case networking.ServerTLSSettings_OPTIONAL_MUTUAL:
			s.Certificate = OptionalCertificate
		}
		for _, host := range from.Hosts {
			p := patternOf(host, o.namespace())
			s.written = append(s.written, p)
			s.patterns = append(s.patterns, hostPattern{p.namespace, strings.ToLower(p.host)})
		}
		g.Servers = append(g.Servers, s)
	}
	r.Gateways[g.name] = g
}

// patternOf reads a host of a server. A namespace before the host admits only VirtualServices of that namespace.
func patternOf(host, own string) hostPattern {
	namespace, host, ok := strings.Cut(host, "/")
	if !ok {
		namespace, host = "*", namespace
	}
	if namespace == "." {
		namespace = own
	}
	return hostPattern{namespace, host}
}

// isPlainHTTP reports whether Istio makes routes of HTTP for a server of this protocol without TLS (IsHTTP in its pkg/config/protocol):
// all of them are one listener that takes requests of HTTP/1.1 and HTTP/2.
func isPlainHTTP(protocol string) bool {
	return slices.Contains([]string{"HTTP", "HTTP2", "GRPC", "GRPC-WEB"}, strings.ToUpper(protocol))
}

func isHTTPS(protocol string) bool { return strings.EqualFold(protocol, "HTTPS") }

// opaque says as a clause why no rule for HTTP applies at a server; empty where such rules do (IsHTTPServer in Istio's
// pkg/config/gateway).
func opaque(s *networking.Server) string {
	protocol := s.Port.GetProtocol()
	switch mode := s.Tls.GetMode(); {
	case isPlainHTTP(protocol):
		return ""
	case !isHTTPS(protocol):
		return "its protocol is " + strings.ToUpper(protocol)
	case mode == networking.ServerTLSSettings_PASSTHROUGH:
		return "it passes TLS through (tls.mode PASSTHROUGH, which holds where none is written)"
	case mode == networking.ServerTLSSettings_AUTO_PASSTHROUGH:
		return "it passes TLS through (tls.mode AUTO_PASSTHROUGH)"
	}
	return ""
}

// door is a port at which requests enter the pods of a gateway, with the servers there in the order in which their rules follow one
// another.
type door struct {
	servers []*Server
	leftOut []LeftOut
	// hosts are the virtual hosts of a port without TLS at which some server has tls.httpsRedirect, by their names: each with the server
	// that redirects its requests, or nil.
	hosts map[string]*Server
}

// openDoors finds out which servers stand at each port of each Gateway. Everything else must have been added to r.
func (r *Rules) openDoors() {
	r.doors = make(map[Caller]*door)
	for name, g := range r.Gateways {
		for _, s := range g.Servers {
			at := Caller{Gateway: name, Port: s.Port}
			if r.doors[at] == nil {
				r.doors[at] = r.merge(g, s.Port)
				r.doors[at].redirecting(r.virtualServices)
			}
		}
	}
}

// LeftOut is a server that Istio leaves out with all of its hosts, since another one of the same pods and port has one of them.
type LeftOut struct {
	Server, By *Server
	// Host is the one that both have.
	Host string
}

// LeftOut are the servers that Istio leaves out, by the names of their Gateways. Of two Gateways it leaves out the server of the one that
// was created later, which no file shows: here that is the one whose name is the later one.
func (r *Rules) LeftOut() (all []LeftOut) {
	for _, name := range slices.Sorted(maps.Keys(r.Gateways)) {
		for _, port := range r.Gateways[name].Ports() {
			for _, out := range r.doors[Caller{Gateway: name, Port: port}].leftOut {
				if out.Server.Gateway == name {
					all = append(all, out)
				}
			}
		}
	}
	return all
}

// merge is the door at a port of the Gateways of the same pods as g, one without a selector being for all pods of gateways (mergeGateways in Istio's pilot/pkg/model/gateway.go). A server is
// left out that has the field tls and a host that an earlier one with tls has already, and one that differs from the first in whether it
// has TLS.
func (r *Rules) merge(g *Gateway, port int) *door {
	d := &door{}
	taken := make(map[hostPattern]*Server)
	for _, other := range r.gatewaysByName() {
		if !has(g.pods(), other.Selector) || g != other && (g.listens || other.listens) {
			continue
		}
		for _, s := range other.Servers {
			if s.Port != port || len(d.servers) > 0 && d.servers[0].TLS != s.TLS {
				continue
			}
			if i := slices.IndexFunc(s.patterns, func(p hostPattern) bool { return taken[p] != nil }); s.settings && i >= 0 {
				s.out = true
				d.leftOut = append(d.leftOut, LeftOut{s, taken[s.patterns[i]], s.patterns[i].host})
				continue
			}
			for _, p := range s.patterns {
				if s.settings {
					taken[p] = s
				}
			}
			d.servers = append(d.servers, s)
		}
	}
	return d
}

// gatewaysByName are all Gateways in the order in which Istio merges those that are equally old: by their names, and then by their
// namespaces.
func (r *Rules) gatewaysByName() (all []*Gateway) {
	for _, name := range slices.Sorted(maps.Keys(r.Gateways)) {
		all = append(all, r.Gateways[name])
	}
	slices.SortStableFunc(all, func(a, b *Gateway) int { return strings.Compare(a.object.Meta.Name, b.object.Meta.Name) })
	return all
}

// redirecting fills in the virtual hosts of a door, where some server has tls.httpsRedirect.
func (d *door) redirecting(virtualServices []virtualService) {
	if !slices.ContainsFunc(d.servers, func(s *Server) bool { return s.Redirect }) {
		return
	}
	d.hosts = make(map[string]*Server)
	add := func(host string, s *Server) {
		if by := d.hosts[host]; s.Redirect && by == nil {
			d.hosts[host] = s
		} else {
			d.hosts[host] = by
		}
	}
	for _, s := range d.servers {
		for i := range virtualServices {
			for _, host := range s.admitted(&virtualServices[i]) {
				add(host, s)
			}
		}
		for _, p := range s.patterns {
			if s.Redirect && p.namespace == "*" {
				add(p.host, s)
			}
		}
	}
}

// redirects is the server that answers 301 to https to requests for a host; nil where none does.
func (d *door) redirects(host string) *Server {
	var by *Server
	most := 0
	for name, s := range d.hosts {
		if now := exactness(name, host); now > most {
			most, by = now, s
		}
	}
	return by
}

// asked are the servers at a door whose rules a request for a host meets: all of them without TLS, and with it the one whose hosts name
// the host most exactly, as Envoy chooses a filter chain by the name that the client asks for. There is none where no server has it.
func (d *door) asked(host string) []*Server {
	if len(d.servers) == 0 || !d.servers[0].TLS {
		return d.servers
	}
	var best []*Server
	most := 0
	for _, s := range d.servers {
		if now := s.exactness(host); now > most {
			most, best = now, []*Server{s}
		}
	}
	return best
}

// door is where requests of a caller enter a gateway; without servers where there is no such port. A caller without a port enters where
// Entrance says.
func (r *Rules) door(c Caller) *door {
	if g := r.Gateways[c.Gateway]; g != nil && c.Port == 0 {
		c.Port = g.Entrance("")
	}
	if d := r.doors[Caller{Gateway: c.Gateway, Port: c.Port}]; d != nil {
		return d
	}
	return &door{}
}

// ServerFor is the server with TLS to which a client connects who asks for a name (SNI), at the port of a Gateway; nil where none has
// the name, so that Envoy closes the connection.
func (r *Rules) ServerFor(c Caller, name string) *Server {
	name, _ = splitHost(name)
	servers := r.door(c).asked(name)
	if len(servers) == 0 || !servers[0].TLS {
		return nil
	}
	return servers[0]
}

// Secure reports whether the servers at the port of a Gateway have TLS.
func (r *Rules) Secure(c Caller) bool {
	servers := r.door(c).servers
	return len(servers) > 0 && servers[0].TLS
}

// Credential is the Secret with the certificate of a server with TLS at the port of a Gateway, the first that one names; empty where none
// names any.
func (r *Rules) Credential(c Caller) string {
	for _, s := range r.door(c).servers {
		if s.TLS && s.Credential != "" {
			return s.Credential
		}
	}
	return ""
}
