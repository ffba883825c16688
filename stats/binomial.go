package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"
)

// atMost returns P(X <= k) for X ~ Bin(n, p) as the regularized incomplete beta function I_{1-p}(n-k, k+1), which also
// interpolates between whole k and n (Abramowitz & Stegun, Handbook of Mathematical Functions, 1964, 26.5.24).
//
// Up to n = 10^6 gonum's function is right to six digits. Its continued fraction stops after 300 steps, so beyond that it is
// wrong in the middle of the distribution (0.499 for 0.500 at 10^7, unusable at 10^9). The tails, which tests use, stay right.
func atMost(k, n, p float64) float64 {
	switch {
	case k < 0:
		return 0
	case k >= n, p <= 0:
		return 1
	case p >= 1:
		return 0
	}
	return mathext.RegIncBeta(n-k, k+1, 1-p)
}

// atLeast returns P(X >= k) for X ~ Bin(n, p), which is I_p(k, n-k+1) by the source of atMost.
func atLeast(k, n, p float64) float64 {
	switch {
	case k <= 0:
		return 1
	case k > n, p <= 0:
		return 0
	case p >= 1:
		return 1
	}
	return mathext.RegIncBeta(k, n-k+1, p)
}

// requireCount panics unless 0 <= k <= n, since no result could be right.
func requireCount(k, n int64) {
	if k < 0 || k > n {
		panic(fmt.Sprintf("stats: count %d of %d, want 0 <= count <= total", k, n))
	}
}

// requireShare panics unless 0 <= k <= n and both are finite numbers.
func requireShare(k, n float64) {
	if !(k >= 0 && k <= n) || math.IsInf(n, 1) {
		panic(fmt.Sprintf("stats: %v of %v, want 0 <= count <= total", k, n))
	}
}

// requireProbability panics unless value lies strictly between 0 and 1. name is the name of the argument.
func requireProbability(name string, value float64) {
	if !(value > 0 && value < 1) {
		panic(fmt.Sprintf("stats: %s is %v, want a value between 0 and 1, both excluded", name, value))
	}
}
