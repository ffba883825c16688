package stats

import (
	"math"
	"sort"
)

// QuantileByShares returns the interval of the q-quantile by inverting tests (Francisco & Fuller, "Quantile estimation with a complex survey
// design", Annals of Statistics 19, 1991): it has the values for which the share of observations above them may be 1-q, as far as
// ClusteredProportion tells. Other than QuantileInterval, it estimates how much observations of a block depend on each other at the value that
// is tested and not at the quantile: of a value that no observation exceeds it takes them for independent. An end is infinite where there
// are too few observations for one. The ends are found by halving, which takes the tests for monotone.
func (b *Blocks) QuantileByShares(q, alpha float64) Interval {
	requireProbability("q", q)
	requireProbability("alpha", alpha)
	// above returns the effective counts of the observations above a value.
	above := func(i int) (k, n float64) {
		shares := make([]Share, len(b.blocks))
		for at := range b.blocks {
			one := &b.blocks[at]
			shares[at] = Share{K: one.total() - one.atMost(b.all.values[i]), N: one.total()}
		}
		return effectiveCounts(shares, alpha)
	}
	// An end of the interval of a share lies beyond 1-q where the binomial test of 1-q rejects.
	notMore := func(i int) bool {
		k, n := above(i)
		return atLeast(k, n, 1-q) > alpha/2
	}
	surelyLess := func(i int) bool {
		k, n := above(i)
		return atLeast(n-k, n, q) <= alpha/2
	}
	count := len(b.all.values)
	interval := Interval{Lo: math.Inf(-1), Hi: math.Inf(1)}
	if lo := sort.Search(count, notMore); lo > 0 && lo < count { // the quantile is above value lo-1
		interval.Lo = b.all.values[lo]
	}
	if hi := sort.Search(count, surelyLess); hi < count {
		interval.Hi = b.all.values[hi]
	}
	return interval
}
