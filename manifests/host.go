package manifests

import (
	"strconv"
	"strings"
)

// hostPattern is a namespace and a host as Sidecars and Gateways write them, "*" for any.
type hostPattern struct{ namespace, host string }

// everything is what a Sidecar imports that does not say.
var everything = []hostPattern{{"*", "*"}}

// admits reports whether any of the patterns holds for a host of a namespace.
func admits(patterns []hostPattern, namespace, host string) bool {
	for _, p := range patterns {
		if (p.namespace == "*" || p.namespace == namespace) && covers(p.host, host) {
			return true
		}
	}
	return false
}

// covers reports whether a host, which may itself have a leading "*", lies within a pattern: "*", "*.example.com", or a
// plain host.
func covers(pattern, host string) bool {
	suffix, wild := strings.CutPrefix(pattern, "*")
	if !wild {
		return pattern == host
	}
	return strings.HasSuffix(host, suffix)
}

// narrower is the host that both patterns admit, the more exact one; false when there is none.
func narrower(a, b string) (string, bool) {
	switch {
	case a == b || covers(a, b):
		return b, true
	case covers(b, a):
		return a, true
	}
	return "", false
}

// splitHost is the host and port of a Host header, in lower case, without the dot at the end of a full name and the
// brackets of an IPv6 address. The port is 80 when there is none.
func splitHost(authority string) (host string, port int) {
	host, port = authority, 80
	if i := strings.LastIndexByte(authority, ':'); i >= 0 && strings.IndexByte(authority[i:], ']') < 0 {
		if n, err := strconv.ParseUint(authority[i+1:], 10, 16); err == nil {
			host, port = authority[:i], int(n)
		}
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, ".")), port
}

// aliases are the names by which a proxy in a namespace knows a service (Istio's GenerateAltVirtualHosts).
func aliases(host, namespace string) []string {
	rest, ok := strings.CutSuffix(host, domain)
	if !ok {
		return []string{host}
	}
	names := []string{host, rest + ".svc", rest}
	if name, ok := strings.CutSuffix(rest, "."+namespace); ok {
		names = append(names, name)
	}
	return names
}
