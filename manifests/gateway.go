package manifests

import (
	"maps"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
)

func (r *Rules) addGateway(o *Object, spec *networking.Gateway) {
	g := &Gateway{Selector: spec.Selector, name: o.namespace() + "/" + o.Meta.Name}
	for _, s := range spec.Servers {
		g.port = int(s.Port.GetNumber())
		for _, host := range s.Hosts {
			// A namespace before the host admits only VirtualServices of that namespace.
			namespace, host, ok := strings.Cut(host, "/")
			if !ok {
				namespace, host = "*", namespace
			}
			if namespace == "." {
				namespace = o.namespace()
			}
			g.patterns = append(g.patterns, hostPattern{namespace, strings.ToLower(host)})
		}
	}
	r.Gateways[g.name] = g
}

// Port is the port of the Service through which requests reach the gateway.
func (g *Gateway) Port() int { return g.port }

// addGateway adds the hosts of the VirtualServices that are bound to a gateway. Where several have rules for one host, their
// routes follow one another, and routes that every request meets go last.
func (t *Table) addGateway(name string) {
	g := t.rules.Gateways[name]
	if g == nil {
		return
	}
	hosts := make(map[string]*virtualHost)
	for i := range t.rules.virtualServices {
		v := &t.rules.virtualServices[i]
		for _, host := range g.admitted(v) {
			if hosts[host] == nil {
				hosts[host] = new(virtualHost)
			}
			hosts[host].routes = append(hosts[host].routes, t.rules.bind(v, name, g.port)...)
		}
	}
	for _, host := range slices.Sorted(maps.Keys(hosts)) {
		h := hosts[host]
		slices.SortStableFunc(h.routes, func(a, b route) int { return catchAll(a) - catchAll(b) })
		t.add(host, 0, h)
	}
}

func catchAll(r route) int {
	if r.match.catchAll() {
		return 1
	}
	return 0
}

// admitted are the hosts that the gateway serves by a VirtualService.
func (g *Gateway) admitted(v *virtualService) []string {
	var hosts []string
	if !v.boundTo(g.name) || !v.knownIn(gatewayNamespace) {
		return nil
	}
	for _, host := range v.hosts {
		for _, p := range g.patterns {
			if p.namespace != "*" && p.namespace != v.namespace {
				continue
			}
			if both, ok := narrower(p.host, host); ok && !slices.Contains(hosts, both) {
				hosts = append(hosts, both)
			}
		}
	}
	return hosts
}

// EntryHost is a host for the Host header of requests to a gateway, such that the gateway serves them. It is empty when the
// gateway serves every host. EntryHost returns false when the gateway serves no host.
func (r *Rules) EntryHost(gateway string) (string, bool) {
	g := r.Gateways[gateway]
	if g == nil {
		return "", false
	}
	for i := range r.virtualServices {
		hosts := g.admitted(&r.virtualServices[i])
		switch {
		case len(hosts) == 0:
		case hosts[0] == "*":
			return "", true
		default:
			return strings.Replace(hosts[0], "*", "hellochaos", 1), true
		}
	}
	return "", false
}
