package manifests

import (
	"fmt"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
	"k8s.io/apimachinery/pkg/util/validation"
)

const (
	// ownNamespace and everyNamespace are the values of an exportTo that are no names. An object without exportTo is for every namespace.
	ownNamespace, everyNamespace = ".", "*"
	// gatewayNamespace is the namespace of the ingress gateway's pods. A rule of another namespace that is exported to its own
	// namespace only is not known there.
	gatewayNamespace = rootNamespace
)

// hiddenFromAll is the value that exports an object to nobody.
const hiddenFromAll = "~"

// exportedBy is the exportTo of a rule; nil for objects of other kinds.
func exportedBy(o *Object) []string {
	switch spec := o.Istio.(type) {
	case *networking.VirtualService:
		return spec.ExportTo
	case *networking.DestinationRule:
		return spec.ExportTo
	case *networking.ServiceEntry:
		return spec.ExportTo
	}
	return nil
}

// exports are the namespaces to which a rule is exported; nil where it is for all.
func exports(o *Object) []string { return exportsOf(exportedBy(o), o.namespace()) }

// exportsOf are the namespaces that the values of an exportTo stand for in an object of a namespace; nil for all, and none for nobody.
func exportsOf(values []string, own string) []string {
	if len(values) == 0 || slices.Contains(values, everyNamespace) {
		return nil
	}
	all := []string{}
	if slices.Contains(values, hiddenFromAll) {
		return all
	}
	for _, to := range values {
		if to == ownNamespace {
			to = own
		}
		all = append(all, to)
	}
	return all
}

// exportedTo reports whether the proxies of a namespace know what has these exports.
func exportedTo(exports []string, namespace string) bool {
	return exports == nil || slices.Contains(exports, namespace)
}

// knownTogether reports whether the proxies of some namespace may know what has these exports and what has those.
func knownTogether(a, b []string) bool {
	return a == nil || slices.ContainsFunc(a, func(namespace string) bool { return exportedTo(b, namespace) })
}

// ownOnly reports whether an object of a namespace with these exports is for its proxies alone.
func ownOnly(exports []string, namespace string) bool {
	return exports != nil && !slices.ContainsFunc(exports, func(to string) bool { return to != namespace })
}

// checkExports checks an exportTo, which may name namespaces (Istio's validateExportTo).
func (d *document) checkExports(to []string, own string) {
	seen := map[string]bool{}
	for i, name := range to {
		field := fmt.Sprintf("spec.exportTo[%d]", i)
		switch {
		case name == everyNamespace && len(to) > 1:
			d.problem(field, `must be alone where it is "*", which is for all namespaces`)
		case name == everyNamespace:
		case name == hiddenFromAll:
			d.problem(field, `"~" exports the object to nobody, which hellochaos does not support: remove the object, or name namespaces`)
		case name == ownNamespace:
			name = own
		default:
			d.checkLabel(field, name)
		}
		if seen[name] {
			d.problem(field, "is namespace %q a second time: write each once", name)
		}
		seen[name] = true
	}
}

// ExportValues are the values of the annotation exportTo of a Service (ConvertService in Istio's pilot/pkg/serviceregistry/kube).
func ExportValues(annotation string) (all []string) {
	if annotation == "" {
		return nil
	}
	for value := range strings.SplitSeq(annotation, ",") {
		all = append(all, strings.TrimSpace(value))
	}
	return all
}

// checkExportAnnotation checks the annotation exportTo of a Service. Istio takes any values; these are those of which it makes something.
func (d *document) checkExportAnnotation(field, annotation string) {
	for _, value := range ExportValues(annotation) {
		switch {
		case value == everyNamespace || value == hiddenFromAll || value == ownNamespace:
		case len(validation.IsDNS1123Label(value)) > 0:
			d.problem(field, `must be "*", ".", "~" or names of namespaces, separated by commas; %q is none`, value)
		}
	}
}

// knownIn reports whether the proxies of a namespace find the Service in the mesh's registry.
func (s *Service) knownIn(namespace string) bool { return exportedTo(s.exports, namespace) }

// restrict notes a host that is not exported to all.
func (r *Rules) restrict(host string, exports []string) {
	if exports != nil {
		r.restricted[host] = true
	}
}

// reaches reports whether the sidecars of a namespace, or a gateway in it, have clusters of a host at a port. Sidecars of the host's own namespace
// have them where a rule that they obey leads there, to whomever the host is exported (collectImportedServices in Istio's
// pilot/pkg/model/sidecar.go).
func (r *Rules) reaches(host string, port int, namespace string, gateway bool) bool {
	if !r.restricted[host] {
		return true
	}
	if s := r.Services[host]; s != nil && !s.hidden && (!gateway && s.namespace() == namespace || s.knownIn(namespace)) {
		return true
	}
	return slices.ContainsFunc(r.entries, func(e entry) bool {
		return slices.Contains(e.hosts, host) && (!gateway && e.namespace == namespace || exportedTo(e.exports, namespace)) &&
			slices.ContainsFunc(e.all, func(p entryPort) bool { return p.number == port })
	})
}

// HiddenFrom says which object has a host that the proxies of a namespace do not know since its exportTo leaves them out, with that value:
// "ServiceEntry api (a.yaml:1)"; empty where none does.
func (r *Rules) HiddenFrom(host, namespace string) (place, value string) {
	if s := r.Services[host]; s != nil && !s.hidden && !s.knownIn(namespace) {
		return s.object.place(), s.object.Meta.Annotations[exportTo]
	}
	for i := range r.entries {
		if e := &r.entries[i]; slices.Contains(e.hosts, host) && !exportedTo(e.exports, namespace) {
			return e.place, strings.Join(exportedBy(e.object), ", ")
		}
	}
	return "", ""
}

// ForSidecars reports whether a VirtualService has a rule for the sidecars of the mesh.
func ForSidecars(spec *networking.VirtualService) bool {
	return slices.ContainsFunc(spec.Http, func(h *networking.HTTPRoute) bool { return forSidecars(spec, h) })
}

// forSidecars reports whether an http entry of a VirtualService is for the sidecars: by the gateways of its match list, or those of the
// VirtualService.
func forSidecars(spec *networking.VirtualService, http *networking.HTTPRoute) bool {
	all := len(spec.Gateways) == 0 || slices.Contains(spec.Gateways, mesh)
	if len(http.Match) == 0 {
		return all
	}
	return slices.ContainsFunc(http.Match, func(m *networking.HTTPMatchRequest) bool {
		return len(m.Gateways) == 0 && all || slices.Contains(m.Gateways, mesh)
	})
}

// knownIn reports whether the proxies of a namespace know a VirtualService.
func (v *virtualService) knownIn(namespace string) bool { return exportedTo(v.exports, namespace) }

// rank is the place of a VirtualService among those that the proxies of a namespace know: Istio looks first at those of the namespace that
// name it in exportTo, then at others that do, and then at those for all namespaces (VirtualServicesForGateway in its
// pilot/pkg/model/push_context.go).
func (v *virtualService) rank(namespace string) int {
	switch {
	case v.exports == nil:
		return 2
	case v.namespace == namespace:
		return 0
	}
	return 1
}

// KnownIn reports whether the proxies of a namespace know the VirtualService of the entry by its exportTo.
func (e *HTTPEntry) KnownIn(namespace string) bool { return e.owner.knownIn(namespace) }

// Exports are the namespaces to which the VirtualService of the entry is exported; nil: all.
func (e *HTTPEntry) Exports() []string { return e.owner.exports }
