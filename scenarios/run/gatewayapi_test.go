package run

import (
	"slices"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios"
)

// gatewayPhases are the phases of stages in the form of Gateway API, with a time limit of a try that no machine is too slow for.
func gatewayPhases(t *testing.T, stages ...string) []scenarios.Phase {
	t.Helper()
	chosen, err := scenarios.OpenIn(scenarios.GatewayAPI, stages)
	if err != nil {
		t.Fatal(err)
	}
	overrides := map[string][]manifests.Object{}
	for _, name := range chosen.Names() {
		text, err := scenarios.YAMLIn(scenarios.GatewayAPI, name)
		if err != nil {
			t.Fatal(err)
		}
		overrides[name] = parsed(t, name+".yaml", strings.ReplaceAll(string(text), "backendRequest: 2s", "backendRequest: 50s"))
	}
	phases, err := chosen.Phases(overrides, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range phases {
		phases[i].Exclude = 0
	}
	return phases
}

// Nothing is wrong with the stages in the form of Gateway API, and each of their rules is met, as in that of Istio.
func TestGatewayAPIPlan(t *testing.T) {
	branches := func(api string) (all []int) {
		chosen, err := scenarios.OpenIn(api, []string{"all"})
		if err != nil {
			t.Fatal(err)
		}
		phases, err := chosen.Phases(nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Plan("all", phases, hasty(0.3, 7), pace)
		if err != nil {
			t.Fatal(err)
		}
		if found := r.Findings(); len(found) > 0 {
			t.Errorf("the stages have a finding: %+v", found[0])
		}
		for _, p := range r.Outline().Phases {
			n := 0
			for _, c := range p.Calls {
				n += len(c.Branches)
			}
			all = append(all, n)
		}
		return all
	}
	if istio, gateway := branches(scenarios.IstioAPI), branches(scenarios.GatewayAPI); !slices.Equal(istio, gateway) {
		t.Errorf("the phases have %v cases of rules, and with Istio's API %v", gateway, istio)
	}
}

// The stages in the form of Gateway API pass on a mesh that obeys, and fail on one that sends a failed call again once too few.
func TestGatewayAPIStages(t *testing.T) {
	for _, c := range []struct {
		stage, deviation string
		requests         int
		want             reports.Verdict
	}{
		{"all", "", 0, reports.Pass}, {"retry", "one-retry-less", 40, reports.Fail}, {"canary", "header-ignored", 40, reports.Fail},
	} {
		t.Run(c.stage+" "+c.deviation, func(t *testing.T) {
			t.Parallel()
			o := hasty(0.3, 7)
			o.Exclude = 0.1
			r, err := Plan(c.stage, gatewayPhases(t, c.stage), o, pace)
			if err != nil {
				t.Fatal(err)
			}
			if c.requests > 0 {
				r.phases[0].onlySo(5)
				r.phases[1].onlySo(c.requests)
			}
			report := onMesh(t, r, c.deviation)
			if report.Verdict != c.want && !outrun(t, report) {
				t.Errorf("%s, want %s: %s", report.Verdict, c.want, failures(report))
			}
			if c.want == reports.Fail && !strings.Contains(failures(report), "middleware") {
				t.Errorf("the deviation shows elsewhere: %s", failures(report))
			}
		})
	}
}
