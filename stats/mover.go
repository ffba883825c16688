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

// least and most of the error probabilities that PValue looks at.
const (
	leastAlpha = 1e-12
	mostAlpha  = 1 - 1e-9
)

// PValue inverts intervals into a two-sided p-value: the smallest alpha, to three digits, at which the interval does not hold
// zero. Where an interval does not exist, it holds everything. The answer lies between 10^-12 and 1.
func PValue(interval func(alpha float64) (Interval, bool)) float64 {
	excludes := func(alpha float64) bool {
		i, ok := interval(alpha)
		return ok && (i.Lo > 0 || i.Hi < 0)
	}
	if !excludes(mostAlpha) {
		return 1
	}
	// On a logarithmic scale, since small values matter.
	p, _ := crossing(0, -math.Log(leastAlpha), 1e-4, func(x float64) bool { return !excludes(mostAlpha * math.Exp(-x)) })
	return mostAlpha * math.Exp(-p)
}
