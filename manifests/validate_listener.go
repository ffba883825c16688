package manifests

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/hellochaos/hellochaos/spelling"
)

// What the definition of a Gateway of Gateway API accepts at most, and of a ReferenceGrant.
const (
	mostListeners = 64
	mostKinds     = 8
	mostGrants    = 16
)

// listenerProtocols are those of listeners; Istio makes nothing of UDP, and HBONE is for its waypoints.
var listenerProtocols = []string{"HTTP", "HTTPS", "TLS", "TCP"}

// checkHostLike refuses what cannot be the name of an object in Kubernetes.
func (d *document) checkHostLike(field, name string) {
	for _, wrong := range validation.IsDNS1123Subdomain(name) {
		d.problem(field, "%q is not a valid name: %s", name, wrong)
	}
}

// checkGatewayAPI refuses what the API server refuses of a Gateway of Gateway API, and what is not executed.
func (d *document) checkGatewayAPI(namespace string, spec *gatewayv1.GatewaySpec) {
	if spec.GatewayClassName == "" {
		d.problem("spec.gatewayClassName", "must not be empty")
	}
	if len(spec.Listeners) == 0 {
		d.problem("spec.listeners", "must have at least one listener")
	}
	d.atMost("spec.listeners", len(spec.Listeners), mostListeners)
	names := make(map[gatewayv1.SectionName]int)
	for i := range spec.Listeners {
		l := &spec.Listeners[i]
		field := fmt.Sprintf("spec.listeners[%d]", i)
		d.checkObjectName(field+".name", string(l.Name))
		if first, twice := names[l.Name]; twice {
			d.problem(field+".name", "is %q, which listeners[%d] has already: each listener must have a name of its own", l.Name, first)
		}
		names[l.Name] = i
		d.checkListener(field, namespace, l)
		for j := range spec.Listeners[:i] {
			if other := &spec.Listeners[j]; other.Port == l.Port && other.Protocol == l.Protocol && hostnameOf(other) == hostnameOf(l) {
				d.problem(field, "has the port, the protocol and the hostname of listeners[%d]: Kubernetes refuses that", j)
				break
			} else if other.Port == l.Port && speaksTLS(other) != speaksTLS(l) {
				d.problem(field+".protocol", "is %s, and listeners[%d] of the same port has %s: Istio serves one of the two at a port, and hellochaos does not support that; give them ports of their own",
					l.Protocol, j, other.Protocol)
				break
			}
		}
	}
}

// speaksTLS reports whether connections to a listener begin with TLS.
func speaksTLS(l *gatewayv1.Listener) bool {
	return l.Protocol == gatewayv1.HTTPSProtocolType || l.Protocol == gatewayv1.TLSProtocolType
}

// hostnameOf is the hostname of a listener; "*" where it has none.
func hostnameOf(l *gatewayv1.Listener) string {
	if l.Hostname == nil || *l.Hostname == "" {
		return "*"
	}
	return string(*l.Hostname)
}

func (d *document) checkListener(field, namespace string, l *gatewayv1.Listener) {
	d.checkPort(field+".port", int(l.Port))
	protocol := string(l.Protocol)
	if !slices.Contains(listenerProtocols, protocol) {
		d.problem(field+".protocol", "must be one of %s, not %q%s", strings.Join(listenerProtocols, ", "), protocol, spelling.DidYouMean(protocol, listenerProtocols))
	}
	if host := hostnameOf(l); host != "*" {
		d.checkHostname(field+".hostname", host, wildHost)
	}
	mode := ""
	if l.TLS != nil && l.TLS.Mode != nil {
		mode = string(*l.TLS.Mode)
	}
	d.checkOne(field+".tls.mode", mode, []string{"Terminate", "Passthrough"})
	switch {
	case l.TLS != nil && (protocol == "HTTP" || protocol == "TCP"):
		d.problem(field+".tls", "must not stand beside protocol %s", protocol)
	case protocol == "HTTPS" && l.TLS == nil:
		d.problem(field+".tls", "is missing, and Istio makes nothing of a listener of HTTPS without it")
	case protocol == "HTTPS" && mode == "Passthrough":
		d.problem(field+".tls.mode", "must be Terminate for protocol HTTPS, not Passthrough")
	case protocol == "TLS" && mode == "":
		d.problem(field+".tls.mode", "must be Terminate or Passthrough for protocol TLS")
	}
	if l.TLS != nil {
		for i, ref := range l.TLS.CertificateRefs {
			if ref.Namespace != nil && string(*ref.Namespace) != namespace {
				d.problem(fmt.Sprintf("%s.tls.certificateRefs[%d].namespace", field, i), "is that of another namespace, which needs a ReferenceGrant there, and hellochaos does not support it: "+
					"name a Secret of the Gateway's own namespace")
			}
		}
	}
	if l.TLS != nil && mode != "Passthrough" && len(l.TLS.CertificateRefs)+len(l.TLS.Options) == 0 {
		d.problem(field+".tls", "must have certificateRefs or options where TLS ends at the listener")
	}
	d.checkAllowedRoutes(field+".allowedRoutes", l.AllowedRoutes)
}

func (d *document) checkAllowedRoutes(field string, a *gatewayv1.AllowedRoutes) {
	if a == nil {
		return
	}
	if n := a.Namespaces; n != nil {
		from := "Same"
		if n.From != nil {
			from = string(*n.From)
		}
		d.checkOne(field+".namespaces.from", from, []string{"All", "Selector", "Same"})
		if from == "Selector" && n.Selector == nil {
			d.problem(field+".namespaces.selector", "is missing, and from is Selector")
		}
		if n.Selector != nil {
			if _, err := metav1.LabelSelectorAsSelector(n.Selector); err != nil {
				d.problem(field+".namespaces.selector", "is no selector: %v", err)
			}
		}
	}
	d.atMost(field+".kinds", len(a.Kinds), mostKinds)
	for i, k := range a.Kinds {
		if k.Kind == "" {
			d.problem(fmt.Sprintf("%s.kinds[%d].kind", field, i), "must not be empty")
		}
	}
}

// checkReferenceGrant refuses what the API server refuses of a ReferenceGrant.
func (d *document) checkReferenceGrant(spec *gatewayv1.ReferenceGrantSpec) {
	for _, part := range []struct {
		field string
		n     int
	}{{"spec.from", len(spec.From)}, {"spec.to", len(spec.To)}} {
		if part.n == 0 {
			d.problem(part.field, "must have at least one entry")
		}
		d.atMost(part.field, part.n, mostGrants)
	}
	for i, from := range spec.From {
		field := fmt.Sprintf("spec.from[%d]", i)
		if from.Kind == "" {
			d.problem(field+".kind", "must not be empty")
		}
		d.checkLabel(field+".namespace", string(from.Namespace))
	}
	for i, to := range spec.To {
		if to.Kind == "" {
			d.problem(fmt.Sprintf("spec.to[%d].kind", i), "must not be empty")
		}
		if to.Name != nil {
			d.checkObjectName(fmt.Sprintf("spec.to[%d].name", i), string(*to.Name))
		}
	}
}
