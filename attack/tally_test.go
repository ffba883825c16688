package attack

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/hellochaos/hellochaos/service/trail"
)

// hop is the trail of a service; call is the call that it made, or nil.
func hop(service, version string, status, attempt int, elapsed time.Duration, call *trail.Call) *trail.Hop {
	h := &trail.Hop{Service: service, Version: version, Status: status, Attempt: attempt, Elapsed: elapsed}
	if call != nil {
		h.Calls = []trail.Call{*call}
	}
	return h
}

func call(url string, status int, elapsed time.Duration, hop *trail.Hop) *trail.Call {
	return &trail.Call{URL: url, Status: status, Elapsed: elapsed, Hop: hop}
}

// Services of the demo chain.
const (
	frontend   = "frontend"
	middleware = "middleware"
	backend    = "backend"
)

// chainTally is an empty tally of the demo chain.
func chainTally(cohorts int) *Tally { return NewTally(cohorts, frontend, middleware, backend) }

const (
	clockURL = "http://clock.outside.svc.cluster.local/"
	ms       = time.Millisecond
)

// tallied are observations of one cohort. A comment says what each adds to the counts.
var tallied = []Observation{
	// Nothing failed; the frontend answered at its third try, the middleware at its second.
	{Status: 200, Latency: 90 * ms, Trail: hop("frontend", "prod", 200, 3, 30*ms,
		call("http://middleware/", 200, 29*ms, hop("middleware", "canary", 200, 2, 4*ms,
			call("http://backend/", 200, 3*ms, hop("backend", "prod", 200, 1, 2*ms,
				call(clockURL, 200, ms, nil))))))},
	// The call to the clock failed, which does not count as a failure of the chain.
	{Status: 200, Latency: 10 * ms, Trail: hop("frontend", "prod", 200, 1, 9*ms,
		call("http://middleware:80/", 200, 8*ms, hop("middleware", "prod", 200, 1, 7*ms,
			call("http://backend.default.svc.cluster.local/", 200, 6*ms, hop("backend", "prod", 200, 1, 5*ms,
				call("http://time.jsontest.com/", 502, ms, nil))))))},
	// The backend failed at its last try, and the middleware absorbed it: cascading, but no failure at the edge.
	{Status: 200, Latency: 10 * ms, Trail: hop("frontend", "prod", 200, 1, 9*ms,
		call("http://middleware/", 200, 8*ms, hop("middleware", "prod", 200, 1, 7*ms,
			call("http://backend/", 500, 6*ms, hop("backend", "prod", 500, 4, ms, nil)))))},
	// A proxy answered the call to the middleware.
	{Status: 200, Latency: 10 * ms, Trail: hop("frontend", "prod", 200, 1, 9*ms, call("http://middleware/", 503, 8*ms, nil))},
	// There was no answer from the middleware.
	{Status: 200, Latency: 10 * ms, Trail: hop("frontend", "prod", 200, 1, 9*ms, call("http://middleware/", 0, 8*ms, nil))},
	// The frontend failed, and answered with its trail; there was no proxy before it.
	{Status: 500, Latency: 2 * ms, Trail: hop("frontend", "prod", 500, 0, ms, nil)},
	// The gateway itself answered; there was no answer; an answer without a trail.
	{Status: 504, Latency: 2 * time.Second},
	{Error: Timeout, Latency: 3 * time.Second},
	{Status: 404, Latency: ms},
}

func TestTally(t *testing.T) {
	tally := chainTally(2)
	for i, o := range tallied {
		o.Number, o.Cohort = 2*i+1, 1
		tally.Add(&o)
	}
	got := tally.Cohorts[1]
	if got.Requests != 9 || got.EdgeFailures != 3 {
		t.Errorf("%d requests and %d failures at the edge, want 9 and 3", got.Requests, got.EdgeFailures)
	}
	equal(t, "statuses", got.Statuses, map[int]int64{200: 5, 500: 1, 504: 1, 404: 1, 0: 1})
	equal(t, "errors", got.Errors, map[string]int64{Timeout: 1})
	if other := tally.Cohorts[0]; other.Requests != 0 || len(other.Hops) != 0 {
		t.Errorf("the other cohort: got %+v, want nothing", other)
	}
	type attempts = map[int]Outcomes
	for service, want := range map[string]struct {
		calls, failed      int64
		versions, attempts string
	}{
		frontend: {9, 3, "map[prod:6]",
			fmt.Sprint(attempts{0: {0, 1}, 1: {4, 0}, 3: {1, 0}})},
		middleware: {5, 2, "map[canary:1 prod:2]", fmt.Sprint(attempts{1: {2, 0}, 2: {1, 0}})},
		backend:    {3, 1, "map[prod:3]", fmt.Sprint(attempts{1: {2, 0}, 4: {0, 1}})},
		Clock:      {2, 1, "map[]", fmt.Sprint(attempts{})},
	} {
		h := got.Hops[service]
		if h == nil {
			t.Errorf("%s: not tallied", service)
			continue
		}
		if h.Calls != want.calls || h.Failed != want.failed {
			t.Errorf("%s: got %d calls, %d failed, want %d, %d", service, h.Calls, h.Failed, want.calls, want.failed)
		}
		if got := fmt.Sprint(h.Versions); got != want.versions {
			t.Errorf("%s versions: got %s, want %s", service, got, want.versions)
		}
		seen := attempts{}
		for attempt, outcomes := range h.Attempts {
			if outcomes != (Outcomes{}) {
				seen[attempt] = outcomes
			}
		}
		if got := fmt.Sprint(seen); got != want.attempts {
			t.Errorf("%s attempts: got %s, want %s", service, got, want.attempts)
		}
	}
}

// A hop that makes several calls is counted once for each time that it is called, and so is each of its calls. The clock between
// them is not a service of the chain.
func TestTallyOfATree(t *testing.T) {
	backendAt := func(attempt, status int) *trail.Hop { return hop("backend", "prod", status, attempt, ms, nil) }
	middlewareHop := hop("middleware", "prod", 200, 2, 5*ms, call("http://backend/", 200, 4*ms, backendAt(1, 200)))
	middlewareHop.Calls = append(middlewareHop.Calls, *call(clockURL, 502, ms, nil), *call("http://backend/", 500, 4*ms, backendAt(3, 500)))
	root := hop("frontend", "prod", 200, 1, 9*ms, call("http://middleware/", 200, 8*ms, middlewareHop))
	root.Calls = append(root.Calls, *call("http://backend/", 200, 3*ms, backendAt(4, 200)))
	tally := chainTally(1)
	for number := range 3 {
		tally.Add(&Observation{Number: number, Status: 200, Latency: 10 * ms, Trail: root})
	}
	got := tally.Cohorts[0]
	if got.Hops[backend].Calls != 9 || got.Hops[backend].Failed != 3 || got.Hops[middleware].Calls != 3 || got.Hops[Clock].Calls != 3 {
		t.Errorf("backend %+v, middleware %+v; want 9 calls of which 3 failed, 3 calls", got.Hops[backend], got.Hops[middleware])
	}
	want := []Calls{{Edge, frontend, "prod", 3, 0}, {frontend, middleware, "prod", 3, 0}, {frontend, backend, "prod", 3, 0},
		{middleware, Clock, "", 3, 3}, {middleware, backend, "prod", 6, 3}}
	if edges := tally.Edges(); !slices.Equal(edges, want) {
		t.Errorf("edges %+v\nwant %+v", edges, want)
	}
	// A tree's tries are those of all its calls: 1 + 2 + 1 + 3 + 4.
	clean := Observation{Number: 7, Status: 200, Trail: hop("frontend", "prod", 200, 10, 9*ms, nil)}
	tally.Add(&clean)
	for _, s := range tally.Samples() {
		if (s.Number == 0) != strings.Contains(s.Why, MostTries) {
			t.Errorf("sample %d is kept for %q, want the most tries of the first tree", s.Number, s.Why)
		}
	}
}

// The services of the chain may have any names. All other calls count at the clock.
func TestTallyOfAnotherChain(t *testing.T) {
	observation := Observation{Status: 200, Trail: hop("shop", "a", 200, 1, 0,
		call("http://till.default.svc/", 200, 0, hop("till", "b", 200, 1, 0,
			call("http://frontend/", 500, 0, nil))))}
	failedTill := Observation{Status: 200, Trail: hop("shop", "a", 200, 1, 0, call("http://till/", 503, 0, nil))}
	for _, test := range []struct {
		own               []string
		shop, till, clock int64
	}{
		{[]string{"shop", "till"}, 2, 2, 1},
		{[]string{"shop"}, 2, 0, 3},
		{nil, 0, 0, 5},
	} {
		tally := NewTally(1, test.own...)
		tally.Add(&observation)
		tally.Add(&failedTill)
		c := tally.Cohorts[0]
		calls := func(service string) int64 {
			if h := c.Hops[service]; h != nil {
				return h.Calls
			}
			return 0
		}
		if shop, till, clock := calls("shop"), calls("till"), calls(Clock); shop != test.shop || till != test.till || clock != test.clock {
			t.Errorf("own %q: got %d, %d and %d calls to shop, till and clock, want %d, %d and %d",
				test.own, shop, till, clock, test.shop, test.till, test.clock)
		}
	}
}

func equal[K comparable](t *testing.T, what string, got, want map[K]int64) {
	t.Helper()
	if !maps.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// within reports whether a value of a histogram, in microseconds, is d to within 1 %.
func within(micros int64, d time.Duration) bool {
	want := d.Microseconds()
	return micros >= want && micros <= want+want/100+1
}

func TestTallyLatency(t *testing.T) {
	tally := chainTally(1)
	for _, o := range tallied {
		tally.Add(&o)
	}
	ok, failed := tally.Latency(true), tally.Latency(false)
	if ok.TotalCount() != 6 || !within(ok.Max(), 90*ms) {
		t.Errorf("ok: got %d of up to %dµs, want 6 of up to 90ms", ok.TotalCount(), ok.Max())
	}
	// The timeout after three seconds counts as longer than all known latencies.
	if overflow := Overflow.Microseconds(); failed.TotalCount() != 3 || failed.ValueAtPercentile(100) < overflow || !within(failed.ValueAtPercentile(50), 2*time.Second) {
		t.Errorf("failed: got %d with median %dµs and maximum %dµs, want 3 with 2s and %dµs",
			failed.TotalCount(), failed.ValueAtPercentile(50), failed.Max(), overflow)
	}
	for range 2 { // the first reader may change its copy
		var byTries string
		for _, l := range tally.LatencyByTries() {
			for _, h := range []*hdrhistogram.Histogram{l.OK, l.Failed} {
				if h == nil {
					byTries += fmt.Sprintf("%d:nil ", l.Tries)
					continue
				}
				byTries += fmt.Sprintf("%d:%d ", l.Tries, h.TotalCount())
				h.Reset()
			}
		}
		if want := "0:1 0:3 1:4 1:nil 3:1 3:nil "; byTries != want {
			t.Errorf("ok and failed by tries: got %s, want %s", byTries, want)
		}
	}
}

func TestTallySeconds(t *testing.T) {
	tally := chainTally(1)
	for _, second := range []int{0, 0, 0, 2, 2, 7} {
		status := 200
		if second == 2 {
			status = 500
		}
		tally.Add(&Observation{Planned: time.Duration(second)*time.Second + 10*ms, Latency: time.Duration(second+1) * 10 * ms, Status: status})
	}
	want := "[{0 [{9984 3}] []} {2 [] [{29952 2}]} {7 [{79872 1}] []}]"
	if got := fmt.Sprint(tally.Seconds()); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := fmt.Sprint(tally.Seconds()); got != want {
		t.Errorf("read again: got %s, want %s", got, want)
	}
	// The bins of all seconds together are the whole histogram.
	restored := newHistogram()
	for _, second := range tally.Seconds() {
		for _, bin := range second.OK {
			restored.RecordValues(int64(bin.Micros), int64(bin.Count))
		}
	}
	if !restored.Equals(tally.Latency(true)) {
		t.Errorf("bins of the seconds make %v, want %v", restored.CumulativeDistribution(), tally.Latency(true).CumulativeDistribution())
	}
}

// A tally stays small, whatever names servers answer with.
func TestTallyIsBounded(t *testing.T) {
	tally := chainTally(1)
	for i := range 1000 {
		tally.Add(&Observation{Number: i, Status: 200, Trail: hop("frontend", fmt.Sprint("v", i), 200, i, 0,
			call(fmt.Sprintf("http://host%d/", i), 200, 0, nil))})
	}
	h := tally.Cohorts[0].Hops[frontend]
	if len(h.Versions) != maxVersions+1 || h.Versions[otherVersion] != 1000-maxVersions {
		t.Errorf("got %d versions, %d calls in %s", len(h.Versions), h.Versions[otherVersion], otherVersion)
	}
	if got := h.Attempts[MaxTries].OK; got != 1000-MaxTries {
		t.Errorf("got %d calls at %d tries or more, want %d", got, MaxTries, 1000-MaxTries)
	}
	if got := len(tally.LatencyByTries()); got != MaxTries+1 {
		t.Errorf("got latencies of %d numbers of tries, want %d", got, MaxTries+1)
	}
	if got := len(tally.Cohorts[0].Hops); got != 2 {
		t.Errorf("got %d hops, want the frontend and the clock", got)
	}
}

func TestHistogramRange(t *testing.T) {
	h := newHistogram()
	for _, d := range []time.Duration{-time.Second, 0, time.Microsecond, MaxTimeout, Overflow, time.Hour} {
		record(h, d)
	}
	if h.TotalCount() != 6 || h.Min() != 0 {
		t.Errorf("got %d values from %d on, want all six from 0 on", h.TotalCount(), h.Min())
	}
	if got := quantile(h, 0.5); got < time.Microsecond || got > time.Millisecond {
		t.Errorf("median: got %v, want a microsecond", got)
	}
	if got := quantile(h, 0.66); got < MaxTimeout || got >= Overflow {
		t.Errorf("two thirds: got %v, want at least %v and below %v", got, MaxTimeout, Overflow)
	}
	if got := quantile(h, 0.8); got < Overflow {
		t.Errorf("four fifths: got %v, want %v or more", got, Overflow)
	}
	if got := quantile(hdrhistogram.New(1, 2, 1), 0.5); got != 0 {
		t.Errorf("of nothing: got %v, want 0", got)
	}
	if got := h.ByteSize(); got > 22_000 {
		t.Errorf("got a histogram of %d bytes, the documentation says 21.5 KB", got)
	}
}

// A call is counted at the service that answered it, whatever the host in its address is called.
func TestTallyCountsCallsWhereTheyWereAnswered(t *testing.T) {
	tally := chainTally(1)
	tally.Add(&Observation{Status: 200, Trail: hop("frontend", "prod", 200, 0, ms,
		call("http://mw.other.svc:80/", 200, ms, hop("middleware", "prod", 200, 1, ms, call("http://backend/", 503, ms, nil))))})
	var got []string
	for _, e := range tally.Edges() {
		got = append(got, fmt.Sprintf("%s>%s-%s %d/%d", e.From, e.To, e.Version, e.Failed, e.Calls))
	}
	want := []string{"edge>frontend-prod 0/1", "frontend>middleware-prod 0/1", "middleware>backend- 1/1"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
