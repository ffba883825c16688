package manifests

import (
	"maps"
	"slices"

	networking "istio.io/api/networking/v1alpha3"
)

// WrittenDestinationRule is a DestinationRule as it stands in its file.
type WrittenDestinationRule struct {
	// Object is "DestinationRule middleware"; it begins at Line of File, and its host stands at HostLine.
	Object, File   string
	Line, HostLine int
	Namespace      string
	// Host is fully qualified, and Written is the host as the file has it.
	Host, Written string
	// Subsets are the names of its subsets, in their order.
	Subsets []string
}

func writtenDestinationRule(o *Object, spec *networking.DestinationRule, host string) WrittenDestinationRule {
	w := WrittenDestinationRule{Object: o.Name(), File: o.File, Line: o.Line, HostLine: o.lines.of("spec.host", o.Line), Namespace: o.namespace(),
		Host: host, Written: spec.Host}
	for _, s := range spec.Subsets {
		w.Subsets = append(w.Subsets, s.Name)
	}
	return w
}

// DestinationRules are all DestinationRules, in the order of the objects.
func (r *Rules) DestinationRules() []WrittenDestinationRule { return slices.Clone(r.written) }

// Hosts are the full names of the hosts in the mesh's registry, sorted: those of the Services that are not hidden from it, and those
// of the ServiceEntries.
func (r *Rules) Hosts() []string { return slices.Sorted(maps.Keys(r.hosts())) }

// Looked are the namespaces besides that of the caller in which Istio looks for the DestinationRules of a host, sorted and each once:
// those of the host's Service or ServiceEntries, and the root namespace (PushContext.destinationRule in Istio's
// pilot/pkg/model/push_context.go).
func (r *Rules) Looked(host string) []string {
	all := map[string]bool{rootNamespace: true}
	if s := r.Services[host]; s != nil {
		all[s.namespace()] = true
	}
	for i := range r.entries {
		if slices.Contains(r.entries[i].hosts, host) {
			all[r.entries[i].namespace] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}
