package manifests

import "slices"

// nowhere is a namespace that no object has, which stands for all those without objects of their own.
const nowhere = "~"

// Looked are the namespaces in which Istio looks for the DestinationRules of a host after that of the caller, in its order and each
// once: that of the host's Service or ServiceEntry, as the sidecars of the caller's namespace know it, and the root namespace. It obeys those
// of the first one that has any (PushContext.destinationRule in Istio's pilot/pkg/model/push_context.go). An empty namespace stands for
// callers elsewhere.
func (r *Rules) Looked(host, namespace string) []string {
	owners := slices.Sorted(slices.Values(r.owners[host]))
	if len(owners) > 1 {
		if owner := r.ownerFor(host, namespace, owners); owner != "" {
			owners = []string{owner}
		}
	}
	owners = slices.DeleteFunc(owners, func(owner string) bool { return owner == rootNamespace })
	return append(owners, rootNamespace)
}

// own notes that a namespace has a Service or a ServiceEntry for a host.
func (r *Rules) own(host, namespace string) {
	if !slices.Contains(r.owners[host], namespace) {
		r.owners[host] = append(r.owners[host], namespace)
	}
}

// ownerFor is the one of several namespaces whose Service or ServiceEntry for a host the sidecars of a namespace know: what they import, or
// else what a rule alone leads to (collectImportedServices in Istio's pilot/pkg/model/sidecar.go): that of their own namespace, or of the first
// one by name that is exported to them. Empty: none.
func (r *Rules) ownerFor(host, namespace string, owners []string) string {
	if namespace == "" {
		namespace = nowhere
	}
	if s := r.Services[host]; s != nil && !s.hidden {
		return s.namespace()
	}
	s := r.sidecarOf(namespace)
	for i := range r.entries {
		if e := &r.entries[i]; slices.Contains(e.hosts, host) && r.takes(e, host, s, namespace) {
			return e.namespace
		}
	}
	for _, first := range append([]string{namespace}, owners...) {
		if r.ledTo(host, first, namespace) {
			return first
		}
	}
	return ""
}

// ledTo reports whether a rule of the sidecars of a namespace leads to the ServiceEntry that a namespace has for a host, although their Sidecar
// does not import it. A hidden Service of the namespace of the ServiceEntry takes its place (ServiceIndex.HostnameAndNamespace in Istio's
// push_context.go).
func (r *Rules) ledTo(host, owner, namespace string) bool {
	if s := r.Services[host]; s != nil && s.namespace() == owner {
		return false
	}
	return slices.ContainsFunc(r.entries, func(e entry) bool {
		return e.namespace == owner && slices.Contains(e.hosts, host) && (owner == namespace || exportedTo(e.exports, namespace))
	})
}

// shadowed reports whether a hidden Service keeps the sidecars of a namespace from the ServiceEntries for its host: they import none, and
// no rule leads to one. Where the Service is of their own namespace, a rule leads to it alone.
func (r *Rules) shadowed(host, namespace string) bool {
	s := r.Services[host]
	if s == nil || !s.hidden {
		return false
	}
	by := r.sidecarOf(namespace)
	imported := slices.ContainsFunc(r.entries, func(e entry) bool { return slices.Contains(e.hosts, host) && r.visible(&e, host, by, namespace) })
	return !imported && (s.namespace() == namespace ||
		!slices.ContainsFunc(r.owners[host], func(owner string) bool { return r.ledTo(host, owner, namespace) }))
}

// ownedIn are the namespaces whose sidecars may know a host by another ServiceEntry than those of most namespaces do, where several namespaces have
// it: these, those that an exportTo names, and those with a Sidecar. nil where one namespace has the host.
func (r *Rules) ownedIn(host string) map[string]bool {
	owners := r.owners[host]
	if len(owners) < 2 {
		return nil
	}
	all := make(map[string]bool)
	for _, owner := range owners {
		all[owner] = true
	}
	for i := range r.entries {
		if slices.Contains(r.entries[i].hosts, host) {
			for _, namespace := range r.entries[i].exports {
				all[namespace] = true
			}
		}
	}
	for namespace := range r.sidecars {
		all[namespace] = true
	}
	return all
}

// ownedFor reports whether ownedIn has a namespace.
func (r *Rules) ownedFor(host, namespace string) bool { return r.ownedIn(host)[namespace] }
