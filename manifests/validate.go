package manifests

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
)

// validate refuses what the API server or Istio's webhook (pkg/config/validation) would refuse in an object whose
// fields are known and of the right types, and values that this package does not execute.
func (d *document) validate(o *Object) {
	d.checkMetadata("metadata", o.Kind, o.Meta.Labels, o.Meta.Annotations)
	switch k := o.Kubernetes.(type) {
	case *corev1.Service:
		d.checkService(k)
	case *appsv1.Deployment:
		d.checkDeployment(k)
	}
	switch spec := o.Istio.(type) {
	case *networking.VirtualService:
		d.checkVirtualService(spec)
		d.checkExportTo(spec.ExportTo)
	case *networking.DestinationRule:
		d.checkDestinationRule(spec)
		d.checkExportTo(spec.ExportTo)
	case *networking.Gateway:
		d.checkGateway(spec)
	case *networking.ServiceEntry:
		d.checkServiceEntry(spec)
		d.checkExportTo(spec.ExportTo)
	case *networking.Sidecar:
		d.checkSidecar(spec)
	}
}

func (d *document) checkService(k *corev1.Service) {
	if k.Spec.Type == corev1.ServiceTypeExternalName {
		d.problem("spec.type", "ExternalName is not supported by hellochaos")
	}
	if k.Spec.SessionAffinity != "" && k.Spec.SessionAffinity != corev1.ServiceAffinityNone {
		d.problem("spec.sessionAffinity", "%s is not supported by hellochaos; accepted: None", k.Spec.SessionAffinity)
	}
	if k.Spec.ClusterIP == corev1.ClusterIPNone {
		d.problem("spec.clusterIP", "None (a headless Service) is not supported by hellochaos")
	}
	if p := k.Spec.InternalTrafficPolicy; p != nil && *p != corev1.ServiceInternalTrafficPolicyCluster {
		d.problem("spec.internalTrafficPolicy", "%s is not supported by hellochaos; accepted: Cluster", *p)
	}
	k.Spec.ClusterIP, k.Spec.ClusterIPs = "", nil // a cluster gives them: another one would refuse them
	if len(k.Spec.Ports) == 0 {
		d.problem("spec.ports", "want at least one port")
	}
	for i, p := range k.Spec.Ports {
		field := fmt.Sprintf("spec.ports[%d]", i)
		d.checkPort(field+".port", int(p.Port))
		d.checkProtocol(field+".protocol", p.Protocol)
		if p.TargetPort.Type == intstr.String {
			d.problem(field+".targetPort", "want a number; names of ports are not supported by hellochaos")
		}
		if protocol, _, _ := strings.Cut(p.Name, "-"); p.Name != "" && protocol != "http" {
			d.problem(field+".name", `want "http" or "http-…": Istio takes the protocol from the name, and hellochaos executes HTTP only`)
		}
		if p.AppProtocol != nil && *p.AppProtocol != "http" {
			d.problem(field+".appProtocol", `want "http": hellochaos executes HTTP only`)
		}
	}
}

func (d *document) checkDestinationRule(spec *networking.DestinationRule) {
	d.checkHost("spec.host", spec.Host, exactHost)
	names := make(map[string]bool)
	for i, s := range spec.Subsets {
		field := fmt.Sprintf("spec.subsets[%d].name", i)
		d.checkLabel(field, s.Name)
		if names[s.Name] {
			d.problem(field, "%q is a second subset of this name", s.Name)
		}
		names[s.Name] = true
	}
	if spec.TrafficPolicy != nil && spec.TrafficPolicy.LoadBalancer == nil {
		d.problem("spec.trafficPolicy", "is empty, which Istio refuses; accepted: loadBalancer, or no trafficPolicy")
	}
	if spec.TrafficPolicy.GetLoadBalancer().GetSimple() == networking.LoadBalancerSettings_PASSTHROUGH {
		d.problem("spec.trafficPolicy.loadBalancer.simple", "PASSTHROUGH is not supported by hellochaos")
	}
}

func (d *document) checkGateway(spec *networking.Gateway) {
	for _, name := range slices.Sorted(maps.Keys(spec.Selector)) {
		if value := spec.Selector[name]; name != "istio" || value != "ingressgateway" && value != "ingress" {
			d.problem("spec.selector", "%s: %s selects a gateway that hellochaos does not run; accepted: istio: ingressgateway, "+
				"istio: ingress, or none", name, value)
		}
	}
	if len(spec.Servers) == 0 {
		d.problem("spec.servers", "want at least one server")
	}
	for i, s := range spec.Servers {
		field := fmt.Sprintf("spec.servers[%d]", i)
		d.checkPort(field+".port.number", int(s.Port.GetNumber()))
		if !speaksHTTP(s.Port.GetProtocol()) {
			d.problem(field+".port.protocol", "want HTTP: hellochaos executes nothing else")
		}
		if s.Port.GetNumber() != spec.Servers[0].Port.GetNumber() {
			d.problem(field+".port.number", "servers of different ports are not supported by hellochaos")
		}
		if len(s.Hosts) == 0 {
			d.problem(field+".hosts", "want at least one host")
		}
		for j, host := range s.Hosts {
			place := fmt.Sprintf("%s.hosts[%d]", field, j)
			if namespace, rest, ok := strings.Cut(host, "/"); ok {
				d.checkImporter(place, namespace)
				host = rest
			}
			d.checkHost(place, host, anyHost)
		}
	}
}

func (d *document) checkServiceEntry(spec *networking.ServiceEntry) {
	if len(spec.Hosts) == 0 {
		d.problem("spec.hosts", "want at least one host")
	}
	for i, host := range spec.Hosts {
		field := fmt.Sprintf("spec.hosts[%d]", i)
		d.checkHost(field, host, exactHost)
		if host != "" && !strings.Contains(host, ".") {
			d.problem(field, "want a full name with a dot, not %q", host)
		}
	}
	if spec.Location != networking.ServiceEntry_MESH_EXTERNAL {
		d.problem("spec.location", "%s is not supported by hellochaos; accepted: MESH_EXTERNAL", spec.Location)
	}
	switch spec.Resolution {
	case networking.ServiceEntry_DNS, networking.ServiceEntry_NONE:
	default:
		d.problem("spec.resolution", "%s is not supported by hellochaos; accepted: DNS, NONE", spec.Resolution)
	}
	if len(spec.Ports) == 0 {
		d.problem("spec.ports", "want at least one port")
	}
	numbers, names := make(map[uint32]bool), make(map[string]bool)
	for i, p := range spec.Ports {
		field := fmt.Sprintf("spec.ports[%d]", i)
		d.checkPort(field+".number", int(p.Number))
		d.checkLabel(field+".name", p.Name)
		switch strings.ToUpper(p.Protocol) {
		case "HTTP", "HTTPS", "TLS":
		default:
			d.problem(field+".protocol", "want HTTP, HTTPS or TLS, not %q", p.Protocol)
		}
		if numbers[p.Number] || names[p.Name] {
			d.problem(field, "a second port of this number or name")
		}
		numbers[p.Number], names[p.Name] = true, true
	}
}

func (d *document) checkSidecar(spec *networking.Sidecar) {
	switch mode := spec.OutboundTrafficPolicy.GetMode(); mode {
	case networking.OutboundTrafficPolicy_REGISTRY_ONLY, networking.OutboundTrafficPolicy_ALLOW_ANY:
	default:
		d.problem("spec.outboundTrafficPolicy.mode", "%s is not supported by hellochaos; accepted: REGISTRY_ONLY, ALLOW_ANY", mode)
	}
	for i, listener := range spec.Egress {
		if len(listener.Hosts) == 0 {
			d.problem(fmt.Sprintf("spec.egress[%d].hosts", i), "want at least one host")
		}
		for j, host := range listener.Hosts {
			field := fmt.Sprintf("spec.egress[%d].hosts[%d]", i, j)
			namespace, name, ok := strings.Cut(host, "/")
			if !ok {
				d.problem(field, `want "namespace/host", as "./*" or "istio-system/*", not %q`, host)
				continue
			}
			if namespace != "~" {
				d.checkImporter(field, namespace)
			}
			d.checkHost(field, name, anyHost)
		}
	}
}

// checkImporter holds the part before the slash of a Sidecar's or Gateway's host to a namespace, "." or "*".
func (d *document) checkImporter(field, namespace string) {
	if namespace != "." && namespace != "*" {
		d.checkLabel(field, namespace)
	}
}

func (d *document) checkPort(field string, port int) {
	for _, wrong := range validation.IsValidPortNum(port) {
		d.problem(field, "%d: %s", port, wrong)
	}
}

func (d *document) checkLabel(field, text string) {
	for _, wrong := range validation.IsDNS1123Label(text) {
		d.problem(field, "%q: %s", text, wrong)
	}
}

// hostForm is which wildcards a host may be.
type hostForm int

const (
	exactHost hostForm = iota // none
	wildHost                  // "*.example.com"
	anyHost                   // "*" too
)

func (d *document) checkHost(field, host string, form hostForm) {
	name := strings.ToLower(host)
	switch {
	case name == "*" && form == anyHost:
	case strings.HasPrefix(name, "*"):
		if form == exactHost || name == "*" {
			d.problem(field, "%q: wildcards are not supported here", host)
			return
		}
		for _, wrong := range validation.IsWildcardDNS1123Subdomain(name) {
			d.problem(field, "%q: %s", host, wrong)
		}
	default:
		for _, wrong := range validation.IsDNS1123Subdomain(name) {
			d.problem(field, "%q: %s", host, wrong)
		}
	}
}
