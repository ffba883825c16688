package scratch

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/hellochaos/hellochaos/manifests"
)

// apiVersion is that of the objects of Istio that the move adds.
const apiVersion = "networking.istio.io/v1"

// virtualService moves a VirtualService. o is the one of the source.
func (m *mover) virtualService(o *manifests.Object, spec *networking.VirtualService) {
	spec.ExportTo = m.exportTo(spec.ExportTo)
	each(spec.Hosts, m.host)
	each(spec.Gateways, m.qualified)
	for i, http := range spec.Http {
		for j, match := range http.Match {
			each(match.Gateways, m.qualified)
			if match.SourceNamespace != "" {
				match.SourceNamespace = m.place(match.SourceNamespace)
			}
			for _, label := range slices.Sorted(maps.Keys(match.SourceLabels)) {
				if decides(label) {
					m.problems = append(m.problems, fmt.Errorf("%s:%d: %s, field spec.http[%d].match[%d].sourceLabels: asks for label %s, by which Istio decides about sidecars, so that pods on a cluster do not have it: use the embedded mesh",
						o.File, o.LineOf(fmt.Sprintf("spec.http[%d].match[%d].sourceLabels", i, j)), o.Name(), i, j, label))
				}
			}
			field := fmt.Sprintf("spec.http[%d].match[%d].authority", i, j)
			switch authority := match.Authority.GetMatchType().(type) {
			case *networking.StringMatch_Exact:
				authority.Exact = m.authority(authority.Exact)
			case *networking.StringMatch_Prefix:
				m.pattern(o, field, authority.Prefix)
			case *networking.StringMatch_Regex:
				m.pattern(o, field, authority.Regex)
			}
		}
		for _, to := range manifests.Destinations(http) {
			to.To.Host = m.host(to.To.Host)
		}
		if http.Delegate != nil && http.Delegate.Namespace != "" {
			http.Delegate.Namespace = m.place(http.Delegate.Namespace)
		}
	}
}

// beyond is the value of a field that hellochaos does not execute after the move. name is that of the field; empty for the whole value.
func (m *mover) beyond(name string, value any) any {
	switch v := value.(type) {
	case map[string]any:
		all := make(map[string]any, len(v))
		for name, inner := range v {
			all[name] = m.beyond(name, inner)
		}
		return all
	case []any:
		all := make([]any, len(v))
		for i, inner := range v {
			all[i] = m.beyond(name, inner)
		}
		return all
	case string:
		switch name {
		case "host":
			return m.host(v)
		case "gateways":
			return m.qualified(v)
		case "sourceNamespace":
			return m.place(v)
		}
	}
	return value
}

// authority is a Host header with or without a port after the move.
func (m *mover) authority(header string) string {
	host, _, _ := strings.Cut(header, ":")
	return m.host(host) + header[len(host):]
}

func each(texts []string, change func(string) string) {
	for i := range texts {
		texts[i] = change(texts[i])
	}
}

// sidecar moves a Sidecar. The proxies of the set must neither know what others export to the whole mesh, nor call what the mesh does
// not know.
func (m *mover) sidecar(o *manifests.Object, spec *networking.Sidecar) {
	for _, listener := range spec.Egress {
		var hosts []string
		for _, written := range listener.Hosts {
			namespace, host, _ := strings.Cut(written, "/")
			switch namespace {
			case ".", "~":
				hosts = append(hosts, namespace+"/"+m.host(host))
			case "*":
				for _, n := range append(m.everywhere(), rootNamespace) {
					hosts = append(hosts, n+"/"+m.host(host))
				}
			case rootNamespace:
				hosts = append(hosts, written)
			default:
				hosts = append(hosts, m.place(namespace)+"/"+m.host(host))
			}
		}
		listener.Hosts = slices.Compact(hosts)
	}
	if len(spec.Egress) == 0 {
		spec.Egress = m.egress()
	}
	if spec.OutboundTrafficPolicy.GetMode() == networking.OutboundTrafficPolicy_ALLOW_ANY && spec.OutboundTrafficPolicy != nil {
		m.left("%s (%s:%d) lets hosts outside the registry through (ALLOW_ANY). On the cluster it blocks them, so that nothing outside of it is called.", o.Name(), o.File, o.Line)
	}
	spec.OutboundTrafficPolicy = registryOnly()
}

func registryOnly() *networking.OutboundTrafficPolicy {
	return &networking.OutboundTrafficPolicy{Mode: networking.OutboundTrafficPolicy_REGISTRY_ONLY}
}

// egress imports what stands in the namespaces of the set, and the Services of Istio, whose ports sidecars listen at.
func (m *mover) egress() []*networking.IstioEgressListener {
	var hosts []string
	for _, n := range m.set.Namespaces {
		hosts = append(hosts, n.Name+"/*")
	}
	return []*networking.IstioEgressListener{{Hosts: append(hosts, rootNamespace+"/*")}}
}

// sidecars gives a Sidecar to each namespace that has none.
func (m *mover) sidecars() {
	has := map[string]bool{}
	for i := range m.set.Objects {
		if m.set.Objects[i].Kind == "Sidecar" {
			has[m.set.Objects[i].Meta.Namespace] = true
		}
	}
	for _, n := range m.set.Namespaces {
		if n.Injected && !has[n.Name] && n.Name != m.set.Gateway {
			m.add("Sidecar", n.Name, "default", &networking.Sidecar{Egress: m.egress(), OutboundTrafficPolicy: registryOnly()})
		}
	}
}

// gateway moves a Gateway to pods of the set's own, unless requests enter by shared ones. o is the one of the source.
func (m *mover) gateway(o *manifests.Object, spec *networking.Gateway) {
	for i, server := range spec.Servers {
		each(server.Hosts, m.qualified)
		switch name := fmt.Sprintf("servers[%d] of %s (%s:%d)", i, o.Name(), o.File, o.LineOf(fmt.Sprintf("spec.servers[%d]", i))); {
		case !terminates(server.Tls):
		case m.options.Shared:
			m.problems = append(m.problems, fmt.Errorf("%s has TLS, and hellochaos has no certificate of the gateway pods that others share: leave out --shared-gateway, so that requests enter by pods of the run's own", name))
		default:
			m.certify(name, server)
		}
	}
	if m.options.Shared {
		return
	}
	ports := m.ports[textOf(podsOf(spec))]
	for _, server := range spec.Servers {
		ports[server.GetPort().GetNumber()] = true
	}
	spec.Selector = m.gatewayLabels(spec.Selector)
}

// terminates reports whether TLS ends at a server with these settings.
func terminates(tls *networking.ServerTLSSettings) bool {
	switch tls.GetMode() {
	case networking.ServerTLSSettings_SIMPLE, networking.ServerTLSSettings_MUTUAL, networking.ServerTLSSettings_OPTIONAL_MUTUAL, networking.ServerTLSSettings_ISTIO_MUTUAL:
		return true
	}
	return false
}

// certify gives a server the certificate that is made for the set, in place of whatever its settings say about certificates and versions of
// TLS. name is what messages call the server.
func (m *mover) certify(name string, server *networking.Server) {
	if own := (Certificate{Namespace: m.set.Gateway, Name: Credential}); !slices.ContainsFunc(m.set.Certificates, own.same) {
		m.set.Certificates = append(m.set.Certificates, own)
	}
	mode, what := server.Tls.Mode, "the certificates of "+name+" and the other settings of its field tls"
	if mode == networking.ServerTLSSettings_ISTIO_MUTUAL {
		mode, what = networking.ServerTLSSettings_MUTUAL, "the certificates of the mesh (tls.mode ISTIO_MUTUAL) at "+name
	}
	m.left("%s. The gateway has a certificate that is made for the run, and where it asks clients for one, it trusts those of the run.", what)
	server.Tls = &networking.ServerTLSSettings{Mode: mode, CredentialName: Credential}
}
