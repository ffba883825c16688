package stats

import "math"

// Hoeffding returns an interval for the mean of a distribution on [0, most], whatever it is, of which n independent observations
// have the mean given: it covers the truth with a probability of at least 1-alpha (Hoeffding, "Probability inequalities for sums of
// bounded random variables", JASA 58, 1963, theorem 2, on both sides). Without observations it is [0, most]. It panics where the mean is
// not in [0, most].
func Hoeffding(mean, most float64, n int64, alpha float64) Interval {
	requireCount(0, n)
	requireProbability("alpha", alpha)
	if !(mean >= 0 && mean <= most) {
		panic("stats: the mean of observations lies outside of their range")
	}
	if n == 0 {
		return Interval{Lo: 0, Hi: most}
	}
	half := most * math.Sqrt(math.Log(2/alpha)/(2*float64(n)))
	return Interval{Lo: max(0, mean-half), Hi: min(most, mean+half)}
}
