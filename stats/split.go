package stats

import (
	"fmt"
	"math"
)

// Decision is what a sequential test knows so far.
type Decision string

const (
	// Undecided means that the observations allow neither of the other two decisions.
	Undecided Decision = "undecided"
	// Passed means that the observations exclude every truth outside the tolerated bounds.
	Passed Decision = "passed"
	// Failed means that the observations exclude the prediction.
	Failed Decision = "failed"
)

// SplitTest judges a split whose destination is drawn at random for each observation: the weights of a route's destinations, or
// the percentage of a fault. Decision may be asked after every observation, and is final as soon as the observations allow it.
//
// Each destination is tested against all others together, by likelihood ratios (Wald, "Sequential tests of statistical
// hypotheses", Ann. Math. Stat. 16, 1945). The test looks at the smaller side, which is the destination or all others. Its bounds
// are lo and hi times the predicted share p of that side.
//
//   - The split has passed when for every destination the observations are 1/risk times as likely under p as under
//     either bound. If a share is at a bound or beyond it, that ever happens with a probability of at most risk (Ville, "Étude
//     critique de la notion de collectif", 1939; further out the ratio only falls). The risk is not divided by the number of
//     destinations, since all of them must pass (Berger, "Multiparameter hypothesis testing and acceptance sampling", Technometrics
//     24, 1982).
//   - The split has failed when for any destination the observations are (number of tests)/risk times as likely under a mean of
//     alternatives as under p. The alternatives are either bound, a share of 0, and any share (a beta mixture with the weights 1/2 of
//     Jeffreys, which finds gross deviations). If all predictions are the truth, that ever happens with a probability of at most risk.
//   - When both hold at the same time, the share differs from the prediction, but by less than is tolerated: the split has passed. For
//     a share inside the bounds but far from the prediction either decision is possible.
//
// A SplitTest needs constant memory, and Observe and Decision allocate nothing. It may not be used concurrently.
type SplitTest struct {
	shares    []splitShare // one for each test; two destinations have one test in common, since one is all others of the other
	counts    []int64      // observations by destination
	total     int64
	lo, hi    float64
	passAbove float64 // what the logarithms of the ratios must reach for the split to pass
	failAbove float64 // what the logarithm for the mean of alternatives must reach for the split to fail
	decision  Decision
}

// splitShare is the smaller side of a destination's test.
type splitShare struct {
	destination int
	rest        bool    // whether the smaller side is all other destinations
	predicted   float64 // predicted share of the smaller side, at most 1/2
	low, high   likelihoodRatio
	any         betaMixture
}

// likelihoodRatio is the logarithm of how many times as likely one hit, or one miss, is under a bound as under the predicted
// share.
type likelihoodRatio struct{ hit, miss float64 }

func newLikelihoodRatio(bound, predicted float64) likelihoodRatio {
	return likelihoodRatio{hit: math.Log(bound / predicted), miss: math.Log1p(-bound) - math.Log1p(-predicted)}
}

// after is the ratio's logarithm after k hits among n.
func (r likelihoodRatio) after(k, n int64) float64 { return float64(k)*r.hit + float64(n-k)*r.miss }

// The weights of the alternatives in their mean. The bounds have the largest weights, since a wrong split is most often wrong by
// about as much. Their weight of 0.35 adds ln(1/0.35) = 1.05 to the 6.9 that a risk of one in a thousand needs.
const (
	weightOfBound = 0.35 // of each of the two bounds
	weightOfNone  = 0.15
	weightOfAny   = 0.15
)

// NewSplitTest prepares the test of destinations with these weights, which need not sum to 1; at least two, each positive and
// finite (a destination of weight 0 must never be used, which needs no test). The factors lo and hi bound the tolerated shares,
// 0 < lo < 1 < hi < 2: with bounds of 0 or of twice the weight the test could not distinguish a split from none. risk, in (0, 1),
// is the largest probability of a wrong pass, and also that of a wrong failure, however often Decision is called. NewSplitTest
// panics on other arguments.
func NewSplitTest(weights []float64, lo, hi, risk float64) *SplitTest {
	requireProbability("risk", risk)
	if !(lo > 0 && lo < 1 && hi > 1 && hi < 2) {
		panic(fmt.Sprintf("stats: bounds of %v and %v times the weight, want 0 < lower < 1 < upper < 2", lo, hi))
	}
	if len(weights) < 2 {
		panic(fmt.Sprintf("stats: a split between %d destinations, want two at least", len(weights)))
	}
	for _, weight := range weights {
		if !(weight > 0) || math.IsInf(weight, 1) {
			panic(fmt.Sprintf("stats: weight %v in a split, want a positive number", weight))
		}
	}
	tests := len(weights)
	if tests == 2 {
		tests = 1
	}
	s := &SplitTest{
		counts: make([]int64, len(weights)), lo: lo, hi: hi, decision: Undecided,
		passAbove: -math.Log(risk), failAbove: math.Log(float64(tests) / risk),
	}
	all := sum(weights)
	for i, weight := range weights[:tests] {
		share := splitShare{destination: i, predicted: weight / all, any: newBetaMixture(0.5, 0.5)}
		if share.predicted > 0.5 {
			share.rest, share.predicted = true, (all-weight)/all
		}
		share.low = newLikelihoodRatio(lo*share.predicted, share.predicted)
		share.high = newLikelihoodRatio(hi*share.predicted, share.predicted)
		s.shares = append(s.shares, share)
	}
	return s
}

// Observe adds count observations that went to a destination, by its place among the weights. It panics if there is no such
// destination or the count is negative. Observations after the decision are counted but do not change it.
func (s *SplitTest) Observe(destination int, count int64) {
	requireCount(0, count)
	s.counts[destination] += count
	s.total += count
}

// Decision judges the observations so far. The first result that is not Undecided stays.
func (s *SplitTest) Decision() Decision {
	if s.decision == Undecided {
		s.decision = s.look()
	}
	return s.decision
}

// look judges the counts, without regard to an earlier decision.
func (s *SplitTest) look() Decision {
	passed, failed := true, false
	for i := range s.shares {
		share := &s.shares[i]
		k := share.hits(s)
		passed = passed && -share.low.after(k, s.total) >= s.passAbove && -share.high.after(k, s.total) >= s.passAbove
		failed = failed || share.evidence(k, s.total) >= s.failAbove
	}
	switch {
	case passed:
		return Passed
	case failed:
		return Failed
	}
	return Undecided
}

// hits is how many observations went to the smaller side.
func (h *splitShare) hits(s *SplitTest) int64 {
	if h.rest {
		return s.total - s.counts[h.destination]
	}
	return s.counts[h.destination]
}

// evidence is the logarithm of how many times as likely k of n are under the mean of the alternatives as under the
// prediction: 0 without observations.
func (h *splitShare) evidence(k, n int64) float64 {
	none := math.Inf(-1)
	if k == 0 {
		none = -float64(n) * math.Log1p(-h.predicted)
	}
	alternatives := [...]struct{ weight, log float64 }{
		{weightOfBound, h.low.after(k, n)},
		{weightOfBound, h.high.after(k, n)},
		{weightOfNone, none},
		{weightOfAny, h.any.logMarginal(k, n) - logLikelihood(h.predicted, float64(k), float64(n-k))},
	}
	most := none
	for _, a := range alternatives {
		most = max(most, a.log)
	}
	var mean float64
	for _, a := range alternatives {
		mean += a.weight * math.Exp(a.log-most)
	}
	return most + math.Log(mean)
}

// TrialsToPass returns after about how many observations a correct split has passed with this probability, when Decision is
// called after each: 0.5 gives the median, and 0.99 a number to plan with. Each likelihood ratio is approximated by a Brownian
// motion of the same drift and variance, whose first passage has an inverse Gaussian distribution (Wald, Sequential Analysis,
// 1947, appendix A.6), and the probabilities that the ratios take longer are added up. For two destinations with bounds of 0.7
// and 1.4 and shares from 0.5 to 0.005 the result is at most 4 % too small for the median and 2 % for 0.99, since both ratios
// must be reached at the same time and the last step overshoots. For more destinations adding up makes the result rather too
// large. TrialsToPass panics if the probability is outside (0, 1).
func (s *SplitTest) TrialsToPass(probability float64) int64 {
	requireProbability("probability", probability)
	const most = int64(1) << 60
	n := fewest(1, most, func(n int64) bool {
		late := 0.
		for i := range s.shares {
			h := &s.shares[i]
			late += 1 - s.passedBy(h.low, h.predicted, float64(n)) + 1 - s.passedBy(h.high, h.predicted, float64(n))
		}
		return 1-late >= probability
	})
	if n == 0 {
		return most
	}
	return n
}

// passedBy is about the probability that n observations of the predicted share exclude a bound.
func (s *SplitTest) passedBy(bound likelihoodRatio, predicted, n float64) float64 {
	drift := -(predicted*bound.hit + (1-predicted)*bound.miss)
	deviation := math.Sqrt(predicted*(1-predicted)) * math.Abs(bound.hit-bound.miss)
	spread := deviation * math.Sqrt(n)
	above := normalBelow((drift*n - s.passAbove) / spread)
	// By reflection, add the paths that were above before n and are below at n.
	if back := normalBelow(-(drift*n + s.passAbove) / spread); back > 0 {
		above += math.Exp(2*drift*s.passAbove/(deviation*deviation)) * back
	}
	return min(above, 1)
}

// normalBelow is the probability that a standard normal value is at most x.
func normalBelow(x float64) float64 { return 0.5 * math.Erfc(-x/math.Sqrt2) }
