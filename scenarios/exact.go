package scenarios

import (
	"fmt"
	"math"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/stats"
)

// exact is a share that must be 0 or 1: every planned request is looked at, and one violation fails it.
type exact struct {
	name, hop, cohort string
	predicted         float64 // 0 or 1
	reach             float64
	// least is how many trials the stage asks for, at least; tolerance a share of violations that must be excluded before
	// their absence counts as a pass.
	least     int
	tolerance float64
	// count reads how many of n trials had the property, and the numbers of the first requests with and without it.
	count func(*attack.Tally) (k, n int64, with, without []int)
}

// alphaAbsence is the risk that violations of the excluded share were there and none was met: the rule of three.
const alphaAbsence = 0.05

func (x *exact) row() reports.Check {
	return reports.Check{Name: x.name, Kind: reports.Exact, Unit: "share", Hop: x.hop, Cohort: x.cohort}
}

// wanted is how many trials are looked at: as many as the stage asks for, and as exclude violations of the tolerance.
func (x *exact) wanted() float64 {
	return max(float64(x.least), math.Ceil(math.Log(alphaAbsence)/math.Log1p(-x.tolerance)))
}

func (x *exact) demand() float64 { return requestsFor(x.wanted(), x.reach) }

func (x *exact) measure(e *evidence) *reports.Measurement {
	k, n, with, without := x.count(e.tally)
	m := &reports.Measurement{
		Predicted: x.predicted, Band: stats.Interval{Lo: x.predicted, Hi: x.predicted},
		K: k, N: n, Violations: k, First: with, Verdict: reports.Inconclusive,
	}
	if x.predicted == 1 {
		m.Violations, m.First = n-k, without
	}
	if n == 0 {
		m.Note = "no data: no request got this far"
		return m
	}
	m.Measured = pointer(float64(k) / float64(n))
	interval := stats.ClopperPearson(k, n, alphaAbsence)
	m.Interval = &interval
	// With n trials a share d of violations shows at least one with probability 1-(1-d)^n.
	m.Detects = pointer(1 - math.Pow(1-power, 1/float64(n)))
	switch {
	case m.Violations > 0:
		m.Verdict = reports.Fail
	case float64(n) >= x.wanted():
		m.Verdict = reports.Pass
	default:
		m.Note = fmt.Sprintf("no violation in %d, which excludes shares above %.2g %%; about %.0f more requests would exclude those above %.2g %%", n,
			100*stats.ZeroFailureBound(n, alphaAbsence), math.Ceil((x.wanted()-float64(n))/x.reach), 100*stats.ZeroFailureBound(int64(x.wanted()), alphaAbsence))
	}
	return m
}
