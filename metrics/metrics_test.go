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
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/service/trail"
	"github.com/hellochaos/hellochaos/stats"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// answered is an answer of the frontend that reports a call to middleware.
func answered(number, cohort, status int, version string) *attack.Observation {
	return &attack.Observation{Number: number, Cohort: cohort, Latency: 3 * time.Millisecond, Status: 200, Trail: &trail.Hop{
		Service: "frontend", Version: "prod", Status: 200, Attempt: 1, Elapsed: time.Millisecond,
		Calls: []trail.Call{{URL: "http://middleware/", Status: status, Hop: &trail.Hop{Service: "middleware", Version: version, Status: status, Attempt: 2}}}}}
}

// running is a phase of two cohorts after seven requests.
func running() scenarios.Snapshot {
	tally := attack.NewTally(2, "frontend", "middleware")
	for i, o := range []*attack.Observation{
		answered(0, 0, 200, "prod"), answered(1, 1, 200, "canary"), answered(2, 0, 500, "prod"), answered(3, 1, 200, "canary"),
		{Status: 503, Latency: 30 * time.Millisecond}, {Cohort: 1, Error: attack.Timeout, Latency: time.Second}, {Error: attack.Refused, Latency: time.Millisecond},
	} {
		o.Number = i
		tally.Add(o)
	}
	measured := 0.5
	return scenarios.Snapshot{Stage: "canary", Tally: tally, Cohorts: []string{"no header", "exact header"},
		Phase: reports.Phase{Name: "after", Entry: "gateway", Started: time.Unix(1767323046, 250_000_000), Planned: 2000, PlannedRate: 800, Observed: 7},
		Checks: []reports.Check{{Name: "canary, exact header", Kind: reports.Exact, Unit: "share",
			After: &reports.Measurement{Predicted: 1, Band: stats.Interval{Lo: 1, Hi: 1}, Measured: &measured, Interval: &stats.Interval{Lo: 0.25, Hi: 0.75}, K: 2, N: 4}}}}
}

const whileRunning = `
# HELP hellochaos_responses_total Requests by the status of their answer. Code 0 is a request without a whole answer.
# TYPE hellochaos_responses_total counter
hellochaos_responses_total{code="0",cohort="exact header",phase="after",stage="canary"} 1
hellochaos_responses_total{code="0",cohort="no header",phase="after",stage="canary"} 1
hellochaos_responses_total{code="200",cohort="exact header",phase="after",stage="canary"} 2
hellochaos_responses_total{code="200",cohort="no header",phase="after",stage="canary"} 2
hellochaos_responses_total{code="503",cohort="no header",phase="after",stage="canary"} 1
# HELP hellochaos_edge_failures_total Requests that failed at the edge, by the reason: 5xx, or the kind of error.
# TYPE hellochaos_edge_failures_total counter
hellochaos_edge_failures_total{cohort="exact header",phase="after",reason="5xx",stage="canary"} 0
hellochaos_edge_failures_total{cohort="exact header",phase="after",reason="timeout",stage="canary"} 1
hellochaos_edge_failures_total{cohort="no header",phase="after",reason="5xx",stage="canary"} 1
hellochaos_edge_failures_total{cohort="no header",phase="after",reason="connection refused",stage="canary"} 1
# HELP hellochaos_requests_total Requests that have ended, by outcome: ok, or failed at the edge (5xx, timeout, no answer).
# TYPE hellochaos_requests_total counter
hellochaos_requests_total{outcome="failed",phase="after",stage="canary"} 3
hellochaos_requests_total{outcome="ok",phase="after",stage="canary"} 4
# HELP hellochaos_hop_calls_total Calls to a hop that answers at the edge report, as the caller saw them: a call with all its tries counts once.
# TYPE hellochaos_hop_calls_total counter
hellochaos_hop_calls_total{hop="frontend",outcome="failed",phase="after",stage="canary"} 3
hellochaos_hop_calls_total{hop="frontend",outcome="ok",phase="after",stage="canary"} 4
hellochaos_hop_calls_total{hop="middleware",outcome="failed",phase="after",stage="canary"} 1
hellochaos_hop_calls_total{hop="middleware",outcome="ok",phase="after",stage="canary"} 3
# HELP hellochaos_hop_answers_total Calls that a version of the hop answered.
# TYPE hellochaos_hop_answers_total counter
hellochaos_hop_answers_total{hop="frontend",phase="after",stage="canary",version="prod"} 4
hellochaos_hop_answers_total{hop="middleware",phase="after",stage="canary",version="canary"} 2
hellochaos_hop_answers_total{hop="middleware",phase="after",stage="canary",version="prod"} 2
# HELP hellochaos_hop_answers_by_attempt_total Calls that a hop answered, by the attempt count of the try that was answered. Attempt 0 is a call without a proxy on its way.
# TYPE hellochaos_hop_answers_by_attempt_total counter
hellochaos_hop_answers_by_attempt_total{attempt="1",hop="frontend",phase="after",stage="canary"} 4
hellochaos_hop_answers_by_attempt_total{attempt="2",hop="middleware",phase="after",stage="canary"} 4
# HELP hellochaos_check_measured_ratio The value that a check has measured so far. It is absent where there are no data.
# TYPE hellochaos_check_measured_ratio gauge
hellochaos_check_measured_ratio{check="canary, exact header",phase="after",stage="canary"} 0.5
# HELP hellochaos_check_band_ratio The ends of the band around the prediction in which the measured value must lie.
# TYPE hellochaos_check_band_ratio gauge
hellochaos_check_band_ratio{bound="lower",check="canary, exact header",phase="after",stage="canary"} 1
hellochaos_check_band_ratio{bound="upper",check="canary, exact header",phase="after",stage="canary"} 1
# HELP hellochaos_check_verdict 1 for the check's verdict on the phase, 0 for the others; pending until it is decided.
# TYPE hellochaos_check_verdict gauge
hellochaos_check_verdict{check="canary, exact header",phase="after",stage="canary",verdict="fail"} 0
hellochaos_check_verdict{check="canary, exact header",phase="after",stage="canary",verdict="inconclusive"} 0
hellochaos_check_verdict{check="canary, exact header",phase="after",stage="canary",verdict="pass"} 0
hellochaos_check_verdict{check="canary, exact header",phase="after",stage="canary",verdict="pending"} 1
# HELP hellochaos_run_verdict 1 for the run's verdict, 0 for the others; pending until it has ended.
# TYPE hellochaos_run_verdict gauge
hellochaos_run_verdict{verdict="fail"} 0
hellochaos_run_verdict{verdict="inconclusive"} 0
hellochaos_run_verdict{verdict="pass"} 0
hellochaos_run_verdict{verdict="pending"} 1
# HELP hellochaos_phase_start_timestamp_seconds The time at which the phase's first request was due, in seconds since 1970.
# TYPE hellochaos_phase_start_timestamp_seconds gauge
hellochaos_phase_start_timestamp_seconds{phase="after",stage="canary"} 1.76732304625e+09
`

func TestWhileRunning(t *testing.T) {
	run := New("1.2.3")
	if n := testutil.CollectAndCount(run); n != 0 {
		t.Errorf("%d series before the run has begun, want none", n)
	}
	observer := run.Observer()
	observer.Began(reports.Report{Started: time.Unix(1767323045, 0), Stages: []reports.Stage{}})
	at := running()
	observer.Phase(at)
	var names []string
	for line := range strings.Lines(whileRunning) {
		if rest, ok := strings.CutPrefix(line, "# TYPE "); ok {
			names = append(names, strings.Fields(rest)[0])
		}
	}
	if err := testutil.CollectAndCompare(run, strings.NewReader(whileRunning), names...); err != nil {
		t.Error(err)
	}
	// What comes later does not change what was copied.
	at.Tally.Add(answered(7, 0, 200, "prod"))
	if err := testutil.CollectAndCompare(run, strings.NewReader(whileRunning), names...); err != nil {
		t.Errorf("the copy changes with the tally: %v", err)
	}
	problems, err := testutil.CollectAndLint(run)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}

// A phase that is sent again starts from nothing again, and the checks of an ended phase stay.
func TestPhaseAgainAndNext(t *testing.T) {
	run := New("1")
	observer := run.Observer()
	observer.Began(reports.Report{Started: time.Unix(1, 0)})
	at := running()
	at.Phase.Name = "before"
	at.Checks[0].Before, at.Checks[0].After = at.Checks[0].After, nil
	observer.Phase(at)
	again := at
	again.Tally = attack.NewTally(2, "frontend")
	observer.Phase(again)
	requests := func(phase, want string) {
		t.Helper()
		if got := series(t, run, `hellochaos_requests_total{outcome="ok",phase="`+phase+`",stage="canary"}`); got != want {
			t.Errorf("%s: %s requests, want %s", phase, got, want)
		}
	}
	requests("before", "0")
	observer.Phase(at)
	m := *at.Checks[0].Before
	m.Verdict = reports.Fail
	edges := []reports.Edge{{From: "edge", To: "frontend", Version: "prod", Calls: 7, Failed: 3}} // the tally has them as well
	observer.Stage(reports.Stage{Name: "canary", Phases: []reports.Phase{{Name: "before", Elapsed: 2, Edges: edges, Seconds: []reports.Second{{OK: []reports.Bin{{3000, 4}}}}}},
		Checks: []reports.Check{{Name: at.Checks[0].Name, Kind: reports.Exact, Unit: "share", Before: &m}}})
	observer.Phase(running())
	requests("before", "4")
	requests("after", "4")
	for verdict, want := range map[string]string{
		`hellochaos_check_verdict{check="canary, exact header",phase="before",stage="canary",verdict="fail"}`:   "1",
		`hellochaos_check_verdict{check="canary, exact header",phase="after",stage="canary",verdict="pending"}`: "1",
		`hellochaos_stage_verdict{stage="canary",verdict="pending"}`:                                            "1",
	} {
		if got := series(t, run, verdict); got != want {
			t.Errorf("%s is %q, want %s", verdict, got, want)
		}
	}
}

// series is the value of one series, as Prometheus' text has it.
func series(t *testing.T, run *Run, name string) string {
	t.Helper()
	text, err := testutil.CollectAndFormat(run, expfmt.TypeTextPlain, name[:strings.Index(name, "{")])
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

// BenchmarkSnapshot is what a run pays four times a second when its metrics are served.
func BenchmarkSnapshot(b *testing.B) {
	run := New("1")
	at := running()
	for i := range 10_000 {
		o := answered(i, i%2, 200, "prod")
		o.Latency = time.Duration(i) * 10 * time.Microsecond
		at.Tally.Add(o)
	}
	run.Began(reports.Report{Started: time.Unix(1, 0)})
	b.ReportAllocs()
	for b.Loop() {
		run.phase(at)
	}
}

// BenchmarkScrape is one scrape of a run of ten phases.
func BenchmarkScrape(b *testing.B) {
	run := New("1")
	run.Began(reports.Report{Started: time.Unix(1, 0)})
	for _, stage := range []string{"egress", "prod", "retry", "ingress", "canary"} {
		for _, phase := range []string{"before", "after"} {
			at := running()
			at.Stage, at.Phase.Name = stage, phase
			run.phase(at)
		}
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(run)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := registry.Gather(); err != nil {
			b.Fatal(err)
		}
	}
}
