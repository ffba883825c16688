package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// Sums of equal widths have known values: at whole numbers sums of Eulerian numbers over m!.
func TestUniformSumEqualsKnownValues(t *testing.T) {
	for _, test := range []struct {
		widths  []float64
		x, want float64
	}{
		{nil, -1e-9, 0},
		{nil, 0, 1},
		{[]float64{0, 0}, 0, 1},
		{[]float64{25}, 5, .2},
		{[]float64{25, 0}, 20, .8},
		{[]float64{25, 50}, 25, .25}, // a triangle of 25*25/2 in a box of 25*50
		{[]float64{25, 50}, 50, .75},
		{[]float64{25, 50}, 75, 1},
		{[]float64{1, 1, 1}, 1, 1. / 6},
		{[]float64{1, 1, 1}, 2, 5. / 6},
		{[]float64{1, 1, 1, 1}, 2, .5},
		{[]float64{1, 1, 1, 1, 1}, 2, 27. / 120},
		{slices.Repeat([]float64{1}, 12), 1, 1. / 479001600},
		{slices.Repeat([]float64{1}, 12), 6, .5},
		{slices.Repeat([]float64{1}, 12), 2, (1 + 4083.) / 479001600},
	} {
		got := NewUniformSum(test.widths...).CDF(test.x)
		near(t, fmt.Sprintf("widths %v at %g", test.widths, test.x), got, test.want, 1e-12)
	}
}

func TestUniformSumEqualsDraws(t *testing.T) {
	capped := []float64{25, 50, 100, 200}
	for _, widths := range [][]float64{
		{25}, {25, 50}, {25, 50, 100, 200, 250, 250}, {1e-6, 1e-6, 1}, {1, 1, 1e-4, 1e-3, 1e-3}, {1e-9, 5, 1e-12, 3, 1e-15},
		append(slices.Clone(capped), slices.Repeat([]float64{250}, 8)...),
		append(slices.Clone(capped), slices.Repeat([]float64{250}, 15)...),
	} {
		const draws = 20_000
		values, draw := make([]float64, draws), rand.New(rand.NewPCG(6, uint64(len(widths))))
		for i := range values {
			for _, width := range widths {
				values[i] += width * draw.Float64()
			}
		}
		slices.Sort(values)
		distribution, worst, last := NewUniformSum(widths...), 0., 0.
		for i, x := range values {
			if i%10 != 0 {
				continue
			}
			got := distribution.CDF(x)
			if got < last {
				t.Errorf("%v: falls from %g to %g at %g", widths, last, got, x)
			}
			last, worst = got, max(worst, math.Abs(got-(float64(i)+.5)/draws))
		}
		// Kolmogorov's bound at 1 in 1,000.
		if limit := 1.95 / math.Sqrt(draws); worst > limit {
			t.Errorf("%v: distance to the draws is %.4f, want at most %.4f", widths, worst, limit)
		}
	}
}

func TestUniformSumMergesToTheSameShape(t *testing.T) {
	many := NewUniformSum(slices.Repeat([]float64{1}, 40)...)
	if many.power > mostUniforms {
		t.Errorf("40 widths kept as %d, want at most %d", many.power, mostUniforms)
	}
	// The sum of 40 itself by its Edgeworth expansion, right to 1e-5: excess kurtosis -1.2/40, no skewness.
	worst := 0.
	for z := -4.; z <= 4; z += .05 {
		want := distuv.UnitNormal.CDF(z) + 1.2/40/24*(z*z*z-3*z)*distuv.UnitNormal.Prob(z)
		worst = max(worst, math.Abs(many.CDF(20+z*math.Sqrt(40./12))-want))
	}
	if worst > .002 {
		t.Errorf("distance of 40 merged widths to their distribution: got %.5f, want at most .002", worst)
	}
	near(t, "median of 40 widths", many.CDF(20), .5, 1e-9)
	narrow := NewUniformSum(1e-9, 1e-9, 1e-9, 4)
	for x := 0.; x <= 4; x += .25 {
		near(t, fmt.Sprintf("one wide among narrow at %g", x), narrow.CDF(x+1.5e-9), x/4, 1e-8)
	}
}
