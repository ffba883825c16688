package manifests

import "strings"

// InNamespace is the namespace in which an object stands: the one that it names, or Namespace.
func (o *Object) InNamespace() string { return o.namespace() }

// LineOf is the line at which a field of the object stands, by its path, "spec.http[0].route"; for a field that has no line of its own,
// that of the nearest field around it.
func (o *Object) LineOf(field string) int { return o.lines.of(field, o.Line) }

// FullHost is the full name of a host that an object of a namespace names. Only a name without a dot is completed (Istio's
// ResolveShortnameToFQDN): reviews.shop names no Service.
func FullHost(host, namespace string) string { return qualify(host, namespace) }

// SplitHost are the name and the namespace of the Service that has a full name as its host; both are empty for a host that no Service
// can have.
func SplitHost(host string) (name, namespace string) {
	rest, ok := strings.CutSuffix(host, domain)
	name, namespace, cut := strings.Cut(rest, ".")
	if !ok || !cut || name == "" || namespace == "" || strings.Contains(namespace, ".") || strings.HasPrefix(name, "*") {
		return "", ""
	}
	return name, namespace
}

// ServiceNamespace is the namespace of the Service that has a full name as its host; empty for a host that no Service can have.
func ServiceNamespace(host string) string {
	_, namespace := SplitHost(host)
	return namespace
}
