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
	// least is how many trials the phase plans for it.
	least int
	// tolerance is the share of violations that must be excluded before their absence counts as a pass.
	tolerance float64
	// count reads how many of n trials had the property, and the numbers of the first requests with and without it.
	count func(*attack.Tally) (k, n int64, with, without []int)
}

// alphaAbsence is the risk that violations of the excluded share were there and none was met: the rule of three.
const alphaAbsence = 0.05

func (x *exact) row() reports.Check {
	return reports.Check{Name: x.name, Kind: reports.Exact, Unit: "share", Hop: x.hop, Cohort: x.cohort}
}

func (x *exact) demand() float64 { return requestsFor(float64(x.least), x.reach) }

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
	switch bound := stats.ZeroFailureBound(n, alphaAbsence); {
	case m.Violations > 0:
		m.Verdict = reports.Fail
	case bound <= x.tolerance:
		m.Verdict = reports.Pass
	default:
		more := math.Log(alphaAbsence)/math.Log1p(-x.tolerance) - float64(n)
		m.Note = fmt.Sprintf("no violation in %d, too few to exclude %.3g %%: about %.0f more requests would", n, 100*x.tolerance, math.Ceil(more/x.reach))
	}
	return m
}
