package manifests

import "slices"

// Policy is an object of a kind that the mesh obeys and that this package does not read.
type Policy struct {
	// File and Line say where it begins.
	File string
	Line int
	// APIVersion, Kind and Name are as the file has them. Namespace is Namespace where the file names none.
	APIVersion, Kind, Namespace, Name string
	// Spec is what the file has: map[string]any with the types of numbers that an API server's client takes.
	Spec map[string]any
}

// policyGroup is the group of Istio's policies about who may send what to whom, and policyKinds are its kinds that a cluster is given.
const policyGroup = "security.istio.io"

var policyKinds = []string{"AuthorizationPolicy", "PeerAuthentication", "RequestAuthentication"}

// isPolicy reports whether an object is kept as a Policy where files are read for a cluster.
func isPolicy(version, kind string) bool {
	return group(version) == policyGroup && slices.Contains(policyKinds, kind)
}

// policy keeps an object as a Policy. It must have a name, and its spec must be an object.
func (r *othersReader) policy(d *document, fields map[string]any, version, kind string) {
	d.name(fields, kind)
	meta, _ := fields["metadata"].(map[string]any)
	name, _ := meta["name"].(string)
	namespace, _ := meta["namespace"].(string)
	spec, ok := fields["spec"].(map[string]any)
	switch {
	case name == "":
		d.problem("metadata.name", "must be a string that is not empty")
		return
	case !ok && fields["spec"] != nil:
		d.mustBe("spec", "an object", fields["spec"])
		return
	}
	if namespace == "" {
		namespace = Namespace
	}
	p := Policy{File: d.file, Line: d.lines.of("", d.first), APIVersion: version, Kind: kind, Namespace: namespace, Name: name}
	p.Spec, _ = plain(spec).(map[string]any)
	r.others.Policies = append(r.others.Policies, p)
}
