package page

import "math"

// Scale maps the values Lo to Hi onto the pixels From to To, evenly or by their logarithm.
type Scale struct {
	Lo, Hi, From, To float64
	Logarithmic      bool
}

// At returns the pixel of a value. A value outside the scale is at the nearer end.
func (s Scale) At(v float64) float64 {
	v = min(max(v, s.Lo), s.Hi)
	if !(s.Lo < s.Hi) {
		return s.From
	}
	if s.Logarithmic {
		return s.From + (s.To-s.From)*math.Log(v/s.Lo)/math.Log(s.Hi/s.Lo)
	}
	return s.From + (s.To-s.From)*(v-s.Lo)/(s.Hi-s.Lo)
}

// The limits of a logarithmic scale in seconds: a picosecond and about 30 thousand years. A report may have any number in it.
const shortest, longest = 1e-12, 1e12

// Logarithmic returns a logarithmic scale with some room around the positive ones of values. It returns false where no value is positive.
func Logarithmic(values []float64, from, to float64) (Scale, bool) {
	lo, hi, timed := math.Inf(1), 0.0, false
	for _, v := range values {
		if v > 0 {
			lo, hi, timed = min(lo, v), max(hi, v), true
		}
	}
	lo, hi = max(min(lo, longest), shortest), max(min(hi, longest), shortest)
	return Scale{Lo: lo / 1.3, Hi: hi * 1.3, From: from, To: to, Logarithmic: true}, timed
}

// narrowest is how much of the whole a scale of shares shows at least: among shares that hardly differ, a reader would take noise for a
// difference.
const narrowest = 0.02

// Shares returns a scale that shows the part of 0 to 1 in which the values are, with some room around them. Its ends are round numbers.
func Shares(values []float64, from, to float64) Scale {
	lo, hi := 1.0, 0.0
	for _, v := range values {
		lo, hi = min(lo, v), max(hi, v)
	}
	if lo > hi {
		return Scale{Lo: 0, Hi: 1, From: from, To: to}
	}
	room := max(narrowest-(hi-lo), 0.3*(hi-lo)) / 2
	lo, hi = lo-room, hi+room
	step := roundStep((hi - lo) / 3)
	return Scale{Lo: max(0, math.Floor(lo/step+1e-9)*step), Hi: min(1, math.Ceil(hi/step-1e-9)*step), From: from, To: to}
}

// Ticks returns round values of the scale: 1, 2 or 5 times a power of ten. There are as many as fit with at least apart pixels between
// two of them. Where only one fits on an even scale, they are its ends: a reader cannot read a scale from one number.
func (s Scale) Ticks(apart float64) []float64 {
	if !(s.Lo < s.Hi) {
		return nil
	}
	if s.Logarithmic {
		return s.logarithmicTicks(apart)
	}
	most := max(1, math.Abs(s.To-s.From)/apart)
	step := roundStep((s.Hi - s.Lo) / most)
	var at []float64
	first, last := math.Ceil(s.Lo/step-1e-9), math.Floor(s.Hi/step+1e-9)
	for i := 0.0; first+i <= last && i <= most; i++ {
		at = append(at, (first+i)*step)
	}
	if len(at) < 2 && !math.IsInf(s.Hi-s.Lo, 0) && math.Abs(s.To-s.From) >= apart {
		return []float64{s.Lo, s.Hi}
	}
	return at
}

// roundStep returns the smallest number that is 1, 2 or 5 times a power of ten and not below v.
func roundStep(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, factor := range []float64{1, 2, 5} {
		if factor*power >= v*(1-1e-9) {
			return factor * power
		}
	}
	return 10 * power
}

// logarithmicTicks returns the densest ticks that fit: 1, 2 and 5 in each decade, or only 1, or only 1 in every second decade, and so on.
func (s Scale) logarithmicTicks(apart float64) []float64 {
	decade := math.Abs(s.To-s.From) / math.Log10(s.Hi/s.Lo) // pixels
	factors, every := []float64{1, 2, 5}, 1
	if decade*math.Log10(2) < apart {
		factors = []float64{1}
		every = max(1, int(math.Ceil(apart/decade)))
	}
	var at []float64
	first := int(math.Floor(math.Log10(s.Lo)))
	for e := first; float64(e) <= math.Log10(s.Hi); e++ {
		for _, f := range factors {
			if v := f * math.Pow(10, float64(e)); v >= s.Lo && v <= s.Hi && e%every == 0 {
				at = append(at, v)
			}
		}
	}
	if len(at) < 2 && s.Hi/s.Lo < 10 { // Within a part of a decade the ticks of a linear scale are round.
		return Scale{Lo: s.Lo, Hi: s.Hi, From: s.From, To: s.To}.Ticks(1.5 * apart)
	}
	return at
}

// Axis draws the scale below a plot that reaches from top to bottom, with a grid line and a label at each tick. The labels take 18
// pixels.
func (p *Picture) Axis(s Scale, top, bottom, apart float64, label func(float64) string) {
	at := s.Ticks(apart)
	for _, v := range at {
		p.Line("grid", s.At(v), top, s.At(v), bottom+3)
	}
	for _, v := range at {
		p.Text("tick middle", s.At(v), bottom+14, label(v))
	}
}

// Side draws a scale at the left of a plot that reaches from left to right.
func (p *Picture) Side(s Scale, left, right, apart float64, label func(float64) string) {
	at := s.Ticks(apart)
	for _, v := range at {
		p.Line("grid", left, s.At(v), right, s.At(v))
	}
	for _, v := range at {
		p.Text("tick end", left-6, s.At(v)+4, label(v))
	}
}
