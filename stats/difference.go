package stats

import "math"

// Estimate is a value with its confidence interval, which holds it.
type Estimate struct {
	Value    float64
	Interval Interval
}

// Difference returns to - from of two independent estimates, with the interval that the method of variance estimates recovery
// gives (MOVER: Zou & Donner, "Construction of confidence limits about effect measures: a general approach", Statistics in
// Medicine 27, 2008): each end takes of each interval the side that it depends on. It has the confidence of the two intervals,
// and its sides may be unequal as theirs are. Of logarithms it is that of a ratio's logarithm.
func Difference(from, to Estimate) Estimate {
	d := to.Value - from.Value
	return Estimate{Value: d, Interval: Interval{
		Lo: d - math.Hypot(to.Value-to.Interval.Lo, from.Interval.Hi-from.Value),
		Hi: d + math.Hypot(to.Interval.Hi-to.Value, from.Value-from.Interval.Lo),
	}}
}

// Newcombe returns p2 - p1 of two probabilities, of which k1 of n1 and k2 of n2 independent observations are known, with the
// hybrid score interval (method 10 of Newcombe, "Interval estimation for the difference between independent proportions",
// Statistics in Medicine 17, 1998): the two Wilson intervals, by MOVER. It covers with about 1-alpha, rare events with more.
// Without observations on a side, that side's estimate is the middle of all that is possible. For counts that are not whole
// see Wilson.
func Newcombe(k1, n1, k2, n2, alpha float64) Estimate {
	return Difference(wilsonEstimate(k1, n1, alpha), wilsonEstimate(k2, n2, alpha))
}

func wilsonEstimate(k, n, alpha float64) Estimate {
	e := Estimate{Value: 0.5, Interval: Wilson(k, n, alpha)}
	if n > 0 {
		e.Value = k / n
	}
	return e
}
