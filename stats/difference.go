package stats

import "math"

// Estimate is a value and a confidence interval that contains the value.
type Estimate struct {
	Value    float64
	Interval Interval
}

// Difference returns to - from of two independent estimates, with the interval that the method of variance estimates recovery
// gives (MOVER: Zou & Donner, "Construction of confidence limits about effect measures: a general approach", Statistics in
// Medicine 27, 2008): each end is computed from the side of each interval on which it depends. The interval has the confidence of
// the two intervals, and like them it need not be symmetric. For logarithms it is the interval of the logarithm of a ratio.
func Difference(from, to Estimate) Estimate {
	d := to.Value - from.Value
	return Estimate{Value: d, Interval: Interval{
		Lo: d - math.Hypot(to.Value-to.Interval.Lo, from.Interval.Hi-from.Value),
		Hi: d + math.Hypot(to.Interval.Hi-to.Value, from.Value-from.Interval.Lo),
	}}
}

// Newcombe returns the difference p2 - p1 of two probabilities, estimated from k1 of n1 and k2 of n2 independent observations,
// with the hybrid score interval (method 10 of Newcombe, "Interval estimation for the difference between independent
// proportions", Statistics in Medicine 17, 1998): the two Wilson intervals, combined by MOVER. It covers the truth with a
// probability of about 1-alpha, and with more for rare events. A probability without observations is estimated as 0.5. Wilson
// says which counts that are not whole are accepted.
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
