package stats

import (
	"fmt"
	"math"
)

// Bar is how many observed values lie between From and To, both included: a bin of a histogram, widened by what the values
// were rounded by.
type Bar struct {
	From, To float64
	Count    int64
}

// Allowance is by how much observed values may differ from the predicted ones without being wrong.
type Allowance struct {
	// Early is by how much a value may be smaller, 0 or more in the unit of the values: for example 1 ms for each back-off that is
	// cut to whole milliseconds.
	Early float64
	// Late is by how much a value may be larger, 0 or more in the unit of the values: for example what timers are late by on a
	// busy machine.
	Late float64
	// Strays is the probability, under 1, with which a value may be anything at all, for example because the machine stood
	// still. With 0 a single value beyond the largest predicted one and Late refutes the prediction.
	Strays float64
}

// fitSteps is the number of parts, equally likely, that the predicted distribution is looked at in, and fitTests that of the
// comparisons: one on each side of each part.
const (
	fitSteps = 16
	fitTests = 2 * fitSteps
)

// FitTest compares observed values with a predicted distribution, as a whole: with the shares of values that lie beyond
// places which are fixed beforehand, the 16 quantiles of equal steps, on both sides.
//
// Each value is taken for a predicted one less Early at most or plus Late at most, or with the probability Strays for anything.
// Then it lies above q+Late, for a predicted quantile q, with at most the probability Strays + (1-Strays)(1-F(q)),
// and below q-Early with at most Strays + (1-Strays)F(q). The number that does is compared with that by the exact binomial
// test, and the smallest of all p-values is multiplied by the number of comparisons (Bonferroni). So what is true is rejected with
// a probability of at most the risk, however the allowance is used up.
//
// This is the statistic of Berk & Jones ("Goodness-of-fit test statistics that dominate the Kolmogorov statistics", Z.
// Wahrscheinlichkeitstheorie verw. Gebiete 47, 1979) at fixed places. Kolmogorov's own weighs a share of 0.2 beyond the largest
// predicted value no more than one in the middle, and an allowance of milliseconds takes its power for short waits.
//
// Values must be independent of each other. A FitTest does not change and may be used by many goroutines.
type FitTest struct{ places [fitTests]fitPlace }

// fitPlace is a place beyond which values lie with at most the admitted probability: above it, or below it.
type fitPlace struct {
	place, admitted float64
	above           bool
}

// NewFitTest prepares the test. It panics on an allowance that is negative, or not a number, or of strays only.
func NewFitTest(predicted *Mixture, allowed Allowance) *FitTest {
	if !(allowed.Early >= 0 && allowed.Late >= 0 && allowed.Strays >= 0 && allowed.Strays < 1) {
		panic(fmt.Sprintf("stats: allowance %+v, want nothing negative and a probability of strays under 1", allowed))
	}
	t := &FitTest{}
	admitted := func(share float64) float64 { return allowed.Strays + (1-allowed.Strays)*share }
	for i := range fitSteps {
		// A little outwards, so that a value that is certain, such as a time limit, does not fall beside itself by rounding.
		const rounding = 1e-9
		low, high := predicted.quantileFrom(float64(i)/fitSteps), predicted.quantileFrom(float64(i+1)/fitSteps)
		low, high = low-rounding*math.Abs(low), high+rounding*math.Abs(high)
		t.places[2*i] = fitPlace{place: low - allowed.Early, admitted: admitted(predicted.CDF(low))}
		t.places[2*i+1] = fitPlace{place: high + allowed.Late, admitted: admitted(1 - predicted.CDF(high)), above: true}
	}
	return t
}

// Fit says how well observed values follow a predicted distribution.
type Fit struct {
	// P is the p-value: if the values are as predicted, it is at most any risk with at most that probability. 1 without values.
	P float64
	// N is the number of values.
	N int64
	// Place is where they differ from the prediction the most, in the unit of the values, and Above whether too many lie above it
	// (they come late) or below it. Beyond are how many values certainly do, Admitted is the largest share that may.
	Place    float64
	Above    bool
	Beyond   int64
	Admitted float64
}

// Judge compares observed values, in bars in any order. Values of a bar that holds a place count as not beyond it, so that
// binning never rejects. It panics if a bar ends before it begins or counts less than 0.
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

// totalOf sums up the bars, and panics if one is none.
func totalOf(bars []Bar) (n int64) {
	for _, bar := range bars {
		if !(bar.To >= bar.From) || bar.Count < 0 {
			panic(fmt.Sprintf("stats: bar %+v, want one that ends where it begins or later, and counts 0 or more", bar))
		}
		n += bar.Count
	}
	return n
}

// TrialsToTell returns how many values Judge needs to reject values of another distribution, by P <= risk, with a
// probability of 1-miss at least: what a check of times is able to find, known before it is run. Bars are taken to be
// narrow, and the other distribution for what is observed, with its lateness in it. By one comparison alone, the best one, so a
// few less may be enough. The answer is false where no number up to 10^7 is, as when the allowance covers the difference: such a
// check cannot fail and proves nothing. It panics if risk or miss is outside (0, 1).
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
	// Seen from the values that do not lie beyond; nothing is impossible there, or missAbove would ask for no values at all.
	const impossible = 1e-12
	return missAbove(1-beyond, 1-max(p.admitted, impossible), n, 2*risk)
}
