package scratch

import (
	"fmt"
	"maps"
	"slices"
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
	// listens is the port of every stand-in.
	listens = 3000
	// adminPort is the port at which the counters of stand-ins are read, past the inbound side of their sidecars: no policy of the files
	// may keep hellochaos from them.
	adminPort = 3001
	// excludeInbound is Istio's annotation for ports that a sidecar leaves alone.
	excludeInbound = "traffic.sidecar.istio.io/excludeInboundPorts"
)

// small are annotations with which a proxy asks for as little as it needs for the requests of a test, so that dozens of pods fit on a
// small node.
var small = map[string]string{"sidecar.istio.io/proxyCPU": "10m", "sidecar.istio.io/proxyMemory": "64Mi"}

// briefly is how many seconds a pod has to end: nothing is under way when it is deleted.
var briefly = int64(1)

// service moves a Service.
func (m *mover) service(k *corev1.Service) {
	meta := metav1.ObjectMeta{Name: k.Name, Namespace: m.place(k.Namespace)}
	if k.Namespace == m.options.Outside {
		m.spoken(k)
	}
	meta.Annotations = map[string]string{exportTo: strings.Join(m.exportTo(manifests.ExportValues(k.Annotations[exportTo])), ",")}
	m.known(k.Name, orDefault(k.Namespace))
	k.ObjectMeta = meta
	if len(k.Spec.Selector) > 0 {
		k.Spec.Selector[answers] = "true"
	}
}

func orDefault(namespace string) string {
	if namespace == "" {
		return manifests.Namespace
	}
	return namespace
}

// answers is a label of all stand-ins that answer calls. Services select by it beside their own labels, so that they do not select pods that
// have the same labels to send requests.
const answers = "hellochaos-answers"

// deployment moves a Deployment of stand-ins. Where its pods are callers of requests, a relay sends these: the Deployment itself where it
// answers no calls, and else another one with the same labels.
func (m *mover) deployment(k *appsv1.Deployment) {
	of := orDefault(k.Namespace) + "/" + k.Name
	k.ObjectMeta = metav1.ObjectMeta{Name: k.Name, Namespace: m.place(k.Namespace)}
	template := &k.Spec.Template
	template.Annotations = maps.Clone(small)
	template.Annotations[excludeInbound] = fmt.Sprint(adminPort)
	container := &template.Spec.Containers[0]
	container.Env = append(container.Env, corev1.EnvVar{Name: "ADMIN_PORT", Value: fmt.Sprint(adminPort)})
	maps.DeleteFunc(template.Labels, func(name, _ string) bool { return decides(name) })
	template.Spec.TerminationGracePeriodSeconds = &briefly
	if strings.HasPrefix(of, m.options.Outside+"/") {
		m.speaks(k)
	} else if m.opens {
		maps.Copy(template.Annotations, sidecarFiles(proxyCredential))
	}
	caller, calls := m.callers[of]
	if k.Name == m.options.Client {
		relay(k)
		m.front(k, k.Name)
		return
	}
	if calls {
		m.caller(k, caller)
	}
	if !calls || m.selected(of, template.Labels) {
		template.Labels[answers] = "true"
	}
}

// decides reports whether Istio decides by a label of a pod whether it gets a sidecar and which one, which is not up to the files. The
// canonical name and revision are no such labels.
func decides(label string) bool {
	prefix, _, _ := strings.Cut(label, "/")
	return prefix == "istio.io" || strings.HasSuffix(prefix, ".istio.io") && prefix != "service.istio.io"
}

// caller adds what sends the requests of pods of a Deployment, which was moved.
func (m *mover) caller(k *appsv1.Deployment, caller string) {
	name := fmt.Sprintf("hellochaos-caller-%d", len(m.set.relays)+1)
	m.set.relays[caller] = k.Namespace + "/" + name
	namespace, _, deployment := manifests.Entry{Caller: caller}.Pods()
	if !m.selected(namespace+"/"+deployment, k.Spec.Template.Labels) {
		relay(k)
		m.front(k, name)
		return
	}
	other := k.DeepCopy()
	own := map[string]string{"hellochaos-caller": name}
	other.Name, other.Spec.Selector, other.Spec.Replicas = name, &metav1.LabelSelector{MatchLabels: own}, new(int32(1))
	for label := range k.Spec.Selector.MatchLabels { // by which the Deployment of the files would take the pods for its own
		delete(other.Spec.Template.Labels, label)
	}
	maps.Copy(other.Spec.Template.Labels, own)
	relay(other)
	m.front(other, name)
	m.set.Objects = append(m.set.Objects, manifests.Object{APIVersion: "apps/v1", Kind: "Deployment", Meta: other.ObjectMeta, Kubernetes: other})
}

// selected reports whether a Service of the namespace of a Deployment, "namespace/name", selects pods with labels.
func (m *mover) selected(of string, labels map[string]string) bool {
	namespace, _, _ := strings.Cut(of, "/")
	return slices.ContainsFunc(m.selectors[namespace], func(selector map[string]string) bool {
		for name, value := range selector {
			if labels[name] != value {
				return false
			}
		}
		return len(selector) > 0
	})
}

// relay makes the pods of a Deployment send on what they receive.
func relay(k *appsv1.Deployment) {
	// Requests pass by the inbound side of the sidecar, which would otherwise set and remove headers before the relay sends them on.
	k.Spec.Template.Annotations[excludeInbound] = fmt.Sprintf("%d,%d", listens, adminPort)
	container := &k.Spec.Template.Spec.Containers[0]
	env := []corev1.EnvVar{{Name: "ROLE", Value: "relay"}}
	for _, v := range container.Env {
		if v.Name != "CALLS" {
			env = append(env, v)
		}
	}
	container.Env = env
}

// front adds the Service of a name by which requests reach a relay. The mesh does not know it.
func (m *mover) front(k *appsv1.Deployment, name string) {
	meta := metav1.ObjectMeta{Name: name, Namespace: k.Namespace, Annotations: map[string]string{exportTo: "~"}}
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
