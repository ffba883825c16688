package cluster

import (
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// notWritten are the prefixes of annotations that programs of Kubernetes keep their own notes in.
var notWritten = []string{"kubectl.kubernetes.io/", "deployment.kubernetes.io/", "meta.helm.sh/", "argocd.argoproj.io/"}

// asWritten is an object as its author may have written it: with neither its status nor what the cluster added.
func asWritten(u *unstructured.Unstructured) map[string]any {
	metadata := map[string]any{"name": u.GetName(), "namespace": u.GetNamespace()}
	if labels := u.GetLabels(); len(labels) > 0 {
		metadata["labels"] = labels
	}
	annotations := maps.Clone(u.GetAnnotations())
	maps.DeleteFunc(annotations, func(name, _ string) bool {
		return slices.ContainsFunc(notWritten, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
	})
	if len(annotations) > 0 {
		metadata["annotations"] = annotations
	}
	spec, _, _ := unstructured.NestedMap(u.Object, "spec")
	switch u.GetKind() {
	case "Service":
		spec = serviceWritten(spec)
	case "Deployment", "StatefulSet", "DaemonSet":
		spec = workloadWritten(spec)
	}
	return map[string]any{"apiVersion": u.GetAPIVersion(), "kind": u.GetKind(), "metadata": metadata, "spec": spec}
}

// serviceWritten keeps what decides where calls of a Service go.
func serviceWritten(spec map[string]any) map[string]any {
	kept := only(spec, "selector", "type", "externalName", "ports")
	if spec["clusterIP"] == "None" {
		kept["clusterIP"] = "None"
	}
	ports, _ := kept["ports"].([]any)
	for i := range ports {
		if port, ok := ports[i].(map[string]any); ok {
			ports[i] = only(port, "name", "port", "targetPort", "protocol", "appProtocol")
		}
	}
	return kept
}

// workloadWritten keeps the labels of a workload's pods, how many there are, and what says whether they have a sidecar.
func workloadWritten(spec map[string]any) map[string]any {
	kept := only(spec, "replicas", "selector", "serviceName")
	template := map[string]any{}
	for _, field := range []string{"labels", "annotations"} {
		if values, found, _ := unstructured.NestedMap(spec, "template", "metadata", field); found && len(values) > 0 {
			template[field] = values
		}
	}
	containers, _, _ := unstructured.NestedSlice(spec, "template", "spec", "containers")
	for i := range containers {
		if container, ok := containers[i].(map[string]any); ok {
			containers[i] = only(container, "name", "image", "ports")
		}
	}
	kept["template"] = map[string]any{"metadata": template, "spec": map[string]any{"containers": containers}}
	return kept
}

// only is a copy of an object with these fields, as far as it has them.
func only(object map[string]any, fields ...string) map[string]any {
	kept := map[string]any{}
	for _, field := range fields {
		if value, ok := object[field]; ok {
			kept[field] = value
		}
	}
	return kept
}
