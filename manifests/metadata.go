package manifests

import (
	"maps"
	"slices"
	"strings"
)

const (
	// exportTo on a Kubernetes Service says which namespaces' proxies know it; "~" is none.
	exportTo = "networking.istio.io/exportTo"
	// injection on a Namespace says whether its pods have sidecars. A namespace without the label counts as one that
	// has, since whoever installs the mesh may inject by other means.
	injection = "istio-injection"
)

// checkMetadata refuses the labels and annotations by which Istio treats an object differently, less those that are
// executed. kind is empty for the template of a Deployment's pods. path is where the metadata stands.
func (d *document) checkMetadata(path, kind string, labels, annotations map[string]string) {
	for i, values := range []map[string]string{labels, annotations} {
		part := []string{"labels", "annotations"}[i]
		for _, name := range slices.Sorted(maps.Keys(values)) {
			field := join(join(path, part), name)
			switch value := values[name]; {
			case kind == "Service" && part == "annotations" && name == exportTo:
				if value != "*" && value != "~" && value != "" {
					d.problem(field, `only "*" and "~" are supported by hellochaos`)
				}
			case kind == "Namespace" && part == "labels" && name == injection:
				if value != "enabled" && value != "disabled" {
					d.problem(field, `want "enabled" or "disabled", not %q`, value)
				}
			case name == injection || ofIstio(name):
				d.problem(field, notExecuted)
			}
		}
	}
}

// ofIstio reports whether the mesh itself looks at a label or annotation. Names for its telemetry (service.istio.io)
// change nothing that a request could tell.
func ofIstio(name string) bool {
	prefix, _, ok := strings.Cut(name, "/")
	return ok && prefix != "service.istio.io" && (prefix == "istio.io" || strings.HasSuffix(prefix, ".istio.io"))
}
