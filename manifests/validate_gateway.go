package manifests

import (
	"fmt"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/hellochaos/hellochaos/spelling"
)

// opaqueProtocols are the protocols of servers to which no rule for HTTP applies.
var opaqueProtocols = []string{"TCP", "TLS", "MONGO", "REDIS", "MYSQL"}

// serverProtocols are all that a server may have (Istio's validateServerPort).
var serverProtocols = append([]string{"HTTP", "HTTPS", "HTTP2", "GRPC", "GRPC-WEB"}, opaqueProtocols...)

func (d *document) checkGateway(spec *networking.Gateway) {
	if len(spec.Servers) == 0 {
		d.problem("spec.servers", "must have at least one server")
	}
	names := make(map[string]int)
	for i, s := range spec.Servers {
		field := fmt.Sprintf("spec.servers[%d]", i)
		d.checkPort(field+".port.number", int(s.Port.GetNumber()))
		if name := s.Port.GetName(); name == "" {
			d.problem(field+".port.name", "must not be empty: Istio refuses a server whose port has no name")
		} else if first, taken := names[name]; taken {
			d.problem(field+".port.name", "is %q, which servers[%d] has already: Istio refuses a Gateway two of whose servers have ports of one name", name, first)
		} else {
			names[name] = i
		}
		if protocol := strings.ToUpper(s.Port.GetProtocol()); slices.Contains(serverProtocols, protocol) {
			d.checkServerTLS(field, protocol, s.Tls)
		} else {
			d.problem(field+".port.protocol", "%q is not a protocol of a server%s; accepted: %s", s.Port.GetProtocol(), spelling.DidYouMean(protocol, serverProtocols), strings.Join(serverProtocols, ", "))
		}
		d.checkServerHosts(field, s.Hosts)
	}
	d.checkSharedPorts(spec)
}

func (d *document) checkServerHosts(field string, hosts []string) {
	if len(hosts) == 0 {
		d.problem(field+".hosts", "must have at least one host")
	}
	for j, host := range hosts {
		place := fmt.Sprintf("%s.hosts[%d]", field, j)
		if host == "*/*" && len(hosts) > 1 {
			d.problem(place, `"*/*" must be the only host of a server: it admits all others, and hellochaos does not support it beside them, since `+
				"Istio's control plane ends with a panic where one behind it has a namespace (sanitizeServerHostNamespace)")
		}
		if namespace, rest, ok := strings.Cut(host, "/"); ok {
			d.checkImporter(place, namespace)
			host = rest
		}
		d.checkFullHost(place, host)
	}
}

// checkServerTLS refuses what Istio refuses of the field tls of a server of a protocol (validateServer and validateTLSOptions in its
// pkg/config/validation).
func (d *document) checkServerTLS(field, protocol string, tls *networking.ServerTLSSettings) {
	mode := tls.GetMode()
	passes := mode == networking.ServerTLSSettings_PASSTHROUGH || mode == networking.ServerTLSSettings_AUTO_PASSTHROUGH
	own := tls.GetServerCertificate() != "" || tls.GetPrivateKey() != "" || tls.GetCaCertificates() != ""
	switch {
	case isHTTPS(protocol) || protocol == "TLS":
		if tls == nil {
			d.problem(field+".tls", "is missing: Istio refuses a server of protocol %s without it; for HTTPS write tls: {mode: SIMPLE, credentialName: NAME}", protocol)
			return
		}
	case tls == nil:
		return
	case isPlainHTTP(protocol) && (!passes || own):
		d.problem(field+".tls", "is for a server of plain HTTP: Istio accepts httpsRedirect alone there; a server with a certificate has protocol HTTPS")
		return
	case !isPlainHTTP(protocol):
		d.problem(field+".tls", "is for a server of protocol %s: Istio accepts it with HTTPS and TLS alone", protocol)
		return
	default:
		return
	}
	d.checkCertificate(field+".tls", tls, passes)
}

// checkCertificate refuses a server that terminates TLS without saying by which certificate, or in two ways at once.
func (d *document) checkCertificate(field string, tls *networking.ServerTLSSettings, passes bool) {
	sources := 0
	for _, named := range []bool{tls.CredentialName != "", len(tls.CredentialNames) > 0, tls.ServerCertificate != "" && tls.PrivateKey != ""} {
		if named {
			sources++
		}
	}
	mesh := tls.Mode == networking.ServerTLSSettings_ISTIO_MUTUAL
	switch {
	case mesh && (sources > 0 || tls.ServerCertificate != "" || tls.PrivateKey != "" || tls.CaCertificates != ""):
		d.problem(field, "has a certificate beside mode ISTIO_MUTUAL, which uses that of the mesh: remove it")
	case sources > 1:
		d.problem(field, "has its certificate from more than one place: write one of credentialName, credentialNames, and serverCertificate with privateKey")
	case passes || mesh || tls.CredentialName != "" || len(tls.CredentialNames) > 0:
	case sources == 0:
		d.problem(field, "has mode %s and no certificate: write credentialName, or serverCertificate and privateKey", tls.Mode)
	case tls.Mode != networking.ServerTLSSettings_SIMPLE && tls.CaCertificates == "":
		d.problem(field+".caCertificates", "is missing: mode %s checks the certificates of clients by it", tls.Mode)
	}
}

// checkSharedPorts refuses servers of one port of which Istio would leave some out: one port speaks TLS, or HTTP without it, or neither.
func (d *document) checkSharedPorts(spec *networking.Gateway) {
	kind := func(s *networking.Server) string {
		switch protocol := strings.ToUpper(s.Port.GetProtocol()); {
		case isPlainHTTP(protocol):
			return "HTTP without TLS"
		case isHTTPS(protocol), protocol == "TLS":
			return "TLS"
		default:
			return protocol
		}
	}
	first := make(map[uint32]int)
	for i, s := range spec.Servers {
		j, shared := first[s.Port.GetNumber()]
		if !shared {
			first[s.Port.GetNumber()] = i
			continue
		}
		if a, b := kind(spec.Servers[j]), kind(s); a != b {
			d.problem(fmt.Sprintf("spec.servers[%d].port", i), "is port %d with %s, and servers[%d] has the port with %s: Istio leaves one of the two out; give them ports of their own",
				s.Port.GetNumber(), b, j, a)
		}
	}
}
