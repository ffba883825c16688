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

func TestMixtureQuantile(t *testing.T) {
	for _, test := range []struct {
		name       string
		components []Component
		q, want    float64
	}{
		{"one uniform", []Component{{Weight: 3, Widths: []float64{25}}}, .5, 12.5},
		{"shifted", []Component{{Weight: 1, Shift: 2000, Widths: []float64{25, 50}}}, .5, 2037.5},
		{"nothing added", []Component{{Weight: 1, Shift: 7}}, .9, 7},
		{"more than half at the start", []Component{{Weight: 3, Shift: 1}, {Weight: 2, Widths: []float64{5}, Shift: 2}}, .5, 1},
		{"a tenth into the second", []Component{{Weight: .5}, {Weight: .5, Shift: 100, Widths: []float64{50}}}, .55, 105},
		{"constant in the middle", []Component{{Weight: 1, Widths: []float64{1}}, {Weight: 2, Shift: 3}, {Weight: 1, Shift: 9}}, .5, 3},
		{"highest component first", []Component{{Weight: 1, Shift: 9, Widths: []float64{1}}, {Weight: 1, Shift: 3}}, .75, 9.5},
		{"without weight", []Component{{Weight: 0, Shift: -5}, {Weight: 1, Widths: []float64{10}}}, .1, 1},
		{"negative shift", []Component{{Weight: 1, Shift: -20, Widths: []float64{10}}}, .25, -17.5},
	} {
		near(t, test.name, MixtureQuantile(test.components, test.q), test.want, 1e-9)
	}
}

func TestMixtureQuantileOfNothingAddedIsZero(t *testing.T) {
	components := []Component{{Weight: .6}, {Weight: .4, Widths: []float64{25}}}
	if got := MixtureQuantile(components, .5); got != 0 {
		t.Errorf("got %g, want 0 exactly", got)
	}
}

// A quantile of a mixture whose parts overlap, against draws: 0 to 3 retries with full jitter, each doubling to a cap of
// 250, and one part behind a timeout of 2000.
func TestMixtureQuantileEqualsDraws(t *testing.T) {
	widths := []float64{25, 50, 100, 200, 250}
	var components []Component
	for count := range widths {
		components = append(components, Component{Weight: math.Pow(.5, float64(count)), Widths: widths[:count+1]})
	}
	components = append(components, Component{Weight: .1, Shift: 2000, Widths: widths[:1]})
	const draws = 40_000
	values, draw := make([]float64, draws), rand.New(rand.NewPCG(7, 7))
	for i := range values {
		left := draw.Float64() * (1 + .5 + .25 + .125 + .0625 + .1)
		for _, c := range components {
			if left -= c.Weight; left < 0 {
				values[i] = c.Shift
				for _, width := range c.Widths {
					values[i] += width * draw.Float64()
				}
				break
			}
		}
	}
	slices.Sort(values)
	for _, q := range []float64{.1, .5, .9, .94, .99} {
		// The draws around rank q*n must enclose it, four standard deviations apart.
		apart := 4 * math.Sqrt(draws*q*(1-q))
		low, high := values[int(draws*q-apart)], values[int(draws*q+apart)]
		if got := MixtureQuantile(components, q); got < low || got > high {
			t.Errorf("quantile %g: got %g, want between %g and %g", q, got, low, high)
		}
	}
}

func BenchmarkMixtureQuantile(b *testing.B) {
	widths := []float64{25, 50, 100, 200, 250, 250, 250, 250, 250, 250}
	for _, retries := range []int{3, 10} {
		components := make([]Component, retries)
		for i := range components {
			components[i] = Component{Weight: math.Pow(.5, float64(i)), Widths: widths[:i+1]}
		}
		b.Run(fmt.Sprint(retries), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				MixtureQuantile(components, .5)
			}
		})
	}
}
