package stats

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// The expected values are computed exactly: twice the binomial tail for a probability of one half.
func TestMcNemarByExactArithmetic(t *testing.T) {
	for _, pair := range [][2]int64{{1, 0}, {0, 3}, {1, 7}, {6, 16}, {5, 5}, {4, 5}, {86, 150}, {0, 40}} {
		n := pair[0] + pair[1]
		tail := new(big.Int)
		for k := int64(0); k <= min(pair[0], pair[1]); k++ {
			tail.Add(tail, new(big.Int).Binomial(n, k))
		}
		p, _ := new(big.Rat).SetFrac(tail.Lsh(tail, 1), new(big.Int).Lsh(big.NewInt(1), uint(n))).Float64()
		got := McNemar(pair[0], pair[1])
		near(t, fmt.Sprintf("%d against %d, relative", pair[0], pair[1]), got/min(1, p), 1, 1e-10)
		near(t, "swapped", McNemar(pair[1], pair[0]), got, 0)
	}
	near(t, "1 against 7, by hand", McNemar(1, 7), 2*(1+8)/256., 1e-12)
	near(t, "no pair differs", McNemar(0, 0), 1, 0)
}

// Under the hypothesis at most alpha of all runs are rejected, by enumeration, however many pairs differ.
func TestMcNemarHoldsItsLevel(t *testing.T) {
	for n := int64(1); n <= 200; n += 7 {
		for _, alpha := range []float64{0.05, 0.001} {
			rejected := 0.
			for k := range n + 1 {
				if McNemar(k, n-k) <= alpha {
					rejected += probability(k, n, 0.5)
				}
			}
			if rejected > alpha {
				t.Errorf("%d pairs differ: rejected with %.6f, want at most %g", n, rejected, alpha)
			}
		}
	}
}

// The first row is what the tests of R's package contingencytables expect (function Newcombe_square_and_add_CI_paired_2x2, data
// of Cavo et al., 2012); the next two were computed apart from this code from the formulas of the paper; the others, without
// a correlation, are the ends of the two Wilson intervals, combined by hand. All of these state p1 - p2.
func TestPairedDifferenceEqualsTables(t *testing.T) {
	for _, test := range []struct {
		both, onlyFirst, onlySecond, neither int64
		want                                 Interval // of p1 - p2
	}{
		{59, 6, 16, 80, Interval{-0.1186, -0.0046}},
		{14, 5, 0, 22, Interval{0.0115, 0.2265}},
		{36, 12, 2, 0, Interval{0.0569, 0.3404}},
		{0, 30, 0, 0, Interval{1 - 0.113514*math.Sqrt2, 1}},
		{0, 0, 0, 30, Interval{-0.113514, 0.113514}},
		{0, 0, 0, 0, Interval{-1, 1}},
	} {
		got := PairedDifference(test.both, test.onlyFirst, test.onlySecond, test.neither, 0.05)
		what := fmt.Sprintf("%d, %d, %d, %d", test.both, test.onlyFirst, test.onlySecond, test.neither)
		near(t, what+" lower", got.Interval.Lo, -test.want.Hi, 5.1e-5)
		near(t, what+" upper", got.Interval.Hi, -test.want.Lo, 5.1e-5)
		swapped := PairedDifference(test.both, test.onlySecond, test.onlyFirst, test.neither, 0.05)
		near(t, what+" swapped", swapped.Interval.Lo, -got.Interval.Hi, 1e-12)
		mirrored := PairedDifference(test.neither, test.onlyFirst, test.onlySecond, test.both, 0.05)
		near(t, what+" mirrored", mirrored.Interval.Lo, got.Interval.Lo, 1e-12)
	}
	near(t, "value", PairedDifference(59, 6, 16, 80, 0.05).Value, 10./161, 1e-15)
}

// Coverage by enumeration of all tables of n pairs.
func TestPairedDifferenceCovers(t *testing.T) {
	const n = 40
	for _, test := range []struct {
		cells  [4]float64 // probabilities of both, onlyFirst, onlySecond, neither
		lo, hi float64    // of the coverage
	}{
		{[4]float64{0.25, 0.25, 0.25, 0.25}, 0.94, 0.97},
		{[4]float64{0.5, 0.05, 0.15, 0.3}, 0.94, 0.98},
		{[4]float64{0.1, 0.4, 0.3, 0.2}, 0.93, 0.97},
		{[4]float64{0.6, 0.01, 0.01, 0.38}, 0.97, 1},
	} {
		truth, covered := test.cells[2]-test.cells[1], 0.
		factorial := func(k int64) float64 { log, _ := math.Lgamma(float64(k + 1)); return log }
		for a := range int64(n + 1) {
			for b := range n - a + 1 {
				for c := range n - a - b + 1 {
					chance := factorial(n)
					for i, k := range []int64{a, b, c, n - a - b - c} {
						chance += float64(k)*math.Log(test.cells[i]) - factorial(k)
					}
					if chance < -25 {
						continue
					}
					if i := PairedDifference(a, b, c, n-a-b-c, 0.05).Interval; i.Lo <= truth && truth <= i.Hi {
						covered += math.Exp(chance)
					}
				}
			}
		}
		if covered < test.lo || covered > test.hi {
			t.Errorf("%v: coverage %.4f, want %g to %g", test.cells, covered, test.lo, test.hi)
		}
	}
}

// Draws of pairs that mostly agree: the test rarely finds a difference between equal runs, mostly finds one between different
// runs, and its interval is several times narrower than one that does not use the pairs.
func TestPairsSeeSmallDifferences(t *testing.T) {
	const runs, n, alpha = 2000, 1000, 0.05
	draw := rand.New(rand.NewPCG(9, 9))
	rejections := func(worse float64) (share float64) {
		for range runs {
			var onlyFirst, onlySecond int64
			for range n {
				switch x := draw.Float64(); {
				case x < 0.005:
					onlyFirst++
				case x < 0.01+worse:
					onlySecond++
				}
			}
			if McNemar(onlyFirst, onlySecond) <= alpha {
				share += 1. / runs
			}
		}
		return share
	}
	if got := rejections(0); got > alpha+0.02 {
		t.Errorf("a difference between equal runs found in %.3f, want at most %g", got, alpha)
	}
	if got := rejections(0.02); got < 0.9 {
		t.Errorf("a difference of 2 %% found in %.3f, want 0.9 at least", got)
	}
	paired, apart := PairedDifference(295, 5, 5, 695, alpha), Newcombe(300, n, 300, n, alpha)
	if ratio := apart.Interval.Width() / paired.Interval.Width(); ratio < 5 {
		t.Errorf("interval of pairs is %.2f times as narrow, want 5 at least", ratio)
	}
}
