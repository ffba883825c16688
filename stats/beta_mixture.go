package stats

import "math"

// betaMixture is one beta distribution of candidate probabilities, with the logarithm of its normalizing beta function.
type betaMixture struct{ a, b, logBeta float64 }

func newBetaMixture(a, b float64) betaMixture { return betaMixture{a: a, b: b, logBeta: logBeta(a, b)} }

// logMarginal returns the logarithm of the probability that k of n observations occur in one given order, averaged over the
// distribution.
func (m betaMixture) logMarginal(k, n int64) float64 {
	return logBeta(m.a+float64(k), m.b+float64(n-k)) - m.logBeta
}

// logBeta returns ln B(a, b).
func logBeta(a, b float64) float64 {
	first, _ := math.Lgamma(a)
	second, _ := math.Lgamma(b)
	both, _ := math.Lgamma(a + b)
	return first + second - both
}

// logLikelihood returns ln p^hits (1-p)^misses, where 0^0 is 1.
func logLikelihood(p, hits, misses float64) float64 {
	var sum float64
	if hits > 0 {
		sum += hits * math.Log(p)
	}
	if misses > 0 {
		sum += misses * math.Log1p(-p)
	}
	return sum
}
