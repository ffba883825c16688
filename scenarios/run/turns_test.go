package run

import (
	"slices"
	"testing"

	"github.com/hellochaos/hellochaos/scenarios"
)

// Cohorts take turns as often as their weights say, spread over the whole.
func TestTurns(t *testing.T) {
	for _, c := range []struct {
		weights []int
		want    []int32
	}{
		{[]int{0}, []int32{0}},
		{[]int{0, 1, 0}, []int32{0, 1, 2}},
		{[]int{3, 1}, []int32{0, 0, 1, 0}},
		{[]int{5, 1, 1}, []int32{0, 0, 1, 0, 2, 0, 0}},
	} {
		var cohorts []scenarios.Cohort
		for _, weight := range c.weights {
			cohorts = append(cohorts, scenarios.Cohort{Weight: weight})
		}
		if got := turns(cohorts); !slices.Equal(got, c.want) {
			t.Errorf("weights %v: %v, want %v", c.weights, got, c.want)
		}
	}
}

// The shares of a phase are predicted for its mixture of cohorts, and measured of it.
func TestWeightedCohorts(t *testing.T) {
	r := entering(t)
	p := r.phases[0]
	weighted := *p.Phase
	weighted.Cohorts = slices.Clone(p.Cohorts)
	weighted.Cohorts[0].Weight = 30 // it enters past every proxy, so that none of its requests is sent again
	heavy, err := Plan("doors", []scenarios.Phase{weighted}, r.options, pace)
	if err != nil {
		t.Fatal(err)
	}
	heavy.phases[0].unprobed()
	report := onMesh(t, heavy, "")
	if p := report.Phases[0]; p.Verdict == "fail" || len(p.Mismatches) > 0 || p.Natural != 700 || p.Shares[0].Predicted < 0.27 || p.Shares[0].Predicted > 0.29 ||
		p.Shares[0].Interval.Lo > p.Shares[0].Predicted || p.Shares[0].Interval.Hi < p.Shares[0].Predicted {
		t.Errorf("%s with %d natural requests: %+v, want 0.28 = (30×0.3 + 2×0.3 + 2×0.3² + 0.3³) / 35; %s", p.Verdict, p.Natural, p.Shares[0], failures(report))
	}
}
