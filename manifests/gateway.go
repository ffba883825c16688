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

// listener is where the gateway takes requests. Its pods run in gatewayNamespace.
func (g *Gateway) listener() listener { return listener{g.name, gatewayNamespace, g.port} }

// addGateway adds the hosts of the VirtualServices that are bound to a gateway, or to another one of the same pods and port: Istio
// merges these (MergeGateways in its pilot/pkg/model/gateway.go). Where several have rules for one host, their routes follow one
// another, and routes that every request meets go last.
func (t *Table) addGateway(name string) {
	g := t.rules.Gateways[name]
	if g == nil {
		t.missed = noRoute("there is no Gateway " + name)
		return
	}
	hosts := make(map[string]*virtualHost)
	for _, merged := range t.rules.mergedWith(g) {
		for i := range t.rules.virtualServices {
			v := &t.rules.virtualServices[i]
			for _, host := range merged.admitted(v) {
				if hosts[host] == nil {
					hosts[host] = &virtualHost{missed: noRoute("the conditions of none of the rules for host " + host + " hold at Gateway " + name)}
				}
				hosts[host].routes = append(hosts[host].routes, t.rules.bind(v, merged.listener())...)
			}
		}
	}
	t.missed = noRoute(whyNotServed(name, slices.Sorted(maps.Keys(hosts))))
	for _, host := range slices.Sorted(maps.Keys(hosts)) {
		h := hosts[host]
		slices.SortStableFunc(h.routes, func(a, b route) int { return catchAll(a) - catchAll(b) })
		t.add(host, 0, h)
	}
}

// mergedWith are the Gateways of the same pods and port as g, which is one of them, by name.
func (r *Rules) mergedWith(g *Gateway) (all []*Gateway) {
	for _, name := range slices.Sorted(maps.Keys(r.Gateways)) {
		if other := r.Gateways[name]; other.port == g.port && maps.Equal(other.Selector, g.Selector) {
			all = append(all, other)
		}
	}
	return all
}

// Merged are the names of the Gateways of the same pods and port as one, which is one of them, in the order in which their rules follow
// one another here. It is the name itself where there is no such Gateway.
func (r *Rules) Merged(gateway string) (all []string) {
	g := r.Gateways[gateway]
	if g == nil {
		return []string{gateway}
	}
	for _, other := range r.mergedWith(g) {
		all = append(all, other.name)
	}
	return all
}

func catchAll(r route) int {
	if r.match.catchAll() {
		return 1
	}
	return 0
}

// admitted are the hosts that the gateway serves by a VirtualService.
func (g *Gateway) admitted(v *virtualService) []string {
	if !v.boundTo(g.name) || !v.knownIn(gatewayNamespace) {
		return nil
	}
	return g.serves(v)
}

// serves are the hosts of a VirtualService that the gateway's servers admit.
func (g *Gateway) serves(v *virtualService) []string {
	var hosts []string
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

// EntryHost is a host for the Host header of requests to a gateway: one that the rules of a VirtualService serve, or, where none of
// them is bound to the gateway, one that the Gateway admits, whose requests are answered 404. It is empty when every host will do.
// EntryHost returns false when there is no such Gateway.
func (r *Rules) EntryHost(gateway string) (string, bool) {
	g := r.Gateways[gateway]
	if g == nil {
		return "", false
	}
	admitted := g.patterns[0].host
	for i := range r.virtualServices {
		if hosts := g.admitted(&r.virtualServices[i]); len(hosts) > 0 {
			admitted = hosts[0]
			break
		}
	}
	if admitted == "*" {
		return "", true
	}
	return strings.Replace(admitted, "*", "hellochaos", 1), true
}

// Hosts are those of the gateway's servers, as they are written: a host that only VirtualServices of one namespace may have is
// "namespace/host".
func (g *Gateway) Hosts() (all []string) {
	for _, p := range g.patterns {
		host := p.host
		if p.namespace != "*" {
			host = p.namespace + "/" + host
		}
		all = append(all, host)
	}
	return all
}
