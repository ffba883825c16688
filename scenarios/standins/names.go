package standins

import (
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
	// gatewayPorts are the ports of each Gateway, by "namespace/name".
	gatewayPorts map[string][]int
}

// naming is a place that names a host.
type naming struct {
	host string
	from *manifests.Object
	line int
	// ports are those that it names; without any, arrives are the ports at which requests that lead there arrive.
	ports, arrives []int
}

// subset is a subset of a host's pods.
type subset struct {
	name   string
	labels map[string]string
	from   *manifests.Object
	line   int
}

// outsider is a host outside the mesh with its ports of HTTP.
type outsider struct {
	host  string
	ports []int
	from  *manifests.Object
	line  int
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
func (n *names) add(o *manifests.Object, field, written string, ports, arrives []int) {
	host := manifests.FullHost(written, o.InNamespace())
	if _, namespace := manifests.SplitHost(host); namespace != "" {
		n.hosts = append(n.hosts, naming{host, o, o.LineOf(field), ports, arrives})
	}
}

// addRules adds the hosts of a VirtualService for the sidecars, and those to which it leads.
func (n *names) addRules(o *manifests.Object, spec *networking.VirtualService) {
	var arrives, asked []int
	if manifests.ForSidecars(spec) {
		arrives = append(arrives, 80)
	}
	for _, name := range spec.Gateways {
		if !strings.Contains(name, "/") {
			name = o.InNamespace() + "/" + name
		}
		arrives = append(arrives, n.gatewayPorts[name]...)
	}
	anyPort := false // an entry is for every port
	for i, h := range spec.Http {
		anyPort = anyPort || len(h.Match) == 0
		for _, m := range h.Match {
			if anyPort = anyPort || m.Port == 0; m.Port != 0 {
				asked = append(asked, int(m.Port))
			}
		}
		for j, to := range h.Route {
			var ports []int
			if port := to.GetDestination().GetPort().GetNumber(); port != 0 {
				ports = []int{int(port)}
			}
			n.add(o, fmt.Sprintf("spec.http[%d].route[%d].destination.host", i, j), to.GetDestination().GetHost(), ports, arrives)
		}
	}
	if !manifests.ForSidecars(spec) {
		return // a gateway's hosts are names by which clients outside know it
	}
	if anyPort && len(asked) > 0 {
		asked = append(asked, 80) // else no request could meet that entry
	}
	for i, host := range spec.Hosts {
		n.add(o, fmt.Sprintf("spec.hosts[%d]", i), host, asked, nil)
	}
}

func (n *names) addSubsets(o *manifests.Object, spec *networking.DestinationRule) {
	n.add(o, "spec.host", spec.Host, nil, nil)
	host := manifests.FullHost(spec.Host, o.InNamespace())
	for i, s := range spec.Subsets {
		n.subsets[host] = append(n.subsets[host], subset{s.Name, s.Labels, o, o.LineOf(fmt.Sprintf("spec.subsets[%d]", i))})
	}
}

func (n *names) addEntry(o *manifests.Object, spec *networking.ServiceEntry) {
	var ports []int
	for _, p := range spec.Ports {
		if strings.EqualFold(p.Protocol, "HTTP") {
			ports = append(ports, int(p.Number))
		}
	}
	for i, host := range spec.Hosts {
		n.external = append(n.external, outsider{strings.ToLower(host), ports, o, o.LineOf(fmt.Sprintf("spec.hosts[%d]", i))})
	}
}

// isExternal reports whether a ServiceEntry has a host.
func (n *names) isExternal(host string) bool {
	return slices.ContainsFunc(n.external, func(e outsider) bool { return e.host == host })
}

// portsOf are the ports of a host without a Service: those that rules name. Where a destination names none and the host has not just
// one port, its calls go to the port at which they arrive, so that this is one of its ports as well. A host of which nobody names a
// port has port 80.
func (n *names) portsOf(host string) []int {
	ports, arrives := map[int]bool{}, map[int]bool{}
	for _, at := range n.hosts {
		if at.host != host {
			continue
		}
		for _, port := range at.ports {
			ports[port] = true
		}
		if len(at.ports) == 0 {
			for _, port := range at.arrives {
				arrives[port] = true
			}
		}
	}
	switch len(ports) {
	case 0:
		return []int{80}
	case 1:
	default:
		maps.Copy(ports, arrives)
	}
	return slices.Sorted(maps.Keys(ports))
}
