package reports

import (
	"reflect"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/stats"
)

// everything is a report in which every field of every type has a value.
func everything() *Report {
	r := example()
	r.Tool = Tool{Name: "hellochaos", Version: "v1.2.3", Go: "go1.26", System: "linux/amd64", Processors: 2}
	r.Command = []string{"hellochaos", "run", "retry", "--header", "it's | `odd`"}
	r.Started = time.Date(2026, 1, 2, 15, 4, 5, 678, time.UTC)
	r.Target.Versions = map[string]string{"istio": "1.31.1", "kubernetes": "1.34"}
	r.Settings = Settings{Seed: 1<<64 - 1, Fail: 0.5, Hang: 0.25, Cascade: "absorb", CanaryWeight: 20, Tolerance: 0.05, AlphaEarly: 0.01,
		AlphaFinal: 0.04, Rate: 500, ManifestsHash: "c0ffee", Manifests: "mine"}
	r.Links = []Link{{Title: "Grafana: a run", URL: "http://grafana.example/d/run?from=1&to=2"}}
	r.Remarks = []string{"Kiali did not answer"}
	r.Aborted, r.Error, r.Restored = true, "no answer", NotRestored
	r.Restoration = &Restoration{Objects: 3, Detail: "3 objects", Problem: "VirtualService backend:\n  edited since", Elapsed: 0.5}
	s := &r.Stages[0]
	s.Policies = []Policy{{Hop: "backend", Rule: "VirtualService backend, http[0]", Retries: 3, RetryOn: "5xx", Covers500: true, PerTry: 2, Aborts: 0.1, Answer: 503}}
	s.Manifests = []Manifest{{Kind: "VirtualService", Name: "backend", File: "retry.yaml", YAML: "kind: VirtualService\n"}}
	s.PromiseBroken = true
	s.Checks[0].Hop, s.Checks[0].Cohort = "middleware", "x-dev-user: super-secret"
	s.Checks[2].After.Attempts = []Tries{{Attempt: 1, Received: 24, Retryable: 12}}
	s.Checks[2].After.Violations, s.Checks[2].After.First = 2, []int{3, 5}
	s.Amplification[0].Before = &Factor{Predicted: 1, Measured: 1.01, Tries: 101, Requests: 100}
	s.Amplification[0].After.Tries, s.Amplification[0].After.Requests = 188, 100
	bins := []Bin{{100, 3}, {250, 1}}
	s.Phases[1] = Phase{
		Name: "after", Entry: "direct", Started: r.Started, Way: "loopback", Applied: 0.1, Elapsed: 2, Planned: 2001, Sent: 2000, Observed: 1999, Unsent: 1,
		PlannedRate: 1000, AchievedRate: 999.5, LagMedian: 0.001, LagP99: 0.002, Stopped: true, GeneratorLimited: true, Late: true,
		Warnings: []string{"requests left late"}, Incidents: []string{"a pod was replaced"}, Replaced: true, Compared: []string{"Envoy's statistics: 5 of 5"},
		Latency:       []Latency{{Outcome: "ok", Tries: 1, Quantile: 0.5, Value: 0.01, Interval: &stats.Interval{Lo: 0.009, Hi: 0.011}, N: 4}},
		Seconds:       []Second{{Number: 0, OK: bins, Failed: bins}, {Number: 1, OK: bins}},
		Distributions: []Distribution{{Outcome: "ok", Tries: 1, Bins: bins}},
		Edges:         []Edge{{From: "edge", To: "frontend", Version: "prod", Calls: 100, Failed: 7, Tries: pointer(int64(101)), FailedTries: pointer(int64(8))}},
		Samples: []Sample{{Why: "slowest", Request: 17, Name: "7/retry-after/17", Cohort: "all", Trace: "00112233445566778899aabbccddeeff", Started: 0.5,
			Latency: 0.1, Status: 200, Missing: "the clock's", Spans: []Span{{Service: "edge", Parent: -1, Elapsed: 0.1, Status: 200},
				{Service: "frontend", Version: "prod", Attempt: 1, Start: -0.001, Elapsed: 0.09, Status: 200, CallStart: pointer(0.01), CallElapsed: pointer(0.07), CallStatus: pointer(200)}}}},
	}
	return r
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
	if len(set) < 100 {
		t.Errorf("%d fields, want at least 100", len(set))
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
