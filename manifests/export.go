package manifests

import (
	"fmt"
	"maps"
	"slices"

	networking "istio.io/api/networking/v1alpha3"
)

const (
	// ownNamespace and everyNamespace are the values of a rule's exportTo that are executed. A rule without exportTo is for every
	// namespace.
	ownNamespace, everyNamespace = ".", "*"
	// gatewayNamespace is the namespace of the ingress gateway's pods. A rule of another namespace that is exported to its own
	// namespace only is not known there.
	gatewayNamespace = rootNamespace
)

// checkExportTo refuses values that Istio refuses, and names of namespaces, which this package executes for VirtualServices alone.
func (d *document) checkExportTo(to []string) {
	if len(to) > 1 || len(to) == 1 && to[0] != ownNamespace && to[0] != everyNamespace {
		d.problem("spec.exportTo", `%q is not supported by hellochaos; accepted: ["."], ["*"]`, to)
	}
}

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
func exports(o *Object) (all []string) {
	for _, to := range exportedBy(o) {
		switch to {
		case everyNamespace:
			return nil
		case ownNamespace:
			to = o.namespace()
		}
		all = append(all, to)
	}
	return all
}

// checkExports checks the exportTo of a VirtualService, which may name namespaces (Istio's validateExportTo).
func (d *document) checkExports(to []string, own string) {
	if d.keepBeyond {
		d.checkExportTo(to) // the namespaces of a run on a cluster are its own
		return
	}
	seen := map[string]bool{}
	for i, name := range to {
		field := fmt.Sprintf("spec.exportTo[%d]", i)
		switch {
		case name == everyNamespace && len(to) > 1:
			d.problem(field, `must be alone where it is "*", which is for all namespaces`)
		case name == everyNamespace:
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

// private reports whether a rule is exported to its own namespace only.
func private(o *Object) bool { return slices.Contains(exportedBy(o), ownNamespace) }

// exportConflicts are the problems of DestinationRules and ServiceEntries that are exported to their own namespace only while a
// proxy in another namespace needs them. In this package every proxy has the same clusters.
func (r *Rules) exportConflicts(objects []Object, uninjected map[string]bool) (problems Problems) {
	atGateway, inMesh := r.gatewayDestinations(objects), meshDestinations(objects)
	for i := range objects {
		o := &objects[i]
		var hosts []string
		switch spec := o.Istio.(type) {
		case *networking.DestinationRule:
			hosts = []string{spec.Host}
		case *networking.ServiceEntry:
			hosts = spec.Hosts
		default:
			continue
		}
		if !private(o) {
			continue
		}
		for _, w := range r.Workloads {
			if w.Namespace != o.namespace() && !uninjected[w.Namespace] && callsBy(w.Env) != "" {
				problems = append(problems, o.problem("spec.exportTo", `is ".", which hides the object from the sidecar of Deployment %s in namespace %s, `+
					"and hellochaos does not support objects that only some callers know: remove exportTo", w.Name, w.Namespace))
			}
		}
		if _, ok := o.Istio.(*networking.DestinationRule); ok {
			hosts = covered(qualify(hosts[0], o.namespace()), inMesh, atGateway)
		}
		for _, host := range hosts {
			for _, from := range inMesh[qualify(host, o.namespace())] {
				if from.namespace() != o.namespace() {
					problems = append(problems, o.problem("spec.exportTo", `is ".", which hides the object from the sidecars of namespace %s, but %s routes their calls `+
						"to its host: remove exportTo", from.namespace(), from.place()))
				}
			}
			if from := atGateway[qualify(host, o.namespace())]; from != nil && o.namespace() != gatewayNamespace {
				problems = append(problems, o.problem("spec.exportTo", `is ".", which hides the object from the gateway, whose pods run in namespace %s, `+
					"but %s routes requests from the gateway to its host: remove exportTo", gatewayNamespace, from.place()))
			}
		}
	}
	return problems
}

// covered are the hosts of destinations that the host of a DestinationRule covers.
func covered(pattern string, inMesh map[string][]*Object, atGateway map[string]*Object) []string {
	all := make(map[string]bool)
	for host := range inMesh {
		all[host] = covers(pattern, host)
	}
	for host := range atGateway {
		all[host] = covers(pattern, host)
	}
	maps.DeleteFunc(all, func(_ string, is bool) bool { return !is })
	return slices.Sorted(maps.Keys(all))
}

// gatewayDestinations are the hosts to which VirtualServices at a gateway route, each with one VirtualService that does.
func (r *Rules) gatewayDestinations(objects []Object) map[string]*Object {
	all := make(map[string]*Object)
	next := 0
	for i := range objects {
		o := &objects[i]
		if _, ok := o.Istio.(*networking.VirtualService); !ok {
			continue
		}
		v := &r.virtualServices[next]
		next++
		for _, g := range r.Gateways {
			if len(g.admitted(v, 0)) == 0 {
				continue
			}
			for i := range v.routes {
				for _, to := range v.routes[i].rule.leads() {
					all[to.Host] = o
				}
			}
		}
	}
	return all
}

// meshDestinations are the hosts to which VirtualServices of the sidecars route, each with those that do.
func meshDestinations(objects []Object) map[string][]*Object {
	all := make(map[string][]*Object)
	for i := range objects {
		o := &objects[i]
		spec, ok := o.Istio.(*networking.VirtualService)
		if !ok {
			continue
		}
		for _, http := range spec.Http {
			if !forSidecars(spec, http) {
				continue
			}
			for _, to := range Destinations(http) {
				if host := qualify(to.To.GetHost(), o.namespace()); !slices.Contains(all[host], o) {
					all[host] = append(all[host], o)
				}
			}
		}
	}
	return all
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
func (v *virtualService) knownIn(namespace string) bool {
	return v.exports == nil || slices.Contains(v.exports, namespace)
}

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
