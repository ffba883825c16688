package service

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"syscall"
)

// hopByHop are the headers that belong to one connection (RFC 9110 section 7.6.1), in the canonical form of http.Header.
var hopByHop = keys("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade")

// relay sends a request on to its Host, as if the app of this pod had made the request, and passes the answer back. If there is no
// answer, it ends the connection of the caller as its own connection ended: by a reset, or by a plain close.
func (s *Service) relay(w http.ResponseWriter, r *http.Request) {
	response, err := s.fresh.RoundTrip(onward(r))
	if err != nil {
		breakConnection(w, errors.Is(err, syscall.ECONNRESET))
		return
	}
	defer response.Body.Close()
	header := w.Header()
	header["Content-Type"], header["Date"] = nil, nil // so that net/http adds no such headers that the answer does not have
	maps.Copy(header, endToEnd(response.Header))
	w.WriteHeader(response.StatusCode)
	if _, err := io.Copy(w, response.Body); err != nil {
		panic(http.ErrAbortHandler) // closes the connection, so that the caller sees that the answer is not complete
	}
}

// onward returns the request to send for r: it has the method, the target, the headers and the body of r, without the headers that
// belong to one connection. The names of the headers are in the canonical form of net/http; Envoy makes them lower case.
func onward(r *http.Request) *http.Request {
	target := r.RequestURI
	if strings.HasPrefix(target, "//") { // net/url would take what follows the slashes for a host
		target = "//" + r.Host + target
	}
	request := (&http.Request{
		Method: r.Method, Host: r.Host, Header: endToEnd(r.Header), Body: r.Body, ContentLength: r.ContentLength,
		URL: &url.URL{Scheme: "http", Host: r.Host, Opaque: target},
	}).WithContext(r.Context())
	if _, named := request.Header["User-Agent"]; !named {
		request.Header["User-Agent"] = nil // so that net/http does not add its own
	}
	return request
}

// endToEnd is header without the headers that belong to one connection.
func endToEnd(header http.Header) http.Header {
	kept := maps.Clone(header)
	if kept == nil {
		kept = make(http.Header)
	}
	for _, line := range header["Connection"] {
		for name := range strings.SplitSeq(line, ",") {
			delete(kept, http.CanonicalHeaderKey(strings.TrimSpace(name)))
		}
	}
	for _, name := range hopByHop {
		delete(kept, name)
	}
	return kept
}
