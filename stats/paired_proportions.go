package stats

import (
	"fmt"
	"math"
)

// McNemar returns the two-sided p-value of the hypothesis that a yes-or-no outcome of paired observations (the same request in
// two runs) is as likely in the first as in the second: McNemar's test ("Note on the sampling error of the difference
// between correlated proportions or percentages", Psychometrika 12, 1947) in its exact form. Of the pairs that differ, onlyFirst
// are yes in the first run alone and onlySecond are yes in the second run alone. Under the hypothesis both are equally likely for
// each such pair, and the result is the probability of a division that is at least as uneven as the observed one. It is not a
// mid-p-value: its error probability is never larger than the p-value. Pairs that agree have no influence. Without a pair that
// differs the result is 1. Pairs must be independent of each other. McNemar panics if a count is negative.
func McNemar(onlyFirst, onlySecond int64) float64 {
	differ := pairs(onlyFirst, onlySecond)
	return min(1, 2*atMost(float64(min(onlyFirst, onlySecond)), float64(differ), 0.5))
}

// PairedDifference returns the difference p2 - p1 of two probabilities that are estimated from pairs of observations. both pairs
// are yes in both runs, onlyFirst in the first alone, onlySecond in the second alone, and neither in none. Its interval is
// Newcombe's hybrid score interval for paired data (method 10 of "Improved confidence intervals for the difference between
// binomial proportions based on paired data", Statistics in Medicine 17, 1998, 2635-2650): the two Wilson intervals, combined as
// in Difference, but with the correlation of the pairs, which a continuity correction draws towards 0. It covers the truth with a
// probability of about 1-alpha, and of more when few pairs differ. When most pairs agree, it is much narrower than Newcombe's
// interval for independent observations. Without pairs the value is 0 and the interval is [-1, 1]. PairedDifference panics if a
// count is negative or alpha is outside (0, 1).
func PairedDifference(both, onlyFirst, onlySecond, neither int64, alpha float64) Estimate {
	n := float64(pairs(both, onlyFirst, onlySecond, neither))
	requireProbability("alpha", alpha)
	if n == 0 {
		return Estimate{Value: 0, Interval: Interval{Lo: -1, Hi: 1}}
	}
	first := wilsonEstimate(float64(both+onlyFirst), n, alpha)
	second := wilsonEstimate(float64(both+onlySecond), n, alpha)
	correlation := pairCorrelation(float64(both), float64(onlyFirst), float64(onlySecond), float64(neither))
	side := func(a, b float64) float64 { return math.Sqrt(max(0, a*a+b*b-2*correlation*a*b)) }
	d := float64(onlySecond-onlyFirst) / n // exact, while the difference of the two values would have rounding errors
	return Estimate{Value: d, Interval: Interval{
		Lo: max(-1, d-side(second.Value-second.Interval.Lo, first.Interval.Hi-first.Value)),
		Hi: min(1, d+side(second.Interval.Hi-second.Value, first.Value-first.Interval.Lo)),
	}}
}

// pairCorrelation is the phi coefficient of the table of pairs. A positive one is brought nearer to 0 by half a pair. It is 0
// when one of the two outcomes is always the same.
func pairCorrelation(both, onlyFirst, onlySecond, neither float64) float64 {
	squared := (both + onlyFirst) * (onlySecond + neither) * (both + onlySecond) * (onlyFirst + neither)
	if squared == 0 {
		return 0
	}
	covariance := both*neither - onlyFirst*onlySecond
	if covariance > 0 {
		covariance = max(0, covariance-(both+onlyFirst+onlySecond+neither)/2)
	}
	return covariance / math.Sqrt(squared)
}

// pairs adds up counts of pairs. It panics if one is negative.
func pairs(counts ...int64) (total int64) {
	for _, count := range counts {
		if count < 0 {
			panic(fmt.Sprintf("stats: count of %d pairs, want 0 or more", count))
		}
		total += count
	}
	return total
}
