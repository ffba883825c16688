package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// mostPlanned is the largest number of observations that planning considers. Its limit is the precision of atMost.
const mostPlanned = 10_000_000

// PlanPass returns how many observations a check needs to pass a correct system. When the truth equals the prediction, the
// ClopperPearson interval at alpha is then not inside Band(prediction, tolerance) with a probability of less than risk, by the
// exact binomial distribution. The same holds for every larger number of observations.
//
// The exact probability goes up and down with n like a sawtooth, since the accepted counts are whole numbers. PlanPass uses the
// line through the tips of the teeth (see missAbove), so the result can exceed the first n that is enough by the length of a
// tooth. It is math.MaxInt64 when no number up to 10^7 is enough, as with a tolerance of 0.
func PlanPass(prediction, tolerance, alpha, risk float64) int64 {
	requireProbability("alpha", alpha)
	requireProbability("risk", risk)
	band := Band(prediction, tolerance)
	// The guess is that for two one-sided tests in normal approximation: (z_{1-alpha/2} + z_{1-risk/2})^2 p (1-p) / tolerance^2.
	z := mathext.NormalQuantile(1-alpha/2) + mathext.NormalQuantile(1-risk/2)
	guess := z * z * prediction * (1 - prediction) / (tolerance * tolerance)
	n := fewest(toCount(guess), mostPlanned, func(n int64) bool {
		total := float64(n)
		return missAbove(prediction, band.Hi, total, alpha)+missAbove(1-prediction, 1-band.Lo, total, alpha) < risk
	})
	if n == 0 {
		return math.MaxInt64
	}
	return n
}

// toCount rounds a positive estimate to a count between 1 and mostPlanned.
func toCount(estimate float64) int64 {
	if !(estimate < mostPlanned) {
		return mostPlanned
	}
	return max(int64(estimate), 1)
}

// missAbove bounds the probability, at this truth, that the upper end of the ClopperPearson interval of n observations exceeds
// edge. The upper end is at most edge for the counts k with atMost(k, n, edge) <= alpha/2. The largest such whole count is less
// than 1 below the real solution of the equation, so the probability of a larger count is at most that of the real solution or
// more, both by the incomplete beta function. This bound is smooth in n, and the tips of the teeth lie on it.
func missAbove(truth, edge, n, alpha float64) float64 {
	if edge >= 1 {
		return 0
	}
	if atMost(0, n, edge) > alpha/2 {
		return 1
	}
	most, _ := crossing(0, n*edge+1, 1e-5, func(k float64) bool { return atMost(k, n, edge) > alpha/2 })
	return atLeast(most, n, truth)
}

// Detectable returns the smallest deviation such that a check of n observations fails every truth that is further from the
// prediction, above or below, with a probability of at least power: the ClopperPearson interval at alpha is then disjoint from
// Band(prediction, tolerance). The deviation is larger than tolerance. When no truth on one side would fail, that side counts with
// the distance from the prediction to 0 or 1, beyond which there is no truth. Detectable returns false when n is too small to fail
// any truth with that power.
func Detectable(prediction, tolerance float64, n int64, alpha, power float64) (deviation float64, ok bool) {
	requireCount(0, n)
	requireProbability("alpha", alpha)
	requireProbability("power", power)
	band := Band(prediction, tolerance)
	highest, failsAbove := failedFrom(band.Hi, n, alpha, power)
	lowest, failsBelow := failedFrom(1-band.Lo, n, alpha, power) // for the opposite outcome
	if !failsAbove && !failsBelow {
		return 0, false
	}
	return max(highest-prediction, lowest-(1-prediction)), true
}

// failedFrom returns the smallest truth above edge at which the lower end of the ClopperPearson interval exceeds edge with a
// probability of power. It returns 1 and false when no truth does.
func failedFrom(edge float64, n int64, alpha, power float64) (truth float64, ok bool) {
	least := fewest(int64(edge*float64(n)), n, func(k int64) bool {
		return atLeast(float64(k), float64(n), edge) < alpha/2
	})
	if least == 0 {
		return 1, false
	}
	return lowerEnd(least, n, power), true
}

// MoreNeeded returns about how many additional observations would decide an inconclusive check of k of n, if the estimate k/n
// stays the same: how many bring its ClopperPearson interval at alpha inside Band(prediction, tolerance) or out of it. Without
// observations the prediction takes the place of the estimate. The result is 0 when the check is decided already, and when the
// estimate lies on an edge of the band or so close to it that not even 10^7 observations in total would be enough.
func MoreNeeded(k, n int64, prediction, tolerance, alpha float64) int64 {
	requireCount(k, n)
	requireProbability("alpha", alpha)
	band := Band(prediction, tolerance)
	estimate := prediction
	if n > 0 {
		estimate = float64(k) / float64(n)
	}
	enough := fewest(n+1, mostPlanned, func(total int64) bool {
		return settled(estimate*float64(total), float64(total), band, alpha)
	})
	return max(enough-n, 0)
}

// settled reports whether the ClopperPearson interval for k of n, here real numbers, is inside the band or disjoint from it.
func settled(k, n float64, band Interval, alpha float64) bool {
	notBelow := band.Lo <= 0 || atLeast(k, n, band.Lo) <= alpha/2
	notAbove := band.Hi >= 1 || atMost(k, n, band.Hi) <= alpha/2
	outside := atLeast(k, n, band.Hi) < alpha/2 || atMost(k, n, band.Lo) < alpha/2
	return notBelow && notAbove || outside
}
