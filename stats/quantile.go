package stats

import (
	"math"
	"sort"
)

// QuantileRanks returns the ranks (1 is the smallest) of the two among n independent observations that enclose the
// q-quantile of their distribution, whatever it is, with a probability of at least 1-alpha. The number of observations below the
// quantile is X ~ Bin(n, q); lo is the largest rank with P(X <= lo-1) <= alpha/2 and hi is the smallest with
// P(X >= hi) <= alpha/2 (Conover, Practical Nonparametric Statistics, 1999, section 3.2; Hahn & Meeker, Statistical
// Intervals, 1991, section 5.2). QuantileRanks returns false when n is too small for one of the ranks to exist (see
// QuantileMinimum). In a histogram the interval goes from the lower edge of lo's bin to the upper edge of hi's bin.
func QuantileRanks(n int64, q, alpha float64) (lo, hi int64, ok bool) {
	requireCount(0, n)
	requireProbability("q", q)
	requireProbability("alpha", alpha)
	total := float64(n)
	lo = int64(sort.Search(int(n), func(rank int) bool { return atMost(float64(rank), total, q) > alpha/2 }))
	hi = 1 + int64(sort.Search(int(n), func(below int) bool { return atLeast(float64(below+1), total, q) <= alpha/2 }))
	if lo < 1 || hi > n {
		return 0, 0, false
	}
	return lo, hi, true
}

// QuantileMinimum returns the smallest n for which QuantileRanks returns ranks: the smallest with both q^n and (1-q)^n at most
// alpha/2.
func QuantileMinimum(q, alpha float64) int64 {
	requireProbability("q", q)
	requireProbability("alpha", alpha)
	likelier := max(q, 1-q)
	return int64(math.Ceil(math.Log(alpha/2) / math.Log(likelier)))
}
