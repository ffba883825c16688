package mesh

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
)

// headerExpectedTimeout tells the callee the per-try timeout in milliseconds (router.cc setTimeoutHeaders);
// headerRateLimited in an answer is one of the things that a retry policy looks at.
const (
	headerExpectedTimeout = "X-Envoy-Expected-Rq-Timeout-Ms"
	headerRateLimited     = "X-Envoy-Ratelimited"
)

// hopByHop are the headers that belong to one connection (RFC 9110 7.6.1) or are made anew for the next one, and
// Expect, which the proxy has answered itself when it read the body.
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

// forwarded are the headers of a call as its tries carry them, without those that change from try to try. What an app
// says in x-envoy-… is ignored, as measured on real Istio; the gateway takes no x-request-id from outside.
func forwarded(from http.Header, gateway bool) http.Header {
	to := make(http.Header, len(from)+3)
	copyEndToEnd(to, from)
	for name := range to {
		if strings.HasPrefix(name, "X-Envoy-") {
			delete(to, name)
		}
	}
	delete(to, "Content-Length")
	if gateway || to["X-Request-Id"] == nil {
		to["X-Request-Id"] = []string{requestID()}
	}
	return to
}

// requestID is a new x-request-id.
func requestID() string {
	return strconv.FormatUint(rand.Uint64(), 16) + strconv.FormatUint(rand.Uint64(), 16)
}
