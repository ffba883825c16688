package envoy

import (
	"fmt"
	"slices"
	"strings"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	tls "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	upstreams "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
)

// TLSWords is how TLS is opened, in words: the name that is asked for, whether the proxy shows a certificate, and what that of the server
// must have. host is the name that the certificate must have, empty where it need not.
func TLSWords(asked string, mutual, unverified bool, host string, names []string) string {
	return fmt.Sprintf(" by TLS for %s mutual %v unverified %v host %q names %v", asked, mutual, unverified, host, names)
}

// ownCertificate is the name of the certificate by which pods of the mesh know each other.
const ownCertificate = "default"

// secure is how the cluster of a name opens TLS.
func (p *Proxy) secure(name, host string) (string, error) {
	c := p.Clusters[name]
	if c == nil {
		return "", nil
	}
	return opened(c, host)
}

// opened is how a cluster opens TLS for requests that send a host; empty where it opens none, and for the mutual TLS of the mesh itself.
func opened(c *cluster.Cluster, host string) (string, error) {
	config := c.GetTransportSocket().GetTypedConfig()
	if config == nil || !config.MessageIs((*tls.UpstreamTlsContext)(nil)) {
		return "", nil
	}
	context := new(tls.UpstreamTlsContext)
	if err := config.UnmarshalTo(context); err != nil {
		return "", err
	}
	common := context.CommonTlsContext
	mutual := len(common.TlsCertificateSdsSecretConfigs) > 0
	if mutual && common.TlsCertificateSdsSecretConfigs[0].Name == ownCertificate {
		return "", nil
	}
	autoName, autoVerified, err := automatic(c)
	if err != nil {
		return "", err
	}
	asked, verified := context.Sni, ""
	if name, _, _ := strings.Cut(strings.ToLower(host), ":"); autoName {
		if asked = name; autoVerified {
			verified = name
		}
	}
	validation := common.GetCombinedValidationContext().GetDefaultValidationContext()
	var names []string
	//lint:ignore SA1019 Istio writes the old field
	for _, m := range validation.GetMatchSubjectAltNames() {
		names = append(names, m.GetExact())
	}
	slices.Sort(names)
	return TLSWords(asked, mutual, common.GetCombinedValidationContext() == nil, verified, names), nil
}

// automatic reports whether a cluster asks for the host that it sends, and wants it in the certificate.
func automatic(c *cluster.Cluster) (name, verified bool, err error) {
	for _, any := range c.TypedExtensionProtocolOptions {
		options := new(upstreams.HttpProtocolOptions)
		if !any.MessageIs(options) {
			continue
		}
		if err := any.UnmarshalTo(options); err != nil {
			return false, false, err
		}
		name, verified = options.GetUpstreamHttpProtocolOptions().GetAutoSni(), options.GetUpstreamHttpProtocolOptions().GetAutoSanValidation()
	}
	return name, verified, nil
}
