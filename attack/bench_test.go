package attack

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/service/trail"
)

// benchmarkTrail is a trail of the demo chain in which nothing failed.
var benchmarkTrail = &trail.Hop{Service: "frontend", Version: "prod", Status: 200, Attempt: 1, Elapsed: 3 * time.Millisecond, Calls: []trail.Call{{
	URL: "http://middleware/", Status: 200, Elapsed: 2 * time.Millisecond, Hop: &trail.Hop{
		Service: "middleware", Version: "canary", Status: 200, Attempt: 2, Elapsed: time.Millisecond, Calls: []trail.Call{{
			URL: "http://backend/", Status: 200, Elapsed: 900 * time.Microsecond, Hop: &trail.Hop{
				Service: "backend", Version: "prod", Status: 200, Attempt: 1, Elapsed: 500 * time.Microsecond, Calls: []trail.Call{{
					URL: "http://clock.outside.svc.cluster.local/", Status: 200, Elapsed: 300 * time.Microsecond, Body: `{"time": "10:11:12 AM"}`,
				}}}}}}}}}

// answering is a transport without a network.
type answering struct{ body string }

func (a answering) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: http.Header{"X-Hellochaos-Trail": {trail.Form}}, Body: io.NopCloser(strings.NewReader(a.body))}, nil
}

func benchmarkPlan(url string, requests int) Plan {
	return Plan{URL: url, Requests: requests, Rate: MaxRate, Name: "1/benchmark", Connections: 64, Timeout: MaxTimeout,
		Cohorts: []Cohort{{Header: http.Header{"Fail": {"0.5"}}}}}
}

// BenchmarkHit measures all that is done for a hit except the network: loop, RoundTripper, decoding, planned order, tally.
func BenchmarkHit(b *testing.B) {
	body := string(trail.Append(nil, benchmarkTrail))
	tally := chainTally(1)
	b.ReportAllocs()
	benchmarkRun(b, answering{body}, "http://frontend/", tally)
}

// BenchmarkHitLoopback is BenchmarkHit with a server on the loopback interface; it includes the time and memory of the server.
func BenchmarkHitLoopback(b *testing.B) {
	body := trail.Append(nil, benchmarkTrail)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(trail.HeaderTrail, trail.Form)
		w.Write(body)
	}))
	defer server.Close()
	b.ReportAllocs()
	benchmarkRun(b, nil, server.URL, chainTally(1))
}

// benchmarkRun sends b.N hits as fast as it can, in attacks that are short enough to end in time.
func benchmarkRun(b *testing.B, base http.RoundTripper, url string, tally *Tally) {
	b.Helper()
	b.ResetTimer()
	for sent := 0; sent < b.N; {
		plan := benchmarkPlan(url, min(2000, b.N-sent))
		result, err := run(context.Background(), plan, base, func(o *Observation) bool {
			tally.Add(o)
			return true
		})
		if err != nil || result.Unsent > 0 || result.Resends > 0 {
			b.Fatal(err, result)
		}
		sent += result.Sent
	}
}

// BenchmarkMemory sends a million hits. It reports how many more bytes the heap has after the last of them than after the first ten
// thousand.
func BenchmarkMemory(b *testing.B) {
	const first, all = 10_000, 1_000_000
	body := string(trail.Append(nil, benchmarkTrail))
	for range b.N {
		tally := chainTally(1)
		var before, after uint64
		plan := benchmarkPlan("http://frontend/", all)
		plan.Rate = 50_000
		result, err := run(context.Background(), plan, answering{body}, func(o *Observation) bool {
			tally.Add(o)
			if o.Number == first {
				before = heap()
			}
			return true
		})
		after = heap()
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(before), "B-before")
		b.ReportMetric(float64(after), "B-after")
		b.ReportMetric(float64(result.Observed), "hits")
		runtime.KeepAlive(tally)
	}
}

func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func BenchmarkTallyAdd(b *testing.B) {
	tally := chainTally(1)
	o := Observation{Status: 200, Latency: 4 * time.Millisecond, Trail: benchmarkTrail}
	b.ReportAllocs()
	for n := range b.N {
		o.Number, o.Planned = n, time.Duration(n)*time.Millisecond
		tally.Add(&o)
	}
}
