package standins

import (
	"fmt"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/hellochaos/hellochaos/manifests"
)

const (
	// listens is the port of every stand-in.
	listens = 3000
	// standsFor is the label by which a Service without a selector of its own selects its stand-ins.
	standsFor = "hellochaos-stands-for"
	// exportTo is Istio's annotation that hides a Service from the mesh's registry, with the value "~".
	exportTo = "networking.istio.io/exportTo"
)

// addService adds a Service of the files, with its ports of HTTP alone.
func (b *builder) addService(o *manifests.Object, k *corev1.Service) {
	s := &service{host: manifests.FullHost(o.Meta.Name, o.InNamespace()), name: o.Meta.Name, namespace: o.InNamespace(), selector: k.Spec.Selector, from: o, line: o.Line}
	where := fmt.Sprintf("Service %s (%s:%d)", s.name, o.File, o.Line)
	switch {
	case k.Spec.Type == corev1.ServiceTypeExternalName:
		s.selector = nil
		b.remark("%s is of type ExternalName, another name of %s, whose rules Istio would obey. Here a stand-in of its own answers in its place, at which the rules for %s do not hold.",
			where, k.Spec.ExternalName, k.Spec.ExternalName)
	case k.Spec.ClusterIP == corev1.ClusterIPNone:
		b.remark("%s is headless. Istio sends a call to the pod whose address the caller found by DNS, whatever subset and load balancer a rule names. "+
			"Here the rule chooses the pod, as for every other Service.", where)
	}
	var ports []corev1.ServicePort
	for i := range k.Spec.Ports {
		p := &k.Spec.Ports[i]
		if manifests.ProtocolOf(p) == manifests.NotHTTP {
			b.remark("%s: port %s is not one of HTTP for Istio, by its number, name, protocol or appProtocol, so that no HTTP rule applies to it. No stand-in listens there.", where, called(p))
			continue
		}
		ports = append(ports, port(p))
	}
	if k.Spec.Type == corev1.ServiceTypeExternalName && len(k.Spec.Ports) == 0 {
		ports = []corev1.ServicePort{port(&corev1.ServicePort{Name: "http", Port: 80})}
	}
	if s.unknown = len(s.selector) == 0; s.unknown {
		s.selector = map[string]string{standsFor: s.name}
	}
	b.withServices[s.namespace] = true
	b.keep(s)
	b.serve(s, ports, k.Annotations[exportTo])
}

func called(p *corev1.ServicePort) string {
	if p.Name == "" {
		return strconv.Itoa(int(p.Port))
	}
	return fmt.Sprintf("%d (%s)", p.Port, p.Name)
}

// port is a port of HTTP that leads to stand-ins. They speak HTTP/1.1, so a port of another version gets a name that says so.
func port(p *corev1.ServicePort) corev1.ServicePort {
	name := p.Name
	if manifests.ProtocolOf(p) == manifests.DeclaredHTTP && name != "http" && !strings.HasPrefix(name, "http-") {
		name = fmt.Sprintf("http-%d", p.Port)
	}
	return corev1.ServicePort{Name: name, Port: p.Port, TargetPort: intstr.FromInt32(listens)}
}

// serve adds the object of a Service to the set.
func (b *builder) serve(s *service, ports []corev1.ServicePort, exported string) {
	meta := metav1.ObjectMeta{Name: s.name, Namespace: s.namespace}
	if exported != "" {
		meta.Annotations = map[string]string{exportTo: exported}
	}
	b.object(s.from, s.line, "v1", "Service", meta, &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: meta,
		Spec:       corev1.ServiceSpec{Selector: s.selector, Ports: ports},
	})
}

// object adds an object of Kubernetes to the set. from and line are what names it; from is nil where no file does.
func (b *builder) object(from *manifests.Object, line int, version, kind string, meta metav1.ObjectMeta, object any) {
	o := manifests.Object{Line: line, APIVersion: version, Kind: kind, Meta: meta, Kubernetes: object}
	if from != nil {
		o.File = from.File
	}
	b.set.Objects = append(b.set.Objects, o)
}

// standUpServices adds the Services that rules name and no file has, by the rule of Of.
func (b *builder) standUpServices() {
	for _, at := range b.named.hosts {
		name, namespace := manifests.SplitHost(at.host)
		if b.services[at.host] != nil || b.withServices[namespace] || b.named.isExternal(at.host) {
			continue
		}
		s := &service{host: at.host, name: name, namespace: namespace, selector: map[string]string{standsFor: name}, from: at.from, line: at.line}
		why := "no file has a Service of its namespace"
		if b.withPods[namespace] {
			if !b.hasApp(name, namespace) {
				continue
			}
			s.selector = map[string]string{"app": name}
			why += ", but pods with the label app=" + name
		}
		b.keep(s)
		var ports []corev1.ServicePort
		var numbers []string
		for _, number := range b.named.portsOf(at.host) {
			ports = append(ports, port(&corev1.ServicePort{Name: fmt.Sprintf("http-%d", number), Port: int32(number)}))
			numbers = append(numbers, strconv.Itoa(number))
		}
		b.serve(s, ports, "")
		b.stoodUp("Service "+name, namespace, at.from, at.line, "Service %s in namespace %s, with port %s, is stood up because %s (%s:%d) names its host, and %s.",
			name, namespace, strings.Join(numbers, ", "), at.from.Name(), at.from.File, at.line, why)
	}
}

// hasApp reports whether pods of the files have the label app with this name.
func (b *builder) hasApp(name, namespace string) bool {
	for _, w := range b.workloads {
		if w.from.InNamespace() == namespace && w.labels["app"] == name {
			return true
		}
	}
	return false
}

func (b *builder) stoodUp(object, namespace string, from *manifests.Object, line int, format string, args ...any) {
	b.set.StoodUp = append(b.set.StoodUp, StoodUp{Object: object, Namespace: namespace, File: from.File, Line: line, Text: fmt.Sprintf(format, args...)})
}
