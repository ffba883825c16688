package service

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
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
	ownKeys = keys(trail.HeaderDevUser, trail.HeaderFail, trail.HeaderHang, trail.HeaderCascade, trail.HeaderRequest, trail.HeaderPins)

	trailKey = http.CanonicalHeaderKey(trail.HeaderTrail)
)

var acceptJSON = []string{"application/json"}

func keys(names ...string) []string {
	for i, name := range names {
		names[i] = http.CanonicalHeaderKey(name)
	}
	return names
}

// upstreams makes the calls of a service.
type upstreams struct {
	transport http.RoundTripper
	steps     [][]preparedCall
	ownKeys   []string // headers that go on to our own services
}

// newUpstreams takes a config that was checked.
func newUpstreams(config Config) *upstreams {
	u := &upstreams{transport: config.Transport, steps: prepareCalls(config.Calls), ownKeys: ownKeys}
	if u.transport == nil {
		u.transport = newTransport()
	}
	if len(config.Forward) > 0 {
		u.ownKeys = append(keys(slices.Clone(config.Forward)...), ownKeys...)
	}
	return u
}

// host is the host of the first call, with its port where it has one; "" when there is no call.
func (u *upstreams) host() string {
	for _, step := range u.steps {
		return step[0].request.Host
	}
	return ""
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

// call makes the calls of the service on behalf of r, a try at the end of the path tries: step after step, and the calls
// of a step side by side, each of which ends by itself whatever becomes of the others. After a step with a failed call
// no further step begins where failures are propagated, and none where r's caller has gone.
func (u *upstreams) call(r *http.Request, tries string, propagate bool) (calls []trail.Call, began []time.Time) {
	for _, step := range u.steps {
		first := len(calls)
		calls, began = append(calls, make([]trail.Call, len(step))...), append(began, make([]time.Time, len(step))...)
		now, times := calls[first:], began[first:]
		var side sync.WaitGroup
		for i := 1; i < len(step); i++ {
			side.Go(func() { times[i] = time.Now(); u.callOne(r, tries, &step[i], times[i], &now[i]) })
		}
		times[0] = time.Now()
		u.callOne(r, tries, &step[0], times[0], &now[0])
		side.Wait()
		if r.Context().Err() != nil || propagate && slices.ContainsFunc(now, func(c trail.Call) bool { return c.Failed() }) {
			break
		}
	}
	return calls, began
}

// callOne makes one call, which began at begin. Redirects are answers like any other.
func (u *upstreams) callOne(r *http.Request, tries string, prepared *preparedCall, begin time.Time, call *trail.Call) {
	request := prepared.request.WithContext(r.Context())
	request.Header = u.header(r.Header, trail.CallOf(tries, prepared.number), prepared.External)
	if prepared.Body != "" {
		trail.OnceWith(request, prepared.Body)
	}
	call.Number, call.URL = prepared.number, prepared.URL
	response, err := u.transport.RoundTrip(request)
	if err != nil {
		err = fmt.Errorf("calling upstream: %w", err)
	} else {
		err = read(response, call, prepared.External)
	}
	call.Elapsed = time.Since(begin)
	if err != nil {
		call.Status, call.Error = 0, err.Error()
	}
}

// header is what goes on with a call. The values are shared with the request.
func (u *upstreams) header(received http.Header, call string, external bool) http.Header {
	header := make(http.Header, len(traceKeys)+len(u.ownKeys)+2)
	forward := func(keys []string) {
		for _, key := range keys {
			if values, ok := received[key]; ok {
				header[key] = values
			}
		}
	}
	forward(traceKeys)
	if !external {
		forward(u.ownKeys)
		header[triesKey] = []string{call}
	}
	header["Accept"] = acceptJSON
	return header
}

// read takes the upstream's word into call: its trail, or the beginning of its body. An answer that is cut short is none.
func read(response *http.Response, call *trail.Call, external bool) error {
	defer response.Body.Close()
	body, err := readAtMost(response.Body, response.ContentLength, trail.MaxBytes+1)
	if err != nil {
		return fmt.Errorf("reading the upstream's answer of status %d: %w", response.StatusCode, err)
	}
	call.Status = response.StatusCode
	if version := response.Header[trailKey]; !external && len(version) > 0 && version[0] == trail.Form {
		if call.Hop, err = trail.Decode(body); err == nil {
			return nil
		}
	}
	call.Body = beginning(body)
	return nil
}

// beginning is the first maxBody bytes of body, less what is not UTF-8, such as a rune that was cut.
func beginning(body []byte) string {
	return strings.ToValidUTF8(string(body[:min(len(body), maxBody)]), "")
}

func (u *upstreams) close() {
	if transport, ok := u.transport.(interface{ CloseIdleConnections() }); ok {
		transport.CloseIdleConnections()
	}
}
