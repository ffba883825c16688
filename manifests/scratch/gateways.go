package scratch

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	networking "istio.io/api/networking/v1alpha3"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/hellochaos/hellochaos/manifests"
)

const (
	// gatewayLabel is the label of all gateway pods of the set's own, and its value the set's first namespace: a selector of others, which may
	// be for pods of every namespace, chooses none that has it; a Gateway without a selector is for all gateway pods of the mesh. With a number it
	// is a label that selectors of the files ask for, by mover.labels.
	gatewayLabel = "hellochaos-gateway"
	// podsLabel is the label by which a Deployment and a Service know their gateway pods.
	podsLabel = "hellochaos-gateway-pods"
	// aboveOthers is added to the number of a gateway's port, where its pods cannot listen at that port.
	aboveOthers = 20000
	// proxyUser is the user of Istio's proxies.
	proxyUser = 1337
)

// usualPods are the labels of the pods of Istio's ingress gateway.
var usualPods = map[string]string{"istio": "ingressgateway"}

// podsOf are the labels of the pods at which requests to a Gateway enter: those of Istio's ingress gateway where it selects all gateways.
func podsOf(spec *networking.Gateway) map[string]string {
	if len(spec.Selector) == 0 {
		return usualPods
	}
	return spec.Selector
}

// textOf is the same for labels that are the same: "app=a,istio=b".
func textOf(selector map[string]string) string {
	return metav1.FormatLabelSelector(&metav1.LabelSelector{MatchLabels: selector})
}

// openGateways decides which gateway pods there are: one Deployment for all Gateways of one selector. Those of Istio's ingress gateway
// come first, and then those with fewer labels, so that of the Services that lead to pods which a Gateway selects the first one leads to those
// at which its requests enter.
func (m *mover) openGateways(objects []manifests.Object) {
	if m.options.Shared {
		return
	}
	for i := range objects {
		spec, ok := objects[i].Istio.(*networking.Gateway)
		if !ok || m.ports[textOf(podsOf(spec))] != nil {
			continue
		}
		m.ports[textOf(podsOf(spec))] = map[uint32]bool{}
		m.gateways = append(m.gateways, podsOf(spec))
	}
	rank := func(pods map[string]string) int {
		if maps.Equal(pods, usualPods) {
			return 0
		}
		return len(pods)
	}
	slices.SortStableFunc(m.gateways, func(a, b map[string]string) int { return cmp.Compare(rank(a), rank(b)) })
}

// gatewayLabels are labels of gateway pods after the move. A Gateway still selects the pods of those whose labels include its own.
func (m *mover) gatewayLabels(was map[string]string) map[string]string {
	labels := map[string]string{gatewayLabel: m.set.Base}
	for _, name := range slices.Sorted(maps.Keys(was)) {
		pair := name + "=" + was[name]
		if m.labels[pair] == "" {
			m.labels[pair] = fmt.Sprintf("%s-%d", gatewayLabel, len(m.labels)+1)
		}
		labels[m.labels[pair]] = "true"
	}
	return labels
}

// ways adds the gateway pods of the set's own, with a Service before them. Istio's injection fills in the container.
func (m *mover) ways() {
	for number, pods := range m.gateways {
		name := fmt.Sprintf("%s-%d", m.set.Base, number+1)
		labels := m.gatewayLabels(pods)
		labels[podsLabel] = name
		meta := metav1.ObjectMeta{Name: name, Namespace: m.set.Gateway, Labels: labels}
		spec := corev1.ServiceSpec{Selector: labels}
		for _, port := range slices.Sorted(maps.Keys(m.ports[textOf(pods)])) {
			spec.Ports = append(spec.Ports, corev1.ServicePort{Name: fmt.Sprintf("http-%d", port), Port: int32(port), TargetPort: intstr.FromInt32(listensAt(port))})
		}
		exported := meta
		exported.Annotations = map[string]string{exportTo: m.set.Gateway} // Istio takes the pods' ports from it
		m.set.Ways = append(m.set.Ways, serviceObject(exported, spec),
			manifests.Object{APIVersion: "apps/v1", Kind: "Deployment", Meta: meta, Kubernetes: m.gatewayDeployment(meta, labels)})
	}
}

// listensAt is the port at which gateway pods listen for a port of their Service: the ports below 1024 are not for programs without
// rights, and those from 15000 are those of Istio's proxies.
func listensAt(port uint32) int32 {
	if port < 1024 || port >= 15000 && port < 16000 {
		port += aboveOthers
	}
	return int32(port)
}

// gatewayDeployment is a Deployment of gateway pods as Istio's page about gateway injection has it.
func (m *mover) gatewayDeployment(meta metav1.ObjectMeta, labels map[string]string) *appsv1.Deployment {
	one, no, yes, user := int32(1), false, true, int64(proxyUser)
	template := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: maps.Clone(labels), Annotations: maps.Clone(small)}}
	template.Labels["app"] = labels[podsLabel]
	template.Labels["sidecar.istio.io/inject"] = "true"
	template.Annotations["inject.istio.io/templates"] = "gateway"
	template.Spec = corev1.PodSpec{
		TerminationGracePeriodSeconds: &briefly,
		SecurityContext:               &corev1.PodSecurityContext{RunAsNonRoot: &yes, RunAsUser: &user, RunAsGroup: &user, SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}},
		Containers: []corev1.Container{{Name: "istio-proxy", Image: "auto", ImagePullPolicy: corev1.PullIfNotPresent,
			SecurityContext: &corev1.SecurityContext{AllowPrivilegeEscalation: &no, ReadOnlyRootFilesystem: &yes, Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}}}},
	}
	if m.opens {
		template.Spec.Volumes = []corev1.Volume{volumeOf(proxyCredential)}
		template.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{mounted}
	}
	return &appsv1.Deployment{TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"}, ObjectMeta: meta,
		Spec: appsv1.DeploymentSpec{Replicas: &one, Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: template}}
}
