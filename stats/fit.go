package stats

import (
	"fmt"
	"math"
)

// Bar counts the observed values between From and To, both included. It is a bin of a histogram, widened by the rounding of the
// values.
type Bar struct {
	From, To float64
	Count    int64
}

// Allowance is how much observed values may differ from the predicted ones without being wrong.
type Allowance struct {
	// Early is how much smaller a value may be, 0 or more in the unit of the values. An example is 1 ms for each back-off that is
	// rounded down to whole milliseconds.
	Early float64
	// Late is how much larger a value may be, 0 or more in the unit of the values. An example is the lateness of timers on a busy
	// machine.
	Late float64
	// Strays is the probability, in [0, 1), with which a value may be anything, for example because the machine stood still. With 0
	// a single value above the largest predicted one plus Late refutes the prediction.
	Strays float64
}

// fitSteps is the number of equally likely parts into which the predicted distribution is divided. fitTests is the number of
// comparisons: one on each side of each part.
const (
	fitSteps = 16
	fitTests = 2 * fitSteps
)

// FitTest compares observed values with the whole of a predicted distribution. It divides the distribution at its quantiles into
// 16 equally likely parts, and compares how many values lie beyond each of these places, on both sides.
//
// Each value is assumed to be a predicted one, at most Early smaller or at most Late larger, or with the probability Strays to be
// anything. Then for a predicted quantile q it lies above q+Late with at most the probability Strays + (1-Strays)(1-F(q)), and
// below q-Early with at most Strays + (1-Strays)F(q). The exact binomial test compares the number of values that do with this
// probability, and the smallest of all p-values is multiplied by the number of comparisons (Bonferroni). So a true prediction is
// rejected with a probability of at most the risk, whatever part of the allowance the values use.
//
// This is the statistic of Berk & Jones ("Goodness-of-fit test statistics that dominate the Kolmogorov statistics", Z.
// Wahrscheinlichkeitstheorie verw. Gebiete 47, 1979) at fixed places. Kolmogorov's statistic is not used: it gives a share of 0.2
// beyond the largest predicted value no more weight than the same share in the middle, and with an allowance of milliseconds it
// finds little in short waits.
//
// Values must be independent of each other. A FitTest does not change and may be used by many goroutines.
type FitTest struct{ places [fitTests]fitPlace }

// fitPlace is a place above which, or below which, a value lies with at most the admitted probability.
type fitPlace struct {
	place, admitted float64
	above           bool
}

// NewFitTest prepares the test. It panics when a part of the allowance is negative or not a number, or when Strays is 1 or more.
func NewFitTest(predicted *Mixture, allowed Allowance) *FitTest {
	if !(allowed.Early >= 0 && allowed.Late >= 0 && allowed.Strays >= 0 && allowed.Strays < 1) {
		panic(fmt.Sprintf("stats: allowance %+v, want nothing negative and a probability of strays under 1", allowed))
	}
	t := &FitTest{}
	admitted := func(share float64) float64 { return allowed.Strays + (1-allowed.Strays)*share }
	for i := range fitSteps {
		// The places are moved a little outwards, so that a value that is certain, such as a time limit, is not beyond its own place by
		// a rounding error.
		const rounding = 1e-9
		low, high := predicted.quantileFrom(float64(i)/fitSteps), predicted.quantileFrom(float64(i+1)/fitSteps)
		low, high = low-rounding*math.Abs(low), high+rounding*math.Abs(high)
		t.places[2*i] = fitPlace{place: low - allowed.Early, admitted: admitted(predicted.CDF(low))}
		t.places[2*i+1] = fitPlace{place: high + allowed.Late, admitted: admitted(1 - predicted.CDF(high)), above: true}
	}
	return t
}

// Fit is how well observed values follow a predicted distribution.
type Fit struct {
	// P is the p-value: if the values are as predicted, P is at most alpha with a probability of at most alpha, for every alpha. It
	// is 1 without values.
	P float64
	// N is the number of values.
	N int64
	// Place is where the values differ most from the prediction, in their unit. Above says whether too many lie above it, because
	// they come late, or below it. Beyond is how many values certainly lie there, and Admitted is the largest share that may.
	Place    float64
	Above    bool
	Beyond   int64
	Admitted float64
}

// Judge compares observed values with the prediction. The bars may have any order. The values of a bar that contains a place count
// as not beyond it, so that the width of bars never causes a rejection. Judge panics if a bar ends before it begins or counts less
// than 0.
func (t *FitTest) Judge(bars []Bar) Fit {
	fit := Fit{P: 1, N: totalOf(bars)}
	least := 2.
	for _, p := range t.places {
		beyond := p.beyond(bars)
		if chance := atLeast(float64(beyond), float64(fit.N), p.admitted); chance < least {
			least = chance
			fit.Place, fit.Above, fit.Beyond, fit.Admitted = p.place, p.above, beyond, p.admitted
		}
	}
	if fit.N > 0 {
		fit.P = min(1, fitTests*least)
	}
	return fit
}

// beyond is how many values certainly lie beyond the place.
func (p *fitPlace) beyond(bars []Bar) (n int64) {
	for _, bar := range bars {
		if p.above && bar.From > p.place || !p.above && bar.To < p.place {
			n += bar.Count
		}
	}
	return n
}

// totalOf is the number of values in all bars. It panics if a bar ends before it begins or counts less than 0.
func totalOf(bars []Bar) (n int64) {
	for _, bar := range bars {
		if !(bar.To >= bar.From) || bar.Count < 0 {
			panic(fmt.Sprintf("stats: bar %+v, want one that ends where it begins or later, and counts 0 or more", bar))
		}
		n += bar.Count
	}
	return n
}

// mostPlanned is the largest number of observations that planning considers. Its limit is the precision of atMost.
const mostPlanned = 10_000_000

// TrialsToTell returns how many values Judge needs to reject values of another distribution, by P <= risk, with a probability of
// at least 1-miss. So it is known before a run what a check of times can find. It assumes narrow bars, and that other is the
// distribution of the observed values, with their lateness. It looks at one comparison, the best one, so slightly fewer values
// may be enough. It returns false when no number up to 10^7 is enough, as when the allowance covers the difference: such a check
// cannot fail and so proves nothing. It panics if risk or miss is outside (0, 1).
func (t *FitTest) TrialsToTell(other *Mixture, risk, miss float64) (n int64, ok bool) {
	requireProbability("risk", risk)
	requireProbability("miss", miss)
	n = fewest(fitSteps, mostPlanned, func(n int64) bool {
		for _, p := range t.places {
			if p.missed(other, float64(n), risk/fitTests) <= miss {
				return true
			}
		}
		return false
	})
	return n, n > 0
}

// missed bounds the probability that the comparison at this place does not reject n values of another distribution.
func (p *fitPlace) missed(other *Mixture, n, risk float64) float64 {
	beyond := other.CDF(p.place)
	if p.above {
		beyond = 1 - beyond
	}
	if beyond <= p.admitted {
		return 1
	}
	// missAbove is asked about the values that are not beyond the place. The admitted share must be above 0 for it, or it would need
	// no values at all.
	const impossible = 1e-12
	return missAbove(1-beyond, 1-max(p.admitted, impossible), n, 2*risk)
}

// missAbove bounds the probability, at this truth, that the upper end of the ClopperPearson interval of n observations exceeds
// edge. The upper end is at most edge for the counts k with atMost(k, n, edge) <= alpha/2. The largest such whole count is less
// than 1 below the real solution of the equation, so the probability of a larger count is at most that of the real solution or
// more, both by the incomplete beta function. This bound is smooth in n, and the tips of the teeth lie on it.
func missAbove(truth, edge, n, alpha float64) float64 {
	if edge >= 1 {
		return 0
	}
	if atMost(0, n, edge) > alpha/2 {
		return 1
	}
	most, _ := crossing(0, n*edge+1, 1e-5, func(k float64) bool { return atMost(k, n, edge) > alpha/2 })
	return atLeast(most, n, truth)
}
