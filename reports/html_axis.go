package reports

import (
	"math"
	"strconv"
	"strings"
)

// scale maps the values lo to hi onto the pixels from to to, evenly or by their logarithm.
type scale struct {
	lo, hi, from, to float64
	logarithmic      bool
}

// at is where a value lies; values outside are put at the nearer end.
func (s scale) at(v float64) float64 {
	v = min(max(v, s.lo), s.hi)
	if !(s.lo < s.hi) {
		return s.from
	}
	if s.logarithmic {
		return s.from + (s.to-s.from)*math.Log(v/s.lo)/math.Log(s.hi/s.lo)
	}
	return s.from + (s.to-s.from)*(v-s.lo)/(s.hi-s.lo)
}

// A logarithmic scale of times ends at the picosecond and at 30 thousand years, whatever a report says.
const shortest, longest = 1e-12, 1e12

// logarithmic is a scale that has room around positive values; false: there is none among them.
func logarithmic(values []float64, from, to float64) (scale, bool) {
	lo, hi, timed := math.Inf(1), 0.0, false
	for _, v := range values {
		if v > 0 {
			lo, hi, timed = min(lo, v), max(hi, v), true
		}
	}
	lo, hi = max(min(lo, longest), shortest), max(min(hi, longest), shortest)
	return scale{lo: lo / 1.3, hi: hi * 1.3, from: from, to: to, logarithmic: true}, timed
}

// ticks are round values (1, 2 or 5 times a power of ten) of the scale, as many as stand at least apart pixels from each other.
func (s scale) ticks(apart float64) []float64 {
	if !(s.lo < s.hi) {
		return nil
	}
	if s.logarithmic {
		return s.logarithmicTicks(apart)
	}
	most := max(1, math.Abs(s.to-s.from)/apart)
	step := roundStep((s.hi - s.lo) / most)
	var at []float64
	first, last := math.Ceil(s.lo/step-1e-9), math.Floor(s.hi/step+1e-9)
	for i := 0.0; first+i <= last && i <= most; i++ {
		at = append(at, (first+i)*step)
	}
	return at
}

// roundStep is the least 1, 2 or 5 times a power of ten that is not below v.
func roundStep(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, factor := range []float64{1, 2, 5} {
		if factor*power >= v*(1-1e-9) {
			return factor * power
		}
	}
	return 10 * power
}

// logarithmicTicks are of the densest family that fits: 1-2-5 of each decade, its ones, or those of every second decade and so on.
func (s scale) logarithmicTicks(apart float64) []float64 {
	decade := math.Abs(s.to-s.from) / math.Log10(s.hi/s.lo) // pixels
	factors, every := []float64{1, 2, 5}, 1
	if decade*math.Log10(2) < apart {
		factors = []float64{1}
		every = max(1, int(math.Ceil(apart/decade)))
	}
	var at []float64
	first := int(math.Floor(math.Log10(s.lo)))
	for e := first; float64(e) <= math.Log10(s.hi); e++ {
		for _, f := range factors {
			if v := f * math.Pow(10, float64(e)); v >= s.lo && v <= s.hi && e%every == 0 {
				at = append(at, v)
			}
		}
	}
	if len(at) < 2 && s.hi/s.lo < 10 { // of a part of a decade even steps are round
		return scale{lo: s.lo, hi: s.hi, from: s.from, to: s.to}.ticks(1.5 * apart)
	}
	return at
}

// duration is a time with three significant digits in the unit that suits it.
func duration(seconds float64) string {
	size := math.Abs(seconds)
	switch {
	case size == 0:
		return "0"
	case size < 0.9995e-3:
		return significant(seconds*1e6) + "µs"
	case size < 0.9995:
		return significant(seconds*1e3) + "ms"
	}
	return significant(seconds) + "s"
}

// significant is a number with three significant digits, without zeros at the end of its fraction.
func significant(v float64) string {
	decimals := 2 - int(math.Floor(math.Log10(max(math.Abs(v), 0.01))+1e-12))
	s := strconv.FormatFloat(v, 'f', max(0, decimals), 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// axis draws the scale below a plot that reaches from top to bottom, with a grid line and a label at each tick; it takes 18 pixels.
func (p *picture) axis(s scale, top, bottom, apart float64, label func(float64) string) {
	at := s.ticks(apart)
	for _, v := range at {
		p.line("grid", s.at(v), top, s.at(v), bottom+3)
	}
	for _, v := range at {
		p.text("tick middle", s.at(v), bottom+14, label(v))
	}
}

// side draws a scale at the left of a plot that reaches from left to right.
func (p *picture) side(s scale, left, right, apart float64, label func(float64) string) {
	at := s.ticks(apart)
	for _, v := range at {
		p.line("grid", left, s.at(v), right, s.at(v))
	}
	for _, v := range at {
		p.text("tick end", left-6, s.at(v)+4, label(v))
	}
}
