package service

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/service/trail"
)

var testURL = &url.URL{Path: "/"}

// discard is an http.ResponseWriter that keeps only the status.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header { return d.header }
func (d *discard) WriteHeader(status int) {
	if d.status == 0 {
		d.status = status
	}
}
func (d *discard) Write(p []byte) (int, error) {
	d.WriteHeader(http.StatusOK)
	return len(p), nil
}

// canned answers every call with the same trail, without a socket.
type canned []byte

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: trailHeader, ContentLength: int64(len(c)),
		Body: io.NopCloser(bytes.NewReader(c)), Request: r}, nil
}

// attack is a request as a hop receives it in an attack.
func attack() http.Header {
	return http.Header{"Accept": {"application/json"}, "Fail": {"0.5"}, "Hang": {"0"}, "Cascade": {"absorb"},
		requestKey: {"1/after/12345"}, triesKey: {"1"}, attemptKey: {"1"}, "X-Request-Id": {"c6a2f0f4-6ad4-4d3e-9f3e-0c8f7f1c2b7a"}}
}

// BenchmarkHandler measures only the handler of a hop, whose call is answered with a trail of two hops.
func BenchmarkHandler(b *testing.B) {
	answer := trail.Append(nil, &trail.Hop{Service: "backend", Version: "prod", Status: 200, Attempt: 1, Elapsed: 123456,
		Calls: []trail.Call{{URL: "http://clock/", Status: 200, Elapsed: 100000,
			Body: `{"date":"08-24-2026","milliseconds_since_epoch":1787543605123,"time":"03:53:25 AM"}`}}})
	s, err := New(Config{Service: "middleware", Version: "prod", Upstream: "http://backend/", Transport: canned(answer)})
	if err != nil {
		b.Fatal(err)
	}
	header := attack()
	header["Fail"] = []string{"0"}
	r, w := &http.Request{Method: "GET", URL: testURL, Header: header, Body: http.NoBody}, discard{header: make(http.Header)}
	b.ReportAllocs()
	for b.Loop() {
		s.ServeHTTP(&w, r)
	}
}

// BenchmarkHandlerFails measures a try that fails, which makes no call.
func BenchmarkHandlerFails(b *testing.B) {
	s, err := New(Config{Service: "middleware", Version: "prod", Upstream: "http://backend/", Transport: canned(nil)})
	if err != nil {
		b.Fatal(err)
	}
	header := attack()
	header["Fail"] = []string{"1"}
	r, w := &http.Request{Method: "GET", URL: testURL, Header: header, Body: http.NoBody}, discard{header: make(http.Header)}
	b.ReportAllocs()
	for b.Loop() {
		s.ServeHTTP(&w, r)
	}
}

// BenchmarkHop measures one hop over loopback: a client, and the socket and the handler of the clock. The difference to
// BenchmarkTwoHops is what a hop of the chain costs.
func BenchmarkHop(b *testing.B) {
	benchmark(b, open(b, Config{Role: Clock}).url)
}

func BenchmarkTwoHops(b *testing.B) {
	benchmark(b, open(b, Config{Service: "backend", Version: "prod", External: true, Upstream: open(b, Config{Role: Clock}).url}).url)
}

func benchmark(b *testing.B, url string) {
	transport := newTransport()
	b.Cleanup(transport.CloseIdleConnections)
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		b.Fatal(err)
	}
	request.Header = attack()
	request.Header["Fail"] = []string{"0"}
	b.ReportAllocs()
	for b.Loop() {
		response, err := transport.RoundTrip(request)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != 200 {
			b.Fatal(response.Status, err)
		}
		response.Body.Close()
	}
}

// BenchmarkRecord measures the recording of a try.
func BenchmarkRecord(b *testing.B) {
	s := newSpans(keptSpans)
	a := answer{code: 200, tried: tried{request: "1/after/12345", tries: "1.1", calls: []trail.Call{{Status: 200}}, called: []time.Time{time.Now()}}}
	t := try{begin: time.Now(), attempt: 1}
	b.ReportAllocs()
	for b.Loop() {
		s.record(t, &a, time.Millisecond)
	}
}

// BenchmarkSpans measures the answer about three requests when the ring is full.
func BenchmarkSpans(b *testing.B) {
	s := newSpans(keptSpans)
	for n := range keptSpans {
		s.record(try{begin: time.Now()}, &answer{tried: tried{request: "1/after/" + strconv.Itoa(n), tries: "1"}}, 1)
	}
	b.ReportAllocs()
	for b.Loop() {
		s.recording([]string{"1/after/1", "1/after/20000", "1/after/30000"})
	}
}
