package stats

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestQuantileMinimum(t *testing.T) {
	for _, test := range []struct {
		q    float64
		want int64
	}{{.5, 6}, {.9, 36}, {.95, 72}, {.99, 368}, {.999, 3688}, {.1, 36}, {.01, 368}} {
		if got := QuantileMinimum(test.q, .05); got != test.want {
			t.Errorf("q=%g: got %d, want %d", test.q, got, test.want)
		}
		if _, _, ok := QuantileRanks(test.want, test.q, .05); !ok {
			t.Errorf("q=%g: no ranks among the %d that are enough", test.q, test.want)
		}
		if lo, hi, ok := QuantileRanks(test.want-1, test.q, .05); ok {
			t.Errorf("q=%g: ranks %d and %d among %d, want none", test.q, lo, hi, test.want-1)
		}
	}
	if _, _, ok := QuantileRanks(0, .5, .05); ok {
		t.Error("ranks among no observations")
	}
}

// The ranks for the median at 95 %, as the tables of the sign test give them (Conover, table A3).
func TestQuantileRanksEqualTables(t *testing.T) {
	for _, test := range []struct{ n, lo, hi int64 }{{6, 1, 6}, {8, 1, 8}, {9, 2, 8}, {10, 2, 9}, {20, 6, 15}, {25, 8, 18}, {100, 40, 61}} {
		lo, hi, ok := QuantileRanks(test.n, .5, .05)
		if lo != test.lo || hi != test.hi || !ok {
			t.Errorf("median of %d: got %d, %d, %v, want %d, %d", test.n, lo, hi, ok, test.lo, test.hi)
		}
	}
}

// By enumeration, each side misses with a probability of at most alpha/2, and with more if its rank were one closer.
func TestQuantileRanksAreTheTightest(t *testing.T) {
	for _, n := range []int64{40, 137, 500} {
		for _, q := range []float64{.1, .5, .9} {
			for _, alpha := range []float64{.05, .2} {
				lo, hi, ok := QuantileRanks(n, q, alpha)
				if !ok {
					t.Errorf("n=%d q=%g: no ranks", n, q)
				}
				below, above := func(rank int64) (sum float64) { // P(X <= rank-1)
					for k := range rank {
						sum += probability(k, n, q)
					}
					return sum
				}, func(rank int64) (sum float64) { // P(X >= rank)
					for k := rank; k <= n; k++ {
						sum += probability(k, n, q)
					}
					return sum
				}
				what := fmt.Sprintf("n=%d q=%g alpha=%g: ranks %d, %d", n, q, alpha, lo, hi)
				if below(lo) > alpha/2 || above(hi) > alpha/2 {
					t.Errorf("%s miss with %.4f and %.4f", what, below(lo), above(hi))
				}
				if below(lo+1) <= alpha/2 || above(hi-1) <= alpha/2 {
					t.Errorf("%s are wider than they need be", what)
				}
				mirroredLo, mirroredHi, _ := QuantileRanks(n, 1-q, alpha)
				if mirroredLo != n+1-hi || mirroredHi != n+1-lo {
					t.Errorf("%s, but %d, %d for 1-q", what, mirroredLo, mirroredHi)
				}
			}
		}
	}
}

func TestQuantileRanksCoverDraws(t *testing.T) {
	const runs, n, q, alpha, truth = 3000, 120, .9, .05, 2.302585092994046 // ln 10, the .9 quantile of Exp(1)
	lo, hi, _ := QuantileRanks(n, q, alpha)
	draw, covered, values := rand.New(rand.NewPCG(5, 5)), 0, make([]float64, n)
	for range runs {
		for i := range values {
			values[i] = draw.ExpFloat64()
		}
		slices.Sort(values)
		if values[lo-1] <= truth && truth <= values[hi-1] {
			covered++
		}
	}
	exact := atLeast(float64(lo), n, q) - atLeast(float64(hi), n, q)
	near(t, "share of runs that covered", float64(covered)/runs, exact, .016) // four standard deviations
	if exact < 1-alpha {
		t.Errorf("exact coverage: got %g, want at least %g", exact, 1-alpha)
	}
}
