package metrics

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"
	"go.uber.org/goleak"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios/observe"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
	"github.com/hellochaos/hellochaos/scenarios/run"
	"github.com/hellochaos/hellochaos/service/trail"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// answered is an answer of the frontend that reports a call to middleware.
func answered(number, cohort, status int, version string) *attack.Observation {
	return &attack.Observation{Number: number, Cohort: cohort, Latency: 3 * time.Millisecond, Status: 200, Trail: &trail.Hop{
		Service: "frontend", Version: "prod", Status: 200, Attempt: 1, Elapsed: time.Millisecond,
		Calls: []trail.Call{{URL: "http://middleware/", Status: status, Hop: &trail.Hop{Service: "middleware", Version: version, Status: status, Attempt: 2}}}}}
}

// running is a phase of two cohorts after seven natural requests and a probe.
func running() run.Progress {
	load := attack.NewTally(2, "frontend", "middleware")
	for i, o := range []*attack.Observation{
		answered(0, 0, 200, "prod"), answered(1, 1, 200, "canary"), answered(2, 0, 500, "prod"), answered(3, 1, 200, "canary"),
		{Status: 503, Latency: 30 * time.Millisecond}, {Cohort: 1, Error: attack.Timeout, Latency: time.Second}, {Error: attack.Refused, Latency: time.Millisecond},
	} {
		o.Number = i
		load.Add(o)
	}
	tally := &observe.Tally{Natural: 8, Probes: 1, Edge: 3, Any: 4, Mismatches: map[observe.Deviation]*observe.Deviations{
		{Kind: oracle.RetryMissing, Row: 1}: {Count: 2}, {Kind: oracle.RetryMissing, Row: 2}: {Count: 1}, {Kind: oracle.WrongStatus, Row: 1}: {Count: 5}}}
	return run.Progress{Tally: tally, Load: load, Cohorts: []string{"no header", "exact header"}, Done: 8,
		Phase: &reports.Phase{Name: "canary", Entry: "gateway", Started: time.Unix(1767323046, 250_000_000), Planned: 2000, PlannedRate: 800, Observed: 8, Verdict: reports.Inconclusive}}
}

const whileRunning = `
# HELP hellochaos_responses_total Natural requests by the status of their answer. Code 0 is a request without a whole answer.
# TYPE hellochaos_responses_total counter
hellochaos_responses_total{code="0",cohort="exact header",phase="canary"} 1
hellochaos_responses_total{code="0",cohort="no header",phase="canary"} 1
hellochaos_responses_total{code="200",cohort="exact header",phase="canary"} 2
hellochaos_responses_total{code="200",cohort="no header",phase="canary"} 2
hellochaos_responses_total{code="503",cohort="no header",phase="canary"} 1
# HELP hellochaos_edge_failures_total Natural requests that failed at the edge, by the reason: 5xx, or the kind of error.
# TYPE hellochaos_edge_failures_total counter
hellochaos_edge_failures_total{cohort="exact header",phase="canary",reason="5xx"} 0
hellochaos_edge_failures_total{cohort="exact header",phase="canary",reason="timeout"} 1
hellochaos_edge_failures_total{cohort="no header",phase="canary",reason="5xx"} 1
hellochaos_edge_failures_total{cohort="no header",phase="canary",reason="connection refused"} 1
# HELP hellochaos_requests_total Natural requests that have ended, by outcome: ok, or failed at the edge (5xx, timeout, no answer).
# TYPE hellochaos_requests_total counter
hellochaos_requests_total{outcome="failed",phase="canary"} 3
hellochaos_requests_total{outcome="ok",phase="canary"} 4
# HELP hellochaos_hop_calls_total Calls to a hop that answers of natural requests report, as the caller saw them: a call with all its tries counts once.
# TYPE hellochaos_hop_calls_total counter
hellochaos_hop_calls_total{hop="frontend",outcome="failed",phase="canary"} 3
hellochaos_hop_calls_total{hop="frontend",outcome="ok",phase="canary"} 4
hellochaos_hop_calls_total{hop="middleware",outcome="failed",phase="canary"} 1
hellochaos_hop_calls_total{hop="middleware",outcome="ok",phase="canary"} 3
# HELP hellochaos_hop_answers_total Calls that a version of the hop answered.
# TYPE hellochaos_hop_answers_total counter
hellochaos_hop_answers_total{hop="frontend",phase="canary",version="prod"} 4
hellochaos_hop_answers_total{hop="middleware",phase="canary",version="canary"} 2
hellochaos_hop_answers_total{hop="middleware",phase="canary",version="prod"} 2
# HELP hellochaos_hop_answers_by_attempt_total Calls that a hop answered, by the attempt count of the try that was answered. Attempt 0 is a call without a proxy on its way.
# TYPE hellochaos_hop_answers_by_attempt_total counter
hellochaos_hop_answers_by_attempt_total{attempt="1",hop="frontend",phase="canary"} 4
hellochaos_hop_answers_by_attempt_total{attempt="2",hop="middleware",phase="canary"} 4
# HELP hellochaos_share_measured_ratio A share of the natural requests or of their calls, as measured so far: of those that fail, or that lead to a destination.
# TYPE hellochaos_share_measured_ratio gauge
hellochaos_share_measured_ratio{phase="canary",share="any of ours fails"} 0.5
hellochaos_share_measured_ratio{phase="canary",share="edge fails"} 0.375
# HELP hellochaos_mismatches_total Calls that met something else than the manifests say, by kind.
# TYPE hellochaos_mismatches_total counter
hellochaos_mismatches_total{kind="not retried",phase="canary"} 3
hellochaos_mismatches_total{kind="wrong status",phase="canary"} 5
# HELP hellochaos_phase_observed_requests Requests that have ended, natural ones and probes.
# TYPE hellochaos_phase_observed_requests gauge
hellochaos_phase_observed_requests{phase="canary"} 8
# HELP hellochaos_phase_verdict 1 for the phase's verdict, 0 for the others; pending until it has ended.
# TYPE hellochaos_phase_verdict gauge
hellochaos_phase_verdict{phase="canary",verdict="fail"} 0
hellochaos_phase_verdict{phase="canary",verdict="inconclusive"} 0
hellochaos_phase_verdict{phase="canary",verdict="pass"} 0
hellochaos_phase_verdict{phase="canary",verdict="pending"} 1
# HELP hellochaos_run_verdict 1 for the run's verdict, 0 for the others; pending until it has ended.
# TYPE hellochaos_run_verdict gauge
hellochaos_run_verdict{verdict="fail"} 0
hellochaos_run_verdict{verdict="inconclusive"} 0
hellochaos_run_verdict{verdict="pass"} 0
hellochaos_run_verdict{verdict="pending"} 1
# HELP hellochaos_phase_start_timestamp_seconds The time at which the phase's first request was due, in seconds since 1970.
# TYPE hellochaos_phase_start_timestamp_seconds gauge
hellochaos_phase_start_timestamp_seconds{phase="canary"} 1.76732304625e+09
`

func TestWhileRunning(t *testing.T) {
	served := New("1.2.3")
	if n := testutil.CollectAndCount(served); n != 0 {
		t.Errorf("%d series before the run has begun, want none", n)
	}
	served.Handle(run.Began{Report: &reports.Report{Started: time.Unix(1767323045, 0), Verdict: reports.Pass}})
	at := running()
	served.Handle(at)
	var names []string
	for line := range strings.Lines(whileRunning) {
		if rest, ok := strings.CutPrefix(line, "# TYPE "); ok {
			names = append(names, strings.Fields(rest)[0])
		}
	}
	if err := testutil.CollectAndCompare(served, strings.NewReader(whileRunning), names...); err != nil {
		t.Error(err)
	}
	// What comes later does not change what was copied.
	at.Load.Add(answered(7, 0, 200, "prod"))
	if err := testutil.CollectAndCompare(served, strings.NewReader(whileRunning), names...); err != nil {
		t.Errorf("the copy changes with the tally: %v", err)
	}
	problems, err := testutil.CollectAndLint(served)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}

// A phase that is sent again starts from nothing again, and the numbers of an ended phase stay: those of its report where it has them.
func TestPhaseAgainAndNext(t *testing.T) {
	served := New("1")
	served.Handle(run.Began{Report: &reports.Report{Started: time.Unix(1, 0)}})
	at := running()
	served.Handle(run.PhaseBegan{Phase: at.Phase})
	served.Handle(at)
	value := func(name, want string) {
		t.Helper()
		if got := series(t, served, name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	const requests, calls = `hellochaos_requests_total{outcome="ok",phase="canary"}`, `hellochaos_hop_calls_total{hop="frontend",outcome="failed",phase="canary"}`
	value(requests, "4")
	served.Handle(run.PhaseBegan{Phase: at.Phase})
	value(requests, "0")
	value(calls, "")
	served.Handle(at)
	value(calls, "3")
	ended := &reports.Phase{Name: "canary", Verdict: reports.Fail, Elapsed: 2, Observed: 9, Edges: []reports.Edge{{From: "edge", To: "frontend", Version: "prod", Calls: 7, Failed: 5}},
		Seconds: []reports.Second{{OK: []reports.Bin{{3000, 4}}}}, Shares: []reports.Share{{Name: reports.EdgeFails, Predicted: 0.25}},
		Mismatches: []reports.Mismatch{{Kind: "not retried", Count: 3}}, Calls: []reports.Call{{From: "edge", To: "frontend", Requests: reports.Fail}}}
	served.Handle(run.PhaseEnded{Phase: ended})
	next := running()
	next.Phase = &reports.Phase{Name: "later"}
	served.Handle(next)
	for name, want := range map[string]string{
		requests: "4", calls: "5",
		`hellochaos_requests_total{outcome="ok",phase="later"}`:                               "4",
		`hellochaos_phase_verdict{phase="canary",verdict="fail"}`:                             "1",
		`hellochaos_phase_verdict{phase="later",verdict="pending"}`:                           "1",
		`hellochaos_check_verdict{check="frontend: each call",phase="canary",verdict="fail"}`: "1",
		`hellochaos_share_measured_ratio{phase="canary",share="edge fails"}`:                  "", // none in the report
		`hellochaos_share_predicted_ratio{phase="canary",share="edge fails"}`:                 "0.25",
		`hellochaos_mismatches_total{kind="not retried",phase="canary"}`:                      "3",
		`hellochaos_responses_total{code="503",cohort="no header",phase="canary"}`:            "1",
		`hellochaos_run_verdict{verdict="pending"}`:                                           "1",
	} {
		value(name, want)
	}
	served.Handle(run.Ended{Report: &reports.Report{Started: time.Unix(1, 0), Verdict: reports.Fail}})
	value(`hellochaos_run_verdict{verdict="fail"}`, "1")
	value(`hellochaos_phase_verdict{phase="canary",verdict="fail"}`, "1")
}

// series is the value of one series, as Prometheus' text has it.
func series(t *testing.T, served *Run, name string) string {
	t.Helper()
	text, err := testutil.CollectAndFormat(served, expfmt.TypeTextPlain, name[:strings.Index(name, "{")])
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), name+" "); ok {
			return value
		}
	}
	return ""
}

// BenchmarkProgress is what a run pays each time that its metrics are brought up to date.
func BenchmarkProgress(b *testing.B) {
	served := New("1")
	at := running()
	for i := range 10_000 {
		o := answered(i, i%2, 200, "prod")
		o.Latency = time.Duration(i) * 10 * time.Microsecond
		at.Load.Add(o)
	}
	served.Handle(run.Began{Report: &reports.Report{Started: time.Unix(1, 0)}})
	b.ReportAllocs()
	for b.Loop() {
		served.Handle(at)
	}
}

// BenchmarkScrape is one scrape of a run of six phases.
func BenchmarkScrape(b *testing.B) {
	served := New("1")
	served.Handle(run.Began{Report: &reports.Report{Started: time.Unix(1, 0)}})
	for _, phase := range []string{"application", "egress", "prod", "retry", "ingress", "canary"} {
		at := running()
		at.Phase.Name = phase
		served.Handle(at)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(served)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := registry.Gather(); err != nil {
			b.Fatal(err)
		}
	}
}
