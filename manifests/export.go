package manifests

import (
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

// checkExportTo refuses values that Istio refuses, and names of namespaces, which this package does not execute.
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

// private reports whether a rule is exported to its own namespace only.
func private(o *Object) bool { return slices.Contains(exportedBy(o), ownNamespace) }

// exportConflicts are the problems of DestinationRules and ServiceEntries that are exported to their own namespace only while a
// proxy in another namespace needs them. In this package every proxy has the same clusters.
func (r *Rules) exportConflicts(objects []Object, uninjected map[string]bool) (problems Problems) {
	atGateway := r.gatewayDestinations(objects)
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
		for _, host := range hosts {
			if from := atGateway[qualify(host, o.namespace())]; from != nil && o.namespace() != gatewayNamespace {
				problems = append(problems, o.problem("spec.exportTo", `is ".", which hides the object from the gateway, whose pods run in namespace %s, `+
					"but %s routes requests from the gateway to its host: remove exportTo", gatewayNamespace, from.place()))
			}
		}
	}
	return problems
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
			if len(g.admitted(v)) == 0 {
				continue
			}
			for i := range v.routes {
				for j := range v.routes[i].rule.Split {
					all[v.routes[i].rule.Split[j].Host] = o
				}
			}
		}
	}
	return all
}

// knownIn reports whether the proxies of a namespace know a VirtualService.
func (v *virtualService) knownIn(namespace string) bool {
	return !v.private || v.namespace == namespace
}
