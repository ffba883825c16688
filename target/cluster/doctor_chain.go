package cluster

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/hellochaos/hellochaos/printable"
)

// upstreamVariable is the variable that holds the URL that a service of the chain calls. externalVariable is "true" if that URL
// is outside the chain.
const upstreamVariable, externalVariable = "UPSTREAM_URI", "UPSTREAM_EXTERNAL"

// wanted are the Deployments of the chain as the objects describe them.
func (v *view) wanted() (all []*appsv1.Deployment) {
	for i := range v.objects {
		o := &v.objects[i]
		if d, ok := o.Kubernetes.(*appsv1.Deployment); ok && v.cluster.referenceOf(o).Namespace == v.cluster.namespace {
			all = append(all, d)
		}
	}
	return all
}

// chainPods are the pods of the chain's Deployments.
func (v *view) chainPods() (pods []*corev1.Pod) {
	for _, d := range v.wanted() {
		selector := labels.SelectorFromSet(d.Spec.Selector.MatchLabels)
		for i := range v.pods.items {
			if pod := &v.pods.items[i]; selector.Matches(labels.Set(pod.Labels)) && lives(pod) {
				pods = append(pods, pod)
			}
		}
	}
	return pods
}

// application checks whether the Deployments of the chain are as the objects describe them; only the image may differ.
func (v *view) application() Finding {
	if v.deployments.hidden != nil {
		return v.unseen(v.deployments.hidden)
	}
	deploy := "hellochaos deploy -n " + v.cluster.namespace
	var wrong, late []string
	for _, want := range v.wanted() {
		i := slices.IndexFunc(v.deployments.items, func(d appsv1.Deployment) bool { return d.Name == want.Name })
		if i < 0 {
			wrong = append(wrong, "Deployment "+want.Name+" is not there")
			continue
		}
		live := &v.deployments.items[i]
		for _, text := range unlike(want, live) {
			wrong = append(wrong, "Deployment "+want.Name+": "+text)
		}
		if readyOf(live) < replicas(want) {
			late = append(late, fmt.Sprintf("%s has %d of %d pods ready", want.Name, readyOf(live), replicas(want)))
		}
	}
	switch {
	case len(wrong) > 0:
		return fail(deploy, "the deployed chain is not the one that the predictions are made for: %s", strings.Join(wrong, "; "))
	case len(late) > 0:
		return fail("kubectl -n "+v.cluster.namespace+" describe pods", "%s", strings.Join(late, "; "))
	}
	return good("all %d Deployments are as in the manifests, and ready", len(v.wanted()))
}

// unlike lists the differences between a Deployment and the wanted one that change a run: in labels, environment, ports and
// replicas.
func unlike(want, live *appsv1.Deployment) (all []string) {
	differ := func(what, should, is string) {
		if should != is {
			all = append(all, fmt.Sprintf("%s: %s instead of %s", what, quoted(is), quoted(should)))
		}
	}
	differ("replicas", fmt.Sprint(replicas(want)), fmt.Sprint(replicas(live)))
	template, now := want.Spec.Template, live.Spec.Template
	for _, name := range slices.Sorted(maps.Keys(template.Labels)) {
		differ("label "+name, template.Labels[name], now.Labels[name])
	}
	for _, c := range template.Spec.Containers {
		i := slices.IndexFunc(now.Spec.Containers, func(other corev1.Container) bool { return other.Name == c.Name })
		if i < 0 {
			all = append(all, "container "+c.Name+" is missing")
			continue
		}
		should, is := environmentOf(c), environmentOf(now.Spec.Containers[i])
		for _, name := range keysOf(should, is) {
			differ(name, should[name], is[name])
		}
		differ("ports", portsOf(c), portsOf(now.Spec.Containers[i]))
	}
	return all
}

func quoted(text string) string {
	if text == "" {
		return "absent"
	}
	return text
}

func environmentOf(c corev1.Container) map[string]string {
	all := map[string]string{}
	for _, variable := range c.Env {
		all[variable.Name] = variable.Value
		if variable.ValueFrom != nil {
			all[variable.Name] = "taken from another object"
		}
	}
	return all
}

// upstreamOf is the host that the pods of a Deployment of the manifests call; empty when they call no host.
func upstreamOf(d *appsv1.Deployment) string {
	u, err := url.Parse(environmentOf(d.Spec.Template.Spec.Containers[0])[upstreamVariable])
	if err != nil {
		return ""
	}
	return u.Hostname()
}

func keysOf(a, b map[string]string) []string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}

func portsOf(c corev1.Container) string {
	var ports []string
	for _, p := range c.Ports {
		ports = append(ports, fmt.Sprint(p.ContainerPort))
	}
	slices.Sort(ports)
	return strings.Join(ports, " ")
}

// hosts checks whether others have made rules for the hosts of the objects.
func (v *view) hosts() Finding {
	if v.policies.hidden != nil {
		return v.unseen(v.policies.hidden)
	}
	var pods []labels.Set
	for _, pod := range v.gatewayPods.items {
		pods = append(pods, pod.Labels)
	}
	var ours, elsewhere []string
	command := ""
	for _, found := range v.scope.conflicts(v.policies.items, pods) {
		text := fmt.Sprintf("%s in namespace %s has %s", found.reference, found.Namespace, found.about)
		if found.Namespace != v.cluster.namespace {
			elsewhere = append(elsewhere, text)
			continue
		}
		ours = append(ours, text)
		if command != "" {
			command += " && "
		}
		command += fmt.Sprintf("kubectl -n %s delete %s %s", printable.Word(found.Namespace), strings.ToLower(found.Kind), printable.Word(found.Name))
	}
	all := strings.Join(append(ours, elsewhere...), "; ")
	switch {
	case len(ours) > 0 && v.cluster.options.TakeOver:
		return warn("", "%s: the run removes those in namespace %s and puts them back at its end", all, v.cluster.namespace)
	case len(ours) > 0:
		return fail(command, "the mesh would obey only one of two objects: %s. Delete these objects of others, or run with --take-over, which removes them for the run and puts them back at its end", all)
	case len(elsewhere) > 0:
		return warn("", "%s: a run does not change other namespaces, so these rules may change its figures", all)
	case v.policies.partly && (len(v.scope.gateways) > 0 || len(v.scope.imports) == 0):
		return warn("", "nobody else has rules for the chain's hosts in namespaces %s and %s; what other namespaces have for the gateway could not be checked",
			v.cluster.namespace, istioSystem)
	}
	return good("nobody else has rules for the chain's hosts")
}

// ownership are the labels and annotations of objects that a GitOps controller manages. Such a controller would undo what a run
// changes. ownerManagers are the field managers of the same controllers.
var ownership = []struct{ name, owner string }{
	{"argocd.argoproj.io/instance", "Argo CD"},
	{"argocd.argoproj.io/tracking-id", "Argo CD"},
	{"kustomize.toolkit.fluxcd.io/name", "Flux"},
	{"helm.toolkit.fluxcd.io/name", "Flux"},
}

var ownerManagers = map[string]string{
	"argocd-controller": "Argo CD", "argocd-application-controller": "Argo CD",
	"kustomize-controller": "Flux", "helm-controller": "Flux",
}

// gitOps checks whether a GitOps controller manages objects that a run changes.
func (v *view) gitOps() Finding {
	if v.services.hidden != nil {
		return v.unseen(v.services.hidden)
	}
	if v.policies.hidden != nil {
		return v.unseen(v.policies.hidden)
	}
	var owned []string
	look := func(r reference, labels, annotations map[string]string, managers []string) {
		if owner := ownerOf(labels, annotations, managers); owner != "" && v.scope.own[r] {
			owned = append(owned, fmt.Sprintf("%s (%s)", r, owner))
		}
	}
	for _, s := range v.services.items {
		var managers []string
		for _, entry := range s.ManagedFields {
			managers = append(managers, entry.Manager)
		}
		look(reference{"Service", s.Namespace, s.Name}, s.Labels, s.Annotations, managers)
	}
	for _, u := range v.policies.items {
		look(nameOf(u), u.GetLabels(), u.GetAnnotations(), managersOf(u))
	}
	if len(owned) > 0 {
		return warn("", "GitOps manages these objects, and will undo a run's changes while they are measured: %s. Pause GitOps for the run", strings.Join(owned, ", "))
	}
	return good("neither Argo CD nor Flux manages an object that a run changes")
}

func managersOf(u *unstructured.Unstructured) (managers []string) {
	for _, entry := range u.GetManagedFields() {
		managers = append(managers, entry.Manager)
	}
	return managers
}

// ownerOf is the GitOps controller that manages an object; empty when no known one does.
func ownerOf(labels, annotations map[string]string, managers []string) string {
	for _, mark := range ownership {
		if labels[mark.name] != "" || annotations[mark.name] != "" {
			return mark.owner
		}
	}
	for _, name := range managers {
		if owner := ownerManagers[name]; owner != "" {
			return owner
		}
	}
	return ""
}

// egress checks whether the service that the chain calls outside itself exists.
func (v *view) egress() Finding {
	var host string
	for _, d := range v.wanted() {
		if environmentOf(d.Spec.Template.Spec.Containers[0])[externalVariable] == "true" {
			host = upstreamOf(d)
		}
	}
	name, namespace, ours := strings.Cut(strings.TrimSuffix(host, domain), ".")
	service := reference{"Service", namespace, name}
	found, wanted := v.abroad[service]
	switch {
	case host == "":
		return good("the chain calls nothing outside itself")
	case !ours || !strings.HasSuffix(host, domain) || !wanted:
		return warn("", "the chain calls %s, and whether that host can be reached could not be checked: stage egress shows whether it answers", host)
	case found.hidden != nil:
		return warn("", "could not be checked: %s", oneLine(found.hidden)) // no command is offered: manifests/rbac.yaml grants nothing in that namespace
	case len(found.items) == 0:
		return fail("hellochaos deploy -n "+v.cluster.namespace, "the chain calls %s, but there is no %s in namespace %s", host, service, namespace)
	case found.items[0].GetAnnotations()[hiddenAnnotation] != "~":
		return fail("hellochaos deploy -n "+v.cluster.namespace, "%s in namespace %s lacks the annotation %s: \"~\", so the mesh knows this Service already, and stage egress, which makes it known, would change nothing",
			service, namespace, hiddenAnnotation)
	}
	return v.clock(host, namespace)
}

// hiddenAnnotation of a Service lists the namespaces whose proxies know the Service; with "~" no proxy knows it.
const hiddenAnnotation = "networking.istio.io/exportTo"

// clock checks whether the pods behind the host that the chain calls outside itself are ready.
func (v *view) clock(host, namespace string) Finding {
	for _, r := range slices.SortedFunc(maps.Keys(v.abroad), func(a, b reference) int { return strings.Compare(a.Name, b.Name) }) {
		if r.Kind != "Deployment" || r.Namespace != namespace {
			continue
		}
		found := v.abroad[r]
		switch {
		case found.hidden != nil:
			return warn("", "could not be checked: %s", oneLine(found.hidden))
		case len(found.items) == 0:
			return fail("hellochaos deploy -n "+v.cluster.namespace, "the chain calls %s, but there is no %s in namespace %s", host, r, namespace)
		}
		if ready, _, _ := unstructured.NestedInt64(found.items[0].Object, "status", "readyReplicas"); ready == 0 {
			return fail("kubectl -n "+namespace+" describe pods", "the chain calls %s, but no pod of %s is ready", host, r)
		}
	}
	return good("%s stands outside the mesh and is ready", host)
}
