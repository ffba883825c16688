package metrics_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/metrics"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/target/mesh"
)

// texts are the families of a gatherer as Prometheus' text, by name.
func texts(t *testing.T, registry *prometheus.Registry) map[string]string {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, family := range families {
		var text strings.Builder
		if _, err := expfmt.MetricFamilyToText(&text, family); err != nil {
			t.Fatal(err)
		}
		all[family.GetName()] = text.String()
	}
	return all
}

// At the end of a real run on the embedded mesh, what is served is what the report's own Prometheus text says, value by value,
// and the counts that only a run has add up to it.
func TestAtTheEndOfARun(t *testing.T) {
	stages, err := scenarios.Choose([]string{"egress", "canary"})
	if err != nil {
		t.Fatal(err)
	}
	o := scenarios.Options{Seed: 7, Fail: 0.3, Cascade: "absorb", Tolerance: 0.05, Attack: attack.Options{MaxRequests: 200, Rate: 400}}
	plan, err := scenarios.Plan(stages, o, scenarios.Pace{Capacity: mesh.Capacity, Timed: mesh.Timed}, nil)
	if err != nil {
		t.Fatal(err)
	}
	on, err := mesh.New(mesh.Options{Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	run := metrics.New("1.2.3")
	plan.Observe(run.Observer())
	report := plan.Execute(t.Context(), on, nil)
	report.Tool.Version = "1.2.3"
	run.Ended(report)

	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(run)
	served := texts(t, registry)
	var out strings.Builder
	if err := reports.Prometheus(&out, report); err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, m := range metrics.All() {
		want := familyOf(out.String(), m.Name)
		if want == "" {
			continue // the report has none of it
		}
		compared++
		if served[m.Name] != want {
			t.Errorf("served:\n%s\nthe report:\n%s", served[m.Name], want)
		}
	}
	if compared < 20 {
		t.Errorf("%d metrics were compared, want at least 20", compared)
	}
	for _, name := range []string{"hellochaos_hop_calls_total", "hellochaos_hop_answers_total", "hellochaos_responses_total", "hellochaos_edge_failures_total", "hellochaos_hop_answers_by_attempt_total"} {
		if !slices.Contains(slices.Collect(maps.Keys(served)), name) {
			t.Errorf("%s is not served", name)
		}
	}
	sent := 0
	for _, s := range report.Stages {
		for _, p := range s.Phases {
			sent += p.Observed
			if p.Started.Before(report.Started) {
				t.Errorf("%s %s began at %v, the run at %v", s.Name, p.Name, p.Started, report.Started)
			}
		}
	}
	for _, name := range []string{"hellochaos_requests_total", "hellochaos_responses_total"} {
		if got := sum(t, registry, name); sent == 0 || got != float64(sent) {
			t.Errorf("%s adds up to %v, want the %d requests of the report", name, got, sent)
		}
	}
}

// familyOf is one family of a text in Prometheus' format.
func familyOf(text, name string) string {
	_, rest, found := strings.Cut(text, "# HELP "+name+" ")
	if !found {
		return ""
	}
	family, _, _ := strings.Cut(rest, "\n# HELP ")
	return "# HELP " + name + " " + strings.TrimSuffix(family, "\n") + "\n"
}

func sum(t *testing.T, registry *prometheus.Registry, name string) (total float64) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.Metric {
			if family.GetName() == name {
				total += m.GetCounter().GetValue()
			}
		}
	}
	return total
}
