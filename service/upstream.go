package service

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hellochaos/hellochaos/service/trail"
)

const (
	// maxBody is how much of an answer without a trail is kept, in bytes.
	maxBody = 256
	// maxRead is how much of it is read, so that its connection can serve the next call. A longer answer costs its connection.
	maxRead = 64 << 10
)

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
	count     int      // of the calls of all steps
	numbered  bool     // connections are numbered, for the trails of a pod
	ownKeys   []string // headers that go on to our own services
}

// newUpstreams takes a config that was checked.
func newUpstreams(config Config) *upstreams {
	u := &upstreams{transport: config.Transport, steps: prepareCalls(config.Steps()), ownKeys: ownKeys}
	if u.transport == nil {
		transport := newTransport()
		if u.numbered = config.Pod != ""; u.numbered {
			number(transport)
		}
		u.transport = transport
	}
	for _, step := range u.steps {
		u.count += len(step)
	}
	if len(config.Forward) > 0 {
		u.ownKeys = append(keys(slices.Clone(config.Forward)...), ownKeys...)
	}
	return u
}

// host is the host of the first call, with its port where it has one; "" when there is no call.
func (u *upstreams) host() string {
	if len(u.steps) == 0 {
		return ""
	}
	return u.steps[0][0].request.Host
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
	if u.count == 0 {
		return nil, nil
	}
	calls, began = make([]trail.Call, u.count), make([]time.Time, u.count)
	made := 0
	for _, step := range u.steps {
		first := made
		made += len(step)
		if len(step) == 1 {
			u.callOne(r, tries, &step[0], &calls[first], &began[first])
		} else {
			u.callAll(r, tries, step, calls[first:made], began[first:made])
		}
		if r.Context().Err() != nil || propagate && anyFailed(calls[first:made]) {
			break
		}
	}
	return calls[:made], began[:made]
}

// callAll makes the calls of a step side by side and awaits them all.
func (u *upstreams) callAll(r *http.Request, tries string, step []preparedCall, calls []trail.Call, began []time.Time) {
	var side sync.WaitGroup
	for i := range step {
		side.Go(func() { u.callOne(r, tries, &step[i], &calls[i], &began[i]) })
	}
	side.Wait()
}

// anyFailed reports whether one of calls failed.
func anyFailed(calls []trail.Call) bool {
	return slices.ContainsFunc(calls, func(c trail.Call) bool { return c.Failed() })
}

// callOne makes one call and notes when it began. Redirects are answers like any other.
func (u *upstreams) callOne(r *http.Request, tries string, prepared *preparedCall, call *trail.Call, began *time.Time) {
	*began = time.Now()
	sent := r.Context()
	if u.numbered {
		sent = tellConnection(sent, call)
	}
	request := prepared.request.WithContext(sent)
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
	call.Elapsed = time.Since(*began)
	if err != nil {
		call.Status, call.Error = 0, err.Error()
	}
}

// header is what goes on with a call. The values are shared with the request.
func (u *upstreams) header(received http.Header, call string, external bool) http.Header {
	if external {
		return passOn(received, nil)
	}
	header := passOn(received, u.ownKeys)
	header[triesKey] = []string{call}
	tellCopies(received, header)
	return header
}

// passOn is the trace headers of a request, those of these keys, and what every call accepts.
func passOn(received http.Header, own []string) http.Header {
	header := make(http.Header, len(traceKeys)+len(own)+2)
	for _, keys := range [...][]string{traceKeys, own} {
		for _, key := range keys {
			if values, ok := received[key]; ok {
				header[key] = values
			}
		}
	}
	header["Accept"] = acceptJSON
	return header
}

// Forwarded are the headers of a call that a Chain makes for a request with these headers, but for the path of its tries:
// what a rule may match. forward is Config.Forward, in canonical form.
func Forwarded(received http.Header, external bool, forward []string) http.Header {
	if external {
		return passOn(received, nil)
	}
	return passOn(received, slices.Concat(forward, ownKeys))
}

// read takes the upstream's word into call: its trail, or the beginning of its body. An answer that is cut short is none.
func read(response *http.Response, call *trail.Call, external bool) error {
	defer response.Body.Close()
	version := response.Header[trailKey]
	isTrail, most := !external && len(version) > 0 && version[0] == trail.Form, int64(maxRead)
	if isTrail {
		most = trail.MaxBytes + 1
	}
	body, err := readAtMost(response.Body, response.ContentLength, most)
	if err != nil {
		return fmt.Errorf("reading the upstream's answer of status %d: %w", response.StatusCode, err)
	}
	call.Status = response.StatusCode
	if isTrail {
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

func (u *upstreams) close() {
	if transport, ok := u.transport.(interface{ CloseIdleConnections() }); ok {
		transport.CloseIdleConnections()
	}
}
