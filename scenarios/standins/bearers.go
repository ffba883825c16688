package standins

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	networking "istio.io/api/networking/v1alpha3"
	appsv1 "k8s.io/api/apps/v1"

	"github.com/hellochaos/hellochaos/manifests"
)

// bearers adds pods with the labels that matches of rules for the sidecars ask for by sourceLabels, where no file has pods of the namespace
// and none of the set has the labels. Labels by which a Service selects its pods make none: such pods would answer its calls.
func (b *builder) bearers(objects []manifests.Object) {
	for i := range objects {
		o := &objects[i]
		spec, ok := o.Istio.(*networking.VirtualService)
		if !ok || !manifests.ForSidecars(spec) {
			continue
		}
		for j, http := range spec.Http {
			for _, m := range http.Match {
				namespace := cmp.Or(m.SourceNamespace, o.InNamespace())
				if len(m.SourceLabels) == 0 || len(m.Gateways) > 0 || b.withPods[namespace] || b.borne(namespace, m.SourceLabels) || b.selected(namespace, m.SourceLabels) {
					continue
				}
				name := fmt.Sprintf("%s-%d", Client, len(b.set.Objects))
				labels := maps.Clone(m.SourceLabels)
				labels["app"] = cmp.Or(labels["app"], name)
				b.deploy(deployment{from: o, line: o.LineOf(fmt.Sprintf("spec.http[%d]", j)), namespace: namespace, name: name, service: name, version: namespace, labels: labels, replicas: 1})
			}
		}
	}
}

// borne reports whether pods of the set have labels.
func (b *builder) borne(namespace string, labels map[string]string) bool {
	return slices.ContainsFunc(b.set.Objects, func(o manifests.Object) bool {
		d, ok := o.Kubernetes.(*appsv1.Deployment)
		return ok && o.InNamespace() == namespace && has(d.Spec.Template.Labels, labels)
	})
}

// selected reports whether a Service of the set selects pods with labels.
func (b *builder) selected(namespace string, labels map[string]string) bool {
	for _, s := range b.services {
		if s.namespace == namespace && len(s.selector) > 0 && has(labels, s.selector) {
			return true
		}
	}
	return false
}
