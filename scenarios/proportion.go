package scenarios

import (
	"fmt"
	"math"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/stats"
)

// proportion is a share of trials that must lie in a band around its prediction.
type proportion struct {
	name, hop, cohort string
	predicted         float64
	tolerance         float64 // half-width of the band, which ends at 0 and 1
	// reach is the expected number of trials per request of the phase.
	reach float64
	// count reads k of n trials from a tally.
	count func(*attack.Tally) (k, n int64)

	// What the looks have found so far: the intersection of the confidence sequence's intervals, and the verdict as soon
	// as there is one.
	early, failing *stats.Sequence
	seen           stats.Interval
	decided        reports.Verdict
}

func (p *proportion) band() stats.Interval { return stats.Band(p.predicted, p.tolerance) }

func (p *proportion) row() reports.Check {
	return reports.Check{Name: p.name, Kind: reports.Proportion, Unit: "share", Hop: p.hop, Cohort: p.cohort}
}

func (p *proportion) demand() float64 {
	return requestsFor(float64(stats.PlanPass(p.predicted, p.tolerance, alphaFinal, risk)), p.reach)
}

// begin prepares the looks of a phase that plans this many requests and has this many proportions to check: an early
// failure is declared at alpha over their number, so that one of many does not fail by chance.
func (p *proportion) begin(requests, checks int) {
	most := max(1, int64(float64(requests)*p.reach))
	p.early = stats.NewSequence(p.predicted, most, alphaEarly)
	p.failing = stats.NewSequence(p.predicted, most, alphaEarly/float64(checks))
	p.seen, p.decided = stats.Interval{Lo: 0, Hi: 1}, ""
}

// look takes in what was tallied so far and says whether the check is decided.
func (p *proportion) look(tally *attack.Tally) bool {
	k, n := p.count(tally)
	if p.decided != "" || n == 0 {
		return p.decided != ""
	}
	if both, ok := p.seen.Intersect(p.early.Interval(k, n)); ok {
		p.seen = both
	}
	switch {
	case p.seen.Inside(p.band()):
		p.decided = reports.Pass
	case p.failing.Interval(k, n).Disjoint(p.band()):
		p.decided = reports.Fail
	}
	return p.decided != ""
}

func (p *proportion) measure(e *evidence) *reports.Measurement {
	k, n := p.count(e.tally)
	m := &reports.Measurement{Predicted: p.predicted, Band: p.band(), K: k, N: n, Verdict: reports.Inconclusive}
	if n == 0 {
		m.Note = "no data: no request got this far"
		return m
	}
	m.Measured = pointer(float64(k) / float64(n))
	final := stats.ClopperPearson(k, n, alphaFinal)
	m.Interval = &final
	if deviation, ok := stats.Detectable(p.predicted, p.tolerance, n, alphaFinal, power); ok {
		m.Detects = &deviation
	}
	both, ok := final.Intersect(p.seen)
	if !ok || p.decided == reports.Pass && final.Disjoint(p.band()) {
		// What the looks said early and what all trials say cannot both be true of one share.
		m.Note = "the share changed during the phase"
		return m
	}
	m.Interval = &both
	if m.Verdict = p.decided; m.Verdict == "" {
		m.Verdict = judge(*m.Interval, p.band())
	}
	if m.Verdict == reports.Inconclusive {
		m.Note = p.missing(k, n)
	}
	return m
}

// missing says how many more requests would settle the check.
func (p *proportion) missing(k, n int64) string {
	more := stats.MoreNeeded(k, n, p.predicted, p.tolerance, alphaFinal)
	if more == 0 {
		return "the share lies on the edge of the band"
	}
	return fmt.Sprintf("about %.0f more requests would settle it", math.Ceil(float64(more)/p.reach))
}
