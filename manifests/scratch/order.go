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
	var all []*virtualService
	for i := range objects {
		if spec, ok := objects[i].Istio.(*networking.VirtualService); ok {
			all = append(all, &virtualService{&objects[i], spec})
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

// virtualService is a VirtualService of the source.
type virtualService struct {
	*manifests.Object
	spec *networking.VirtualService
}

// reordered is a namespace whose proxies look at two VirtualServices in another order after the move; empty where there is none.
func (m *mover) reordered(a, b *virtualService) string {
	at := both(a.gateways(), b.gateways())
	if len(at) == 0 || len(both(a.hosts(), b.hosts())) == 0 {
		return ""
	}
	for _, namespace := range slices.Sorted(maps.Keys(m.sources)) {
		if namespace != rootNamespace && !slices.Contains(at, manifests.Mesh) {
			continue // its proxies are no gateways
		}
		first, second := a.rank(namespace), b.rank(namespace)
		moved := cmp.Compare(a.rankMoved(namespace), b.rankMoved(namespace))
		if first >= 0 && second >= 0 && cmp.Compare(first, second) != moved {
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

// hosts are those of the VirtualService, with full names.
func (v *virtualService) hosts() (all []string) {
	for _, host := range v.spec.Hosts {
		all = append(all, manifests.FullHost(host, v.InNamespace()))
	}
	return all
}

// gateways are those for which its rules are, "mesh" or "namespace/name".
func (v *virtualService) gateways() (all []string) {
	for _, name := range v.spec.Gateways {
		if name != manifests.Mesh && !strings.Contains(name, "/") {
			name = v.InNamespace() + "/" + name
		}
		all = append(all, name)
	}
	if len(all) == 0 {
		return []string{manifests.Mesh}
	}
	return all
}

// rank is the place of the VirtualService among those that the proxies of a namespace know; -1 where they do not know it.
func (v *virtualService) rank(namespace string) int {
	if !named(v.spec.ExportTo) {
		return 2
	}
	return v.rankMoved(namespace)
}

// rankMoved is the same after the move, by which what was exported to all is exported to each namespace by its name.
func (v *virtualService) rankMoved(namespace string) int {
	own, to := v.InNamespace() == namespace, v.spec.ExportTo
	switch {
	case named(to) && !slices.Contains(to, namespace) && !(own && slices.Contains(to, ownNamespace)):
		return -1
	case own:
		return 0
	}
	return 1
}
