package reports

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// observed is example with what a run that was measured has besides.
func observed() *Report {
	r := example()
	r.Started = time.Date(2026, 1, 2, 3, 4, 5, 250_000_000, time.UTC)
	r.Tool = Tool{Version: "1.2.3", Go: "go1.26"}
	p := &r.Stages[0].Phases[1]
	p.Entry, p.Started, p.Elapsed, p.Planned, p.PlannedRate, p.LagP99 = "direct", r.Started.Add(time.Second), 2.5, 2100, 800, 0.004
	p.Seconds = []Second{{OK: []Bin{{400, 10}, {1000, 5}}}, {Number: 1, OK: []Bin{{1001, 1}}, Failed: []Bin{{99_000_000, 2}}}}
	p.Edges = []Edge{
		{From: "edge", To: "frontend", Version: "prod", Calls: 18, Failed: 2},
		{From: "frontend", To: "middleware", Version: "prod", Calls: 9, Failed: 1}, {From: "frontend", To: "middleware", Version: "canary", Calls: 4},
		{From: "frontend", To: "middleware", Calls: 2, Failed: 2},
	}
	r.Stages[0].Amplification[0].After.Tries = 3760
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
	const after = " phase=after stage=retry"
	const wait, call = " check=middleware wait, try 2", " check=middleware call fails"
	for key, want := range map[string]float64{
		"hellochaos_build_info goversion=go1.26 version=1.2.3":                             1,
		"hellochaos_run_info run=20260102T030405Z-7 seed=7 target=mesh":                    1,
		"hellochaos_run_start_timestamp_seconds":                                           1767323045.25,
		"hellochaos_run_duration_seconds":                                                  5.25,
		"hellochaos_run_verdict verdict=fail":                                              1,
		"hellochaos_run_verdict verdict=pass":                                              0,
		"hellochaos_run_verdict verdict=pending":                                           0,
		"hellochaos_run_exit_code":                                                         1,
		"hellochaos_stage_verdict stage=retry verdict=fail":                                1,
		"hellochaos_phase_info entry=direct" + after:                                       1,
		"hellochaos_phase_start_timestamp_seconds" + after:                                 1767323046.25,
		"hellochaos_phase_duration_seconds" + after:                                        2.5,
		"hellochaos_phase_planned_requests" + after:                                        2100,
		"hellochaos_phase_planned_requests_per_second" + after:                             800,
		"hellochaos_phase_lag_p99_seconds" + after:                                         0.004,
		"hellochaos_requests_total outcome=ok" + after:                                     16,
		"hellochaos_requests_total outcome=failed" + after:                                 2,
		"hellochaos_request_duration_seconds outcome=ok" + after + " count":                16,
		"hellochaos_request_duration_seconds outcome=ok" + after + " le=0.0005":            10,
		"hellochaos_request_duration_seconds outcome=ok" + after + " le=0.001":             15,
		"hellochaos_request_duration_seconds outcome=ok" + after + " le=0.0025":            16,
		"hellochaos_request_duration_seconds outcome=failed" + after + " le=60":            0,
		"hellochaos_request_duration_seconds outcome=failed" + after + " count":            2,
		"hellochaos_request_duration_seconds outcome=failed" + after + " sum":              198,
		"hellochaos_hop_calls_total hop=middleware outcome=failed" + after:                 3,
		"hellochaos_hop_calls_total hop=middleware outcome=ok" + after:                     12,
		"hellochaos_hop_answers_total hop=middleware" + after + " version=canary":          4,
		"hellochaos_hop_tries_total hop=middleware" + after:                                3760,
		"hellochaos_hop_predicted_amplification_ratio hop=middleware" + after:              1.875,
		"hellochaos_check_measured_ratio" + call + after:                                   0.0611,
		"hellochaos_check_predicted_ratio" + call + " phase=before stage=retry":            0.5,
		"hellochaos_check_band_ratio bound=upper" + call + " phase=before stage=retry":     0.55,
		"hellochaos_check_interval_ratio bound=lower" + call + " phase=before stage=retry": 0.4768,
		"hellochaos_check_measured_seconds" + wait + after:                                 0.0501,
		"hellochaos_check_measured_retries check=backend ledger" + after:                   12,
		"hellochaos_check_violations check=canary share" + after:                           0,
		"hellochaos_check_trials" + call + after:                                           1000,
		"hellochaos_check_verdict check=backend ledger" + after + " verdict=inconclusive":  1,
		"hellochaos_check_verdict check=backend ledger" + after + " verdict=pass":          0,
	} {
		if have, ok := got[key]; !ok || have < want-1e-9 || have > want+1e-9 {
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
	p := &r.Stages[0].Phases[1]
	var seconds, distributions strings.Builder
	if err := Prometheus(&seconds, r); err != nil {
		t.Fatal(err)
	}
	p.Seconds[0].OK[0][1] = 77 // not counted a second time
	p.Distributions = []Distribution{{Outcome: "ok", Bins: []Bin{{400, 10}}}, {Outcome: "ok", Tries: 2, Bins: []Bin{{1000, 5}, {1001, 1}}}, {Outcome: "failed", Bins: []Bin{{99_000_000, 2}}}}
	if err := Prometheus(&distributions, r); err != nil {
		t.Fatal(err)
	}
	if seconds.String() != distributions.String() {
		t.Errorf("by seconds:\n%s\nby distributions:\n%s", seconds.String(), distributions.String())
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
	twice.Stages = append(twice.Stages, twice.Stages[0])
	if err := Prometheus(&strings.Builder{}, twice); err == nil || !strings.Contains(err.Error(), "retry") {
		t.Errorf("a stage twice: %v, want an error that names it", err)
	}
	strange := observed()
	strange.Stages[0].Name, strange.Stages[0].Checks[0].Unit, strange.Stages[0].Phases[1].Seconds[0].OK[0] = "a\"\\\n\xff", "miles", Bin{-5, -7}
	for _, r := range []*Report{{}, strange} {
		var out strings.Builder
		if err := Prometheus(&out, r); err != nil {
			t.Errorf("%v", err)
		}
		values(t, out.String())
	}
}
