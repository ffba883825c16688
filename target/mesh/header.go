package mesh

import (
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// headerExpectedTimeout carries the per-try timeout, in milliseconds, to the called service (setTimeoutHeaders in Envoy's
// router.cc). headerOriginalPath carries the path as it was before a rule rewrote it (RouteEntryImplBase::finalizePathHeader in
// config_impl.cc). headerRateLimited in an answer makes retryOn envoy-ratelimited send the call again.
const (
	headerExpectedTimeout = "X-Envoy-Expected-Rq-Timeout-Ms"
	headerOriginalPath    = "X-Envoy-Original-Path"
	headerRateLimited     = "X-Envoy-Ratelimited"
)

// hopByHop are the headers that belong to one connection (RFC 9110 7.6.1) or that the proxy makes anew for the next connection,
// and Expect, which the proxy has answered itself by the time it has read the body.
var hopByHop = map[string]bool{
	"Connection": true, "Keep-Alive": true, "Proxy-Connection": true, "Proxy-Authenticate": true,
	"Proxy-Authorization": true, "Te": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true, "Expect": true,
}

// copyEndToEnd copies the headers that go on to the next hop.
func copyEndToEnd(to, from http.Header) {
	for name, values := range from {
		if !hopByHop[name] {
			to[name] = values
		}
	}
	for _, list := range from["Connection"] {
		for _, name := range strings.Split(list, ",") {
			delete(to, http.CanonicalHeaderKey(strings.TrimSpace(name)))
		}
	}
}

// forwarded are the headers of a call that all its tries have in common. Headers of an app that begin with x-envoy- are left out,
// as was measured on real Istio. The gateway replaces an x-request-id that comes from outside.
// gateway adds the address of its client to x-forwarded-for (use_remote_address of Envoy).
func forwarded(from http.Header, gateway bool, client string) http.Header {
	to := make(http.Header, len(from)+3)
	copyEndToEnd(to, from)
	for name := range to {
		if strings.HasPrefix(name, "X-Envoy-") {
			delete(to, name)
		}
	}
	delete(to, "Content-Length")
	if gateway {
		appendAddress(to, client)
	}
	if gateway || to["X-Request-Id"] == nil {
		to["X-Request-Id"] = []string{requestID()}
	}
	return to
}

// appendAddress adds the host of an address to x-forwarded-for.
func appendAddress(header http.Header, address string) {
	host, _, _ := net.SplitHostPort(address)
	header[keyForwardedFor] = []string{strings.Join(append(slices.Clone(header[keyForwardedFor]), host), ",")}
}

// requestID is a new x-request-id.
func requestID() string {
	return strconv.FormatUint(rand.Uint64(), 16) + strconv.FormatUint(rand.Uint64(), 16)
}
