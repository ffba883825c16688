package service

import (
	"bufio"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hellochaos/hellochaos/service/calls"
	"github.com/hellochaos/hellochaos/service/trail"
)

// everything are the headers of a request; only some of them may be passed on.
var everything = []string{
	"x-b3-traceid", "80f198ee56343ba864fe8b2a57d3eff7", "x-b3-spanid", "e457b5a2e4d86bd1", "x-b3-parentspanid", "05e3ac9a4f6e3b90",
	"x-b3-sampled", "1", "x-b3-flags", "0", "b3", "80f1-e457-1", "traceparent", "00-4bf9-00f0-01", "tracestate", "a=1", "tracestate", "b=2",
	"x-request-id", "7b1", "x-ot-span-context", "ot",
	"x-dev-user", "super-secret", "fail", "0", "hang", "0", "cascade", "propagate", "x-hellochaos-request", "7/after/3",
	"x-hellochaos-pins", "9=fail", "x-hellochaos-tries", "2", "x-envoy-attempt-count", "3",
	"cookie", "c", "authorization", "Basic x", "x-forwarded-for", "10.0.0.1", "x-envoy-max-retries", "9", "x-envoy-expected-rq-timeout-ms", "3600000", "x-hellochaos-script", "500", "accept", "text/html",
}

func TestHeadersThatGoOn(t *testing.T) {
	trace := http.Header{"X-B3-Traceid": {"80f198ee56343ba864fe8b2a57d3eff7"}, "X-B3-Spanid": {"e457b5a2e4d86bd1"},
		"X-B3-Parentspanid": {"05e3ac9a4f6e3b90"}, "X-B3-Sampled": {"1"}, "X-B3-Flags": {"0"}, "B3": {"80f1-e457-1"},
		"Traceparent": {"00-4bf9-00f0-01"}, "Tracestate": {"a=1", "b=2"}, "X-Request-Id": {"7b1"}, "X-Ot-Span-Context": {"ot"},
		"Accept": {"application/json"}, "User-Agent": {"Go-http-client/1.1"}}
	own := maps.Clone(trace)
	maps.Copy(own, http.Header{"X-Dev-User": {"super-secret"}, "Fail": {"0"}, "Hang": {"0"}, "Cascade": {"propagate"},
		"X-Hellochaos-Request": {"7/after/3"}, "X-Hellochaos-Pins": {"9=fail"}, "X-Hellochaos-Tries": {"2.3"}})
	for _, test := range []struct {
		external bool
		want     http.Header
	}{{false, own}, {true, trace}} {
		rec := &recorder{answer: failing}
		s := open(t, Config{Service: "backend", Version: "prod", Upstream: listen(t, rec), External: test.external})
		_, hop := getTrail(t, s.url, everything...)
		if got := rec.received(); len(got) != 1 || !maps.EqualFunc(got[0], test.want, slices.Equal) {
			t.Errorf("external %v: upstream received %v, want %v", test.external, got, test.want)
		}
		if ours := hop.Calls[0].Hop != nil; ours == test.external {
			t.Errorf("external %v: its answer was read as a trail: %v", test.external, ours)
		}
	}
}

// The headers that are configured to be passed on go to services of the chain, and to no others.
func TestForwardedHeaders(t *testing.T) {
	ours, others := &recorder{answer: failing}, &recorder{}
	s := open(t, Config{Service: "page", Version: "v1", Forward: []string{"end-user", "X-TIER", "x-absent", "fail"},
		Calls: [][]calls.Call{{{URL: listen(t, ours)}, {URL: listen(t, others), External: true}}}})
	get(t, s.url, "end-user", "jason", "x-tier", "gold", "x-tier", "silver", "x-other", "no", "fail", "0", "x-request-id", "7b1")
	got := ours.received()[0]
	want := http.Header{"End-User": {"jason"}, "X-Tier": {"gold", "silver"}, "Fail": {"0"}, "X-Request-Id": {"7b1"}, "X-Hellochaos-Tries": {"0"},
		"Accept": {"application/json"}, "User-Agent": {"Go-http-client/1.1"}}
	if !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("our own service received %v, want %v", got, want)
	}
	want = http.Header{"X-Request-Id": {"7b1"}, "Accept": {"application/json"}, "User-Agent": {"Go-http-client/1.1"}}
	if got := others.received()[0]; !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("a service that is not ours received %v, want %v", got, want)
	}
	if first, second := hopOf(t, s.url, "fail", "0"), hopOf(t, s.url, "fail", "0"); first.Calls[0].Hop == nil || first.Calls[1].Hop != nil || second.Calls[0].Hop == nil {
		t.Errorf("trails %+v, want one of our own service alone", first.Calls)
	}
}

func hopOf(t *testing.T, url string, header ...string) *trail.Hop {
	_, hop := getTrail(t, url, header...)
	return hop
}

// The calls of a first hop without a proxy before it have the attempt count 0 in their path.
func TestTriesBeginAtTheFirstHop(t *testing.T) {
	rec := &recorder{}
	get(t, hop(t, rec).url)
	if got := rec.received()[0].Get(trail.HeaderTries); got != "0" {
		t.Errorf("upstream received tries %q, want 0", got)
	}
}

// quitter answers the first request of each connection, and closes the connection after reading the second.
func quitter(t *testing.T) (url string, received *atomic.Int64) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	received = new(atomic.Int64)
	serve := func(connection net.Conn) {
		defer connection.Close()
		reader := bufio.NewReader(connection)
		for n := 1; ; n++ {
			request, err := http.ReadRequest(reader)
			if err != nil {
				return
			}
			if _, err := io.Copy(io.Discard, request.Body); err != nil {
				return
			}
			if received.Add(1); n == 2 {
				return
			}
			if _, err := io.WriteString(connection, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"); err != nil {
				return
			}
		}
	}
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(connection)
		}
	}()
	return "http://" + listener.Addr().String() + "/", received
}

// The transport of net/http sends a GET again when a reused connection breaks. No count would include such a try.
func TestNoCallIsSentTwice(t *testing.T) {
	url, received := quitter(t)
	s := open(t, Config{Service: "middleware", Version: "canary", Upstream: url})
	const count = 20
	failed := 0
	for range count {
		if _, hop := getTrail(t, s.url); hop.Calls[0].Failed() {
			failed++
		}
	}
	if got := received.Load(); got != count {
		t.Errorf("upstream received %d requests of %d calls", got, count)
	}
	if failed != count/2 { // each connection breaks at its second request
		t.Errorf("%d of %d calls failed, want %d", failed, count, count/2)
	}
}

// A call is sent at most once, also with a body and with any method.
func TestNoCallWithABodyIsSentTwice(t *testing.T) {
	for _, call := range []calls.Call{{Method: "GET", Body: "x"}, {Method: "POST", Body: "x"}, {Method: "PUT"}, {Method: "DELETE", Body: strings.Repeat("x", 10_000)}} {
		url, received := quitter(t)
		call.URL = url
		s := open(t, Config{Service: "middleware", Version: "canary", Calls: [][]calls.Call{{call}, {call}}})
		if _, hop := getTrail(t, s.url); outcomes(hop) != "0 200, 1 0" || received.Load() != 2 {
			t.Errorf("%s: calls %s, %d requests received; want one answer and one broken connection, 2 requests", call.Method, outcomes(hop), received.Load())
		}
	}
}

// A request has no body and no header that announces one, so that the upstream can keep the connection.
func TestCallsReuseTheirConnectionAndHaveNoBody(t *testing.T) {
	addresses := make(chan string, 3)
	rec := &recorder{answer: func(_ http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 || r.TransferEncoding != nil {
			t.Errorf("upstream received a request of length %d, encoding %v", r.ContentLength, r.TransferEncoding)
		}
		addresses <- r.RemoteAddr
	}}
	s := hop(t, rec)
	for range 3 {
		get(t, s.url)
	}
	if first, second, third := <-addresses, <-addresses, <-addresses; first != second || first != third {
		t.Errorf("three calls came from %s, %s and %s, want one connection", first, second, third)
	}
}

// Calls do not use the proxy that the environment names.
func TestCallsIgnoreTheEnvironmentsProxy(t *testing.T) {
	if newTransport().Proxy != nil {
		t.Error("the transport asks for a proxy")
	}
}
