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
	"github.com/hellochaos/hellochaos/reports/render"
	"github.com/hellochaos/hellochaos/scenarios"
	scenario "github.com/hellochaos/hellochaos/scenarios/run"
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
	phases, err := scenarios.Phases(stages, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	o := scenario.Options{Seed: 7, Fail: 0.3, Cascade: "absorb", Exclude: 0.01, SplitLo: 0.7, SplitHi: 1.4,
		Attack: attack.Options{MaxRequests: 200, Rate: 400, Timeout: attack.DefaultTimeout}}
	plan, err := scenario.Plan("egress, canary", phases, o, scenario.Pace{Capacity: mesh.Capacity, Timed: mesh.Timed})
	if err != nil {
		t.Fatal(err)
	}
	on, err := mesh.New(mesh.Options{Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	run := metrics.New("1.2.3")
	plan.Subscribe(run.Handle)
	report := plan.Execute(t.Context(), on)
	report.Tool.Version = "1.2.3"

	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(run)
	served := texts(t, registry)
	var out strings.Builder
	if err := render.Prometheus(&out, report); err != nil {
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
	natural := 0
	for _, p := range report.Phases {
		natural += len(p.Outcomes) // there is one for each natural request
		if p.Started.Before(report.Started) {
			t.Errorf("%s began at %v, the run at %v", p.Name, p.Started, report.Started)
		}
	}
	for _, name := range []string{"hellochaos_requests_total", "hellochaos_responses_total"} {
		if got := sum(t, registry, name); natural == 0 || got != float64(natural) {
			t.Errorf("%s adds up to %v, want the %d natural requests of the report", name, got, natural)
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
