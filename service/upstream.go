package service

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/service/trail"
)

// maxBody is how much of an answer without a trail is kept, in bytes.
const maxBody = 256

// Headers that go on from a request to the call that it causes, as http.Header holds them. An allow-list: what a
// proxy added to the request is none of the upstream's business.
var (
	// traceKeys are those of B3 (multi and single), W3C Trace Context, Envoy and old Lightstep.
	traceKeys = keys("x-b3-traceid", "x-b3-spanid", "x-b3-parentspanid", "x-b3-sampled", "x-b3-flags", "b3",
		"traceparent", "tracestate", "x-request-id", "x-ot-span-context")
	// ownKeys mean something to our own services only.
	ownKeys = keys(trail.HeaderDevUser, trail.HeaderFail, trail.HeaderHang, trail.HeaderCascade, trail.HeaderRequest)

	trailKey = http.CanonicalHeaderKey(trail.HeaderTrail)
)

var acceptJSON = []string{"application/json"}

func keys(names ...string) []string {
	for i, name := range names {
		names[i] = http.CanonicalHeaderKey(name)
	}
	return names
}

// upstream calls what comes next in the chain.
type upstream struct {
	transport http.RoundTripper
	external  bool
	address   string
	request   *http.Request // a call but for its context and its header
}

// newUpstream takes a config that was checked.
func newUpstream(config Config) *upstream {
	address, _ := url.Parse(config.Upstream)
	u := &upstream{transport: config.Transport, external: config.External, address: config.Upstream}
	if u.transport == nil {
		u.transport = newTransport()
	}
	u.request = &http.Request{Method: http.MethodGet, URL: address, Host: address.Host}
	trail.Once(u.request)
	return u
}

// newTransport goes straight to the upstream, whatever proxy the environment names, in HTTP/1.1. Its connections are
// idle for a shorter time than servers keep theirs (Envoy: an hour), since a call on one that closes at that moment
// fails, by our own will.
func newTransport() *http.Transport {
	return &http.Transport{
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		MaxIdleConnsPerHost:    1024,
		IdleConnTimeout:        90 * time.Second,
		DisableCompression:     true,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// call calls the upstream now, at begin, on behalf of r, a try at the end of the path tries. Redirects are answers like
// any other.
func (u *upstream) call(r *http.Request, tries string, begin time.Time) *trail.Call {
	request := u.request.WithContext(r.Context())
	request.Header = u.header(r.Header, tries)
	call := &trail.Call{URL: u.address}
	response, err := u.transport.RoundTrip(request)
	if err != nil {
		err = fmt.Errorf("calling upstream: %w", err)
	} else {
		err = u.read(response, call)
	}
	call.Elapsed = time.Since(begin)
	if err != nil {
		call.Status, call.Error = 0, err.Error()
	}
	return call
}

// header is what goes on to the upstream. The values are shared with the request.
func (u *upstream) header(received http.Header, tries string) http.Header {
	header := make(http.Header, len(traceKeys)+len(ownKeys)+2)
	forward := func(keys []string) {
		for _, key := range keys {
			if values, ok := received[key]; ok {
				header[key] = values
			}
		}
	}
	forward(traceKeys)
	if !u.external {
		forward(ownKeys)
		header[triesKey] = []string{tries}
	}
	header["Accept"] = acceptJSON
	return header
}

// read takes the upstream's word into call: its trail, or the beginning of its body. An answer that is cut short is none.
func (u *upstream) read(response *http.Response, call *trail.Call) error {
	defer response.Body.Close()
	body, err := readAtMost(response.Body, response.ContentLength, trail.MaxBytes+1)
	if err != nil {
		return fmt.Errorf("reading the upstream's answer of status %d: %w", response.StatusCode, err)
	}
	call.Status = response.StatusCode
	if version := response.Header[trailKey]; !u.external && len(version) > 0 && version[0] == trail.Form {
		if call.Hop, err = trail.Decode(body); err == nil {
			return nil
		}
	}
	call.Body = beginning(body)
	return nil
}

// readAtMost reads body, of expected bytes or -1 when that is not known, and no more than most bytes of it.
func readAtMost(body io.Reader, expected, most int64) ([]byte, error) {
	var text bytes.Buffer
	text.Grow(int(max(0, min(expected, most))) + bytes.MinRead)
	_, err := text.ReadFrom(io.LimitReader(body, most))
	return text.Bytes(), err
}

// beginning is the first maxBody bytes of body, less what is not UTF-8, such as a rune that was cut.
func beginning(body []byte) string {
	return strings.ToValidUTF8(string(body[:min(len(body), maxBody)]), "")
}

func (u *upstream) close() {
	if transport, ok := u.transport.(interface{ CloseIdleConnections() }); ok {
		transport.CloseIdleConnections()
	}
}
