package manifests

import (
	"strconv"
	"strings"
)

// hostPattern is a namespace and a host as Sidecars and Gateways have them; "*" stands for any.
type hostPattern struct{ namespace, host string }

// everything is what a Sidecar without egress imports.
var everything = imports{in: []hostPattern{{"*", "*"}}}

// admits reports whether any of the patterns holds for a host of a namespace.
func admits(patterns []hostPattern, namespace, host string) bool {
	for _, p := range patterns {
		if (p.namespace == "*" || p.namespace == namespace) && covers(p.host, host) {
			return true
		}
	}
	return false
}

// covers reports whether a pattern covers a host. A pattern is "*", "*.example.com" or a plain host. The host may begin with "*"
// as well.
func covers(pattern, host string) bool {
	suffix, wild := strings.CutPrefix(pattern, "*")
	if !wild {
		return pattern == host
	}
	return strings.HasSuffix(host, suffix)
}

// narrower is the more exact one of two patterns of which one covers the other; false when neither does.
func narrower(a, b string) (string, bool) {
	switch {
	case a == b || covers(a, b):
		return b, true
	case covers(b, a):
		return a, true
	}
	return "", false
}

// splitHost is the host and the port of a Host header. The host is in lower case, and without the brackets of an IPv6 address. The port is
// 80 when the header has none.
func splitHost(authority string) (host string, port int) {
	host, port = authority, 80
	if i := strings.LastIndexByte(authority, ':'); i >= 0 && strings.IndexByte(authority[i:], ']') < 0 {
		if n, err := strconv.ParseUint(authority[i+1:], 10, 16); err == nil {
			host, port = authority[:i], int(n)
		}
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(host), port
}

// aliases are the names by which a proxy in a namespace knows a host of the registry: its own one first, then that with a dot at its end, and
// the short ones of a Service (Istio's GenerateAltVirtualHosts).
func aliases(host, namespace string) []string {
	names := []string{host, host + "."}
	rest, ok := strings.CutSuffix(host, domain)
	if !ok {
		return names
	}
	names = append(names, rest+".svc", rest)
	if name, ok := strings.CutSuffix(rest, "."+namespace); ok {
		names = append(names, name)
	}
	return names
}
