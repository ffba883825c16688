package scratch

import (
	"fmt"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/hellochaos/hellochaos/manifests"
)

// wildRules refuses DestinationRules for hosts with a star.
func (m *mover) wildRules(source *manifests.Rules) {
	for _, d := range source.DestinationRules() {
		if strings.HasPrefix(d.Host, "*") {
			m.problems = append(m.problems, fmt.Errorf("%s:%d: %s is for all hosts that %s covers, and on a cluster the hosts of a run have other names: use the embedded mesh", d.File, d.HostLine, d.Object, d.Written))
		}
	}
}

// serviceEntry moves a ServiceEntry: the mesh sends requests to the addresses of stand-ins in place of those that the files or DNS have. Without
// endpoints it becomes one for each of its hosts, since each has a stand-in of its own.
func (m *mover) serviceEntry(o, moved *manifests.Object, spec *networking.ServiceEntry) {
	wild := slices.ContainsFunc(spec.Hosts, func(host string) bool { return strings.HasPrefix(host, "*") })
	if wild || len(spec.Addresses) > 0 {
		m.problems = append(m.problems, fmt.Errorf("%s:%d: %s has addresses or a host with *, and on a cluster no stand-in answers there: use the embedded mesh", o.File, o.Line, o.Name()))
		return
	}
	spec.ExportTo = m.exportTo(spec.ExportTo)
	if len(spec.Endpoints) > 0 || spec.Resolution == networking.ServiceEntry_STATIC {
		m.endpoints(o, spec)
		m.set.Objects = append(m.set.Objects, *moved)
		return
	}
	name := moved.Meta.Name
	for i, host := range spec.Hosts {
		one := moved.Clone()
		entry := one.Istio.(*networking.ServiceEntry)
		for n := i + 1; i > 0 && m.entries[one.Meta.Namespace+"/"+one.Meta.Name]; n++ {
			one.Meta.Name = fmt.Sprintf("%s-%d", name, n)
		}
		m.entries[one.Meta.Namespace+"/"+one.Meta.Name] = true
		entry.Hosts = []string{m.host(host)}
		at, ok := m.external[strings.ToLower(host)]
		if !ok {
			m.left("Host %s of %s (%s:%d) has no stand-in, and is not applied: nothing outside the cluster is called.", host, o.Name(), o.File, o.Line)
			continue
		}
		entry.Resolution = networking.ServiceEntry_DNS
		entry.Endpoints = []*networking.WorkloadEntry{{Address: at + serviceDomain}}
		m.set.Objects = append(m.set.Objects, one)
	}
}

// endpoints puts the stand-ins for the endpoints of a ServiceEntry in their places. With none that has one, nobody answers, as where a file has
// none.
func (m *mover) endpoints(o *manifests.Object, spec *networking.ServiceEntry) {
	each(spec.Hosts, m.host)
	var all []*networking.WorkloadEntry
	for _, endpoint := range spec.Endpoints {
		at, ok := m.external[strings.ToLower(endpoint.Address)]
		if !ok {
			m.left("Endpoint %s of %s (%s:%d) has no stand-in, and is not applied: nothing outside the cluster is called.", endpoint.Address, o.Name(), o.File, o.Line)
			continue
		}
		endpoint.Address = at + serviceDomain
		all = append(all, endpoint)
	}
	spec.Endpoints, spec.Resolution = all, networking.ServiceEntry_DNS
	if len(all) == 0 {
		spec.Resolution = networking.ServiceEntry_STATIC
	}
}
