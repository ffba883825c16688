package manifests

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// known is a host of the registry at one port, as a sidecar knows it. Names of hosts stand for the Services and ServiceEntries that have them.
type known map[string]bool

// obeyed are the VirtualServices that a sidecar knows, in the order in which Istio looks at them: by their rank
// (SelectVirtualServices), and of these the oldest. Objects of one file count as equally old, and go by name
// (configCompareByCreationTime in Istio's pilot/pkg/model/config.go). HTTPRoutes that do not serve callers of the namespace are among them: no
// wildcard of another object holds for their hosts.
func (r *Rules) obeyed(s *sidecar, namespace string) (all []*virtualService) {
	for _, v := range r.byName() {
		if v.listed(mesh) && v.knownIn(namespace) && s.imports.admitRules(v.namespace, v.written) {
			all = append(all, v)
		}
	}
	slices.SortStableFunc(all, func(a, b *virtualService) int { return a.rank(namespace) - b.rank(namespace) })
	return all
}

// byName are the VirtualServices by name and namespace.
func (r *Rules) byName() (all []*virtualService) {
	for i := range r.virtualServices {
		all = append(all, &r.virtualServices[i])
	}
	slices.SortStableFunc(all, func(a, b *virtualService) int {
		return cmp.Or(cmp.Compare(a.object.Meta.Name, b.object.Meta.Name), cmp.Compare(a.namespace, b.namespace))
	})
	return all
}

// last is 1 where something comes after what it is not the case for.
func last(is bool) int {
	if is {
		return 1
	}
	return 0
}

// owner is the VirtualService whose rules a sidecar in a namespace obeys for a host of the registry; nil where there is none.
func (r *Rules) owner(host string, s *sidecar, namespace string) *virtualService {
	return mostSpecific(host, r.obeyed(s, namespace))
}

// mostSpecific is the first of some VirtualServices that has a host by its own name, or else by the longest wildcard, as they are written
// (computeWildcardHostVirtualServiceIndex in Istio's pilot/pkg/model/sidecar.go).
func mostSpecific(host string, all []*virtualService) (found *virtualService) {
	longest := ""
	for _, v := range all {
		for _, pattern := range v.written {
			if pattern == host {
				return v
			}
			if len(pattern) > len(longest) && covers(pattern, host) {
				found, longest = v, pattern
			}
		}
	}
	return found
}

// addSidecar adds the hosts that a sidecar knows, port by port.
func (t *Table) addSidecar() {
	r := t.rules
	t.sidecar = r.sidecarOf(t.namespace)
	t.ports = r.listeners(t.sidecar, t.namespace)
	at := make(map[int]known)
	for port, listens := range t.ports {
		if listens {
			at[port] = known{}
		}
	}
	for host, ports := range r.registry(t.sidecar, t.namespace) {
		for _, port := range ports {
			if at[port] == nil {
				at[port] = known{}
			}
			at[port][host] = true
		}
	}
	rules := r.obeyed(t.sidecar, t.namespace)
	for port, hosts := range at {
		t.addPort(port, hosts, rules)
	}
}

// outbound is the hosts of a VirtualService at a port: alone are those that are not in the registry there, and services those that are.
type outbound struct {
	alone, services []string
	own             bool // whether a Service of Istio's own is among those that are
}

// usualPort is the port at which Istio serves the hosts of VirtualServices that are not in the registry.
const usualPort = 80

// addPort adds the virtual hosts of a port (BuildSidecarOutboundVirtualHosts in Istio's pilot/pkg/networking/core/httproute.go): first those
// of the VirtualServices, one after another, then the hosts of the registry for which no VirtualService has rules there. A name belongs to
// the first that has it. No short name of a host takes the full name of another one.
func (t *Table) addPort(port int, at known, rules []*virtualService) {
	claimed := make(known)
	for _, g := range t.rules.setsAt(rules, t.listener(port), t.sidecar) {
		if at[g.host] && !claimed[g.host] {
			t.addNames(g.host, port, at, ofRules(g.host, g.routes))
			claimed[g.host] = true
		}
	}
	for _, v := range rules {
		if v.attached != nil {
			continue
		}
		routes := t.rules.bind(v, t.listener(port))
		o := v.outbound(at, rules, t.rules.ownServices(t.sidecar, port))
		if len(routes) == 0 || len(o.services) == 0 && !o.own && port != usualPort {
			continue
		}
		for _, host := range o.alone {
			if t.ports[port] {
				t.add(host, port, ofRules(host, routes))
			}
		}
		for _, host := range o.services {
			if !claimed[host] {
				t.addNames(host, port, at, ofRules(host, routes))
			}
			claimed[host] = true
		}
	}
	for _, host := range slices.Sorted(maps.Keys(at)) {
		if !claimed[host] {
			t.addNames(host, port, at, t.byDefault(host, port))
		}
	}
}

// outbound sorts the hosts of a VirtualService at a port (Istio's separateVSHostsAndServices). A wildcard has those hosts of the registry for
// which no other one is more exact. own are the hosts of the Services of Istio's own there.
func (v *virtualService) outbound(at known, all []*virtualService, own []string) (o outbound) {
	var wild []string
	for _, host := range v.hosts {
		switch {
		case strings.HasPrefix(host, "*"):
			wild = append(wild, host)
		case at[host]:
			o.services = append(o.services, host)
		default:
			o.alone = append(o.alone, host)
			o.own = o.own || slices.Contains(own, host)
		}
	}
	for _, pattern := range wild {
		found := false
		for _, host := range own {
			found = found || covers(pattern, host)
			o.own = o.own || covers(pattern, host) && mostSpecific(host, all) == v
		}
		for _, host := range slices.Sorted(maps.Keys(at)) {
			if found = found || covers(pattern, host) || covers(host, pattern); !covers(pattern, host) {
				continue // a wider wildcard of a ServiceEntry keeps the pattern from standing alone (Name.Matches in Istio's pkg/config/host)
			}
			if mostSpecific(host, all) == v {
				o.services = append(o.services, host)
			}
		}
		if !found {
			o.alone = append(o.alone, pattern)
		}
	}
	return o
}

// ofRules is the virtual host of a host with the routes of a VirtualService.
func ofRules(host string, routes []route) *virtualHost {
	return &virtualHost{routes: routes, missed: noRoute("the conditions of none of the rules for host " + host + " hold")}
}

// addNames adds a host of the registry with all names by which the sidecar knows it. For a port whose protocol Istio must guess there is a
// listener at the address of the Service, to which every name of it leads, whatever else has the name.
func (t *Table) addNames(host string, port int, at known, h *virtualHost) {
	for _, name := range aliases(host, t.namespace) {
		switch {
		case t.rules.relative && strings.HasSuffix(name, "."):
		case t.rules.guessed(host, port):
			t.hosts[authority{name, port}] = h
		case name == host || !at[name]:
			t.add(name, port, h)
		}
	}
	for _, address := range t.addresses(host) {
		t.add(address, port, h)
	}
}

// addresses are the addresses by which the sidecar knows a host of a ServiceEntry (Istio's generateVirtualHostDomains), without prefixes of
// several addresses.
func (t *Table) addresses(host string) (all []string) {
	for i := range t.rules.entries {
		if e := &t.rules.entries[i]; slices.Contains(e.hosts, host) && t.rules.takes(e, host, t.sidecar, t.namespace) {
			for _, address := range e.addresses {
				if !strings.Contains(address, "/") {
					all = append(all, strings.ToLower(address))
				}
			}
		}
	}
	return all
}

// guessed reports whether Istio must guess the protocol of a port of the Service that has a host.
func (r *Rules) guessed(host string, port int) bool {
	s := r.Services[host]
	return s != nil && slices.ContainsFunc(s.Ports, func(p ServicePort) bool { return p.Port == port && !p.declared })
}

// byDefault is Istio's default for a host of the registry for which no VirtualService has rules.
func (t *Table) byDefault(host string, port int) *virtualHost {
	return &virtualHost{routes: []route{{new(match), t.rules.bindRule(&Rule{
		Name:  "no VirtualService for " + host + ", Istio's default",
		Why:   t.rules.known(host),
		Split: []Destination{{Host: host, Port: port, Share: 1}},
		Retry: retry(nil, 0),
	}, t.listener(port))}}}
}
