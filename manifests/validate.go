package manifests

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/hellochaos/hellochaos/spelling"
)

// validate refuses values that the API server or Istio's webhook (pkg/config/validation) would refuse, and values that this
// package does not execute. The object's fields must be known and of the right types.
func (d *document) validate(o *Object) {
	d.checkMetadata("metadata", o.Kind, o.Meta.Labels, o.Meta.Annotations)
	switch k := o.Kubernetes.(type) {
	case *corev1.Service:
		d.checkService(k)
	case *appsv1.Deployment:
		d.checkDeployment(k)
	case *gatewayv1.HTTPRoute:
		d.checkHTTPRoute(&k.Spec)
	case *gatewayv1.Gateway:
		d.checkGatewayAPI(o.namespace(), &k.Spec)
	case *gatewayv1.ReferenceGrant:
		d.checkReferenceGrant(&k.Spec)
	}
	switch spec := o.Istio.(type) {
	case *networking.VirtualService:
		d.checkVirtualService(spec)
		d.checkExports(spec.ExportTo, o.namespace())
	case *networking.DestinationRule:
		d.checkDestinationRule(spec)
		d.checkExports(spec.ExportTo, o.namespace())
	case *networking.Gateway:
		d.checkGateway(spec)
	case *networking.ServiceEntry:
		d.checkServiceEntry(spec)
		d.checkExports(spec.ExportTo, o.namespace())
	case *networking.Sidecar:
		d.checkSidecar(spec)
	}
}

func (d *document) checkService(k *corev1.Service) {
	if k.Spec.Type == corev1.ServiceTypeExternalName {
		d.problem("spec.type", "ExternalName is not supported by hellochaos; accepted: ClusterIP, NodePort, LoadBalancer")
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
		d.problem("spec.ports", "must have at least one port")
	}
	for i, p := range k.Spec.Ports {
		field := fmt.Sprintf("spec.ports[%d]", i)
		d.checkPort(field+".port", int(p.Port))
		d.checkProtocol(field+".protocol", p.Protocol)
		if p.TargetPort.Type == intstr.String {
			d.problem(field+".targetPort", "must be a number, not %q: hellochaos does not support the names of ports", p.TargetPort.StrVal)
		}
		if protocol, _, _ := strings.Cut(p.Name, "-"); p.Name != "" && protocol != "http" {
			d.problem(field+".name", `must be "http" or begin with "http-", not %q: %shellochaos executes HTTP only, `+
				"and Istio takes the protocol from the name", p.Name, unruled(protocol))
		}
		if p.AppProtocol != nil && *p.AppProtocol != "http" {
			d.problem(field+".appProtocol", `must be "http", not %q: %shellochaos executes HTTP only`, *p.AppProtocol, unruled(*p.AppProtocol))
		}
	}
}

// unruled is a clause about ports of a protocol for which Istio makes no routes of HTTP (IsTCP in its pkg/config/protocol); empty for
// the others.
func unruled(protocol string) string {
	switch strings.ToLower(protocol) {
	case "tcp", "https", "tls", "mongo", "redis", "mysql":
		return "calls to a port of this protocol meet no rule for HTTP (no route, retry, timeout or fault); "
	}
	return ""
}

func (d *document) checkDestinationRule(spec *networking.DestinationRule) {
	d.checkHost("spec.host", spec.Host, anyHost)
	names := make(map[string]bool)
	for i, s := range spec.Subsets {
		field := fmt.Sprintf("spec.subsets[%d].name", i)
		d.checkLabel(field, s.Name)
		if names[s.Name] {
			d.problem(field, "is %q, which another subset has already: each subset must have a name of its own", s.Name)
		}
		names[s.Name] = true
		d.checkLabels(fmt.Sprintf("spec.subsets[%d].labels", i), s.Labels)
		d.checkTrafficPolicy(fmt.Sprintf("spec.subsets[%d].trafficPolicy", i), s.TrafficPolicy)
	}
	d.checkTrafficPolicy("spec.trafficPolicy", spec.TrafficPolicy)
	tlsSettings(spec, func(field string, _ int, tls *networking.ClientTLSSettings) { d.checkClientTLS(field, tls) })
}

// checkLabels refuses labels that no pod can have.
func (d *document) checkLabels(field string, labels map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		for _, wrong := range validation.IsQualifiedName(name) {
			d.problem(field+"."+name, "%q is not a valid name of a label: %s", name, wrong)
		}
		for _, wrong := range validation.IsValidLabelValue(labels[name]) {
			d.problem(field+"."+name, "%q is not a valid value of a label: %s", labels[name], wrong)
		}
	}
}

func (d *document) checkServiceEntry(spec *networking.ServiceEntry) {
	if len(spec.Hosts) == 0 {
		d.problem("spec.hosts", "must have at least one host")
	}
	for i, host := range spec.Hosts {
		field := fmt.Sprintf("spec.hosts[%d]", i)
		form := wildHost
		if spec.Resolution == networking.ServiceEntry_DNS && len(spec.Endpoints) == 0 || spec.Resolution == networking.ServiceEntry_DNS_ROUND_ROBIN {
			form = exactHost // which DNS can resolve
		}
		d.checkHost(field, host, form)
		if host != "" && !strings.Contains(host, ".") {
			d.problem(field, "must be a full name with a dot, such as api.example.com, not %q", host)
		}
		if host != strings.ToLower(host) || strings.HasSuffix(host, ".") {
			d.problem(field, "must be in lower case and without a dot at its end, not %q: Istio finds no cluster for such a host, and hellochaos does not "+
				"support it", host)
		}
	}
	d.checkValue("spec.location", spec.Location)
	d.checkValue("spec.resolution", spec.Resolution)
	d.checkEndpoints(spec)
	if len(spec.Ports) == 0 {
		d.problem("spec.ports", "must have at least one port")
	}
	numbers, names := make(map[uint32]bool), make(map[string]bool)
	for i, p := range spec.Ports {
		field := fmt.Sprintf("spec.ports[%d]", i)
		d.checkPort(field+".number", int(p.Number))
		d.checkLabel(field+".name", p.Name)
		if protocol := strings.ToUpper(p.Protocol); protocol == "" {
			d.problem(field+".protocol", "is missing: Istio guesses it from the traffic, which hellochaos does not support; accepted: %s", strings.Join(serverProtocols, ", "))
		} else if !slices.Contains(serverProtocols, protocol) {
			d.problem(field+".protocol", "must be one of %s, not %q%s", strings.Join(serverProtocols, ", "), p.Protocol, spelling.DidYouMean(protocol, serverProtocols))
		}
		if p.TargetPort != 0 {
			d.checkPort(field+".targetPort", int(p.TargetPort))
		}
		if numbers[p.Number] || names[p.Name] {
			d.problem(field, "has the number or the name of another port: each port must have its own")
		}
		numbers[p.Number], names[p.Name] = true, true
	}
}

func (d *document) checkSidecar(spec *networking.Sidecar) {
	if len(spec.Egress) == 0 && spec.OutboundTrafficPolicy == nil {
		d.problem("spec", "must have egress or outboundTrafficPolicy: Istio refuses a Sidecar without either")
	}
	if len(spec.Egress) > 1 {
		d.problem("spec.egress", "must have one entry, with the hosts of all: Istio accepts several only where all but the last have a port, which "+
			"hellochaos does not support")
	}
	d.checkValue("spec.outboundTrafficPolicy.mode", spec.OutboundTrafficPolicy.GetMode())
	for i, listener := range spec.Egress {
		if len(listener.Hosts) == 0 {
			d.problem(fmt.Sprintf("spec.egress[%d].hosts", i), "must have at least one host")
		}
		for j, host := range listener.Hosts {
			field := fmt.Sprintf("spec.egress[%d].hosts[%d]", i, j)
			namespace, name, ok := strings.Cut(host, "/")
			if !ok {
				d.problem(field, `must be "namespace/host", such as "./*" or "istio-system/*", not %q`, host)
				continue
			}
			if namespace != "~" {
				d.checkImporter(field, strings.TrimPrefix(namespace, "~"))
			}
			d.checkFullHost(field, name)
		}
	}
}

// checkImporter refuses the part before the slash of a Sidecar's or Gateway's host unless it is a namespace, "." or "*".
func (d *document) checkImporter(field, namespace string) {
	if namespace != "." && namespace != "*" {
		d.checkLabel(field, namespace)
	}
}

func (d *document) checkPort(field string, port int) {
	for _, wrong := range validation.IsValidPortNum(port) {
		d.problem(field, "%d is not a port: it %s", port, wrong)
	}
}

func (d *document) checkLabel(field, text string) {
	for _, wrong := range validation.IsDNS1123Label(text) {
		d.problem(field, "%q is not a valid name: %s", text, wrong)
	}
}

// hostForm says which wildcards are accepted as a host.
type hostForm int

const (
	exactHost hostForm = iota // no wildcard
	wildHost                  // "*.example.com", but not "*"
	anyHost                   // "*.example.com" and "*"
)

func (d *document) checkHost(field, host string, form hostForm) {
	name := strings.ToLower(host)
	switch {
	case net.ParseIP(name) != nil:
		d.problem(field, "is %s: hellochaos does not support IP addresses as hosts", host)
		return
	case name == "*" && form == anyHost:
	case strings.HasPrefix(name, "*"):
		if form == exactHost || name == "*" {
			d.problem(field, "must be a host name without a wildcard, not %q", host)
			return
		}
		for _, wrong := range validation.IsWildcardDNS1123Subdomain(name) {
			d.problem(field, "%q is not a valid host name: %s", host, wrong)
		}
	default:
		for _, wrong := range validation.IsDNS1123Subdomain(strings.TrimSuffix(name, ".")) {
			d.problem(field, "%q is not a valid host name: %s", host, wrong)
			return
		}
	}
	d.checkDNSLabels(field, host)
}

// longestLabel is how long a part of a host between dots may be.
const longestLabel = 63

// checkDNSLabels refuses a host with a part that is too long, and a name with dots that ends with a number (Istio's ValidateWildcardDomain and
// ValidateDNS1123Labels).
func (d *document) checkDNSLabels(field, host string) {
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	for _, label := range labels {
		if len(label) > longestLabel {
			d.problem(field, "%q is not a valid host name: no part of it may be longer than %d characters", host, longestLabel)
			return
		}
	}
	if last := labels[len(labels)-1]; last != "" && len(labels) > 1 && strings.Trim(last, "0123456789") == "" {
		d.problem(field, "%q is not a valid host name: it must not end with a number", host)
	}
}

// checkFullHost refuses what checkHost does, and the short names that Istio refuses in Gateways and Sidecars.
func (d *document) checkFullHost(field, host string) {
	if host != "" && host != "*" && !strings.Contains(host, ".") {
		d.problem(field, "must be a full name such as %s.default.svc.cluster.local, not %q: Istio accepts no short names here", host, host)
		return
	}
	if strings.HasPrefix(host, "*") && host != "*" && !strings.HasPrefix(host, "*.") {
		d.problem(field, `must have "*" alone before the first dot, not %q`, host)
		return
	}
	d.checkHost(field, host, anyHost)
}
