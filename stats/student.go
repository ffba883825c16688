package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// Student's t distribution is written out here, by the formulas of gonum's distuv and to the same bits: that package brings
// gonum's linear algebra with it, two megabytes of the program, for its distributions of several variables.

// studentBelow is the probability that a Student's t with so many degrees of freedom is at most -t, for t of at least 0.
func studentBelow(t, freedom float64) float64 {
	if t == 0 {
		return 0.5
	}
	return 0.5 * mathext.RegIncBeta(freedom/2, 0.5, freedom/(t*t+freedom))
}

// studentUpper is the t that a Student's t with so many degrees of freedom exceeds with probability p, for p below one half.
func studentUpper(p, freedom float64) float64 {
	t := mathext.InvRegIncBeta(freedom/2, 0.5, 2*p)
	return math.Sqrt(freedom * (1 - t) / t)
}
