package stats

import (
	"fmt"
	"math"
	"testing"
)

func TestDifference(t *testing.T) {
	got := Difference(Estimate{3, Interval{1, 4}}, Estimate{10, Interval{6, 13}})
	near(t, "value", got.Value, 7, 0)
	near(t, "lower", got.Interval.Lo, 7-math.Hypot(4, 1), 1e-12)
	near(t, "upper", got.Interval.Hi, 7+math.Hypot(3, 2), 1e-12)
}

// Newcombe, "Interval estimation for the difference between independent proportions", Statistics in Medicine 17, 1998,
// table II, method 10.
func TestNewcombeEqualsTable(t *testing.T) {
	for _, test := range []struct {
		k1, n1, k2, n2 float64
		want           Interval
	}{
		{48, 80, 56, 70, Interval{.0524, .3339}},
		{3, 10, 9, 10, Interval{.1705, .8090}},
		{2, 7, 6, 7, Interval{.0582, .8062}},
		{0, 29, 5, 56, Interval{-.0381, .1926}},
		{0, 20, 0, 10, Interval{-.1611, .2775}},
		{0, 10, 0, 10, Interval{-.2775, .2775}},
		{0, 20, 10, 10, Interval{.6791, 1}},
		{0, 10, 10, 10, Interval{.6075, 1}},
	} {
		got, swapped := Newcombe(test.k1, test.n1, test.k2, test.n2, .05), Newcombe(test.k2, test.n2, test.k1, test.n1, .05)
		what := fmt.Sprintf("%g of %g against %g of %g", test.k1, test.n1, test.k2, test.n2)
		near(t, what+" lower", got.Interval.Lo, test.want.Lo, 5.1e-5)
		near(t, what+" upper", got.Interval.Hi, test.want.Hi, 5.1e-5)
		near(t, what+" estimate", got.Value, test.k2/test.n2-test.k1/test.n1, 1e-12)
		near(t, what+" swapped", swapped.Interval.Lo, -got.Interval.Hi, 1e-12)
	}
}

// The coverage is computed exactly, by enumeration of both binomial distributions.
func TestNewcombeCovers(t *testing.T) {
	for _, test := range []struct {
		p1, p2 float64
		n1, n2 int64
		lo, hi float64 // of the coverage
	}{
		{.271, .271, 500, 500, .947, .953},
		{.271, .001, 500, 500, .947, .957},
		{.271, .271, 500, 60, .945, .958},
		{.001, .001, 500, 500, .98, 1},
		{.0625, .112, 400, 400, .945, .957},
	} {
		covered := enumerate(test.p1, test.n1, test.p2, test.n2, func(k1, k2 float64) bool {
			i := Newcombe(k1, float64(test.n1), k2, float64(test.n2), .05).Interval
			return i.Lo <= test.p2-test.p1 && test.p2-test.p1 <= i.Hi
		})
		if covered < test.lo || covered > test.hi {
			t.Errorf("%g of %d against %g of %d: coverage %.4f, want %g to %g", test.p1, test.n1, test.p2, test.n2, covered, test.lo, test.hi)
		}
	}
}

// enumerate is the probability of a condition on two counts. It leaves out tails below 1e-9.
func enumerate(p1 float64, n1 int64, p2 float64, n2 int64, holds func(k1, k2 float64) bool) (sum float64) {
	for k1 := range n1 + 1 {
		w1 := probability(k1, n1, p1)
		if w1 < 1e-9 {
			continue
		}
		for k2 := range n2 + 1 {
			if w2 := probability(k2, n2, p2); w2 >= 1e-9 && holds(float64(k1), float64(k2)) {
				sum += w1 * w2
			}
		}
	}
	return sum
}
