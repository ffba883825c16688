package standins

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/hellochaos/hellochaos/manifests"
)

// names is what the rules of a set of objects name.
type names struct {
	// hosts are the hosts of the mesh that rules lead to or are for, in the order of the objects; a host may be there more than once.
	hosts []naming
	// subsets are those that DestinationRules define, by host.
	subsets map[string][]subset
	// external are the hosts of ServiceEntries, in the order of the objects.
	external []outsider
	// endpoints are those of ServiceEntries, each address once.
	endpoints []endpoint
	// gatewayPorts are the ports of each Gateway, by "namespace/name".
	gatewayPorts map[string][]int
}

// naming is a place that names a host.
type naming struct {
	host string
	from *manifests.Object
	line int
	// ports are those that it names. Without any, arrives are the ports at which requests of sidecars that lead there arrive, and enters
	// those at which requests enter gateways.
	ports, arrives, enters []int
}

// subset is a subset of a host's pods.
type subset struct {
	name   string
	labels map[string]string
	from   *manifests.Object
	line   int
}

// outsider is a host outside the mesh with the ports to which proxies send what they receive as HTTP, or what rules may send there.
type outsider struct {
	host  string
	ports []int
	http  bool // whether one of its ports is one of HTTP
	// elsewhere says that the endpoints of a ServiceEntry answer for it, if anybody does.
	elsewhere bool
	from      *manifests.Object
	line      int
}

// endpoint is an endpoint of a ServiceEntry, with the ports of it to which proxies may send what they receive as HTTP.
type endpoint struct {
	address, host string // host is the first one for which it answers
	version       string
	ports         []int
	from          *manifests.Object
	line          int
}

// named finds what the objects of Istio name.
func named(objects []manifests.Object) *names {
	n := &names{subsets: map[string][]subset{}, gatewayPorts: map[string][]int{}}
	for i := range objects {
		o := &objects[i]
		if spec, ok := o.Istio.(*networking.Gateway); ok {
			for _, s := range spec.Servers {
				n.gatewayPorts[o.InNamespace()+"/"+o.Meta.Name] = append(n.gatewayPorts[o.InNamespace()+"/"+o.Meta.Name], int(s.Port.GetNumber()))
			}
		}
	}
	for i := range objects {
		o := &objects[i]
		n.addRoute(o)
		switch spec := o.Istio.(type) {
		case *networking.VirtualService:
			n.addRules(o, spec)
		case *networking.DestinationRule:
			n.addSubsets(o, spec)
		case *networking.ServiceEntry:
			n.addEntry(o, spec)
		}
	}
	return n
}

// add adds a naming of a host that a Service can have.
func (n *names) add(o *manifests.Object, field, written string, at naming) {
	host := manifests.FullHost(written, o.InNamespace())
	if _, namespace := manifests.SplitHost(host); namespace != "" {
		at.host, at.from, at.line = host, o, o.LineOf(field)
		n.hosts = append(n.hosts, at)
	}
}

// addRules adds the hosts of a VirtualService for the sidecars, and those to which it leads.
func (n *names) addRules(o *manifests.Object, spec *networking.VirtualService) {
	var enters, asked []int
	for _, name := range spec.Gateways {
		if !strings.Contains(name, "/") {
			name = o.InNamespace() + "/" + name
		}
		enters = append(enters, n.gatewayPorts[name]...)
	}
	anyPort := false // an entry is for every port
	for i, h := range spec.Http {
		all, matched := portsAsked(h)
		anyPort, asked = anyPort || all, append(asked, matched...)
		if all {
			matched = append(matched, 80)
		}
		at := naming{enters: enters}
		if manifests.ForSidecars(spec) {
			at.arrives = matched
		}
		for _, to := range manifests.Destinations(h) {
			at.ports = nil
			if port := to.To.GetPort().GetNumber(); port != 0 {
				at.ports = []int{int(port)}
			}
			n.add(o, fmt.Sprintf("spec.http[%d].%s.host", i, to.Field), to.To.GetHost(), at)
		}
	}
	if !manifests.ForSidecars(spec) {
		return // a gateway's hosts are names by which clients outside know it
	}
	if anyPort && len(asked) > 0 {
		asked = append(asked, 80) // else no request could meet that entry
	}
	for i, host := range spec.Hosts {
		n.add(o, fmt.Sprintf("spec.hosts[%d]", i), host, naming{ports: asked})
	}
}

// portsAsked are the ports that the match list of an http entry asks for, and whether requests for any port can meet the entry.
func portsAsked(h *networking.HTTPRoute) (all bool, ports []int) {
	all = len(h.Match) == 0
	for _, m := range h.Match {
		if all = all || m.Port == 0; m.Port != 0 {
			ports = append(ports, int(m.Port))
		}
	}
	return all, ports
}

func (n *names) addSubsets(o *manifests.Object, spec *networking.DestinationRule) {
	if !strings.HasPrefix(spec.Host, "*") {
		n.add(o, "spec.host", spec.Host, naming{})
	}
	host := manifests.FullHost(spec.Host, o.InNamespace())
	for i, s := range spec.Subsets {
		n.subsets[host] = append(n.subsets[host], subset{s.Name, s.Labels, o, o.LineOf(fmt.Sprintf("spec.subsets[%d]", i))})
	}
}

func (n *names) addEntry(o *manifests.Object, spec *networking.ServiceEntry) {
	var ports []int
	http := false
	for _, p := range spec.Ports {
		if manifests.SpeaksHTTP(p.Protocol) || manifests.SpeaksTLS(p.Protocol) {
			ports = append(ports, int(cmp.Or(p.TargetPort, p.Number)))
		}
		http = http || manifests.SpeaksHTTP(p.Protocol)
	}
	for i, host := range spec.Hosts {
		elsewhere := len(spec.Endpoints) > 0 || spec.Resolution == networking.ServiceEntry_STATIC
		n.external = append(n.external, outsider{strings.ToLower(host), ports, http, elsewhere, o, o.LineOf(fmt.Sprintf("spec.hosts[%d]", i))})
	}
	for i, e := range spec.Endpoints {
		n.addEndpoint(o, spec, e, i)
	}
}

// addEndpoint adds an endpoint of a ServiceEntry, or the ports of it to those of one with its address.
func (n *names) addEndpoint(o *manifests.Object, spec *networking.ServiceEntry, e *networking.WorkloadEntry, number int) {
	var ports []int
	for _, p := range spec.Ports {
		if manifests.SpeaksHTTP(p.Protocol) || manifests.SpeaksTLS(p.Protocol) {
			ports = append(ports, int(cmp.Or(e.Ports[p.Name], p.TargetPort, p.Number)))
		}
	}
	address := strings.ToLower(e.Address)
	for i := range n.endpoints {
		if same := &n.endpoints[i]; same.address == address {
			same.ports = append(same.ports, ports...)
			return
		}
	}
	host, version := strings.ToLower(spec.Hosts[0]), e.Labels["version"]
	if version == "" || slices.ContainsFunc(n.endpoints, func(other endpoint) bool { return other.host == host && other.version == version }) {
		version = fmt.Sprintf("endpoint-%d", number)
	}
	n.endpoints = append(n.endpoints, endpoint{address, host, version, ports, o, o.LineOf(fmt.Sprintf("spec.endpoints[%d]", number))})
}

// subsetsOf are the subsets of a host: those of the DestinationRules for its name, or else of those for the longest wildcard that covers it.
func (n *names) subsetsOf(host string) []subset {
	longest := ""
	for pattern := range n.subsets {
		suffix, wild := strings.CutPrefix(pattern, "*")
		if wild && len(pattern) > len(longest) && strings.HasSuffix(host, suffix) {
			longest = pattern
		}
	}
	if own, ok := n.subsets[host]; ok {
		return own
	}
	return n.subsets[longest]
}

// isExternal reports whether a ServiceEntry has a host.
func (n *names) isExternal(host string) bool {
	return slices.ContainsFunc(n.external, func(e outsider) bool { return e.host == host })
}

// portsOf are the ports of a host without a Service: those that rules name. Where a destination names none, the calls of a sidecar go to
// the port at which they arrive, so that this is one of its ports as well. At a gateway they do so where the host has not just one port. A
// host of which nobody names a port has port 80.
func (n *names) portsOf(host string) []int {
	ports, enters := map[int]bool{}, map[int]bool{}
	add := func(to map[int]bool, all []int) {
		for _, port := range all {
			to[port] = true
		}
	}
	for _, at := range n.hosts {
		if at.host != host {
			continue
		}
		add(ports, at.ports)
		if len(at.ports) == 0 {
			add(ports, at.arrives)
			add(enters, at.enters)
		}
	}
	switch len(ports) {
	case 0:
		return []int{80}
	case 1:
	default:
		maps.Copy(ports, enters)
	}
	return slices.Sorted(maps.Keys(ports))
}
