package reports

import (
	"reflect"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/stats"
)

// everything is a report in which every field of every type has a value.
func everything() *Report {
	bins := []Bin{{100, 3}, {250, 1}}
	share := func(name string, k, n int64) Share {
		return Share{Name: name, Predicted: 0.0125, PredictedError: 0.0001, Promised: pointer(0.5), Measured: pointer(float64(k) / float64(n)), Interval: &stats.Interval{Lo: 0.048, Hi: 0.052}, K: k, N: n}
	}
	call := Call{
		From: "frontend", To: "backend", Cohorts: []string{"x-dev-user: super-secret"},
		Rule: &Rule{Hosts: []string{"backend"}, Match: "end-user: jason", Rewrites: []string{"/v2"}, Mirrors: []string{"50 % copied to v2"}, Name: "VirtualService backend, http[0]", File: "retry.yaml", Line: 17, Why: "the host is open", Policy: "3 retries on 5xx", Retries: 3, RetryOn: "5xx", DefaultRetries: true, Covers500: true, CoversTimeouts: true, PerTry: 2,
			Timeout: 8, Aborts: 0.1, AbortStatus: 503, Delays: 0.2, Delay: 0.5, Answer: 301,
			Destinations: []Destination{{Name: "backend subset prod", Share: 0.8, Status: 503, TLS: true, Versions: []string{"prod"}}}},
		Fails: share("fails", 498, 1000), Tries: &Factor{Predicted: 1.875, PredictedError: 0.001, Measured: 1.88, Tries: 188, Requests: 100},
		MeanTries: 1.9, MostTries: 4, Judged: 2531, Mismatched: 3, Open: 2, Decisive: 700, Excludes: pointer(0.0098), Requests: Fail,
		Branches: []Branch{{Name: "answered at try 2", Met: 66, Wanted: 66, Verdict: Pass}, {Name: "all 4 tries fail", Wanted: 66, Why: "it takes 8 s", Verdict: NotJudged}},
		Split: &Split{Balanced: true, Unlike: true, Unit: ByRequest, UnitFrom: UnitMeasured, Parts: []SplitShare{{Share: share("prod", 80, 100), Verdict: Pass}, {Share: share("canary", 20, 100), Verdict: Pass}},
			Verdict: Pass, Note: "by load"},
		Waits:   []Wait{{Try: 2, N: 300, Predicted: 0.0125, Measured: pointer(0.0126), Interval: &stats.Interval{Lo: 0.0115, Hi: 0.0136}, Distance: 0.03, Limit: 0.1, Verdict: Pass, Note: "busy"}},
		Ledger:  &Ledger{Retries: 12, Failures: 12, Violations: 2, Attempts: []Tries{{Attempt: 1, Received: 24, Retryable: 12}}, Verdict: Fail, Note: "2 tries too many"},
		Verdict: Fail, Note: "of the calls",
	}
	started := time.Date(2026, 1, 2, 15, 4, 5, 678, time.UTC)
	return &Report{
		Schema: SchemaVersion, UpgradedFrom: "1.2",
		Tool:    Tool{Name: "hellochaos", Version: "v1.2.3", Go: "go1.26", System: "linux/amd64", Processors: 2, Draws: "2"},
		Command: []string{"hellochaos", "run", "retry", "--header", "it's | `odd`"}, Started: started, Elapsed: 5.25,
		Target:   Target{Kind: "mesh", Detail: "embedded mesh", Versions: map[string]string{"istio": "1.31.1", "kubernetes": "1.34"}, Deviation: "one-retry-less"},
		Scenario: Scenario{Name: "retry", Services: []string{"frontend", "backend"}, Derived: true},
		Settings: Settings{Seed: 1<<64 - 1, Fail: 0.5, Hang: 0.25, Cascade: "absorb", Exclude: 0.01, SplitTolerance: stats.Interval{Lo: 0.7, Hi: 1.4},
			Parameters: map[string]string{"canary-weight": "20"}, RequireTimes: true, Rate: 500, ManifestsHash: "c0ffee", Manifests: "mine"},
		Verdict: Fail, Summary: "1 of 4 checks fails", Aborted: true,
		Findings: []Finding{{ID: "dead-rule", Severity: SeverityError, Phase: "retry", File: "retry.yaml", Line: 3, Object: "VirtualService backend", Text: "nobody meets it"}},
		Cases:    &Cases{Held: 2, All: 3},
		Expectations: []Expectation{{Text: "edge fails <= 0.01", Phase: "retry", Of: "frontend from edge", Unit: UnitShare, Predicted: pointer(0.5), PredictedError: 0.001,
			Measured: pointer(0.49), Interval: &stats.Interval{Lo: 0.4, Hi: 0.6}, N: 4, Verdict: Fail, Why: "0.5 is predicted", Note: "a 404 is no failure"}},
		Changes: []Change{{From: "retry", To: "application", PutBack: true, Verdict: Fail, Why: "so few", Rate: 500, ByConnection: true, Requests: 431, Applied: 0.2, Calls: 1458, Evidence: 602, Open: 1, Mixed: 13,
			Lost: 19, OldAfterNew: 2, Late: 3, Early: 4, Proxies: []ChangedProxy{{Name: "frontend", Old: 145, New: 222, LastOld: pointer(0.06), FirstNew: pointer(0.09), Spread: 0.01, Unwatched: 0.004}},
			Troubles: []Trouble{{Kind: "lost", Count: 19, Request: "7/retry/b/169", From: "frontend", To: "middleware", At: 0.04, Expected: "middleware-prod answers", Met: "status 404 came"}},
			Words:    []string{"19 calls were lost."}}},
		Links: []Link{{Title: "Grafana: a run", URL: "http://grafana.example/d/run?from=1&to=2"}}, Remarks: []string{"Kiali did not answer"},
		Restored: NotRestored, Restoration: &Restoration{Objects: 3, Detail: "3 objects", Problem: "VirtualService backend:\n  edited since", Elapsed: 0.5}, Error: "no answer",
		Phases: []Phase{
			{Name: "application", Title: "nothing", Base: true, Entry: "direct", Verdict: Pass},
			{
				Name: "retry", Title: "calls are retried", Entry: "direct", Verdict: Fail, Started: started, Way: "loopback", Applied: 0.1, Elapsed: 2,
				Planned: 2001, Natural: 4, Probes: 1996, Sent: 2000, Observed: 1999, Unsent: 1, PlannedRate: 1000, AchievedRate: 999.5, LagMedian: 0.001, LagP99: 0.002,
				Stopped: true, GeneratorLimited: true, Late: true, Warnings: []string{"requests left late"}, Incidents: []string{"a pod was replaced"}, Replaced: true,
				Compared: []string{"Envoy's statistics: 5 of 5"},
				Shares:   []Share{share("edge fails", 2, 4), share("any of ours fails", 3, 4)},
				Calls:    []Call{call},
				Mismatches: []Mismatch{{Kind: "retry missing", From: "frontend", To: "backend", Rule: "VirtualService backend, http[0]", File: "retry.yaml", Line: 17, Count: 3,
					Request: "7/retry/p17", Probe: true, Call: "0.1", Try: 3, Expected: "a try 4", Met: "none", Status: 500, By: "backend-prod", Cohorts: []string{"all"}, FirstAt: 0.25, LastAt: 1.5, Again: "curl"}},
				Policies:  []PolicyCheck{{Policy: "connectionPool", Host: "backend", Rule: "DestinationRule backend", File: "retry.yaml", Line: 30, Requests: 7, Verdict: Pass, Text: "2 of 7 were let in"}},
				Undecided: "it did not end", Outcomes: []byte{0, 1, 2, 255},
				Manifests:     []Manifest{{Kind: "VirtualService", Name: "backend", File: "retry.yaml", YAML: "kind: VirtualService\n"}},
				PromiseBroken: true, Words: []string{"Nothing was retried."},
				Latency:       []Latency{{Outcome: "ok", Tries: 1, Quantile: 0.5, Value: 0.01, Interval: &stats.Interval{Lo: 0.009, Hi: 0.011}, N: 4}},
				Seconds:       []Second{{Number: 0, OK: bins, Failed: bins}, {Number: 1, OK: bins}},
				Distributions: []Distribution{{Outcome: "ok", Tries: 1, Bins: bins}},
				Edges:         []Edge{{From: "edge", To: "frontend", Version: "prod", Calls: 100, Failed: 7, Tries: pointer(int64(101)), FailedTries: pointer(int64(8))}},
				Samples: []Sample{{Why: "slowest", Request: 17, Name: "7/retry/17", Cohort: "all", Trace: "00112233445566778899aabbccddeeff", Started: 0.5,
					Latency: 0.1, Status: 200, Missing: "the clock's", Spans: []Span{{Service: "edge", Parent: -1, Elapsed: 0.1, Status: 200},
						{Service: "frontend", Version: "prod", Attempt: 1, Start: -0.001, Elapsed: 0.09, Status: 200, CallStart: pointer(0.01), CallElapsed: pointer(0.07), CallStatus: pointer(200)}}}},
			},
		},
	}
}

// What everything promises is true, so that a new field is added to it.
func TestEverythingIsSet(t *testing.T) {
	set := map[string]bool{}
	visit(reflect.ValueOf(everything()), "Report", set)
	for name, ok := range set {
		if !ok {
			t.Errorf("%s has a value nowhere in everything()", name)
		}
	}
	if len(set) < 150 {
		t.Errorf("%d fields, want at least 150", len(set))
	}
}

func visit(v reflect.Value, name string, set map[string]bool) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			visit(v.Elem(), name, set)
		}
	case reflect.Slice:
		for i := range v.Len() {
			visit(v.Index(i), name, set)
		}
	case reflect.Struct:
		if v.Type() == timeType {
			return
		}
		for _, f := range reflect.VisibleFields(v.Type()) {
			field := v.FieldByIndex(f.Index)
			key := v.Type().Name() + "." + f.Name
			set[key] = set[key] || !field.IsZero()
			visit(field, key, set)
		}
	}
}
