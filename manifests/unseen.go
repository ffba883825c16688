package manifests

import "slices"

// hideUnseen leaves out what the sidecars of a namespace do not know of a rule's destinations and mirrors. They know what their Sidecar imports,
// and what VirtualServices lead to that they know. Of these Istio leaves out the entries that seem to be for other namespaces: an entry with a
// match that asks for another one, followed by none that asks for theirs, even where a match before or after asks for no namespace and
// callers of this one meet it (collectImportedServices in Istio's pilot/pkg/model/sidecar.go, and
// virtualServiceDestinationsFilteredBySourceNamespace in its push_context.go).
func (r *Rules) hideUnseen(rule *Rule, namespace string) {
	hide := func(d *Destination) {
		if d.endpoints.Known && !r.sees(d, namespace) {
			d.unseen, d.endpoints, d.TLS = true, r.unknown, nil
		}
	}
	for i := range rule.Split {
		hide(&rule.Split[i])
	}
	for i := range rule.Mirrors {
		hide(&rule.Mirrors[i].Destination)
	}
}

// sees reports whether the sidecars of a namespace know the host of a destination, at its port.
func (r *Rules) sees(d *Destination, namespace string) bool {
	s := r.sidecarOf(namespace)
	if service := r.Services[d.Host]; service != nil && service.knownIn(namespace) && s.imports.admit(service.namespace(), d.Host) {
		return true
	}
	for i := range r.entries {
		if slices.Contains(r.entries[i].hosts, d.Host) && r.takes(&r.entries[i], d.Host, s, namespace) {
			return true
		}
	}
	return slices.ContainsFunc(r.obeyed(s, namespace), func(v *virtualService) bool {
		return slices.ContainsFunc(v.routes, func(h httpRoute) bool {
			return h.concerns(namespace) && h.leadsTo(func(to *Destination) bool { return to.Host == d.Host && (to.Port == 0 || to.Port == d.Port) })
		})
	})
}
