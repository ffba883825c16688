package stats

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

func TestIntervalRelations(t *testing.T) {
	band := Interval{.25, .75}
	tests := []struct {
		interval         Interval
		inside, disjoint bool
		common           Interval
	}{
		{Interval{.5, .625}, true, false, Interval{.5, .625}},
		{Interval{.25, .75}, true, false, Interval{.25, .75}},
		{Interval{.125, .5}, false, false, Interval{.25, .5}},
		{Interval{.5, .875}, false, false, Interval{.5, .75}},
		{Interval{0, 1}, false, false, Interval{.25, .75}},
		{Interval{0, .25}, false, false, Interval{.25, .25}},
		{Interval{.75, 1}, false, false, Interval{.75, .75}},
		{Interval{0, .125}, false, true, Interval{}},
		{Interval{.875, 1}, false, true, Interval{}},
	}
	for _, test := range tests {
		if got := test.interval.Inside(band); got != test.inside {
			t.Errorf("%v inside %v: got %v, want %v", test.interval, band, got, test.inside)
		}
		if got := test.interval.Disjoint(band); got != test.disjoint {
			t.Errorf("%v disjoint from %v: got %v, want %v", test.interval, band, got, test.disjoint)
		}
		got, meet := test.interval.Intersect(band)
		if got != test.common || meet == test.disjoint {
			t.Errorf("%v and %v: got %v, %v, want %v, %v", test.interval, band, got, meet, test.common, !test.disjoint)
		}
	}
	if got, want := band.Width(), .5; got != want {
		t.Errorf("width of %v: got %v, want %v", band, got, want)
	}
}

// For the intervals of a normal estimate the p-value is that of the normal test.
func TestPValueOfTheNormalTest(t *testing.T) {
	for _, z := range []float64{0, .3, 1.96, -2.5758, 5} {
		want := 2 * distuv.UnitNormal.Survival(math.Abs(z))
		got := PValue(func(alpha float64) (Interval, bool) {
			half := distuv.UnitNormal.Quantile(1 - alpha/2)
			return Interval{z - half, z + half}, true
		})
		near(t, "p relative to the test's", got/want, 1, 2e-3)
	}
	if p := PValue(func(alpha float64) (Interval, bool) { return Interval{1, 2}, alpha > .02 }); math.Abs(p-.02) > 1e-4 {
		t.Errorf("intervals that exist from .02 on: p=%g, want .02", p)
	}
	if p := PValue(func(float64) (Interval, bool) { return Interval{}, false }); p != 1 {
		t.Errorf("no interval: p=%g, want 1", p)
	}
}
