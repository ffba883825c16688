package scratch

import (
	"fmt"
	"maps"
	"strings"

	"google.golang.org/protobuf/proto"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/hellochaos/hellochaos/manifests"
)

const (
	// exportTo is Istio's annotation that says to which namespaces a Service is exported; "~" hides it from the mesh.
	exportTo = "networking.istio.io/exportTo"
	// gatewayLabel is the label of the set's own gateway pods.
	gatewayLabel = "hellochaos-gateway"
	// listens is the port of every stand-in.
	listens = 3000
	// adminPort is the port at which the counters of stand-ins are read, past the inbound side of their sidecars: no policy of the files
	// may keep hellochaos from them.
	adminPort = 3001
	// excludeInbound is Istio's annotation for ports that a sidecar leaves alone.
	excludeInbound = "traffic.sidecar.istio.io/excludeInboundPorts"
	// aboveOthers is added to the number of a gateway's port, where its pods cannot listen at that port.
	aboveOthers = 20000
	// proxyUser is the user of Istio's proxies.
	proxyUser = 1337
)

// small are annotations with which a proxy asks for as little as it needs for the requests of a test, so that dozens of pods fit on a
// small node.
var small = map[string]string{"sidecar.istio.io/proxyCPU": "10m", "sidecar.istio.io/proxyMemory": "64Mi"}

// briefly is how many seconds a pod has to end: nothing is under way when it is deleted.
var briefly = int64(1)

// service moves a Service.
func (m *mover) service(k *corev1.Service) {
	meta := metav1.ObjectMeta{Name: k.Name, Namespace: m.place(k.Namespace)}
	exported := k.Annotations[exportTo]
	if exported != "~" && exported != "." {
		exported = strings.Join(m.everywhere(), ",")
	}
	meta.Annotations = map[string]string{exportTo: exported}
	m.known(k.Name, orDefault(k.Namespace))
	k.ObjectMeta = meta
}

func orDefault(namespace string) string {
	if namespace == "" {
		return manifests.Namespace
	}
	return namespace
}

// deployment moves a Deployment of stand-ins.
func (m *mover) deployment(k *appsv1.Deployment) {
	client := k.Name == m.options.Client
	k.ObjectMeta = metav1.ObjectMeta{Name: k.Name, Namespace: m.place(k.Namespace)}
	template := &k.Spec.Template
	template.Annotations = maps.Clone(small)
	template.Annotations[excludeInbound] = fmt.Sprint(adminPort)
	container := &template.Spec.Containers[0]
	container.Env = append(container.Env, corev1.EnvVar{Name: "ADMIN_PORT", Value: fmt.Sprint(adminPort)})
	// Whether a pod gets a sidecar, and which one, is not up to the files.
	maps.DeleteFunc(template.Labels, func(name, _ string) bool {
		prefix, _, _ := strings.Cut(name, "/")
		return prefix == "istio.io" || strings.HasSuffix(prefix, ".istio.io")
	})
	template.Spec.TerminationGracePeriodSeconds = &briefly
	if !client {
		return
	}
	// Requests pass by the inbound side of the sidecar, which would otherwise set and remove headers before the relay sends them on.
	template.Annotations[excludeInbound] = fmt.Sprintf("%d,%d", listens, adminPort)
	env := []corev1.EnvVar{{Name: "ROLE", Value: "relay"}}
	for _, v := range container.Env {
		if v.Name != "CALLS" {
			env = append(env, v)
		}
	}
	container.Env = env
	m.front(k)
}

// front adds the Service by which requests reach a relay. The mesh does not know it.
func (m *mover) front(k *appsv1.Deployment) {
	meta := metav1.ObjectMeta{Name: k.Name, Namespace: k.Namespace, Annotations: map[string]string{exportTo: "~"}}
	m.set.Objects = append(m.set.Objects, serviceObject(meta, corev1.ServiceSpec{Selector: k.Spec.Selector.MatchLabels,
		Ports: []corev1.ServicePort{{Name: "http", Port: 80, TargetPort: intstr.FromInt32(listens)}}}))
}

func (m *mover) add(kind, namespace, name string, spec proto.Message) {
	m.set.Objects = append(m.set.Objects, manifests.Object{APIVersion: apiVersion, Kind: kind, Meta: metav1.ObjectMeta{Name: name, Namespace: namespace}, Istio: spec})
}

func serviceObject(meta metav1.ObjectMeta, spec corev1.ServiceSpec) manifests.Object {
	return manifests.Object{APIVersion: "v1", Kind: "Service", Meta: meta,
		Kubernetes: &corev1.Service{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Service"}, ObjectMeta: meta, Spec: spec}}
}

// gatewayName is the name of the Deployment and the Service of gateway pods, and the value of their label, which no pods of another
// set have.
func (m *mover) gatewayName(number int) string { return fmt.Sprintf("%s-%d", m.set.Base, number+1) }

// ways adds the gateway pods of the set's own, with a Service before them. Istio's injection fills in the container.
func (m *mover) ways() {
	for number := range m.ports {
		name := m.gatewayName(number)
		labels := map[string]string{gatewayLabel: name}
		meta := metav1.ObjectMeta{Name: name, Namespace: m.set.Gateway, Labels: labels}
		spec := corev1.ServiceSpec{Selector: labels}
		for _, port := range m.gatewayPorts(number) {
			spec.Ports = append(spec.Ports, corev1.ServicePort{Name: fmt.Sprintf("http-%d", port), Port: int32(port), TargetPort: intstr.FromInt32(listensAt(port))})
		}
		exported := meta
		exported.Annotations = map[string]string{exportTo: m.set.Gateway} // Istio takes the pods' ports from it
		m.set.Ways = append(m.set.Ways, serviceObject(exported, spec),
			manifests.Object{APIVersion: "apps/v1", Kind: "Deployment", Meta: meta, Kubernetes: gatewayDeployment(meta, labels)})
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
func gatewayDeployment(meta metav1.ObjectMeta, labels map[string]string) *appsv1.Deployment {
	one, no, yes, user := int32(1), false, true, int64(proxyUser)
	template := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: maps.Clone(labels), Annotations: maps.Clone(small)}}
	template.Labels["app"] = labels[gatewayLabel]
	template.Labels["sidecar.istio.io/inject"] = "true"
	template.Annotations["inject.istio.io/templates"] = "gateway"
	template.Spec = corev1.PodSpec{
		TerminationGracePeriodSeconds: &briefly,
		SecurityContext:               &corev1.PodSecurityContext{RunAsNonRoot: &yes, RunAsUser: &user, RunAsGroup: &user, SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}},
		Containers: []corev1.Container{{Name: "istio-proxy", Image: "auto", ImagePullPolicy: corev1.PullIfNotPresent,
			SecurityContext: &corev1.SecurityContext{AllowPrivilegeEscalation: &no, ReadOnlyRootFilesystem: &yes, Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}}}},
	}
	return &appsv1.Deployment{TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"}, ObjectMeta: meta,
		Spec: appsv1.DeploymentSpec{Replicas: &one, Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: template}}
}
