package stats

import (
	"fmt"
	"math"
	"testing"
)

// probability returns P(X = k) for X ~ Bin(n, p), 0 < p < 1, apart from the code under test.
func probability(k, n int64, p float64) float64 { return math.Exp(logProbability(k, n, p)) }

func logProbability(k, n int64, p float64) float64 {
	chosen, _ := math.Lgamma(float64(n + 1))
	hits, _ := math.Lgamma(float64(k + 1))
	misses, _ := math.Lgamma(float64(n - k + 1))
	return chosen - hits - misses + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p)
}

// near fails the test unless got is within tolerance of want, both absolute.
func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: got %.9g, want %.9g within %g", what, got, want, tolerance)
	}
}

func TestTailsEqualEnumeration(t *testing.T) {
	for _, n := range []int64{1, 2, 7, 30, 200} {
		for _, p := range []float64{.001, .0625, .271, .5, .9, .999} {
			var below float64
			for k := range n + 1 {
				what := fmt.Sprintf("n=%d p=%v k=%d", n, p, k)
				near(t, "atLeast "+what, atLeast(float64(k), float64(n), p), 1-below, 1e-11)
				below += probability(k, n, p)
				near(t, "atMost "+what, atMost(float64(k), float64(n), p), below, 1e-11)
			}
		}
	}
}

func TestFarTailOfAMillion(t *testing.T) {
	const n, p = 1_000_000, .271
	for _, k := range []int64{272_500, 273_500} {
		var want float64
		for j := k; j < k+6_000; j++ {
			want += probability(j, n, p)
		}
		got := atLeast(float64(k), n, p)
		near(t, fmt.Sprintf("relative tail from %d", k), got/want, 1, 1e-6)
	}
}

func TestTailsAreComplements(t *testing.T) {
	for _, n := range []float64{1, 10, 1e3, 1e5, 1e6} {
		for _, share := range []float64{0, 1e-6, .001, .271, .5, .999, 1} {
			for _, p := range []float64{0, 1e-12, .001, .27, .5, .999, 1} {
				k := math.Floor(n * share)
				what := fmt.Sprintf("n=%g k=%g p=%g", n, k, p)
				near(t, what, atMost(k, n, p)+atLeast(k+1, n, p), 1, 1e-9)
			}
		}
	}
}

func TestImpossibleArgumentsPanic(t *testing.T) {
	tests := map[string]func(){
		"more than all":         func() { ClopperPearson(3, 2, .05) },
		"negative count":        func() { ClopperPearson(-1, 2, .05) },
		"negative total":        func() { ZeroFailureBound(-1, .05) },
		"split of one":          func() { NewSplitTest([]float64{1}, 0.7, 1.4, 0.001) },
		"split with weight 0":   func() { NewSplitTest([]float64{1, 0}, 0.7, 1.4, 0.001) },
		"band that reaches 0":   func() { NewSplitTest([]float64{1, 1}, 0, 1.4, 0.001) },
		"band of twice":         func() { NewSplitTest([]float64{1, 1}, 0.7, 2, 0.001) },
		"no such destination":   func() { NewSplitTest([]float64{1, 1}, 0.7, 1.4, 0.001).evidence(2) },
		"negative observations": func() { NewSplitTest([]float64{1, 1}, 0.7, 1.4, 0.001).Observe(0, -1) },
		"strays only":           func() { NewFitTest(NewMixture([]Component{{Weight: 1}}), Allowance{Strays: 1}) },
		"negative lateness":     func() { NewFitTest(NewMixture([]Component{{Weight: 1}}), Allowance{Late: -1}) },
		"bar that ends before":  func() { NewFitTest(NewMixture([]Component{{Weight: 1}}), Allowance{}).Judge([]Bar{{2, 1, 1}}) },
		"negative pairs":        func() { McNemar(-1, 3) },
		"negative both":         func() { PairedDifference(-1, 3, 3, 4, .05) },
		"share of 0":            func() { ZeroFailureTrials(0, .05) },
		"alpha of 0":            func() { ClopperPearson(1, 2, 0) },
		"alpha that is NaN":     func() { ClopperPearson(1, 2, math.NaN()) },
		"quantile of 1":         func() { QuantileRanks(10, 1, .05) },
		"risk of 1": func() {
			NewFitTest(NewMixture([]Component{{Weight: 1}}), Allowance{}).TrialsToTell(NewMixture([]Component{{Weight: 1}}), 1, .5)
		},
		"mixture of nothing":    func() { NewMixture(nil) },
		"mixture below 0":       func() { NewMixture([]Component{{Weight: 2}, {Weight: -1}}) },
		"mixture with weight 0": func() { NewMixture([]Component{{Weight: 0}}) },
	}
	for name, call := range tests {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("got an answer, want a panic")
				}
			}()
			call()
		})
	}
}
