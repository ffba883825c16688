package manifests

import (
	"slices"

	networking "istio.io/api/networking/v1alpha3"
)

const (
	// ownNamespace and everyNamespace are the values of a rule's exportTo that are executed. Without one it is for every
	// namespace.
	ownNamespace, everyNamespace = ".", "*"
	// gatewayNamespace is where the pods of the ingress gateway stand. What is exported to its own namespace alone is not
	// known there.
	gatewayNamespace = rootNamespace
)

// checkExportTo refuses what Istio refuses, and names of namespaces, which are not executed.
func (d *document) checkExportTo(to []string) {
	if len(to) > 1 || len(to) == 1 && to[0] != ownNamespace && to[0] != everyNamespace {
		d.problem("spec.exportTo", `%q is not supported by hellochaos; accepted: ["."], ["*"]`, to)
	}
}

// exportedBy is the exportTo of a rule.
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

// private reports whether a rule is exported to its own namespace alone.
func private(o *Object) bool { return slices.Contains(exportedBy(o), ownNamespace) }

// exportConflicts are the DestinationRules and ServiceEntries that are exported to their own namespace alone and that a
// proxy elsewhere would miss. In this package every proxy has the same clusters.
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
			if w.Namespace != o.namespace() && !uninjected[w.Namespace] && w.Env[upstreamURI] != "" {
				problems = append(problems, o.problem("spec.exportTo", `"." hides it from the sidecar of Deployment %s in namespace %s, `+
					"and rules that hold for some callers alone are not supported by hellochaos: leave exportTo out", w.Name, w.Namespace))
			}
		}
		for _, host := range hosts {
			if from := atGateway[qualify(host, o.namespace())]; from != nil && o.namespace() != gatewayNamespace {
				problems = append(problems, o.problem("spec.exportTo", `"." hides it from the gateway, whose pods stand in namespace %s, `+
					"and %s routes there from the gateway: leave exportTo out", gatewayNamespace, from.place()))
			}
		}
	}
	return problems
}

// gatewayDestinations are the hosts that the VirtualServices at a gateway route to, with one that does.
func (r *Rules) gatewayDestinations(objects []Object) map[string]*Object {
	all := make(map[string]*Object)
	next := 0
	for i := range objects {
		o := &objects[i]
		spec, ok := o.Istio.(*networking.VirtualService)
		if !ok {
			continue
		}
		v := &r.virtualServices[next]
		next++
		for _, g := range r.Gateways {
			if len(g.admitted(v)) == 0 {
				continue
			}
			for _, http := range spec.Http {
				for _, to := range http.Route {
					all[qualify(to.GetDestination().GetHost(), o.namespace())] = o
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
