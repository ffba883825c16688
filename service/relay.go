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

// hopByHop are the headers that belong to one connection (RFC 9110 section 7.6.1), as http.Header holds them.
var hopByHop = keys("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade")

// relay sends a request on as if the app of this pod had made it, to where its Host leads, and hands back what comes. A
// call that gets no answer gets none here: its connection ends as the relay's own did, by a reset or a plain close.
func (s *Service) relay(w http.ResponseWriter, r *http.Request) {
	response, err := s.fresh.RoundTrip(onward(r))
	if err != nil {
		breakConnection(w, errors.Is(err, syscall.ECONNRESET))
		return
	}
	defer response.Body.Close()
	header := w.Header()
	header["Content-Type"], header["Date"] = nil, nil // net/http adds none of its own where the answer has none
	maps.Copy(header, endToEnd(response.Header))
	w.WriteHeader(response.StatusCode)
	if _, err := io.Copy(w, response.Body); err != nil {
		panic(http.ErrAbortHandler) // the rest will not come: the caller sees a cut connection
	}
}

// onward is r as a request of our own: method, target, header and body as they came, less what is said from connection
// to connection. net/http has made the names of headers canonical by then, and Envoy makes them lower case.
func onward(r *http.Request) *http.Request {
	target := r.RequestURI
	if strings.HasPrefix(target, "//") { // net/url would take what follows for a host
		target = "//" + r.Host + target
	}
	request := (&http.Request{
		Method: r.Method, Host: r.Host, Header: endToEnd(r.Header), Body: r.Body, ContentLength: r.ContentLength,
		URL: &url.URL{Scheme: "http", Host: r.Host, Opaque: target},
	}).WithContext(r.Context())
	if _, named := request.Header["User-Agent"]; !named {
		request.Header["User-Agent"] = nil // net/http adds none of its own
	}
	return request
}

// endToEnd is header less what belongs to one connection.
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
