package traces

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/openzipkin/zipkin-go/model"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/hellochaos/hellochaos/reports"
)

// began is when the phase of the example began.
var began = time.Date(2026, 3, 1, 12, 0, 0, 250_000_000, time.UTC)

const (
	// carried is the trace id that the example's first request carried; the second carried none.
	carried = "0af7651916cd43dd8448eb211c80319c"
	missing = "the backend's fifth span was not recorded"
)

// example is a report with two sampled requests: one whose frontend called middleware four times, the last of which called
// the backend, and one that came to nothing.
func example() *reports.Report {
	p := func(v float64) *float64 { return &v }
	status := func(v int) *int { return &v }
	spans := []reports.Span{
		{Service: "edge", Parent: -1, Elapsed: 0.2, Status: 200},
		{Service: "frontend", Version: "prod", Parent: 0, Start: 0.001, Elapsed: 0.198, Status: 200,
			CallStart: p(0.002), CallElapsed: p(0.196), CallStatus: status(200)},
		{Service: "middleware", Version: "prod", Parent: 1, Attempt: 1, Start: 0.003, Elapsed: 0.0005, Status: 500},
		{Service: "middleware", Version: "canary", Parent: 1, Attempt: 2, Start: 0.02, Elapsed: 0.0005, Status: 499},
		{Service: "middleware", Version: "prod", Parent: 1, Attempt: 3, Start: 0.06, Elapsed: 0.0005, Status: 0},
		{Service: "middleware", Version: "prod", Parent: 1, Attempt: 4, Start: 0.15, Elapsed: 0.04, Status: 200,
			CallStart: p(0.151), CallElapsed: p(0.03), CallStatus: status(0)},
		{Service: "backend", Version: "prod", Parent: 5, Attempt: 1, Start: 0.152, Elapsed: 0.02, Status: 503},
	}
	return &reports.Report{
		Tool: reports.Tool{Version: "v1.2.3"}, Started: began.Add(-time.Second), Target: reports.Target{Kind: "mesh"},
		Phases: []reports.Phase{
			{Name: "application", Base: true, Started: began.Add(-time.Minute)},
			{Name: "retry", Entry: "direct", Started: began, Samples: []reports.Sample{
				{Why: "slowest", Request: 17, Name: "1/retry/17", Cohort: "developers", Trace: carried, Started: 1.5, Latency: 0.2, Status: 200, Spans: spans, Missing: missing},
				{Why: "failed", Request: 18, Name: "1/retry/18", Started: 1.75, Latency: 30, Spans: []reports.Span{{Service: "edge", Parent: -1, Elapsed: 30}}},
				{Why: "most tries", Request: 17, Name: "1/retry/17", Cohort: "developers", Trace: carried, Started: 1.5, Latency: 0.2, Status: 200, Spans: spans, Missing: missing},
			}},
		},
	}
}

// row is what a span says, as text: who, what, when since the phase began, what came of it, and the index of its parent.
type row struct {
	Service, Name, Kind string
	Parent              int
	Start, Elapsed      time.Duration
	Error               bool
	Attributes          string
}

func rows(spans []Span) (all []row) {
	for _, s := range spans {
		parent := slices.IndexFunc(spans, func(p Span) bool { return bytes.Equal(p.SpanId, s.ParentSpanId) && bytes.Equal(p.TraceId, s.TraceId) })
		var text []string
		for _, a := range s.Attributes {
			key := strings.TrimPrefix(a.Key, prefix)
			if !slices.Contains([]string{"http.request.method", "phase", "cohort", "request"}, key) {
				text = append(text, key+"="+valueOf(a))
			}
		}
		slices.Sort(text)
		kind := strings.ToLower(strings.TrimPrefix(s.Kind.String(), "SPAN_KIND_"))
		start := time.Unix(0, int64(s.StartTimeUnixNano))
		all = append(all, row{s.Service + " " + s.Version, s.Name, kind, parent, start.Sub(began), time.Duration(s.EndTimeUnixNano - s.StartTimeUnixNano),
			s.Status.GetCode() == otlp.Status_STATUS_CODE_ERROR, strings.Join(text, " ")})
	}
	return all
}

func TestOf(t *testing.T) {
	all, problems := Of(example())
	if len(all) != 2 || len(problems) != 0 {
		t.Fatalf("%d traces, problems %v, want 2 and none", len(all), problems)
	}
	ms := func(v float64) time.Duration { return time.Duration(v * float64(time.Millisecond)) }
	want := []row{
		{"hellochaos v1.2.3", "GET", "client", -1, ms(1500), ms(200), false, "entry=direct http.response.status_code=200 missing=" + missing + " request.number=17 why=slowest, most tries"},
		{"frontend prod", "GET", "server", 0, ms(1501), ms(198), false, "http.response.status_code=200"},
		{"frontend prod", "GET middleware", "client", 1, ms(1502), ms(196), false, "http.response.status_code=200 server.address=middleware"},
		{"middleware prod", "GET try 1", "server", 2, ms(1503), ms(0.5), true, "attempt=1 error.type=500 http.response.status_code=500"},
		{"middleware canary", "GET try 2", "server", 2, ms(1520), ms(0.5), false, "attempt=2 http.request.resend_count=1 http.response.status_code=499"},
		{"middleware prod", "GET try 3", "server", 2, ms(1560), ms(0.5), true, "attempt=3 error.type=connection_broken http.request.resend_count=2"},
		{"middleware prod", "GET try 4", "server", 2, ms(1650), ms(40), false, "attempt=4 http.request.resend_count=3 http.response.status_code=200"},
		{"middleware prod", "GET backend", "client", 6, ms(1651), ms(30), true, "error.type=no_answer server.address=backend"},
		{"backend prod", "GET try 1", "server", 7, ms(1652), ms(20), true, "attempt=1 error.type=503 http.response.status_code=503"},
	}
	if diff := cmp.Diff(want, rows(all[0].Spans)); diff != "" {
		t.Error("first request, -want +got:\n", diff)
	}
	want = []row{{"hellochaos v1.2.3", "GET", "client", -1, ms(1750), 30 * time.Second, true, "entry=direct error.type=no_answer request.number=18 why=failed"}}
	if diff := cmp.Diff(want, rows(all[1].Spans)); diff != "" {
		t.Error("second request, -want +got:\n", diff)
	}
	for _, a := range all[0].Spans[8].Attributes {
		if want, common := map[string]string{prefix + "phase": "retry", prefix + "cohort": "developers", prefix + "request": "1/retry/17"}[a.Key]; common && valueOf(a) != want {
			t.Errorf("%s is %q, want %q", a.Key, valueOf(a), want)
		}
	}
}

// Several calls of one try are one span, which does not pretend to be a call to one of the services.
func TestSeveralCalls(t *testing.T) {
	p := func(v float64) *float64 { return &v }
	r := example()
	r.Phases[1].Samples = r.Phases[1].Samples[:1]
	r.Phases[1].Samples[0].Spans = []reports.Span{
		{Service: "edge", Parent: -1, Elapsed: 0.2, Status: 200},
		{Service: "shop", Version: "v1", Parent: 0, Start: 0.001, Elapsed: 0.198, Status: 200, CallStart: p(0.002), CallElapsed: p(0.1)},
		{Service: "cart", Version: "v1", Parent: 1, Attempt: 1, Start: 0.003, Elapsed: 0.01, Status: 500},
		{Service: "ratings", Version: "v2", Parent: 1, Attempt: 1, Start: 0.003, Elapsed: 0.02, Status: 200},
		{Service: "cart", Version: "v1", Parent: 1, Attempt: 2, Start: 0.05, Elapsed: 0.01, Status: 200},
	}
	all, problems := Of(r)
	if len(all) != 1 || len(problems) != 0 {
		t.Fatalf("%d traces, problems %v, want 1 and none", len(all), problems)
	}
	var got []string
	for _, s := range rows(all[0].Spans) {
		got = append(got, fmt.Sprintf("%s|%s|%s|%d", s.Service, s.Name, s.Kind, s.Parent))
	}
	want := []string{"hellochaos v1.2.3|GET|client|-1", "shop v1|GET|server|0", "shop v1|calls to cart, ratings|internal|1",
		"cart v1|GET try 1|server|2", "ratings v2|GET try 1|server|2", "cart v1|GET try 2|server|2"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("-want +got:\n", diff)
	}
	if kind := zipkinSpans(all)[2].Kind; kind != model.Undetermined {
		t.Errorf("in Zipkin the calls are of the kind %q, want none", kind)
	}
}

// The same report gives the same ids, another run with the same seed others; all are different.
func TestIDs(t *testing.T) {
	ids := func(r *reports.Report) (text []string) {
		all, _ := Of(r)
		for _, t := range all {
			for _, s := range t.Spans {
				text = append(text, hex.EncodeToString(s.TraceId)+" "+hex.EncodeToString(s.SpanId))
			}
		}
		return text
	}
	first, again := ids(example()), ids(example())
	later := example()
	later.Started = later.Started.Add(time.Hour)
	if !slices.Equal(first, again) {
		t.Errorf("ids differ:\n%v\n%v", first, again)
	}
	if got := len(slices.Compact(slices.Sorted(slices.Values(first)))); got != 10 {
		t.Errorf("%d different spans, want 10: %v", got, first)
	}
	if !strings.HasPrefix(first[0], carried+" ") {
		t.Errorf("the trace is %s, want the one that was carried", first[0])
	}
	other := ids(later)
	if other[9] == first[9] || other[0] != first[0] {
		t.Errorf("of a later run: %v, want the carried trace as it is and another for the other", other)
	}
}

// What cannot be a trace is named, and the others are traces all the same.
func TestProblems(t *testing.T) {
	for want, spoil := range map[string]func(*reports.Phase, *reports.Sample){
		"no spans":                            func(_ *reports.Phase, s *reports.Sample) { s.Spans = nil },
		"the phase has no start":              func(p *reports.Phase, _ *reports.Sample) { p.Started = time.Time{} },
		"not 32 hexadecimal digits":           func(_ *reports.Phase, s *reports.Sample) { s.Trace = "xyz" },
		"first span must be that of the edge": func(_ *reports.Phase, s *reports.Sample) { s.Spans[0].Parent = 1 },
		"span 3 has no parent before":         func(_ *reports.Phase, s *reports.Sample) { s.Spans[3].Parent = 3 },
		"span 4 has no parent before":         func(_ *reports.Phase, s *reports.Sample) { s.Spans[4].Parent = -1 },
		"times of span 2 are out":             func(_ *reports.Phase, s *reports.Sample) { s.Spans[2].Elapsed = -1 },
		"times of span 1 are out":             func(_ *reports.Phase, s *reports.Sample) { s.Spans[1].Start = 1e300 },
		"times of span 5's call are":          func(_ *reports.Phase, s *reports.Sample) { *s.Spans[5].CallElapsed = -1 },
		"span 5 must have both the start and the duration of its call": func(_ *reports.Phase, s *reports.Sample) { s.Spans[5].CallElapsed = nil },
		"started_seconds 1e+08 is out":                                 func(_ *reports.Phase, s *reports.Sample) { s.Started = 1e8 },
		"retry: request 17 cann":                                       func(_ *reports.Phase, s *reports.Sample) { s.Spans = nil },
	} {
		r := example()
		phase := &r.Phases[1]
		phase.Samples = phase.Samples[:2]
		spoil(phase, &phase.Samples[0])
		all, problems := Of(r)
		if len(problems) == 0 || !strings.Contains(problems[0], want) {
			t.Errorf("problems %q, want %q", problems, want)
		}
		if len(all)+len(problems) != 2 {
			t.Errorf("%s: %d traces and %d problems, want 2 together", want, len(all), len(problems))
		}
	}
}
