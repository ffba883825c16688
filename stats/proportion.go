package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// endPrecision is the relative precision to which interval ends are found.
const endPrecision = 1e-14

// ClopperPearson returns the interval of Clopper and Pearson ("The use of confidence or fiducial limits illustrated in the
// case of the binomial", Biometrika 26, 1934) for a probability of which k of n observations are known: the values that
// neither one-sided exact binomial test rejects at alpha/2. It covers the truth with at least 1-alpha whatever the truth
// is. Without observations it is [0, 1].
//
// The ends are found by bisection of the binomial tails and not by a beta quantile function, because the one at hand
// (gonum's InvRegIncBeta, from Cephes) misses far ends: for k = 999,991 of 10^6 and a tail of 10^-6 it returns .965.
func ClopperPearson(k, n int64, alpha float64) Interval {
	requireCount(k, n)
	requireProbability("alpha", alpha)
	if n == 0 {
		return Interval{Lo: 0, Hi: 1}
	}
	// The upper end is the lower end of the other outcome, seen from 1.
	return Interval{Lo: lowerEnd(k, n, alpha/2), Hi: 1 - lowerEnd(n-k, n, alpha/2)}
}

// lowerEnd returns the probability under which k or more of n are seen with probability tail: 0 for k = 0. The end for
// k = n is known in closed form.
func lowerEnd(k, n int64, tail float64) float64 {
	switch k {
	case 0:
		return 0
	case n:
		return math.Pow(tail, 1/float64(n))
	}
	count, total := float64(k), float64(n)
	end, _ := crossing(0, 1, endPrecision, func(p float64) bool { return atLeast(count, total, p) > tail })
	return end
}

// Wilson returns the score interval of Wilson ("Probable inference, the law of succession, and statistical inference", JASA 22,
// 1927) for a probability of which k of n observations are known. On average over truths it covers with about 1-alpha; a single
// truth near 0 or 1 may be covered less, so a verdict takes ClopperPearson, and a difference Newcombe, which errs to the other
// side. k need not be whole: the mean k/n of n values from [0, 1] has at most the variance of as many yes-or-no ones. Without
// observations it is [0, 1].
func Wilson(k, n, alpha float64) Interval {
	requireShare(k, n)
	requireProbability("alpha", alpha)
	if n == 0 {
		return Interval{Lo: 0, Hi: 1}
	}
	z := mathext.NormalQuantile(1 - alpha/2)
	p, s := k/n, z*z/n
	centre := (p + s/2) / (1 + s)
	half := z / (1 + s) * math.Sqrt(p*(1-p)/n+s/(4*n))
	interval := Interval{Lo: max(0, centre-half), Hi: min(1, centre+half)}
	if k == 0 {
		interval.Lo = 0 // it is, but for rounding
	}
	if k == n {
		interval.Hi = 1
	}
	return interval
}

// ZeroFailureBound returns the upper bound, at confidence 1-alpha, of the probability of an event that none of n
// observations showed: 1 - alpha^(1/n), the one-sided Clopper-Pearson bound for k = 0. It is 1 without observations.
// The "rule of three" 3/n (Hanley & Lippman-Hand, JAMA 249, 1983) approximates it at alpha = .05.
func ZeroFailureBound(n int64, alpha float64) float64 {
	requireCount(0, n)
	requireProbability("alpha", alpha)
	if n == 0 {
		return 1
	}
	return -math.Expm1(math.Log(alpha) / float64(n))
}

// ZeroFailureTrials returns the fewest observations, none of which shows an event, that exclude at confidence 1-alpha that
// a share of them or more would show it: the smallest n with (1-share)^n <= alpha, the inverse of ZeroFailureBound. For one in a
// thousand that is about 6.9/share: 688 for a share of 0.01, 66 for 0.1. Both arguments lie between 0 and 1, both excluded. A
// share so small that n would not fit gives math.MaxInt64.
func ZeroFailureTrials(share, alpha float64) int64 {
	requireProbability("share", share)
	requireProbability("alpha", alpha)
	const rounding = 1e-12 // relative: a whole quotient must not be rounded up for its last digit
	trials := math.Ceil(math.Log(alpha) / math.Log1p(-share) * (1 - rounding))
	if trials >= math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(trials)
}
