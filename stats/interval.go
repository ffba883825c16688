package stats

import "math"

// Interval is a closed interval of real numbers.
type Interval struct {
	Lo float64 `json:"lo"`
	Hi float64 `json:"hi"`
}

// edgeRounding is how far rounding errors of the prediction alone can move an edge away from 0 or 1.
const edgeRounding = 1e-12

// Band returns the probabilities within tolerance of the prediction, clipped to [0, 1]. An edge that was clipped cannot
// be violated, since no interval for a probability reaches beyond it.
func Band(prediction, tolerance float64) Interval {
	band := Interval{Lo: prediction - tolerance, Hi: prediction + tolerance}
	if band.Lo < edgeRounding {
		band.Lo = 0
	}
	if band.Hi > 1-edgeRounding {
		band.Hi = 1
	}
	return band
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
