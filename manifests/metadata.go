package manifests

import (
	"maps"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/yamlnode"
)

const (
	// exportTo on a Kubernetes Service says which namespaces' proxies know it; "~" hides it from all of them.
	exportTo = "networking.istio.io/exportTo"
	// injection on a Namespace says whether its pods have sidecars. Without the label its pods count as pods with sidecars,
	// since sidecars can be injected by other means than this label.
	injection = "istio-injection"
)

// checkMetadata refuses labels and annotations that make Istio treat an object differently, except those that this package
// executes. kind is empty for the template of a Deployment's pods. path is where the metadata stands.
func (d *document) checkMetadata(path, kind string, labels, annotations map[string]string) {
	for i, values := range []map[string]string{labels, annotations} {
		part := []string{"labels", "annotations"}[i]
		for _, name := range slices.Sorted(maps.Keys(values)) {
			field := yamlnode.Join(yamlnode.Join(path, part), name)
			switch value := values[name]; {
			case kind == "Service" && part == "annotations" && name == exportTo:
				d.checkExportAnnotation(field, value)
			case kind == "Namespace" && part == "labels" && name == injection:
				if value != "enabled" && value != "disabled" {
					d.problem(field, `must be "enabled" or "disabled", not %q`, value)
				}
			case name == injection || ofIstio(name):
				d.problem(field, notExecuted)
			}
		}
	}
}

// ofIstio reports whether the mesh itself looks at a label or annotation. Names for its telemetry (service.istio.io) are left
// out: they change nothing about a request or its answer.
func ofIstio(name string) bool {
	prefix, _, ok := strings.Cut(name, "/")
	return ok && prefix != "service.istio.io" && (prefix == "istio.io" || strings.HasSuffix(prefix, ".istio.io"))
}
