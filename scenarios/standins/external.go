package standins

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
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
		b.opaque(&e)
		if len(ports) == 0 || e.elsewhere {
			continue
		}
		if len(done) == 0 {
			b.outside()
		}
		done = append(done, e.host)
		name := b.standOutside(outside{e.from, e.line, e.host, e.host, "outside"}, ports, len(done))
		b.stoodUp("Deployment "+name, Outside, e.from, e.line, "Host %s of %s (%s:%d) is outside the mesh: a stand-in on this machine answers in its place at port %s, and nothing outside of it is called.",
			e.host, e.from.Name(), e.from.File, e.line, numbersOf(ports))
	}
	for _, e := range b.named.endpoints {
		if len(e.ports) == 0 {
			continue
		}
		if len(done) == 0 {
			b.outside()
		}
		done = append(done, e.address)
		slices.Sort(e.ports)
		ports := slices.Compact(e.ports)
		name := b.standOutside(outside{e.from, e.line, e.address, e.host, e.version}, ports, len(done))
		b.stoodUp("Deployment "+name, Outside, e.from, e.line, "Endpoint %s of %s (%s:%d) is outside the cluster: a stand-in on this machine answers in its place at port %s as version %s of %s, and nothing outside of it is called.",
			e.address, e.from.Name(), e.from.File, e.line, numbersOf(ports), e.version, e.host)
	}
}

// numbersOf are ports in words.
func numbersOf(ports []int) string {
	var numbers []string
	for _, p := range ports {
		numbers = append(numbers, strconv.Itoa(p))
	}
	return strings.Join(numbers, ", ")
}

// outside is who answers for a host or an address outside the mesh, and by which name and version it knows itself.
type outside struct {
	from             *manifests.Object
	line             int
	answers          string
	service, version string
}

// opaque remarks which ports of a host carry neither HTTP nor TLS.
func (b *builder) opaque(e *outsider) {
	for _, p := range e.from.Istio.(*networking.ServiceEntry).Ports {
		if !manifests.SpeaksHTTP(p.Protocol) && !manifests.SpeaksTLS(p.Protocol) {
			b.remark("Port %d of host %s of %s (%s:%d) has protocol %s: no rule for HTTP applies to its connections, and no request is sent there.", p.Number, e.host, e.from.Name(), e.from.File, e.line,
				strings.ToUpper(p.Protocol))
		}
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
func (b *builder) standOutside(e outside, ports []int, number int) string {
	name := dnsName(fmt.Sprintf("host-%d-%s", number, strings.TrimPrefix(e.answers, "*.")))
	name = strings.TrimRight(name[:min(len(name), 63)], "-")
	meta := metav1.ObjectMeta{Name: name, Namespace: Outside, Annotations: map[string]string{exportTo: "~", manifests.AnswersFor: e.answers}}
	k := &corev1.Service{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Service"}, ObjectMeta: meta, Spec: corev1.ServiceSpec{Selector: map[string]string{"app": name}}}
	for _, p := range ports {
		k.Spec.Ports = append(k.Spec.Ports, port(&corev1.ServicePort{Name: fmt.Sprintf("http-%d", p), Port: int32(p)}))
	}
	b.object(e.from, e.line, "v1", "Service", meta, k)
	service := strings.TrimPrefix(e.service, "*.")
	return b.deploy(deployment{from: e.from, line: e.line, namespace: Outside, name: name, service: service, version: e.version, labels: map[string]string{"app": name}, replicas: 1})
}
