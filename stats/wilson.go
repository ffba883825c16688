package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

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
