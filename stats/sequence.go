package stats

import (
	"fmt"
	"math"
)

// Sequence is a confidence sequence for a probability. Its interval may be looked at after every observation, and a run may stop
// as soon as the interval decides. The probability that any of the intervals ever misses the truth is at most alpha all the same.
//
// It inverts the mean of two of Robbins' beta-binomial mixtures ("Statistical methods related to the law of the iterated
// logarithm", Ann. Math. Stat. 41, 1970). For each candidate p,
//
//	E_n(p) = mean over both (a, b) of B(a+k, b+n-k)/B(a, b)  /  p^k (1-p)^(n-k)
//
// is a non-negative martingale of mean 1 if p is the truth, so that it ever reaches 1/alpha with a probability of at most alpha
// (Ville, "Étude critique de la notion de collectif", 1939). The mixture of Jeffreys, a = b = 1/2, finds gross errors within a few
// dozen observations. The mixture that is centred on the prediction makes the interval narrow towards the end of a run.
//
// A Sequence does not change and may be used by many goroutines.
type Sequence struct {
	mixtures     [2]betaMixture
	logThreshold float64 // ln(1/alpha)
}

// betaMixture is one beta distribution of candidate probabilities, with the logarithm of its normalizing beta function.
type betaMixture struct{ a, b, logBeta float64 }

// NewSequence prepares the sequence for a check with this prediction (in [0, 1]) of up to most observations, at total error
// probability alpha. All three must be fixed before the run. Prediction and most only decide where the sequence is narrow: the
// error probability holds for any truth, and for more than most observations too.
//
// The centred mixture has the weight of most/8 observations, at least 1. Neither of its parameters is smaller than 1/2 (the
// weight of Jeffreys): at a prediction of 0 or 1 the beta distribution would be improper, and close to them it would be nearly a
// point mass. So for such predictions its centre lies further inside.
func NewSequence(prediction float64, most int64, alpha float64) *Sequence {
	requireProbability("alpha", alpha)
	if !(prediction >= 0 && prediction <= 1) {
		panic(fmt.Sprintf("stats: prediction is %v, want a value from 0 to 1", prediction))
	}
	const leastWeight = .5
	weight := max(float64(most)/8, 2*leastWeight)
	a := min(max(weight*prediction, leastWeight), weight-leastWeight)
	return &Sequence{
		mixtures:     [2]betaMixture{newBetaMixture(.5, .5), newBetaMixture(a, weight-a)},
		logThreshold: -math.Log(alpha),
	}
}

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

// Evidence returns ln E_n(p), the evidence against p as the truth after k of n observations: 0 without observations, +Inf
// when p cannot have produced them.
func (s *Sequence) Evidence(p float64, k, n int64) float64 {
	requireCount(k, n)
	return s.logMarginal(k, n) - logLikelihood(p, float64(k), float64(n-k))
}

// Rejects reports whether p is outside the sequence after k of n observations: E_n(p) >= 1/alpha.
func (s *Sequence) Rejects(p float64, k, n int64) bool { return s.Evidence(p, k, n) >= s.logThreshold }

// Interval returns the probabilities that are not rejected after k of n observations. They are an interval around k/n, since the
// numerator of E_n(p) does not depend on p and the likelihood has a single peak, at k/n. Both ends are found by bisection. Without
// observations the interval is [0, 1].
func (s *Sequence) Interval(k, n int64) Interval {
	requireCount(k, n)
	if n == 0 {
		return Interval{Lo: 0, Hi: 1}
	}
	least := s.logMarginal(k, n) - s.logThreshold
	return Interval{
		Lo: likelihoodEnd(float64(k), float64(n-k), least),
		Hi: 1 - likelihoodEnd(float64(n-k), float64(k), least),
	}
}

// logMarginal returns the logarithm of the mean, over both mixtures, of the probability of one given order of k among n.
func (s *Sequence) logMarginal(k, n int64) float64 {
	var logs [2]float64
	for i, m := range s.mixtures {
		logs[i] = m.logMarginal(k, n)
	}
	larger, smaller := max(logs[0], logs[1]), min(logs[0], logs[1])
	return larger + math.Log1p(math.Exp(smaller-larger)) - math.Ln2
}

// likelihoodEnd returns the p below the peak of the likelihood at which the logarithm of the likelihood is least.
func likelihoodEnd(hits, misses, least float64) float64 {
	if hits == 0 {
		return 0
	}
	if misses == 0 {
		return math.Exp(least / hits)
	}
	end, _ := crossing(0, hits/(hits+misses), endPrecision, func(p float64) bool {
		return logLikelihood(p, hits, misses) > least
	})
	return end
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
