package scratch

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/hellochaos/hellochaos/manifests"
)

// ordered refuses VirtualServices whose order the move would change. Where several have rules for one host at one gateway, Istio looks first at
// those of the proxy's namespace that are exported to it by name, then at others that are, and then at those for all namespaces
// (VirtualServicesForGateway in its pilot/pkg/model/push_context.go). After the move all are exported by name.
func (m *mover) ordered(objects []manifests.Object) {
	var all []*rules
	for i := range objects {
		if spec, ok := objects[i].Istio.(*networking.VirtualService); ok {
			all = append(all, &rules{&objects[i], spec})
		}
	}
	for i, later := range all {
		for _, earlier := range all[:i] {
			namespace := m.reordered(earlier, later)
			if namespace == "" {
				continue
			}
			m.problems = append(m.problems, fmt.Errorf("%s:%d: %s, field spec.exportTo: has a host of %s (%s:%d), too, and in which order the proxies of namespace %s look at the two depends on which of them is exported by name: "+
				"hellochaos exports all rules of a cluster by name, so write the same exportTo in both, or use the embedded mesh",
				later.File, later.LineOf("spec.exportTo"), later.Name(), earlier.Name(), earlier.File, earlier.Line, namespace))
		}
	}
}

// rules is a VirtualService of the source.
type rules struct {
	*manifests.Object
	spec *networking.VirtualService
}

// reordered is a namespace whose proxies look at two VirtualServices in another order after the move; empty where there is none.
func (m *mover) reordered(a, b *rules) string {
	at := both(a.gateways(), b.gateways())
	if len(at) == 0 || len(both(a.hosts(), b.hosts())) == 0 {
		return ""
	}
	for _, namespace := range slices.Sorted(maps.Keys(m.sources)) {
		if namespace != rootNamespace && !slices.Contains(at, manifests.Mesh) {
			continue // its proxies are no gateways
		}
		before, after := cmp.Compare(a.rank(namespace, forAll), b.rank(namespace, forAll)), cmp.Compare(a.rank(namespace, byName), b.rank(namespace, byName))
		if a.rank(namespace, forAll) >= 0 && b.rank(namespace, forAll) >= 0 && before != after {
			return namespace
		}
	}
	return ""
}

// both are the texts that two lists have in common.
func both(a, b []string) (all []string) {
	for _, text := range a {
		if slices.Contains(b, text) {
			all = append(all, text)
		}
	}
	return all
}

// hosts are those of the rules, with full names.
func (r *rules) hosts() (all []string) {
	for _, host := range r.spec.Hosts {
		all = append(all, manifests.FullHost(host, r.InNamespace()))
	}
	return all
}

// gateways are those for which the rules are, "mesh" or "namespace/name".
func (r *rules) gateways() (all []string) {
	for _, name := range r.spec.Gateways {
		if name != manifests.Mesh && !strings.Contains(name, "/") {
			name = r.InNamespace() + "/" + name
		}
		all = append(all, name)
	}
	if len(all) == 0 {
		return []string{manifests.Mesh}
	}
	return all
}

// How rules without the name of a namespace are exported: to all, or, after the move, to each by its name.
const (
	forAll = false
	byName = true
)

// rank is the place of the rules among those that the proxies of a namespace know; -1 where they do not know them.
func (r *rules) rank(namespace string, each bool) int {
	own := r.InNamespace() == namespace
	switch to := r.spec.ExportTo; {
	case !named(to) && !each:
		return 2
	case named(to) && !slices.Contains(to, namespace) && !(own && slices.Contains(to, ownNamespace)):
		return -1
	case own:
		return 0
	}
	return 1
}
