package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// The first four rows are the Clopper-Pearson column of table I in Newcombe, "Two-sided confidence intervals for the
// single proportion", Statistics in Medicine 17, 1998; the others are the usual tables for n = 10 and 20.
func TestClopperPearsonEqualsTables(t *testing.T) {
	tests := []struct {
		k, n int64
		want Interval
	}{
		{81, 263, Interval{.2527, .3676}},
		{15, 148, Interval{.0578, .1617}},
		{0, 20, Interval{0, .1684}},
		{1, 29, Interval{.0009, .1776}},
		{0, 10, Interval{0, .3085}},
		{1, 10, Interval{.0025, .4450}},
		{2, 10, Interval{.0252, .5561}},
		{3, 10, Interval{.0667, .6525}},
		{5, 10, Interval{.1871, .8129}},
		{10, 10, Interval{.6915, 1}},
		{10, 20, Interval{.2720, .7280}},
		{0, 0, Interval{0, 1}},
	}
	for _, test := range tests {
		got := ClopperPearson(test.k, test.n, .05)
		what := fmt.Sprintf("%d of %d", test.k, test.n)
		near(t, what+" lower", got.Lo, test.want.Lo, 5.1e-5)
		near(t, what+" upper", got.Hi, test.want.Hi, 5.1e-5)
	}
}

// By definition each end is the truth for which the observed count or a more extreme one has the probability alpha/2. The test
// compares four digits, since an end such as 1 - 10^-12 has no more digits.
func TestClopperPearsonEndsHaveTheirTails(t *testing.T) {
	for _, n := range []int64{1, 2, 10, 333, 10_000, 1_000_000} {
		for _, k := range []int64{1, 2, n / 1000, n / 4, n / 2, n - 9, n - 1} {
			if k < 1 || k >= n {
				continue
			}
			for _, alpha := range []float64{1e-6, .01, .04, .5} {
				got := ClopperPearson(k, n, alpha)
				what := fmt.Sprintf("%d of %d at %g", k, n, alpha)
				near(t, what+" lower tail", atLeast(float64(k), float64(n), got.Lo)/(alpha/2), 1, 1e-4)
				near(t, what+" upper tail", atMost(float64(k), float64(n), got.Hi)/(alpha/2), 1, 1e-4)
			}
		}
	}
}

func TestClopperPearsonIsSymmetricAndNested(t *testing.T) {
	for _, n := range []int64{1, 5, 40, 1000} {
		for k := int64(0); k <= n; k += 1 + n/20 {
			wide, narrow, mirrored := ClopperPearson(k, n, .01), ClopperPearson(k, n, .1), ClopperPearson(n-k, n, .1)
			near(t, "mirrored lower end", mirrored.Lo, 1-narrow.Hi, 1e-12)
			near(t, "mirrored upper end", mirrored.Hi, 1-narrow.Lo, 1e-12)
			if !narrow.Inside(wide) || narrow.Width() >= wide.Width() {
				t.Errorf("%d of %d: %v at .1 is not within %v at .01", k, n, narrow, wide)
			}
			estimate := float64(k) / float64(n)
			if !(Interval{estimate, estimate}).Inside(narrow) {
				t.Errorf("%d of %d: the estimate is outside %v", k, n, narrow)
			}
		}
	}
}

// coverage returns the exact probability that the interval holds the truth p.
func coverage(n int64, p, alpha float64) float64 {
	var covered float64
	for k := range n + 1 {
		if i := ClopperPearson(k, n, alpha); i.Lo <= p && p <= i.Hi {
			covered += probability(k, n, p)
		}
	}
	return covered
}

func TestClopperPearsonCovers(t *testing.T) {
	for _, n := range []int64{1, 3, 10, 35} {
		for p := .003; p < 1; p += .047 {
			for _, alpha := range []float64{.04, .2} {
				if got := coverage(n, p, alpha); got < 1-alpha-1e-9 {
					t.Errorf("n=%d p=%.3f: covers %.4f, want at least %.2f", n, p, got, 1-alpha)
				}
			}
		}
	}
	near(t, "coverage at n=100, p=.001", coverage(100, .001, .05), .995, .0005)
	near(t, "coverage at n=1000, p=.001", coverage(1000, .001, .05), .981, .0005)
}

func TestClopperPearsonCoversDraws(t *testing.T) {
	const runs, n, p, alpha = 4000, 400, .271, .04
	draw := rand.New(rand.NewPCG(1, 1))
	var intervals [n + 1]Interval
	for k := range intervals {
		intervals[k] = ClopperPearson(int64(k), n, alpha)
	}
	missed := 0
	for range runs {
		k := 0
		for range n {
			if draw.Float64() < p {
				k++
			}
		}
		if intervals[k].Disjoint(Interval{p, p}) {
			missed++
		}
	}
	// Exactly .0324 at these values; four standard deviations are .0112.
	near(t, "share of intervals that missed", float64(missed)/runs, .0324, .0112)
	near(t, "exact share", 1-coverage(n, p, alpha), .0324, .0001)
}

// Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17, 1998, table I, method 3.
func TestWilsonEqualsTable(t *testing.T) {
	for _, test := range []struct {
		k, n float64
		want Interval
	}{{81, 263, Interval{.2553, .3662}}, {15, 148, Interval{.0624, .1605}}, {0, 20, Interval{0, .1611}}, {1, 29, Interval{.0061, .1718}}, {0, 0, Interval{0, 1}}} {
		got := Wilson(test.k, test.n, .05)
		near(t, fmt.Sprintf("%g of %g lower", test.k, test.n), got.Lo, test.want.Lo, 5.1e-5)
		near(t, fmt.Sprintf("%g of %g upper", test.k, test.n), got.Hi, test.want.Hi, 5.1e-5)
		mirrored := Wilson(test.n-test.k, test.n, .05)
		near(t, "mirrored lower", mirrored.Lo, 1-got.Hi, 1e-12)
	}
}

func TestZeroFailureBound(t *testing.T) {
	for _, test := range []struct {
		limit float64
		want  int64
	}{{.05, 59}, {.01, 299}, {.001, 2995}} {
		if got := fewest(1, 10_000, func(n int64) bool { return ZeroFailureBound(n, .05) <= test.limit }); got != test.want {
			t.Errorf("observations without a failure for a bound of %g: got %d, want %d", test.limit, got, test.want)
		}
	}
	near(t, "no observations", ZeroFailureBound(0, .05), 1, 0)
	near(t, "one observation", ZeroFailureBound(1, .05), .95, 1e-15)
	near(t, "two-sided at twice alpha", ClopperPearson(0, 700, .1).Hi, ZeroFailureBound(700, .05), 1e-12)
	near(t, "rule of three", ZeroFailureBound(1_000_000_000, .05)*1e9, -math.Log(.05), 1e-6)
}

// Against the definition: n excludes the share and n-1 does not.
func TestZeroFailureTrials(t *testing.T) {
	for _, test := range []struct {
		share, alpha float64
		want         int64
	}{
		{0.01, 0.001, 688}, {0.1, 0.001, 66}, {0.0025, 0.001, 2760}, {0.05, 0.05, 59}, {0.01, 0.05, 299}, {0.001, 0.05, 2995},
		{0.5, 1. / 1024, 10}, {0.9, 0.1, 1}, {0.999, 0.5, 1}, {0.75, 1. / 16, 2}, {0.5, 1. / (1 << 29), 29},
	} {
		got := ZeroFailureTrials(test.share, test.alpha)
		if got != test.want {
			t.Errorf("share %g at %g: got %d, want %d", test.share, test.alpha, got, test.want)
		}
	}
	for _, share := range []float64{1e-6, 0.00123, 0.02, 0.3, 0.77} {
		for _, alpha := range []float64{1e-6, 0.001, 0.05} {
			n := ZeroFailureTrials(share, alpha)
			if bound := ZeroFailureBound(n, alpha); bound > share*(1+1e-9) {
				t.Errorf("share %g at %g: %d trials bound it by %g only", share, alpha, n, bound)
			}
			if bound := ZeroFailureBound(n-1, alpha); bound <= share {
				t.Errorf("share %g at %g: %d trials would do, got %d", share, alpha, n-1, n)
			}
		}
	}
	if got := ZeroFailureTrials(1e-300, 0.001); got != math.MaxInt64 {
		t.Errorf("a share of 1e-300: got %d, want the largest number", got)
	}
}

// A mesh that deviates in exactly the share that is to be excluded passes in one run of a thousand.
func TestZeroFailureTrialsMissRarely(t *testing.T) {
	const runs, share = 200_000, 0.1
	draw, missed := rand.New(rand.NewPCG(8, 8)), 0
	n := ZeroFailureTrials(share, 0.001)
	for range runs {
		clean := true
		for i := int64(0); i < n && clean; i++ {
			clean = draw.Float64() >= share
		}
		if clean {
			missed++
		}
	}
	// (1 - share)^n is 0.000956: 191 of the runs, four standard deviations are 55.
	near(t, "runs without a deviation", float64(missed), 191, 55)
}

func BenchmarkClopperPearson(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		ClopperPearson(800, 3000, .04)
	}
}
