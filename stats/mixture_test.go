package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

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
		near(t, test.name, NewMixture(test.components).Quantile(test.q), test.want, 1e-9)
	}
}

func TestMixtureCDF(t *testing.T) {
	m := NewMixture([]Component{{Weight: 3, Widths: []float64{10}}, {Weight: 1, Shift: 5}, {Weight: 0, Shift: -100}})
	for _, test := range []struct{ x, want float64 }{
		{-1, 0}, {0, 0}, {4, 0.3}, {4.999999, 0.37499993}, {5, 0.625}, {9, 0.925}, {10, 1}, {1000, 1},
	} {
		near(t, fmt.Sprintf("up to %g", test.x), m.CDF(test.x), test.want, 1e-8)
	}
	for parts := 2; parts < 50; parts++ { // the sum of equal parts is not always exactly 1, because of rounding errors
		equal := make([]Component, parts)
		for i := range equal {
			equal[i] = Component{Weight: 0.1, Shift: float64(i)}
		}
		near(t, fmt.Sprintf("all of %d parts", parts), NewMixture(equal).CDF(float64(parts-1)), 1, 0)
	}
}

func TestMixtureQuantileOfNothingAddedIsZero(t *testing.T) {
	components := []Component{{Weight: .6}, {Weight: .4, Widths: []float64{25}}}
	if got := NewMixture(components).Quantile(.5); got != 0 {
		t.Errorf("got %g, want 0 exactly", got)
	}
}

// Quantiles of a mixture with overlapping parts are compared with draws. The parts are 0 to 3 retries with uniform back-offs,
// whose bounds double up to 250, and one part after a timeout of 2000.
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
		if got := NewMixture(components).Quantile(q); got < low || got > high {
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
				NewMixture(components).Quantile(.5)
			}
		})
	}
}
