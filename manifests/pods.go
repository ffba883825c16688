package manifests

import (
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/json"
)

// helmHook marks an object that Helm applies beside a release, such as the pod of a test.
const helmHook = "helm.sh/hook"

// podTemplate is what is read of a workload of others' files.
type podTemplate struct {
	metav1.TypeMeta `json:",inline"`
	Meta            metav1.ObjectMeta `json:"metadata"`
	Spec            struct {
		Replicas *int32 `json:"replicas"`
		Template struct {
			Meta struct {
				Labels map[string]string `json:"labels"`
			} `json:"metadata"`
		} `json:"template"`
	} `json:"spec"`
}

// anyService is a Service of which every field is accepted: the messages about fields of Service name the few that a bundled one may
// have.
type anyService corev1.Service

// kubernetes reads a Service or a workload.
func (r *othersReader) kubernetes(d *document, version, kind string) {
	o := Object{File: d.file, Line: d.lines.of("", d.first), APIVersion: version, Kind: kind}
	if fields, ok := d.fields.(map[string]any); ok {
		d.name(fields, kind)
	}
	if kind == "Service" {
		o.YAML, o.lines = d.text, d.lines
		d.service(&o)
	} else {
		d.workload(&o)
	}
	if len(d.problems) == 0 {
		d.checkName(&o)
	}
	switch {
	case len(d.problems) > 0:
	case o.Meta.Annotations[helmHook] != "" && kind != "Service":
		r.remark("%s is a hook of Helm, which is no part of the application, and was passed over", o.place())
	default:
		r.others.Objects = append(r.others.Objects, o)
		r.old(&o)
	}
}

// old remarks once that Kubernetes removed an API.
func (r *othersReader) old(o *Object) {
	switch key := o.APIVersion + " " + o.Kind; o.APIVersion {
	case "extensions/v1beta1", "apps/v1beta1", "apps/v1beta2":
		if !r.removed[key] {
			r.removed[key] = true
			r.remark("%s has apiVersion %s, which Kubernetes removed in release 1.16: it is read, but a cluster of today refuses it (write apps/v1)", o.place(), o.APIVersion)
		}
	}
}

// name puts the name of the object into the problems that follow.
func (d *document) name(fields map[string]any, kind string) {
	if meta, ok := fields["metadata"].(map[string]any); ok {
		if name, ok := meta["name"].(string); ok && name != "" {
			d.object = kind + " " + name
		}
	}
}

// service reads a Service with all fields of Kubernetes. It refuses what the API server refuses of the fields that are used.
func (d *document) service(o *Object) {
	var any anyService
	if d.strict(d.data, &any); len(d.problems) > 0 {
		return
	}
	k := corev1.Service(any)
	o.Meta, o.Kubernetes = k.ObjectMeta, &k
	d.checkMetadata("metadata", "Service", k.Labels, k.Annotations)
	if len(k.Spec.Ports) == 0 && k.Spec.Type != corev1.ServiceTypeExternalName && k.Spec.ClusterIP != corev1.ClusterIPNone {
		d.problem("spec.ports", "must have at least one port")
	}
	numbers := make(map[string]bool)
	for i, p := range k.Spec.Ports {
		field := fmt.Sprintf("spec.ports[%d]", i)
		d.checkPort(field+".port", int(p.Port))
		if key := fmt.Sprint(p.Port, p.Protocol); numbers[key] {
			d.problem(field+".port", "%d is the number of another port: each port must have its own", p.Port)
		} else {
			numbers[key] = true
		}
	}
}

// workload reads what is used of a workload. The other fields are not looked at.
func (d *document) workload(o *Object) {
	var t podTemplate
	if err := json.UnmarshalCaseSensitivePreserveInts(d.data, &t); err != nil {
		place := goField.FindStringSubmatch(err.Error())
		if place == nil {
			d.problem("", "cannot be read as Kubernetes' API reads it: %v", err)
			return
		}
		d.problem(place[2], "%s", wrongType(place[1], strings.TrimPrefix(place[3], "*")))
		return
	}
	labels := t.Spec.Template.Meta.Labels
	if o.Kind == "Pod" {
		labels, t.Spec.Replicas = t.Meta.Labels, nil
	}
	if r := t.Spec.Replicas; r != nil && *r < 0 {
		d.problem("spec.replicas", "must be at least 0, not %d", *r)
	}
	o.Meta = metav1.ObjectMeta{Name: t.Meta.Name, Namespace: t.Meta.Namespace, Annotations: map[string]string{}}
	if hook := t.Meta.Annotations[helmHook]; hook != "" {
		o.Meta.Annotations[helmHook] = hook
	}
	for _, owner := range t.Meta.OwnerReferences {
		o.Meta.OwnerReferences = append(o.Meta.OwnerReferences, metav1.OwnerReference{Kind: owner.Kind, Name: owner.Name})
	}
	k := &appsv1.Deployment{ObjectMeta: o.Meta}
	k.Spec.Replicas, k.Spec.Template.Labels = t.Spec.Replicas, labels
	o.Kubernetes = k
}

// withoutOwned is objects without the workloads that another one of them made, whose pods would count twice: 'kubectl get all -o yaml'
// prints a Deployment, its ReplicaSets and their pods. A pod names its ReplicaSet, whose name is that of the Deployment and a hash.
func withoutOwned(objects []Object) []Object {
	there := make(map[identity]bool, len(objects))
	for i := range objects {
		there[objects[i].identity()] = true
	}
	return slices.DeleteFunc(objects, func(o Object) bool {
		return slices.ContainsFunc(o.Meta.OwnerReferences, func(owner metav1.OwnerReference) bool {
			if there[identity{owner.Kind, o.namespace(), owner.Name}] {
				return true
			}
			dash := strings.LastIndexByte(owner.Name, '-')
			return owner.Kind == "ReplicaSet" && dash > 0 && (there[identity{"Deployment", o.namespace(), owner.Name[:dash]}] || there[identity{"Rollout", o.namespace(), owner.Name[:dash]}])
		})
	})
}
