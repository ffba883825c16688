package mesh

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
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
// as was measured on real Istio. A gateway believes no client: it replaces x-request-id and x-forwarded-proto, and adds the address of its
// client to x-forwarded-for (use_remote_address of Envoy).
func forwarded(call *http.Request, gateway bool) http.Header {
	to := make(http.Header, len(call.Header)+4)
	copyEndToEnd(to, call.Header)
	for name := range to {
		if strings.HasPrefix(name, "X-Envoy-") {
			delete(to, name)
		}
	}
	delete(to, "Content-Length")
	if gateway {
		appendAddress(to, call.RemoteAddr)
		to["X-Forwarded-Proto"] = []string{schemeOf(call)}
	}
	if gateway || to.Get("X-Request-Id") == "" {
		to["X-Request-Id"] = []string{requestID()}
	}
	return to
}

// appendAddress adds the host of an address to x-forwarded-for.
func appendAddress(header http.Header, address string) {
	host, _, _ := net.SplitHostPort(address)
	header[keyForwardedFor] = []string{strings.Join(append(slices.Clone(header[keyForwardedFor]), host), ",")}
}

// schemeOf is that of the connection by which a request came.
func schemeOf(call *http.Request) string {
	if call.TLS != nil {
		return "https"
	}
	return "http"
}

// requestID is a new x-request-id, in the form of Envoy's: a UUID of version 4.
func requestID() string {
	var id [16]byte
	binary.LittleEndian.PutUint64(id[:8], rand.Uint64())
	binary.LittleEndian.PutUint64(id[8:], rand.Uint64())
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	text := hex.AppendEncode(make([]byte, 0, 36), id[:4])
	for _, part := range [][]byte{id[4:6], id[6:8], id[8:10], id[10:]} {
		text = hex.AppendEncode(append(text, '-'), part)
	}
	return string(text)
}
