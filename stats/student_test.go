package stats

import (
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// The results are exactly those of gonum.
func TestStudent(t *testing.T) {
	for _, freedom := range []float64{1, 1.5, 2, 7, 19, 63.25, 1000} {
		law := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: freedom}
		for _, x := range []float64{0, 0.001, 0.5, 1, 2.5, 10, 400} {
			if got, want := studentBelow(x, freedom), law.CDF(-x); got != want {
				t.Errorf("studentBelow(%v, %v) = %v, want %v", x, freedom, got, want)
			}
		}
		for _, p := range []float64{0.00001, 0.0005, 0.025, 0.25, 0.49} {
			if got, want := studentUpper(p, freedom), -law.Quantile(p); got != want {
				t.Errorf("studentUpper(%v, %v) = %v, want %v", p, freedom, got, want)
			}
		}
	}
}
