package manifests

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// container is the path of a Deployment's only container.
const container = "spec.template.spec.containers[0]"

func (d *document) checkDeployment(k *appsv1.Deployment) {
	if k.Spec.Replicas != nil && *k.Spec.Replicas < 0 {
		d.problem("spec.replicas", "must be at least 0, not %d", *k.Spec.Replicas)
	}
	labels := k.Spec.Template.Labels
	if k.Spec.Selector == nil || len(k.Spec.Selector.MatchLabels) == 0 || !has(labels, k.Spec.Selector.MatchLabels) {
		d.problem("spec.selector.matchLabels", "must be labels that the pods have by spec.template.metadata.labels")
	}
	if labels["app"] == "" {
		d.problem("spec.template.metadata.labels", "must have the label app, by which hellochaos knows which sidecar sends the pods' requests")
	}
	d.checkMetadata("spec.template.metadata", "", labels, k.Spec.Template.Annotations)
	if policy := k.Spec.Template.Spec.DNSPolicy; policy != "" && policy != corev1.DNSClusterFirst {
		d.problem("spec.template.spec.dnsPolicy", "%s is not supported by hellochaos; accepted: ClusterFirst", policy)
	}
	if len(k.Spec.Template.Spec.Containers) != 1 {
		d.problem("spec.template.spec.containers", "must have exactly one container, not %d", len(k.Spec.Template.Spec.Containers))
		return
	}
	c := &k.Spec.Template.Spec.Containers[0]
	d.checkEnvironment(c.Env)
	for i, p := range c.Ports {
		field := fmt.Sprintf("%s.ports[%d]", container, i)
		d.checkProtocol(field+".protocol", p.Protocol)
		if listens := listensAt(environment(c.Env)); int(p.ContainerPort) != listens {
			d.problem(field+".containerPort", "must be %d, the port at which the service listens (its variable PORT), not %d",
				listens, p.ContainerPort)
		}
	}
}

func (d *document) checkProtocol(field string, protocol corev1.Protocol) {
	if protocol != "" && protocol != corev1.ProtocolTCP {
		d.problem(field, "must be TCP, not %s: hellochaos executes HTTP/1.1 only", protocol)
	}
}

func workload(o *Object, k *appsv1.Deployment) Workload {
	w := Workload{
		Name:      o.Meta.Name,
		Namespace: o.namespace(),
		Labels:    k.Spec.Template.Labels,
		Env:       make(map[string]string),
		Replicas:  1,
	}
	if k.Spec.Replicas != nil {
		w.Replicas = int(*k.Spec.Replicas)
	}
	for _, c := range k.Spec.Template.Spec.Containers {
		w.Env = environment(c.Env)
	}
	return w
}
