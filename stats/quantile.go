package stats

import (
	"math"
	"sort"
)

// QuantileRanks returns the ranks (1 is the smallest) of the two among n independent observations that enclose the
// q-quantile of their distribution, whatever it is, with probability 1-alpha at least: the number of observations below
// the quantile is X ~ Bin(n, q), lo is the largest rank with P(X <= lo-1) <= alpha/2 and hi the smallest with
// P(X >= hi) <= alpha/2 (Conover, Practical Nonparametric Statistics, 1999, section 3.2; Hahn & Meeker, Statistical
// Intervals, 1991, section 5.2). The answer is false when n is too small for either rank to exist (see
// QuantileMinimum). From a histogram read the lower edge of lo's bin and the upper edge of hi's.
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

// QuantileMinimum returns the fewest observations for which QuantileRanks has an answer: the least n with both q^n and
// (1-q)^n at most alpha/2.
func QuantileMinimum(q, alpha float64) int64 {
	requireProbability("q", q)
	requireProbability("alpha", alpha)
	likelier := max(q, 1-q)
	return int64(math.Ceil(math.Log(alpha/2) / math.Log(likelier)))
}
