package scenarios

import (
	"slices"

	"math"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/stats"
	"github.com/hellochaos/hellochaos/target"
)

// Error rates: a check may decide early by its confidence sequence at alphaEarly and at the end by an
// exact interval at alphaFinal, at most .05 together.
const (
	alphaEarly = 0.01
	alphaFinal = 0.04
	// risk is how often a true check may end inconclusive, for want of requests.
	risk = 1.0 / 2000
	// power is how often the smallest deviation that a check is said to catch is caught.
	power = 0.9
)

// check is one number that a phase must show.
type check interface {
	// row is the check's line in the report, without its measurements.
	row() reports.Check
	// demand is how many requests of the phase the check wants to look at, +Inf when no number would do.
	demand() float64
	// measure judges what was seen.
	measure(*evidence) *reports.Measurement
}

// evidence is what a phase saw.
type evidence struct {
	tally  *attack.Tally
	result attack.Result
	// counters are the tries that the services counted during the phase, all of its requests drained.
	counters target.Counters
	// counted: the counters were read; with no tries at all there are no lines.
	counted  bool
	sampling sampling
	// incidents are what happened to the target meanwhile.
	incidents []target.Incident
}

// limited reports whether the generator could not keep its schedule, or sent more than it counted.
func (e *evidence) limited() bool { return e.result.Limited || e.result.Resends > 0 }

// replaced reports whether pods were replaced meanwhile: its calls were cut and its counts are lost,
// which no policy asked for.
func (e *evidence) replaced() bool {
	return slices.ContainsFunc(e.incidents, func(i target.Incident) bool { return i.Pod })
}

// void reports whether nothing may be judged.
func (e *evidence) void() bool { return e.limited() || e.replaced() }

// judge is the rule for an interval: it passes inside the band, and fails where it has no point in common with it.
func judge(interval, band stats.Interval) reports.Verdict {
	switch {
	case interval.Inside(band):
		return reports.Pass
	case interval.Disjoint(band):
		return reports.Fail
	}
	return reports.Inconclusive
}

// requestsFor is how many requests bring n observations when each brings reach of one, with room for chance: four standard
// deviations.
func requestsFor(n, reach float64) float64 {
	if reach <= 0 {
		return math.Inf(1)
	}
	return (n + 4*math.Sqrt(n*(1-min(reach, 1)))) / reach
}

func pointer[T any](v T) *T { return &v }
