package manifests

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// addGateway adds the hosts of the VirtualServices that are bound to a gateway, or to another one of the same pods and port: Istio
// merges these. Where several have rules for one host, their routes follow one another, server by server, and routes that every request
// meets go last (buildGatewayHTTPRouteConfig in its pilot/pkg/networking/core/gateway.go).
// Without TLS all servers of a port have their hosts together (Istio's route configuration "http.80"); with TLS each server has its own
// ("https.443.name.gateway.namespace"), and the name that a client asks for says whose rules hold.
func (t *Table) addGateway(c Caller) {
	if t.rules.Gateways[c.Gateway] == nil {
		t.missed = noRoute("there is no Gateway " + c.Gateway)
		return
	}
	d := t.rules.door(c)
	if len(d.servers) == 0 {
		t.missed = noRoute(t.rules.Gateways[c.Gateway].closed(c.Port))
		return
	}
	if !d.servers[0].TLS {
		t.addServers(c.Gateway, d, d.servers)
		return
	}
	t.missed = &Rule{Name: "no server", Why: fmt.Sprintf("no server of Gateway %s at port %d has the host, so that there is no certificate for it", c.Gateway, d.servers[0].Port),
		Direct: &Direct{Reset: true, Flags: "NR", Detail: "filter_chain_not_found"}}
	t.secure = make(map[*Server]*Table)
	for _, s := range d.servers {
		of := &Table{rules: t.rules, hosts: make(map[authority]*virtualHost), gateway: true, tls: true}
		of.addServers(c.Gateway, d, []*Server{s})
		of.sortWildcards()
		t.secure[s] = of
	}
	t.door = d
}

// addServers adds the hosts of servers that have them together.
func (t *Table) addServers(gateway string, d *door, servers []*Server) {
	t.listens = servers[0].Port
	hosts := make(map[string]*virtualHost)
	host := func(name string) *virtualHost {
		if hosts[name] == nil {
			hosts[name] = &virtualHost{missed: noRoute("the conditions of none of the rules for host " + name + " hold at Gateway " + gateway)}
		}
		return hosts[name]
	}
	type bound struct {
		gateway, host string
		of            *virtualService
	}
	added, known := make(map[bound]bool), t.rules.knownAtGateways()
	for _, s := range servers {
		if s.spec != nil {
			t.rules.addRoutes(s, func(name string, routes []route) { host(name).routes = append(host(name).routes, routes...) })
			continue
		}
		for _, v := range known {
			routes := t.rules.bind(v, s.listener())
			if len(routes) == 0 || !v.listed(s.Gateway) {
				continue
			}
			for _, name := range s.serves(v) {
				h := host(name)
				if once := (bound{s.Gateway, name, v}); !added[once] {
					added[once] = true
					h.routes = append(h.routes, routes...)
				}
			}
		}
	}
	t.missed = noRoute(whyNotServed(gateway, slices.Sorted(maps.Keys(hosts))))
	redirects := make(map[*Server]*Rule)
	for name, s := range d.hosts {
		if s == nil {
			continue
		}
		if redirects[s] == nil {
			redirects[s] = s.redirect()
		}
		host(name).redirect = redirects[s]
	}
	for _, name := range slices.Sorted(maps.Keys(hosts)) {
		h := hosts[name]
		slices.SortStableFunc(h.routes, func(a, b route) int { return catchAll(a) - catchAll(b) })
		t.add(name, 0, h)
	}
}

// knownAtGateways are the VirtualServices that gateways know, in the order in which Istio looks at them: by their
// rank, and of these the oldest.
// Objects of one file count as equally old, and go by name.
func (r *Rules) knownAtGateways() []*virtualService {
	all := slices.DeleteFunc(r.byName(), func(v *virtualService) bool { return !v.knownIn(gatewayNamespace) })
	slices.SortStableFunc(all, func(a, b *virtualService) int { return a.rank(gatewayNamespace) - b.rank(gatewayNamespace) })
	return all
}

// pods are the labels of the pods at which requests to the gateway enter: those of Istio's ingress gateway where it selects none.
func (g *Gateway) pods() map[string]string {
	if len(g.Selector) == 0 {
		return map[string]string{"istio": "ingressgateway"}
	}
	return g.Selector
}

func catchAll(r route) int {
	if r.match.catchAll() {
		return 1
	}
	return 0
}

// Merged are the names of the Gateways whose rules a request for a host can meet that enters at a port of a Gateway, in the order in
// which these rules follow one another: those of the same pods and port, and with TLS the one whose server has the host. Without a host
// they are all of that port. It is the name of the Gateway itself where it has no such port.
func (r *Rules) Merged(c Caller, host string) (all []string) {
	servers := r.door(c).servers
	if host != "" {
		host, _ = splitHost(host)
		servers = r.door(c).asked(host)
	}
	for _, s := range servers {
		if !slices.Contains(all, s.Gateway) {
			all = append(all, s.Gateway)
		}
	}
	if len(all) == 0 {
		return []string{c.Gateway}
	}
	return all
}

// Names reports whether a server of HTTP of a gateway has a host by its name, or by a pattern other than "*", which every host has.
func (g *Gateway) Names(host string) bool {
	host, _ = splitHost(host)
	return slices.ContainsFunc(g.Servers, func(s *Server) bool { return !s.out && s.exactness(host) > len("*") })
}

// Entrance is the port at which requests for a host enter a gateway where no port is said: that of its first server that has the host
// and redirects nobody to https. It is the next best where there is none: a server that redirects, one of other hosts. Without a host
// every server has it. It is 0 for a Gateway without a server of HTTP.
func (g *Gateway) Entrance(host string) int {
	host, _ = splitHost(host)
	best, port := 0, 0
	for _, s := range g.Servers {
		score := 1
		if host == "" || s.exactness(host) > 0 {
			score += 2
		}
		if !s.Redirect {
			score++
		}
		if s.out {
			score = 0
		}
		if score > best {
			best, port = score, s.Port
		}
	}
	return port
}

// Ports are those of the gateway's servers of HTTP, each once, in their order.
func (g *Gateway) Ports() (all []int) {
	for _, s := range g.Servers {
		if !slices.Contains(all, s.Port) {
			all = append(all, s.Port)
		}
	}
	return all
}

// closed says as a clause that the gateway has no server of HTTP at a port.
func (g *Gateway) closed(port int) string {
	var ports []string
	for _, open := range g.Ports() {
		ports = append(ports, fmt.Sprint(open))
	}
	if len(ports) == 0 {
		return fmt.Sprintf("Gateway %s has no server of HTTP", g.name)
	}
	return fmt.Sprintf("Gateway %s has no server of HTTP at port %d, but at %s", g.name, port, strings.Join(ports, ", "))
}

// AnyHost is a host that is made up, where every host will do.
const AnyHost = "hellochaos.example.com"

// EntryHost is a host for the Host header of requests to a port of a gateway (0: that of Entrance): one that the rules of a
// VirtualService serve, or, where none of them is bound to the gateway, one that the Gateway admits, whose requests are answered 404. It
// is empty when every host will do, but for a port with TLS, where a client asks for a host in any case. EntryHost returns false when there is no such Gateway, or it has no such port.
func (r *Rules) EntryHost(gateway string, port int) (string, bool) {
	g := r.Gateways[gateway]
	if g == nil {
		return "", false
	}
	if port == 0 {
		port = g.Entrance("")
	}
	var admitted []string
	for i := range g.Servers {
		if g.Servers[i].Port == port && !g.Servers[i].out {
			admitted = append(admitted, g.Servers[i].patterns[0].host)
		}
	}
	if len(admitted) == 0 {
		return "", false
	}
	for i := range r.virtualServices {
		if hosts := g.admitted(&r.virtualServices[i], port); len(hosts) > 0 {
			admitted = hosts
			break
		}
	}
	switch {
	case admitted[0] == "*" && r.Secure(Caller{Gateway: gateway, Port: port}):
		return AnyHost, true
	case admitted[0] == "*":
		return "", true
	}
	return strings.Replace(admitted[0], "*", "hellochaos", 1), true
}

// admitted are the hosts that the servers of a port (0: of all ports) serve by a VirtualService.
func (g *Gateway) admitted(v *virtualService, port int) []string {
	if !v.boundTo(g.name) || !g.listens && !v.knownIn(gatewayNamespace) {
		return nil
	}
	return g.serves(v, port)
}

// serves are the hosts of a VirtualService that the servers of a port (0: of all ports) admit.
func (g *Gateway) serves(v *virtualService, port int) (hosts []string) {
	for _, s := range g.Servers {
		if port != 0 && s.Port != port {
			continue
		}
		for _, host := range s.serves(v) {
			if !slices.Contains(hosts, host) {
				hosts = append(hosts, host)
			}
		}
	}
	return hosts
}

// Hosts are those of the gateway's servers of HTTP, as Server.Hosts has them, each once.
func (g *Gateway) Hosts() (all []string) {
	for _, s := range g.Servers {
		for _, host := range s.Hosts() {
			if !slices.Contains(all, host) {
				all = append(all, host)
			}
		}
	}
	return all
}

// Redirecting is a host of a Gateway's port at which requests are answered 301 to https.
type Redirecting struct {
	Entry Entry
	// Host is the name of the virtual host, which may begin with "*".
	Host string
}

// Redirecting are the hosts whose requests are answered 301 to https, at each port of each Gateway, sorted.
func (r *Rules) Redirecting() (all []Redirecting) {
	for _, name := range slices.Sorted(maps.Keys(r.Gateways)) {
		for _, port := range r.Gateways[name].Ports() {
			d := r.door(Caller{Gateway: name, Port: port})
			for _, host := range slices.Sorted(maps.Keys(d.hosts)) {
				if by := d.hosts[host]; by != nil && by.Gateway == name {
					all = append(all, Redirecting{Entry{Gateway: name, Port: port}, host})
				}
			}
		}
	}
	return all
}

// Door is a port of a Gateway, and a host for which the rules of an http entry are looked at there.
type Door struct {
	Port int
	Host string
}

// Doors are those of a Gateway at which requests can meet the entry: where its servers have hosts of the VirtualService, and redirect
// nobody to https.
func (e *HTTPEntry) Doors(gateway string) (all []Door) {
	g := e.rules.Gateways[gateway]
	if g == nil {
		return nil
	}
	for _, s := range g.Servers {
		d := e.rules.door(Caller{Gateway: gateway, Port: s.Port})
		for _, host := range s.serves(e.owner) {
			if at := (Door{s.Port, host}); d.redirects(host) == nil && !slices.Contains(all, at) {
				all = append(all, at)
			}
		}
	}
	return all
}
