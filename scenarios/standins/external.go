package standins

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hellochaos/hellochaos/manifests"
)

// external adds a stand-in for each host of a ServiceEntry that no Service of the files has. As the clock of the demo chain does, it
// stands in a namespace without sidecars, and its Service is hidden from the mesh's registry: the host is known by the ServiceEntry
// alone.
func (b *builder) external() {
	var done []string
	for _, e := range b.named.external {
		if slices.Contains(done, e.host) || b.services[e.host] != nil {
			continue
		}
		ports, http := b.named.externalPorts(e.host)
		if !http {
			b.remark("Host %s of %s (%s:%d) has no port of HTTP, so that no rule for HTTP applies to calls of sidecars to it.", e.host, e.from.Name(), e.from.File, e.line)
		}
		if len(ports) == 0 {
			continue
		}
		if len(done) == 0 {
			b.outside()
		}
		done = append(done, e.host)
		b.standOutside(e, ports, len(done))
	}
}

// externalPorts are the ports that the ServiceEntries of a host have together, and whether one is one of HTTP.
func (n *names) externalPorts(host string) (ports []int, http bool) {
	for _, e := range n.external {
		if e.host == host {
			ports, http = append(ports, e.ports...), http || e.http
		}
	}
	slices.Sort(ports)
	return slices.Compact(ports), http
}

// outside adds the namespace of the stand-ins outside the mesh.
func (b *builder) outside() {
	meta := metav1.ObjectMeta{Name: Outside, Labels: map[string]string{"istio-injection": "disabled"}}
	b.object(nil, 0, "v1", "Namespace", meta, &corev1.Namespace{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"}, ObjectMeta: meta})
}

// standOutside adds the Service and the Deployment of a stand-in outside the mesh. number makes the name of the Service its own.
func (b *builder) standOutside(e outsider, ports []int, number int) {
	name := dnsName(fmt.Sprintf("host-%d-%s", number, e.host))
	name = strings.TrimRight(name[:min(len(name), 63)], "-")
	meta := metav1.ObjectMeta{Name: name, Namespace: Outside, Annotations: map[string]string{exportTo: "~", manifests.AnswersFor: e.host}}
	k := &corev1.Service{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Service"}, ObjectMeta: meta, Spec: corev1.ServiceSpec{Selector: map[string]string{"app": name}}}
	var numbers []string
	for _, p := range ports {
		k.Spec.Ports = append(k.Spec.Ports, port(&corev1.ServicePort{Name: fmt.Sprintf("http-%d", p), Port: int32(p)}))
		numbers = append(numbers, strconv.Itoa(p))
	}
	b.object(e.from, e.line, "v1", "Service", meta, k)
	b.deploy(deployment{from: e.from, line: e.line, namespace: Outside, name: name, service: e.host, version: "outside", labels: map[string]string{"app": name}, replicas: 1})
	b.stoodUp("Deployment "+name, Outside, e.from, e.line, "Host %s of %s (%s:%d) is outside the mesh: a stand-in on this machine answers in its place at port %s, and nothing outside of it is called.",
		e.host, e.from.Name(), e.from.File, e.line, strings.Join(numbers, ", "))
}
