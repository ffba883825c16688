package trail

import (
	"net/netip"
	"strings"
)

// ToldHost is what the Hop of a service tells of the Host header of a try: nothing where the header names the service itself (its
// first label, whatever comes after it) or an address, so that the trails of plain calls stay short, and the header otherwise.
func ToldHost(service, host string) string {
	rest, own := strings.CutPrefix(host, service)
	if own && (rest == "" || rest[0] == '.' || rest[0] == ':') || address(host) {
		return ""
	}
	return host
}

// address reports whether a Host header has an IP address in place of a name.
func address(host string) bool {
	switch {
	case host == "":
		return false
	case host[0] == '[':
		host, _, _ = strings.Cut(host[1:], "]")
	case host[0] < '0' || host[0] > '9':
		return false
	default:
		host, _, _ = strings.Cut(host, ":")
	}
	_, err := netip.ParseAddr(host)
	return err == nil
}

// ToldPath is what a Hop tells of the target of a try, its path with its query: nothing of "/".
func ToldPath(target string) string {
	if target == "/" {
		return ""
	}
	return target
}
