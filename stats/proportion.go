package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// endPrecision is the relative precision to which interval ends are found.
const endPrecision = 1e-14

// ClopperPearson returns the interval of Clopper and Pearson ("The use of confidence or fiducial limits illustrated in the
// case of the binomial", Biometrika 26, 1934) for a probability that k of n observations estimate: the values that
// neither one-sided exact binomial test rejects at alpha/2. It covers the truth with a probability of at least 1-alpha, whatever
// the truth is. Without observations it is [0, 1].
//
// The ends are found by bisection of the binomial tails and not by a beta quantile function, because the available one
// (gonum's InvRegIncBeta, from Cephes) is wrong for far ends: for k = 999,991 of 10^6 and a tail of 10^-6 it returns 0.965.
func ClopperPearson(k, n int64, alpha float64) Interval {
	requireCount(k, n)
	requireProbability("alpha", alpha)
	if n == 0 {
		return Interval{Lo: 0, Hi: 1}
	}
	// The upper end is 1 less the lower end for the opposite outcome.
	return Interval{Lo: lowerEnd(k, n, alpha/2), Hi: 1 - lowerEnd(n-k, n, alpha/2)}
}

// lowerEnd returns the p for which k or more of n occur with probability tail. It is 0 for k = 0, and has a closed form for k = n.
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
// 1927) for a probability that k of n observations estimate. On average over all truths it covers with a probability of about
// 1-alpha, but a truth near 0 or 1 may be covered with less. So verdicts use ClopperPearson, and differences use Newcombe, whose
// interval is rather too wide. k need not be whole: the mean k/n of n values from [0, 1] has at most the variance of n yes-or-no
// values. Without observations the interval is [0, 1].
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
		interval.Lo = 0 // the formula gives 0 up to rounding errors
	}
	if k == n {
		interval.Hi = 1
	}
	return interval
}

// ZeroFailureBound returns the upper bound, at confidence 1-alpha, of the probability of an event that occurred in none of n
// observations: 1 - alpha^(1/n), the one-sided Clopper-Pearson bound for k = 0. It is 1 without observations. The "rule of three"
// 3/n (Hanley & Lippman-Hand, JAMA 249, 1983) approximates it at alpha = 0.05.
func ZeroFailureBound(n int64, alpha float64) float64 {
	requireCount(0, n)
	requireProbability("alpha", alpha)
	if n == 0 {
		return 1
	}
	return -math.Expm1(math.Log(alpha) / float64(n))
}

// ZeroFailureTrials returns how many observations without an event exclude, at confidence 1-alpha, that the event has a
// probability of share or more: the smallest n with (1-share)^n <= alpha, the inverse of ZeroFailureBound. For alpha = 0.001 it
// is about 6.9/share: 688 for a share of 0.01, and 66 for 0.1. It panics unless both arguments are in (0, 1). It returns
// math.MaxInt64 for a share so small that n would not fit into an int64.
func ZeroFailureTrials(share, alpha float64) int64 {
	requireProbability("share", share)
	requireProbability("alpha", alpha)
	const rounding = 1e-12 // relative, so that a whole quotient is not rounded up because of a rounding error
	trials := math.Ceil(math.Log(alpha) / math.Log1p(-share) * (1 - rounding))
	if trials >= math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(trials)
}
