package stats

import (
	"fmt"
	"math"
)

// Decision is what a sequential test knows so far.
type Decision string

const (
	// Undecided means that the observations exclude neither.
	Undecided Decision = "undecided"
	// Passed means that the observations exclude every truth outside the tolerated bounds.
	Passed Decision = "passed"
	// Failed means that the observations exclude the prediction.
	Failed Decision = "failed"
)

// SplitTest judges a split that is drawn at random for each observation: weights of a route's destinations, or a fault's
// percentage and the rest. It may be looked at after every observation, and is decided as soon as they allow it.
//
// Each destination is tested against all others together, by likelihood ratios (Wald, "Sequential tests of statistical
// hypotheses", Ann. Math. Stat. 16, 1945). The bounds belong to the smaller side, the destination or all others: lo and hi times its
// predicted share p.
//
//   - The split has passed when for every destination the observations are 1/risk times as likely under p as under
//     either bound. If a share is at a bound or beyond, that happens ever with a probability of at most risk (Ville, "Étude
//     critique de la notion de collectif", 1939; further out the ratio only falls). All must pass, so there is
//     nothing to divide the risk by (Berger, "Multiparameter hypothesis testing and acceptance sampling", Technometrics 24, 1982).
//   - It has failed when for any destination a mean of alternatives is (number of tests)/risk times as likely as p: either
//     bound, a share of 0, and any share at all (a beta mixture with the weights 1/2 of Jeffreys, which finds gross
//     deviations). If all predictions are the truth, that happens ever with a probability of at most risk.
//   - Where both hold at one look, the share differs from the prediction by less than is tolerated: it has passed. A
//     share inside the bounds but far from the prediction may end either way.
//
// Its memory is constant and a look allocates nothing. It is for one goroutine at a time.
type SplitTest struct {
	shares    []splitShare // one for each test: two destinations share theirs, since one is the other's rest
	counts    []int64      // by destination
	total     int64
	lo, hi    float64
	passAbove float64 // what the logarithm of a likelihood ratio must reach
	failAbove float64 // what that of the mean of alternatives must reach
	decision  Decision
}

// splitShare is the smaller side of a destination's test.
type splitShare struct {
	destination int
	rest        bool    // whether the smaller side is all others
	predicted   float64 // its share, at most 1/2
	low, high   likelihoodRatio
	any         betaMixture
}

// likelihoodRatio is the logarithm by which one hit, or one miss, makes a share of bound more likely than the predicted one.
type likelihoodRatio struct{ hit, miss float64 }

func newLikelihoodRatio(bound, predicted float64) likelihoodRatio {
	return likelihoodRatio{hit: math.Log(bound / predicted), miss: math.Log1p(-bound) - math.Log1p(-predicted)}
}

// after is the ratio's logarithm after k hits among n.
func (r likelihoodRatio) after(k, n int64) float64 { return float64(k)*r.hit + float64(n-k)*r.miss }

// The weights of the alternatives in their mean: what a split is most often off by comes first. The dearer half costs
// ln(1/0.35) = 1.05 of the 6.9 that a risk of one in a thousand asks for.
const (
	weightOfBound = 0.35 // each of both
	weightOfNone  = 0.15
	weightOfAny   = 0.15
)

// NewSplitTest prepares the test of destinations with these weights, which need not sum to 1; at least two, each positive and
// finite (a destination of weight 0 must never be met, which is no matter of chance). The factors lo and hi bound the tolerated
// shares, 0 < lo < 1 < hi < 2: a band that reaches 0 or twice the weight would not tell the split from none. risk, between
// 0 and 1, is that of a wrong pass and that of a wrong failure, each, however often one looks. It panics on other arguments.
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
// destination or the count is negative. What is observed after the decision is counted but does not change it.
func (s *SplitTest) Observe(destination int, count int64) {
	requireCount(0, count)
	s.counts[destination] += count
	s.total += count
}

// Decision looks at what was observed so far. The first answer that is not Undecided stays.
func (s *SplitTest) Decision() Decision {
	if s.decision == Undecided {
		s.decision = s.look()
	}
	return s.decision
}

// look judges the counts as they are.
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

// Evidence returns the logarithm of how many times as likely the observations are under the mean of the alternatives as
// under this destination's predicted share: at ln(number of tests / risk) the split has failed, and the destination with
// the most evidence is the one to name. Two destinations have the same.
func (s *SplitTest) Evidence(destination int) float64 {
	share := s.share(destination)
	return share.evidence(share.hits(s), s.total)
}

// Bounds returns the shares of all observations between which this destination's share is tolerated, the bounds excluded:
// for weights 80 and 20, lo 0.7 and hi 1.4, 0.14 to 0.28 of the second and 0.72 to 0.86 of the first.
func (s *SplitTest) Bounds(destination int) Interval {
	share := s.share(destination)
	bounds := Interval{Lo: s.lo * share.predicted, Hi: s.hi * share.predicted}
	if share.rest != (share.destination != destination) {
		return Interval{Lo: 1 - bounds.Hi, Hi: 1 - bounds.Lo}
	}
	return bounds
}

// share is the test that a destination belongs to.
func (s *SplitTest) share(destination int) *splitShare {
	if destination < 0 || destination >= len(s.counts) {
		panic(fmt.Sprintf("stats: destination %d of %d", destination, len(s.counts)))
	}
	return &s.shares[min(destination, len(s.shares)-1)]
}

// TrialsToPass returns about how many observations pass a split that is as predicted, with this probability, looked at after
// each: 0.5 gives the median, 0.99 what to plan with. Each likelihood ratio is taken for a Brownian motion of the same drift and
// variance, whose first passage has an inverse Gaussian distribution (Wald, Sequential Analysis, 1947, appendix A.6), and the
// chances of the ratios to be late are added up. For two destinations with bounds of 0.7 and 1.4 the answer is at most 4 % short
// for the median and 2 % for 0.99 (both ratios must hold at the same look, and the last step overshoots), for shares from 0.5
// to 0.005; for more destinations adding up errs to the larger side. It panics if the probability is outside (0, 1).
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
	// Those that were above before n and have come back, by reflection.
	if back := normalBelow(-(drift*n + s.passAbove) / spread); back > 0 {
		above += math.Exp(2*drift*s.passAbove/(deviation*deviation)) * back
	}
	return min(above, 1)
}

// normalBelow is the probability that a standard normal value is at most x.
func normalBelow(x float64) float64 { return 0.5 * math.Erfc(-x/math.Sqrt2) }
