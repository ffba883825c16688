package render

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/reporttest"
)

// observed is a report that has a value for each metric, with latencies and calls that are easy to count.
func observed() *reports.Report {
	r := reporttest.Failed()
	r.Started = time.Date(2026, 1, 2, 3, 4, 5, 250_000_000, time.UTC)
	r.Tool = reports.Tool{Version: "1.2.3", Go: "go1.26"}
	r.Findings, r.Changes = reporttest.Findings().Findings, reporttest.Changed().Changes
	p := &r.Phases[1]
	p.Started, p.Elapsed, p.Planned, p.PlannedRate, p.LagP99, p.Distributions = r.Started.Add(time.Second), 2.5, 2100, 800, 0.004, nil
	p.Seconds = []reports.Second{{OK: []reports.Bin{{400, 10}, {1000, 5}}}, {Number: 1, OK: []reports.Bin{{1001, 1}}, Failed: []reports.Bin{{99_000_000, 2}}}}
	p.Edges = []reports.Edge{
		{From: "edge", To: "frontend", Version: "prod", Calls: 18, Failed: 2},
		{From: "frontend", To: "middleware", Version: "prod", Calls: 9, Failed: 1}, {From: "frontend", To: "middleware", Version: "canary", Calls: 4},
		{From: "frontend", To: "middleware", Calls: 2, Failed: 2},
	}
	return r
}

// values are all series of a text in Prometheus' format, read by Prometheus' own parser.
func values(t *testing.T, text string) map[string]float64 {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	all := map[string]float64{}
	for name, family := range families {
		for _, m := range family.Metric {
			key := name
			for _, l := range m.Label {
				key += " " + l.GetName() + "=" + l.GetValue()
			}
			if h := m.GetHistogram(); h != nil {
				all[key+" count"], all[key+" sum"] = float64(h.GetSampleCount()), h.GetSampleSum()
				for _, b := range h.Bucket {
					all[key+" le="+model.SampleValue(b.GetUpperBound()).String()] = float64(b.GetCumulativeCount())
				}
				continue
			}
			all[key] = valueOf(m)
		}
	}
	return all
}

func valueOf(m *dto.Metric) float64 {
	if m.Counter != nil {
		return m.GetCounter().GetValue()
	}
	return m.GetGauge().GetValue()
}

func TestPrometheus(t *testing.T) {
	var out strings.Builder
	if err := Prometheus(&out, observed()); err != nil {
		t.Fatal(err)
	}
	got := values(t, out.String())
	const at, backend, middleware = " phase=retry", " call=backend phase=retry", " call=middleware phase=retry"
	for key, want := range map[string]float64{
		"hellochaos_build_info goversion=go1.26 version=1.2.3":                          1,
		"hellochaos_run_info run=20260102T030405Z-7 seed=7 target=mesh":                 1,
		"hellochaos_run_start_timestamp_seconds":                                        1767323045.25,
		"hellochaos_run_duration_seconds":                                               2.04,
		"hellochaos_run_verdict verdict=fail":                                           1,
		"hellochaos_run_verdict verdict=pass":                                           0,
		"hellochaos_run_verdict verdict=pending":                                        0,
		"hellochaos_run_exit_code":                                                      1,
		"hellochaos_findings severity=error":                                            2,
		"hellochaos_findings severity=warning":                                          1,
		"hellochaos_phase_verdict" + at + " verdict=fail":                               1,
		"hellochaos_phase_verdict phase=prod verdict=pass":                              1,
		"hellochaos_phase_info entry=direct" + at:                                       1,
		"hellochaos_phase_start_timestamp_seconds" + at:                                 1767323046.25,
		"hellochaos_phase_duration_seconds" + at:                                        2.5,
		"hellochaos_phase_planned_requests" + at:                                        2100,
		"hellochaos_phase_observed_requests" + at:                                       1380,
		"hellochaos_phase_planned_requests_per_second" + at:                             800,
		"hellochaos_phase_lag_p99_seconds" + at:                                         0.004,
		"hellochaos_phase_branches" + at:                                                10,
		"hellochaos_phase_branches_met" + at:                                            8,
		"hellochaos_requests_total outcome=ok" + at:                                     16,
		"hellochaos_requests_total outcome=failed" + at:                                 2,
		"hellochaos_request_duration_seconds outcome=ok" + at + " count":                16,
		"hellochaos_request_duration_seconds outcome=ok" + at + " le=0.0005":            10,
		"hellochaos_request_duration_seconds outcome=ok" + at + " le=0.001":             15,
		"hellochaos_request_duration_seconds outcome=ok" + at + " le=0.0025":            16,
		"hellochaos_request_duration_seconds outcome=failed" + at + " le=60":            0,
		"hellochaos_request_duration_seconds outcome=failed" + at + " count":            2,
		"hellochaos_request_duration_seconds outcome=failed" + at + " sum":              198,
		"hellochaos_hop_calls_total hop=middleware outcome=failed" + at:                 3,
		"hellochaos_hop_calls_total hop=middleware outcome=ok" + at:                     12,
		"hellochaos_hop_answers_total hop=middleware" + at + " version=canary":          4,
		"hellochaos_hop_tries_total hop=middleware" + at:                                469,
		"hellochaos_hop_predicted_amplification_ratio hop=middleware" + at:              0.9375,
		"hellochaos_mismatches_total kind=not retried" + at:                             10,
		"hellochaos_call_judged_total" + backend:                                        1614,
		"hellochaos_call_mismatched_total" + backend:                                    12,
		"hellochaos_call_mismatched_total" + middleware:                                 0,
		"hellochaos_call_open_total" + backend:                                          0,
		"hellochaos_call_excluded_ratio" + middleware:                                   0.0099612,
		"hellochaos_check_verdict check=backend: ledger" + at + " verdict=fail":         1,
		"hellochaos_check_verdict check=backend: ledger" + at + " verdict=not judged":   0,
		"hellochaos_share_measured_ratio" + at + " share=edge fails":                    0.5,
		"hellochaos_share_measured_ratio" + at + " share=middleware: fails":             0.064,
		"hellochaos_share_predicted_ratio" + at + " share=middleware: fails":            0.0625,
		"hellochaos_share_interval_ratio bound=lower" + at + " share=middleware: fails": 0.0370207,
		"hellochaos_wait_measured_seconds" + middleware + " try=3":                      0.0373,
		"hellochaos_wait_predicted_seconds" + backend + " try=4":                        0.0875,
		"hellochaos_ledger_retries_total" + backend:                                     1205,
		"hellochaos_ledger_failures_total" + backend:                                    1357,
		"hellochaos_ledger_violations_total" + backend:                                  152,
	} {
		if have, ok := got[key]; !ok || have < want-1e-6 || have > want+1e-6 {
			t.Errorf("%s is %v (%v), want %v", key, have, ok, want)
		}
	}
	if t.Failed() {
		t.Log(out.String())
	}
}

// Distributions, where a report has them, are the same latencies as its seconds.
func TestPrometheusOfDistributions(t *testing.T) {
	r := observed()
	p := &r.Phases[1]
	var seconds, distributions strings.Builder
	if err := Prometheus(&seconds, r); err != nil {
		t.Fatal(err)
	}
	p.Seconds[0].OK[0][1] = 77 // not counted a second time
	p.Distributions = []reports.Distribution{{Outcome: "ok", Bins: []reports.Bin{{400, 10}}}, {Outcome: "ok", Tries: 2, Bins: []reports.Bin{{1000, 5}, {1001, 1}}}, {Outcome: "failed", Bins: []reports.Bin{{99_000_000, 2}}}}
	if err := Prometheus(&distributions, r); err != nil {
		t.Fatal(err)
	}
	if seconds.String() != distributions.String() {
		t.Errorf("by seconds:\n%s\nby distributions:\n%s", seconds.String(), distributions.String())
	}
}

// What is not known yet while a run goes on is left out, so that no value is a false one.
func TestPrometheusOfRunning(t *testing.T) {
	r := observed()
	r.Verdict, r.Phases[1].Verdict, r.Phases[1].Calls, r.Phases[1].Shares = "", "", nil, nil
	var out strings.Builder
	if err := Prometheus(&out, r); err != nil {
		t.Fatal(err)
	}
	got := values(t, out.String())
	if got["hellochaos_run_verdict verdict=pending"] != 1 || got["hellochaos_phase_verdict phase=retry verdict=pending"] != 1 || got["hellochaos_phase_verdict phase=prod verdict=pass"] != 1 {
		t.Errorf("not pending:\n%s", out.String())
	}
	for _, name := range []string{"hellochaos_run_exit_code", "hellochaos_findings severity=error", "hellochaos_phase_duration_seconds phase=retry", "hellochaos_phase_branches phase=retry"} {
		if v, there := got[name]; there {
			t.Errorf("%s is %v before its end", name, v)
		}
	}
}

// Names, units and helps are by Prometheus' own rules, and each metric of the table has its place in a report.
func TestMetricsByConvention(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(collector{observed()})
	problems, err := testutil.GatherAndLint(registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]string{}
	for _, f := range families {
		there[f.GetName()] = strings.ToLower(f.GetType().String())
	}
	for _, m := range Metrics() {
		if there[m.Name] != m.Type {
			t.Errorf("%s: a %q, the table says %q", m.Name, there[m.Name], m.Type)
		}
	}
}

// What no report of ours holds is an error or text that Prometheus can read, and never a panic.
func TestPrometheusOfStrangeReports(t *testing.T) {
	twice := observed()
	twice.Phases = append(twice.Phases, twice.Phases[0])
	if err := Prometheus(&strings.Builder{}, twice); err == nil || !strings.Contains(err.Error(), "prod") {
		t.Errorf("a phase twice: %v, want an error that names it", err)
	}
	strange := observed()
	strange.Phases[1].Name, strange.Phases[1].Calls[0].To, strange.Phases[1].Seconds[0].OK[0] = "a\"\\\n\xff", "b\xff\n", reports.Bin{-5, -7}
	for _, r := range append(slices.Collect(maps.Values(reporttest.Named())), &reports.Report{}, strange) {
		var out strings.Builder
		if err := Prometheus(&out, r); err != nil {
			t.Errorf("%v", err)
		}
		values(t, out.String())
	}
}
