package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// leastExpected is the expected count below which the chi-square distribution is no longer trusted.
const leastExpected = 5

// TwoProportions returns the two-sided p-value of the hypothesis that k1 of n1 and k2 of n2 observations have one probability:
// Fisher's exact test where an expected count is below 5, else the chi-square test with N-1 (Campbell, "Chi-squared and
// Fisher-Irwin tests of two-by-two tables with small sample recommendations", Statistics in Medicine 26, 2007). It is 1 when n1
// or n2 is 0, and when all observations are of one kind. Wilson says which counts that are not whole are accepted; for those the
// p-value is rather too large.
func TwoProportions(k1, n1, k2, n2 float64) float64 {
	requireShare(k1, n1)
	requireShare(k2, n2)
	total, yes := n1+n2, k1+k2
	if n1 == 0 || n2 == 0 || yes == 0 || yes == total {
		return 1
	}
	if min(n1, n2)*min(yes, total-yes)/total < leastExpected {
		// Parts of observations are rounded so that the two shares come nearer to each other, which makes the p-value larger.
		return Fisher(whole(k1, k1/n1 < k2/n2), int64(n1), whole(k2, k2/n2 < k1/n1), int64(n2))
	}
	cross := k1*(n2-k2) - k2*(n1-k1)
	chi := cross / n1 * cross / n2 * (total - 1) / yes / (total - yes)
	return mathext.GammaIncRegComp(0.5, 0.5*chi) // the chance that a chi-squared with one degree of freedom exceeds it
}

// whole rounds a count up or down.
func whole(k float64, up bool) int64 {
	if up {
		return int64(math.Ceil(k))
	}
	return int64(math.Floor(k))
}

// Fisher returns the two-sided p-value of Fisher's exact test (Fisher, "The logic of inductive inference", JRSS 98, 1935) of
// k1 of n1 against k2 of n2: with the sums fixed, the probability of all tables that are as unlikely as this one or more.
func Fisher(k1, n1, k2, n2 int64) float64 {
	requireCount(k1, n1)
	requireCount(k2, n2)
	yes := k1 + k2
	low, high := max(0, yes-n2), min(n1, yes)
	weight := func(k int64) float64 { return logChoose(n1, k) + logChoose(n2, yes-k) }
	most := math.Inf(-1)
	for k := low; k <= high; k++ {
		most = max(most, weight(k))
	}
	const ties = 1e-7 // tables whose logarithms differ by less are equally likely; only rounding errors distinguish them
	limit, sum, extreme := weight(k1)+ties, 0.0, 0.0
	for k := low; k <= high; k++ {
		w := weight(k)
		sum += math.Exp(w - most)
		if w <= limit {
			extreme += math.Exp(w - most)
		}
	}
	return extreme / sum
}

// logChoose is the logarithm of n over k.
func logChoose(n, k int64) float64 {
	all, _ := math.Lgamma(float64(n + 1))
	of, _ := math.Lgamma(float64(k + 1))
	rest, _ := math.Lgamma(float64(n - k + 1))
	return all - of - rest
}
