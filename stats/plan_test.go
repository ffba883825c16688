package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// shares returns the exact probabilities, at this truth, of a final PASS and a final FAIL, by enumerating every count.
func shares(n int64, truth float64, band Interval, alpha float64) (pass, fail float64) {
	for k := range n + 1 {
		chance := probability(k, n, truth)
		if chance < 1e-12 {
			continue
		}
		switch i := ClopperPearson(k, n, alpha); {
		case i.Inside(band):
			pass += chance
		case i.Disjoint(band):
			fail += chance
		}
	}
	return pass, fail
}

// missed is 1 - pass of shares for a true check, from the binomial tails at the edges: quick enough for many n.
func missed(n int64, prediction float64, band Interval, alpha float64) (chance float64) {
	total := float64(n)
	for k := range n + 1 {
		low := band.Lo > 0 && atLeast(float64(k), total, band.Lo) > alpha/2
		high := band.Hi < 1 && atMost(float64(k), total, band.Hi) > alpha/2
		if low || high {
			chance += probability(k, n, prediction)
		}
	}
	return chance
}

func TestPlanPassKeepsItsRisk(t *testing.T) {
	const alpha, risk = .04, 1. / 2000
	for _, test := range []struct{ prediction, tolerance float64 }{
		{.0625, .05}, {.001, .05}, {.999, .05}, {.5, .1}, {.2, .05}, {.97, .2}, {.001, .01}, {.3, .2},
	} {
		n := PlanPass(test.prediction, test.tolerance, alpha, risk)
		band, what := Band(test.prediction, test.tolerance), fmt.Sprintf("%g±%g", test.prediction, test.tolerance)
		if pass, _ := shares(n, test.prediction, band, alpha); 1-pass >= risk {
			t.Errorf("%s: %d observations pass with %.6f, want over %.6f", what, n, pass, 1-risk)
		}
		for more := n; more < n+40; more += 3 {
			if got := missed(more, test.prediction, band, alpha); got >= risk {
				t.Errorf("%s: not passed with %.6f at %d, after the planned %d", what, got, more, n)
			}
		}
		// The plan must not be wasteful: one tooth (one more count at an edge) and 2 % below it, some number must exceed the risk.
		edge := .5
		for _, end := range []float64{band.Lo, band.Hi} {
			if end > 0 && end < 1 {
				edge = min(edge, end, 1-end)
			}
		}
		start, worst := n-n/50-2*int64(1/edge), 0.
		for earlier := start; earlier < n && worst < risk; earlier++ {
			worst = max(worst, missed(earlier, test.prediction, band, alpha))
		}
		if worst < risk {
			t.Errorf("%s: %d is too many, every number from %d on does", what, n, start)
		}
	}
}

func TestPlanPassAtTheEnds(t *testing.T) {
	for _, test := range []struct {
		prediction, tolerance float64
		want                  int64
	}{
		{0, .05, 77}, // no count but 0 can occur: ln(.02)/ln(.95)
		{1, .05, 77},
		{.5, .5, 1}, // nothing can violate the band, but without observations no check passes
		{.5, 0, math.MaxInt64},
		{0, 0, math.MaxInt64},
	} {
		if got := PlanPass(test.prediction, test.tolerance, .04, 1./2000); got != test.want {
			t.Errorf("%g±%g: got %d, want %d", test.prediction, test.tolerance, got, test.want)
		}
	}
	// (z_.98 + z_.95)^2 p q / tolerance^2 for alpha .04 and risk .1.
	near(t, "normal approximation", float64(PlanPass(.271, .02, .04, .1)), 6760, 100)
}

func TestPlanPassDraws(t *testing.T) {
	const prediction, tolerance, alpha, risk, runs = .0625, .05, .04, .02, 4000
	n := PlanPass(prediction, tolerance, alpha, risk)
	band, draw, not := Band(prediction, tolerance), rand.New(rand.NewPCG(4, 4)), 0
	passes := make([]bool, n+1)
	for k := range passes {
		passes[k] = ClopperPearson(int64(k), n, alpha).Inside(band)
	}
	for range runs {
		k := 0
		for range n {
			if draw.Float64() < prediction {
				k++
			}
		}
		if !passes[k] {
			not++
		}
	}
	pass, _ := shares(n, prediction, band, alpha)
	near(t, "share not passed", float64(not)/runs, 1-pass, 4*math.Sqrt(risk/runs))
	if 1-pass >= risk {
		t.Errorf("exact share not passed: got %g, want under %g", 1-pass, risk)
	}
}

func TestDetectableHasItsPower(t *testing.T) {
	const alpha, power = .04, .9
	for _, test := range []struct {
		prediction, tolerance float64
		n                     int64
	}{
		{.0625, .05, 900}, {.271, .05, 1500}, {.5, .05, 1500}, {.999, .05, 200}, {.02, .05, 300}, {.2, .05, 600}, {.93, .05, 700},
		{.06, .05, 100}, // too few to fail anything below .01
	} {
		band, what := Band(test.prediction, test.tolerance), fmt.Sprintf("%g±%g, n=%d", test.prediction, test.tolerance, test.n)
		deviation, ok := Detectable(test.prediction, test.tolerance, test.n, alpha, power)
		if !ok || deviation <= test.tolerance {
			t.Errorf("%s: got %g, %v, want a deviation beyond the tolerance", what, deviation, ok)
			continue
		}
		worst := 1.
		for _, side := range []float64{-1, 1} {
			for _, factor := range []float64{1 + 1e-9, 1.2} {
				truth := test.prediction + side*deviation*factor
				if truth <= 0 || truth >= 1 {
					continue
				}
				if _, fail := shares(test.n, truth, band, alpha); fail < power {
					t.Errorf("%s: truth %g fails with %.4f, want %g", what, truth, fail, power)
				}
			}
			if truth := test.prediction + side*deviation*.99; truth > 0 && truth < 1 {
				_, fail := shares(test.n, truth, band, alpha)
				worst = min(worst, fail)
			}
		}
		if worst >= power {
			t.Errorf("%s: %.4g is not the smallest, 1 %% less is detected with %.4f", what, deviation, worst)
		}
	}
}

// Without a tolerance Detectable inverts the usual plan for a shift: these n detect these deviations from .271.
func TestDetectableEqualsThePlanForAShift(t *testing.T) {
	for n, want := range map[int64]float64{20_944: .01, 5_280: .02, 864: .05} {
		got, ok := Detectable(.271, 0, n, .04, .9)
		if !ok {
			t.Errorf("n=%d detects nothing", n)
		}
		near(t, fmt.Sprintf("n=%d", n), got, want, .05*want)
	}
}

func TestDetectableWithFewObservations(t *testing.T) {
	if got, ok := Detectable(.5, .4, 3, .04, .9); ok {
		t.Errorf("3 observations at .5±.4: got %g, want none", got)
	}
	if got, ok := Detectable(.5, .05, 0, .04, .9); ok {
		t.Errorf("no observations: got %g, want none", got)
	}
	if got, ok := Detectable(.5, .5, 1000, .04, .9); ok {
		t.Errorf("a band that holds everything: got %g, want none", got)
	}
}

func TestMoreNeededSettles(t *testing.T) {
	const alpha = .04
	for _, test := range []struct {
		k, n                  int64
		prediction, tolerance float64
		want                  string
	}{
		{30, 100, .271, .05, "inside"},
		{28, 100, .271, .05, "inside"},
		{40, 100, .271, .05, "outside"},
		{17, 100, .271, .05, "outside"},
		{0, 30, .03, .05, "inside"},
		{6, 50, .03, .05, "outside"},
		{98, 100, .999, .05, "inside"},
	} {
		more, band := MoreNeeded(test.k, test.n, test.prediction, test.tolerance, alpha), Band(test.prediction, test.tolerance)
		what := fmt.Sprintf("%d of %d at %g±%g", test.k, test.n, test.prediction, test.tolerance)
		at := func(n int64) string {
			i := ClopperPearson(int64(math.Round(float64(test.k*n)/float64(test.n))), n, alpha)
			switch {
			case i.Inside(band):
				return "inside"
			case i.Disjoint(band):
				return "outside"
			}
			return "inconclusive"
		}
		if more <= 0 || at(test.n) != "inconclusive" {
			t.Errorf("%s (%s): got %d more, want some", what, at(test.n), more)
		}
		// The estimate is rounded to a whole count, hence the margin of 5 % and a few.
		if got := at(test.n + more + more/20 + 10); got != test.want {
			t.Errorf("%s: %d more give %s, want %s", what, more, got, test.want)
		}
		if got := at(test.n + more*9/10 - 10); got != "inconclusive" {
			t.Errorf("%s: a tenth less than %d more is %s already", what, more, got)
		}
	}
}

func TestMoreNeededIsNoneWhereNothingHelps(t *testing.T) {
	for _, test := range []struct {
		name                  string
		k, n                  int64
		prediction, tolerance float64
		want                  int64
	}{
		{"on the upper edge", 15, 100, .1, .05, 0},
		{"on the lower edge", 5, 100, .1, .05, 0},
		{"inside already", 2710, 10_000, .271, .05, 0},
		{"outside already", 9000, 10_000, .271, .05, 0},
		{"no observations, nothing but 0 expected", 0, 0, 0, .05, 77},
	} {
		if got := MoreNeeded(test.k, test.n, test.prediction, test.tolerance, .04); got != test.want {
			t.Errorf("%s: got %d, want %d", test.name, got, test.want)
		}
	}
}

func BenchmarkPlanPass(b *testing.B) {
	for _, plan := range []struct{ prediction, tolerance float64 }{{.0625, .05}, {.5, .05}, {.271, .02}, {.5, .01}} {
		b.Run(fmt.Sprintf("%g±%g", plan.prediction, plan.tolerance), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				PlanPass(plan.prediction, plan.tolerance, .04, 1./2000)
			}
		})
	}
}
