package manifests

import (
	"maps"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
)

func (r *Rules) addGateway(o *Object, spec *networking.Gateway) {
	g := &Gateway{Selector: spec.Selector, object: o, name: o.namespace() + "/" + o.Meta.Name}
	for _, s := range spec.Servers {
		g.port = int(s.Port.GetNumber())
		var server []hostPattern
		for _, host := range s.Hosts {
			// A namespace before the host admits only VirtualServices of that namespace.
			namespace, host, ok := strings.Cut(host, "/")
			if !ok {
				namespace, host = "*", namespace
			}
			if namespace == "." {
				namespace = o.namespace()
			}
			server = append(server, hostPattern{namespace, host})
			g.patterns = append(g.patterns, hostPattern{namespace, strings.ToLower(host)})
		}
		g.servers = append(g.servers, server)
	}
	r.Gateways[g.name] = g
}

// Port is the port of the Service through which requests reach the gateway.
func (g *Gateway) Port() int { return g.port }

// listener is where the gateway takes requests. Its pods run in gatewayNamespace.
func (g *Gateway) listener() listener { return listener{g.name, gatewayNamespace, g.port} }

// addGateway adds the hosts of the VirtualServices that are bound to a gateway, or to another one of the same pods and port: Istio
// merges these (MergeGateways in its pilot/pkg/model/gateway.go). Where several have rules for one host, their routes follow one
// another, server by server, and routes that every request meets go last (buildGatewayHTTPRouteConfig in its
// pilot/pkg/networking/core/gateway.go).
func (t *Table) addGateway(name string) {
	g := t.rules.Gateways[name]
	if g == nil {
		t.missed = noRoute("there is no Gateway " + name)
		return
	}
	hosts, known := make(map[string]*virtualHost), t.rules.knownAtGateways()
	for _, merged := range t.rules.mergedWith(g) {
		for _, server := range merged.servers {
			for _, v := range known {
				routes := t.rules.bind(v, merged.listener())
				if len(routes) == 0 || !v.listed(merged.name) {
					continue
				}
				for _, host := range served(server, v) {
					if hosts[host] == nil {
						hosts[host] = &virtualHost{missed: noRoute("the conditions of none of the rules for host " + host + " hold at Gateway " + name)}
					}
					hosts[host].routes = append(hosts[host].routes, routes...)
				}
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

// knownAtGateways are the VirtualServices that gateways know, in the order in which Istio looks at them: those that are exported to the
// namespace of the gateway's pods alone first, and of these the oldest (VirtualServicesForGateway in its pilot/pkg/model/push_context.go).
// Objects of one file count as equally old, and go by name.
func (r *Rules) knownAtGateways() []*virtualService {
	all := slices.DeleteFunc(r.byName(), func(v *virtualService) bool { return !v.knownIn(gatewayNamespace) })
	slices.SortStableFunc(all, func(a, b *virtualService) int { return last(!a.private) - last(!b.private) })
	return all
}

// mergedWith are the Gateways of the same pods and port as g, which is one of them, in the order in which Istio merges them. One without a
// selector is for all pods of gateways.
func (r *Rules) mergedWith(g *Gateway) (all []*Gateway) {
	for _, name := range slices.Sorted(maps.Keys(r.Gateways)) {
		if other := r.Gateways[name]; other.port == g.port && has(g.pods(), other.Selector) {
			all = append(all, other)
		}
	}
	slices.SortStableFunc(all, func(a, b *Gateway) int { return strings.Compare(a.object.Meta.Name, b.object.Meta.Name) })
	return all
}

// pods are the labels of the pods at which requests to the gateway enter: those of Istio's ingress gateway where it selects none.
func (g *Gateway) pods() map[string]string {
	if len(g.Selector) == 0 {
		return map[string]string{"istio": "ingressgateway"}
	}
	return g.Selector
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
	for _, server := range g.servers {
		for _, host := range served(server, v) {
			if !slices.Contains(hosts, host) {
				hosts = append(hosts, host)
			}
		}
	}
	return hosts
}

// served are the hosts of a VirtualService that a server admits, in lower case. They are compared as they are written (Istio's
// Names.Intersection).
func served(server []hostPattern, v *virtualService) (hosts []string) {
	for _, host := range v.written {
		for _, p := range server {
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
