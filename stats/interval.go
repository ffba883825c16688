package stats

import "math"

// Interval is a closed interval of real numbers.
type Interval struct {
	Lo float64 `json:"lo"`
	Hi float64 `json:"hi"`
}

// Inside reports whether the whole interval lies in the band, edges included.
func (i Interval) Inside(band Interval) bool { return band.Lo <= i.Lo && i.Hi <= band.Hi }

// Disjoint reports whether the interval and the band share no point, edges included.
func (i Interval) Disjoint(band Interval) bool { return i.Hi < band.Lo || band.Hi < i.Lo }

// Intersect returns the interval of the points that both intervals have. It returns false, and the zero interval, when they have
// none in common.
func (i Interval) Intersect(o Interval) (Interval, bool) {
	if i.Disjoint(o) {
		return Interval{}, false
	}
	return Interval{Lo: max(i.Lo, o.Lo), Hi: min(i.Hi, o.Hi)}, true
}

// Width returns Hi - Lo.
func (i Interval) Width() float64 { return i.Hi - i.Lo }

// The smallest and the largest error probability for which PValue computes an interval.
const (
	leastAlpha = 1e-12
	mostAlpha  = 1 - 1e-9
)

// PValue derives a two-sided p-value from confidence intervals: the smallest alpha, to three digits, whose interval does not
// contain zero. For an alpha for which interval returns false, the interval counts as the whole line. The result lies between
// 10^-12 and 1.
func PValue(interval func(alpha float64) (Interval, bool)) float64 {
	excludes := func(alpha float64) bool {
		i, ok := interval(alpha)
		return ok && (i.Lo > 0 || i.Hi < 0)
	}
	if !excludes(mostAlpha) {
		return 1
	}
	// The search has a logarithmic scale, since small p-values matter.
	p, _ := crossing(0, -math.Log(leastAlpha), 1e-4, func(x float64) bool { return !excludes(mostAlpha * math.Exp(-x)) })
	return mostAlpha * math.Exp(-p)
}
