package page

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		s     Scale
		apart float64
		want  string
	}{
		{Scale{Lo: 0, Hi: 1, From: 0, To: 280}, 44, "[0 0.2 0.4 0.6 0.8 1]"},
		{Scale{Lo: 0, Hi: 778, From: 80, To: 0}, 26, "[0 500]"},
		{Scale{Lo: 5.3, Hi: 12.4, From: 0, To: 400}, 46, "[6 7 8 9 10 11 12]"},
		{Scale{Lo: -0.001, Hi: 0.19, From: 0, To: 600}, 70, "[0 0.05 0.1 0.15]"},
		{Scale{Lo: 0.005, Hi: 0.03, From: 0, To: 284, Logarithmic: true}, 44, "[0.005 0.01 0.02]"},
		{Scale{Lo: 0.026, Hi: 0.044, From: 0, To: 284, Logarithmic: true}, 44, "[0.03 0.035 0.04]"},
		{Scale{Lo: 1e-5, Hi: 100, From: 0, To: 350, Logarithmic: true}, 60, "[0.0001 0.01 1 100]"},
		{Scale{Lo: 1, Hi: 1, From: 0, To: 100}, 10, "[]"},
		{Scale{Lo: 0, Hi: math.Inf(1), From: 0, To: 100}, 10, "[]"},
	} {
		ticks := c.s.Ticks(c.apart)
		for i, v := range ticks {
			ticks[i] = math.Round(v*1e9) / 1e9
		}
		if got := fmt.Sprint(ticks); got != c.want {
			t.Errorf("ticks of %v: %s, want %s", c.s, got, c.want)
		}
	}
}

// Labels do not overlap: no two ticks are nearer to each other than the caller allows, on any range.
func TestTicksKeepApart(t *testing.T) {
	for e := -6.0; e < 6; e += 0.37 {
		for _, ratio := range []float64{1.02, 1.5, 3, 17, 2e5} {
			for _, s := range []Scale{{Lo: math.Pow(10, e), Hi: ratio * math.Pow(10, e), From: 0, To: 300}, {Lo: math.Pow(10, e), Hi: ratio * math.Pow(10, e), From: 0, To: 300, Logarithmic: true}} {
				ticks := s.Ticks(44)
				if !slices.IsSorted(ticks) || s.Logarithmic && ratio >= 1.5 && len(ticks) == 0 {
					t.Errorf("%v: ticks %v", s, ticks)
				}
				for i := 1; i < len(ticks); i++ {
					if d := s.At(ticks[i]) - s.At(ticks[i-1]); d < 43.9 {
						t.Errorf("%v: ticks %v and %v are %.1f px from each other", s, ticks[i-1], ticks[i], d)
					}
				}
			}
		}
	}
}

// A scale of shares shows where the values are: neither the whole, in which a percent is a pixel and a half, nor noise as large as the page.
func TestShares(t *testing.T) {
	for _, c := range []struct {
		values []float64
		lo, hi float64
	}{
		{nil, 0, 1},
		{[]float64{0, 1}, 0, 1},
		{[]float64{0.273, 0.32, 0.3, 0.268, 0.376}, 0.25, 0.4},
		{[]float64{0, 0.0385}, 0, 0.06},
		{[]float64{0.5}, 0.49, 0.51},
		{[]float64{1}, 0.99, 1},
	} {
		if s := Shares(c.values, 0, 100); math.Abs(s.Lo-c.lo) > 1e-9 || math.Abs(s.Hi-c.hi) > 1e-9 || len(s.Ticks(40)) < 2 {
			t.Errorf("of %v: %g to %g with ticks at %v, want %g to %g", c.values, s.Lo, s.Hi, s.Ticks(40), c.lo, c.hi)
		}
	}
}
