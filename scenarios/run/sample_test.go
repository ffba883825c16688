package run

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/service"
	"github.com/hellochaos/hellochaos/service/trail"
	"github.com/hellochaos/hellochaos/target"
)

// Services of the tutorial.
const (
	frontend   = "frontend"
	middleware = "middleware"
	backend    = "backend"
)

var own = []string{frontend, middleware, backend}

// sampled is what is known of the samples of stage retry before anything was read.
func sampled(t *testing.T) sampling {
	t.Helper()
	return sampling{plan: attack.Plan{Name: "1/retry", Cohorts: []attack.Cohort{{Name: "all"}}}, first: planOf(t, "retry", usual(), nil).phases[1].first, began: began}
}

// recording is what a service recorded of request 1/retry/0: tries as "path status begin", begin in milliseconds.
func recording(service string, spans ...trail.Span) trail.Recording {
	for i := range spans {
		spans[i].Number, spans[i].Request = int64(i), "1/retry/0"
		path := pathOf(spans[i].Tries)
		spans[i].Attempt = path[len(path)-1].attempt
	}
	return trail.Recording{Service: service, Version: "prod", Instance: service, Recorded: int64(len(spans)), Spans: spans}
}

var began = time.Unix(1000, 0)

// span is a try that began some milliseconds after the request.
func span(tries string, milliseconds float64) trail.Span {
	return trail.Span{Tries: tries, Begin: began.UnixNano() + int64(milliseconds*1e6), Elapsed: time.Millisecond, Status: 500}
}

// delivered is a trail of hops that answered at these attempts.
func delivered(attempts ...int) *trail.Hop {
	var hop *trail.Hop
	for i := len(attempts) - 1; i >= 0; i-- {
		next := &trail.Hop{Service: own[i], Version: "prod", Attempt: attempts[i]}
		if hop != nil {
			next.Calls = []trail.Call{{Hop: hop}}
		}
		hop = next
	}
	return hop
}

// tree is a trail of a frontend that called the middleware, which called the backend, and, as its third call, the backend.
func tree() *trail.Hop {
	hop := delivered(1, 1, 1)
	hop.Calls = append(hop.Calls, trail.Call{Number: 2, URL: "http://backend/", Hop: &trail.Hop{Service: backend, Version: "prod", Attempt: 2}})
	return hop
}

// The time in which a try waited for its calls is from the first one's beginning to the last one's end, and its outcome that
// of the first one that failed.
func TestSpanOfSeveralCalls(t *testing.T) {
	at := func(milliseconds int64) int64 { return began.UnixNano() + milliseconds*1e6 }
	for _, test := range []struct {
		name           string
		calls          []trail.SpanCall
		start, elapsed float64 // negative: none
		status         int
	}{
		{"none", nil, -1, -1, 0},
		{"one", []trail.SpanCall{{Begin: at(2), Elapsed: 3 * time.Millisecond, Status: 404}}, 0.002, 0.003, 404},
		{"side by side", []trail.SpanCall{{Begin: at(3), Elapsed: 9 * time.Millisecond, Status: 200}, {Number: 1, Begin: at(2), Elapsed: time.Millisecond, Status: 503}}, 0.002, 0.01, 503},
		{"in turn", []trail.SpanCall{{Begin: at(2), Elapsed: time.Millisecond, Status: 201}, {Number: 3, Begin: at(5), Elapsed: 2 * time.Millisecond, Status: 200}}, 0.002, 0.005, 201},
		{"two failed", []trail.SpanCall{{Begin: at(2), Elapsed: 1, Status: 200}, {Number: 1, Begin: at(2), Elapsed: 1, Status: 0}, {Number: 2, Begin: at(2), Elapsed: 1, Status: 500}}, 0.002, 1e-9, 0},
	} {
		s := sampled(t)
		try := span("1", 1)
		try.Calls = test.calls
		s.recordings = []trail.Recording{recording(frontend, try)}
		got := s.sample(&attack.Sample{Observation: attack.Observation{Latency: time.Second, Trail: delivered(1)}}).Spans[1]
		if test.calls == nil {
			if got.CallStart != nil || got.CallElapsed != nil || got.CallStatus != nil {
				t.Errorf("%s: %+v, want no call", test.name, got)
			}
			continue
		}
		if *got.CallStart != test.start || *got.CallElapsed != test.elapsed || *got.CallStatus != test.status {
			t.Errorf("%s: from %v for %v with %d, want %v, %v and %d", test.name, *got.CallStart, *got.CallElapsed, *got.CallStatus, test.start, test.elapsed, test.status)
		}
	}
}

// What must have been made and was not recorded is named, and nothing is invented for it.
func TestMissing(t *testing.T) {
	known := sampled(t)
	for _, test := range []struct {
		name     string
		told     []trail.Recording
		trail    *trail.Hop
		parents  []int // of the spans after the edge's
		missing  string
		sampling sampling
	}{
		{"all there", []trail.Recording{recording(backend, span("0.1.1", 3)), recording(frontend, span("0", 1)), recording(middleware, span("0.1", 2))},
			delivered(0, 1, 1), []int{0, 1, 2}, "", sampling{}},
		{"a failed request without a trail", nil, nil, nil, "", sampling{}},
		{"an earlier attempt", []trail.Recording{recording(frontend, span("0", 1)), recording(middleware, span("0.3", 3))}, nil, []int{0, 1},
			"2 tries were made and are not recorded: middleware 0.1, middleware 0.2", sampling{}},
		{"a caller", []trail.Recording{recording(backend, span("2.1.1", 3)), recording(frontend, span("2", 1))}, nil, []int{0, 1},
			"2 tries were made and are not recorded: frontend 1, middleware 2.1", sampling{}},
		{"what the trail tells of", []trail.Recording{recording(frontend, span("1", 1))}, delivered(1, 2), []int{0},
			"2 tries were made and are not recorded: middleware 1.1, middleware 1.2", sampling{}},
		{"one", nil, delivered(0), nil, "1 try was made and is not recorded: frontend 0", sampling{}},
		{"many", nil, delivered(12), nil, "12 tries were made and are not recorded: frontend 1, frontend 2, frontend 3, frontend 4, frontend 5, frontend 6, " +
			"frontend 7, frontend 8 and 4 more", sampling{}},
		{"all of a tree", []trail.Recording{recording(backend, span("1:2.2", 5), span("1:2.1", 4), span("1.1.1", 3)), recording(frontend, span("1", 1)),
			recording(middleware, span("1.1", 2))}, tree(), []int{0, 1, 2, 1, 1}, "", sampling{}},
		{"a tree's tries", []trail.Recording{recording(frontend, span("1", 1)), recording(middleware, span("1.1", 2))}, tree(), []int{0, 1},
			"3 tries were made and are not recorded: backend 1.1.1, 1:2.1, backend 1:2.2", sampling{}},
		{"a caller in a tree", []trail.Recording{recording(backend, span("1:2.1:1.1", 1))}, nil, []int{0},
			"2 tries were made and are not recorded: frontend 1, 1:2.1", sampling{}},
		{"a count that is none", nil, delivered(2_000_000_000), nil, "1 try was made and is not recorded: frontend 2000000000", sampling{}},
		{"more hops than are known", []trail.Recording{recording("cellar", span("1.1.1.2", 1))}, nil, []int{0},
			"4 tries were made and are not recorded: frontend 1, middleware 1.1, backend 1.1.1, 1.1.1.1", sampling{}},
		{"recorded before the phase", []trail.Recording{recording(frontend, span("1", 1), span("2", 2))}, delivered(2), []int{0},
			"1 try was made and is not recorded: frontend 1", sampling{marks: map[string]int64{frontend: 1}}},
		{"clocks that differ", []trail.Recording{recording(frontend, span("0", -2)), recording(middleware, span("0.1", -7))}, nil, []int{0, 1},
			"by their own clocks middleware began 5.000 ms before its caller frontend: the clocks of their machines differ", sampling{}},
		{"the same path twice", []trail.Recording{recording(frontend, span("0", 1), span("0", 2))}, nil, []int{0, 0},
			"frontend 0 was recorded more than once: the calls that it made are shown with the first record", sampling{}},
		{"an answer that was refused", nil, nil, nil, "reading the spans: no route", sampling{unread: errors.New("reading the spans:\nno route")}},
		{"no mark", nil, nil, nil, "what was recorded before the phase could not be told apart: gone", sampling{unmarked: errors.New("gone")}},
		{"more than is told", []trail.Recording{{Service: "a", Version: "b", LeftOut: 5}}, nil, nil, "a-b has 5 more tries of the phase's samples than it reports", sampling{}},
	} {
		s := known
		s.marks, s.unmarked, s.unread, s.recordings = test.sampling.marks, test.sampling.unmarked, test.sampling.unread, test.told
		got := s.sample(&attack.Sample{Why: attack.Slowest, Observation: attack.Observation{Latency: time.Second, Trail: test.trail}})
		if got.Missing != test.missing {
			t.Errorf("%s: missing %q, want %q", test.name, got.Missing, test.missing)
		}
		if len(got.Spans) != 1+len(test.parents) {
			t.Errorf("%s: %d spans, want %d: %+v", test.name, len(got.Spans), 1+len(test.parents), got.Spans)
			continue
		}
		for i, parent := range test.parents {
			if got.Spans[1+i].Parent != parent {
				t.Errorf("%s: span %d has parent %d, want %d", test.name, 1+i, got.Spans[1+i].Parent, parent)
			}
		}
		if got.Cohort != "all" || got.Why != "slowest" || got.Trace != "" {
			t.Errorf("%s: %+v", test.name, got)
		}
	}
}

func TestTraceOfASample(t *testing.T) {
	s := sampled(t)
	s.plan.Trace = true
	got := s.sample(&attack.Sample{Observation: attack.Observation{Number: 4}})
	if got.Trace != attack.TraceID("1/retry/4", began) || got.Trace == "" {
		t.Errorf("trace %q", got.Trace)
	}
}

// serving is a target whose only service is there, without a mesh before it.
type serving struct {
	standIn
	service *service.Service
}

func (s *serving) Spans(_ context.Context, requests []string) ([]trail.Recording, error) {
	w := httptest.NewRecorder()
	s.service.ServeHTTP(w, httptest.NewRequest(http.MethodGet, trail.SpansPath+"?"+target.SpansQuery(requests).Encode(), nil))
	recording, err := target.ReadSpans(w.Body)
	if err != nil {
		return nil, err
	}
	return []trail.Recording{*recording}, nil
}

// A service keeps the last 32,768 tries. Of a request before them it tells nothing, and the sample says so.
func TestOverwrittenSpansAreMissing(t *testing.T) {
	const kept, more = 32 << 10, 100
	s, err := service.New(service.Config{Service: frontend, Version: "prod", Upstream: "http://middleware/"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	on := &serving{service: s}
	got := sampled(t)
	plan := &got.plan
	try := func(name string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header = http.Header{"X-Hellochaos-Request": {name}, "Fail": {"1"}, "X-Envoy-Attempt-Count": {"1"}}
		s.ServeHTTP(httptest.NewRecorder(), r)
	}
	for n := range 30 { // of an earlier run with the same seed
		try(plan.RequestName(n))
	}
	got.mark(t.Context(), on)
	got.began = time.Now()
	at := make([]time.Duration, kept+more)
	for n := range at {
		at[n] = time.Since(got.began)
		try(plan.RequestName(n))
	}
	sample := func(n int) attack.Sample {
		return attack.Sample{Observation: attack.Observation{Number: n, Started: at[n], Status: 500, Trail: delivered(1)}}
	}
	samples := []attack.Sample{sample(10), sample(kept)}
	got.read(t.Context(), on, samples)
	told := got.samples(samples)
	const want = "1 try was made and is not recorded: frontend 1; " +
		"frontend-prod has overwritten the first 130 of its 32868 tries of the phase, perhaps some of this request"
	// The 30 tries before the phase were overwritten as well; they are none of its.
	if text := strings.Replace(want, "first 130", "first 100", 1); told[0].Missing != text || len(told[0].Spans) != 1 {
		t.Errorf("request 10: %d spans, missing %q, want 1 and %q", len(told[0].Spans), told[0].Missing, text)
	}
	if told[1].Missing != "" || len(told[1].Spans) != 2 || told[1].Spans[1].Status != 500 {
		t.Errorf("request %d: %+v", kept, told[1])
	}
}

// Whatever goes wrong with spans takes nothing away but them.
func TestSpansThatCannotBeReadFailNothing(t *testing.T) {
	on := newStandIn(t)
	on.at = "spans"
	report := on.run(t, limited(20)).Execute(t.Context(), on)
	if report.Error != "" || report.ExitCode() == reports.ExitInfrastructure || report.Verdict == reports.Fail {
		t.Errorf("the run failed: %s", report.Error)
	}
	for _, p := range report.Phases {
		if len(p.Samples) == 0 || !strings.Contains(p.Samples[0].Missing, "spans went wrong") || len(p.Samples[0].Spans) != 1 {
			t.Errorf("%s: samples %+v", p.Name, p.Samples)
		}
	}
}

// Who answers a try that was not recorded is known from the graph, where only one service can: of the second of two calls side by
// side, of a version's own call, and of a service in another namespace; not where two versions call different services.
func TestMissingTriesOfAnyGraph(t *testing.T) {
	yaml := deployed("frontend", "v1", `[[{"url":"http://middle/"},{"url":"http://far.other/"}]]`, "") + served("frontend") +
		deployed("middle", "v1", `[[{"url":"http://often/"}]]`, "") + deployed("middle", "v2", `[[{"url":"http://seldom/"}],[{"url":"http://seldom/"}]]`, "") + served("middle") +
		deployed("often", "v1", "[]", "") + served("often") + deployed("seldom", "v1", "[]", "") + served("seldom") +
		"apiVersion: v1\nkind: Namespace\nmetadata: {name: other, labels: {istio-injection: enabled}}\n---\n" +
		strings.ReplaceAll(deployed("far", "v1", "[]", "")+served("far"), "metadata: {name: far", "metadata: {namespace: other, name: far")
	objects, err := manifests.Parse("mine.yaml", []byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Plan("mine", []scenarios.Phase{{Name: "mine", Objects: objects, Cohorts: []scenarios.Cohort{{Entry: manifests.Entry{Service: "frontend"}}}}}, usual(), pace)
	if err != nil {
		t.Fatal(err)
	}
	for tries, want := range map[string]string{"0": "frontend", "0.1": "middle", "0:1.4": "far", "0.1.1": "", "0.1:1.1": "seldom", "0:2.1": "", "0.1.1.1": ""} {
		if got := serviceAt(r.phases[0].first[:1], pathOf(tries)); got != want {
			t.Errorf("%s is answered by %q, want %q", tries, got, want)
		}
	}
}
