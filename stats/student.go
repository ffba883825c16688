package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// Student's t distribution is computed here with the formulas of gonum's distuv, and with exactly the same results. Importing
// distuv would add gonum's linear algebra to the program, two megabytes that only its distributions of several variables need.

// studentBelow is the probability that a Student's t with this many degrees of freedom is at most -t, for t of at least 0.
func studentBelow(t, freedom float64) float64 {
	if t == 0 {
		return 0.5
	}
	return 0.5 * mathext.RegIncBeta(freedom/2, 0.5, freedom/(t*t+freedom))
}

// studentUpper is the value that a Student's t with this many degrees of freedom exceeds with probability p, for p below one half.
func studentUpper(p, freedom float64) float64 {
	t := mathext.InvRegIncBeta(freedom/2, 0.5, 2*p)
	return math.Sqrt(freedom * (1 - t) / t)
}
