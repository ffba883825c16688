package manifests

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Protocol is what Istio takes a port of a Service for.
type Protocol int

const (
	// NotHTTP is a port to which no rule for HTTP applies.
	NotHTTP Protocol = iota
	// DeclaredHTTP is a port that its name or appProtocol declares as HTTP of any version, gRPC included.
	DeclaredHTTP
	// GuessedHTTP is a port that declares nothing: Istio guesses from the traffic, and applies the rules for HTTP to what is HTTP.
	GuessedHTTP
)

// declaredHTTP and declaredOther are the names of protocols that Istio knows (its pkg/config/protocol). appProtocol may have the names
// of Kubernetes, too.
var (
	declaredHTTP  = []string{"http", "http_proxy", "http2", "grpc", "kubernetes.io/h2c", "kubernetes.io/ws"}
	declaredOther = []string{"tcp", "udp", "https", "tls", "mongo", "redis", "mysql", "hbone", "kubernetes.io/wss"}
)

// notGuessed are the ports at which Istio guesses nothing, since the server speaks first there.
var notGuessed = []int32{25, 53, 3306, 27017}

// ProtocolOf is the protocol of a port as Istio's ConvertProtocol (pkg/config/kube) finds it: by appProtocol, or else by the name up to
// its first "-".
func ProtocolOf(p *corev1.ServicePort) Protocol {
	if p.Protocol != "" && p.Protocol != corev1.ProtocolTCP {
		return NotHTTP
	}
	name := strings.ToLower(p.Name)
	if p.AppProtocol != nil {
		name = strings.ToLower(*p.AppProtocol)
	}
	if !strings.Contains(name, "/") {
		name, _, _ = strings.Cut(name, "-")
	}
	switch {
	case slices.Contains(declaredHTTP, name):
		return DeclaredHTTP
	case slices.Contains(declaredOther, name) || slices.Contains(notGuessed, p.Port):
		return NotHTTP
	}
	return GuessedHTTP
}
