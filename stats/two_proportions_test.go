package stats

import (
	"math"
	"math/big"
	"testing"
)

// Fisher's lady tasting tea (Agresti, Categorical Data Analysis, 2013, section 3.5.2: two-sided .486), and the table of 24
// pupils by which text books show it (.0028).
func TestFisherEqualsTables(t *testing.T) {
	near(t, "tea", Fisher(3, 4, 1, 4), 34.0/70, 1e-12)
	near(t, "pupils", Fisher(1, 10, 11, 14), .002759, 5e-7)
}

// The expected values are computed exactly, over all tables with the same sums.
func TestFisherByEnumeration(t *testing.T) {
	choose := func(n, k int64) *big.Int { return new(big.Int).Binomial(n, k) }
	for _, n := range [][2]int64{{3, 5}, {8, 8}, {20, 7}, {1, 90}} {
		for k1 := range n[0] + 1 {
			for k2 := range n[1] + 1 {
				yes := k1 + k2
				table := func(k int64) *big.Int { return new(big.Int).Mul(choose(n[0], k), choose(n[1], yes-k)) }
				extreme, all := new(big.Int), new(big.Int)
				for k := max(0, yes-n[1]); k <= min(n[0], yes); k++ {
					all.Add(all, table(k))
					if table(k).Cmp(table(k1)) <= 0 {
						extreme.Add(extreme, table(k))
					}
				}
				want, _ := new(big.Rat).SetFrac(extreme, all).Float64()
				if got := Fisher(k1, n[0], k2, n[1]); math.Abs(got-want) > 1e-9 {
					t.Errorf("%d of %d against %d of %d: got %g, want %g", k1, n[0], k2, n[1], got, want)
				}
			}
		}
	}
}

// With N-1: Campbell's own example of a table, 9 of 12 against 3 of 12, has chi-square 6 by the plain test and 6·23/24 by this.
func TestTwoProportions(t *testing.T) {
	near(t, "chi-square of N-1", TwoProportions(3, 12, 9, 12), .016489, 5e-7) // P(chi2(1) > 5.75)
	near(t, "few expected", TwoProportions(1, 10, 9, 500), Fisher(1, 10, 9, 500), 0)
	for _, k := range [][4]float64{{0, 0, 5, 9}, {0, 90, 0, 900}, {7, 7, 11, 11}} {
		near(t, "nothing to tell apart", TwoProportions(k[0], k[1], k[2], k[3]), 1, 0)
	}
	near(t, "swapped", TwoProportions(30, 100, 55, 110), TwoProportions(55, 110, 30, 100), 1e-15)
	near(t, "mirrored", TwoProportions(30, 100, 55, 110), TwoProportions(70, 100, 55, 110), 1e-12)
	near(t, "equal shares", TwoProportions(30, 100, 60, 200), 1, 1e-12)
	if few, many := TwoProportions(30, 100, 40, 100), TwoProportions(300, 1000, 400, 1000); few < 100*many {
		t.Errorf("ten times as many observations: p from %g to %g", few, many)
	}
}

// Under the hypothesis at most 1 % and 5 % of all tables are rejected, by enumeration of both binomial distributions, up to the
// error of the chi-square approximation.
func TestTwoProportionsHoldsItsLevel(t *testing.T) {
	for _, p := range []float64{.01, .0625, .3, .5} {
		for _, n := range [][2]int64{{300, 300}, {400, 50}} {
			for _, alpha := range []float64{.05, .01} {
				rejected := enumerate(p, n[0], p, n[1], func(k1, k2 float64) bool {
					return TwoProportions(k1, float64(n[0]), k2, float64(n[1])) <= alpha
				})
				if rejected > 1.15*alpha {
					t.Errorf("p=%g, n=%v: rejected with %.4f, want at most %g", p, n, rejected, alpha)
				}
			}
		}
	}
}

func TestTwoProportionsOfParts(t *testing.T) {
	// Parts of observations never make two sides differ more than whole ones do.
	if got, want := TwoProportions(1.4, 40, 7.7, 40), Fisher(2, 40, 7, 40); got != want {
		t.Errorf("1.4 and 7.7 of 40: got %g, want that of 2 and 7, %g", got, want)
	}
}
