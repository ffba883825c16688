package stats

import "math"

// Interval is a closed interval of real numbers.
type Interval struct {
	Lo float64 `json:"lo"`
	Hi float64 `json:"hi"`
}

// edgeRounding is how far from 0 or 1 an edge may fall by the rounding errors of the prediction alone.
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

// Inside says whether the whole interval lies in the band, edges included.
func (i Interval) Inside(band Interval) bool { return band.Lo <= i.Lo && i.Hi <= band.Hi }

// Disjoint says whether the interval and the band share no point, edges included.
func (i Interval) Disjoint(band Interval) bool { return i.Hi < band.Lo || band.Hi < i.Lo }

// Intersect returns the points that both intervals hold; false (and the zero interval) when there are none.
func (i Interval) Intersect(o Interval) (Interval, bool) {
	if i.Disjoint(o) {
		return Interval{}, false
	}
	return Interval{Lo: max(i.Lo, o.Lo), Hi: min(i.Hi, o.Hi)}, true
}

// Width returns Hi - Lo.
func (i Interval) Width() float64 { return i.Hi - i.Lo }

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
