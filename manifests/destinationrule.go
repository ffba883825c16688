package manifests

import (
	"fmt"
	"maps"
	"slices"

	networking "istio.io/api/networking/v1alpha3"
)

// WrittenDestinationRule is a DestinationRule as it stands in its file.
type WrittenDestinationRule struct {
	// Object is "DestinationRule middleware"; it begins at Line of File, and its host stands at HostLine.
	Object, File   string
	Line, HostLine int
	// Namespace is its own, and NoNamespace says that the file names none, so that it is taken for Namespace.
	Namespace   string
	NoNamespace bool
	// Host is fully qualified, and Written is the host as the file has it.
	Host, Written string
	// ExportTo is as the file has it: Istio merges only DestinationRules of a host that have the same.
	ExportTo []string
	Subsets  []WrittenSubset

	exports []string
}

// WrittenSubset is a subset of a DestinationRule. Its pods are those of the host that have all of its labels.
type WrittenSubset struct {
	Name   string
	Labels map[string]string
	Line   int
}

func writtenDestinationRule(o *Object, spec *networking.DestinationRule) WrittenDestinationRule {
	w := WrittenDestinationRule{Object: o.Name(), File: o.File, Line: o.Line, HostLine: o.lines.of("spec.host", o.Line), Namespace: o.namespace(),
		NoNamespace: o.Meta.Namespace == "", Host: qualify(spec.Host, o.namespace()), Written: spec.Host, ExportTo: spec.ExportTo, exports: exports(o)}
	for i, s := range spec.Subsets {
		w.Subsets = append(w.Subsets, WrittenSubset{Name: s.Name, Labels: s.Labels, Line: o.lines.of(fmt.Sprintf("spec.subsets[%d]", i), o.Line)})
	}
	return w
}

// KnownIn reports whether the proxies of a namespace know the DestinationRule by its exportTo.
func (w *WrittenDestinationRule) KnownIn(namespace string) bool {
	return exportedTo(w.exports, namespace)
}

// DestinationRules are all DestinationRules, in the order of their names: of two of one namespace that are merged, the first one holds.
func (r *Rules) DestinationRules() []WrittenDestinationRule { return slices.Clone(r.written) }

// Hosts are the full names of the hosts in the mesh's registry, sorted: those of the Services that are not hidden from it, and those
// of the ServiceEntries.
func (r *Rules) Hosts() []string { return slices.Sorted(maps.Keys(r.hosts())) }
