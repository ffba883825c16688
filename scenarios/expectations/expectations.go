// Package expectations holds what a user expects of a run against the report of it: it finds the predicted and the measured number of which
// each expectation speaks, and says what decides. It knows the report, and the names that an expectation may use. It must not know how
// anything was measured, nor how a verdict is shown.
package expectations

import (
	"cmp"
	"fmt"
	"math"

	"github.com/hellochaos/hellochaos/expect"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/stats"
)

// Risk is how often a measurement breaks an expectation that is met exactly at its limit, at most; the rows that one expectation is about
// share it. It is that of the other verdicts.
const Risk = 0.001

// errors is how many standard errors a prediction that was found by playing may lie from the truth.
const errors = 3

// Wanted is an expectation with what the plan of the run knows of it.
type Wanted struct {
	expect.Expectation
	// Phase is the phase's name, and Cohorts are the names of the cohorts that Requests names.
	Phase   string
	Cohorts []string
	// Most is the most tries that one request of the phase can lead to at each service.
	Most map[string]int
}

// number is a number of which an expectation speaks.
type number struct {
	of string
	// predicted is the prediction, and within where it lies; within alone is known where a load balancer chooses.
	predicted *float64
	within    *stats.Interval
	deviation float64 // the standard error of the prediction
	measured  *float64
	interval  *stats.Interval
	n, held   int64
	// unusable says why what was measured cannot be used, absent why nothing was measured, and few why the interval lacks an end.
	unusable, absent, few string
	// way is a clause that says where the requests go that an expectation is about; empty where that is not known.
	way string
}

// predict notes a prediction with its standard error.
func (n *number) predict(v, deviation float64) {
	n.predicted, n.deviation = &v, deviation
	n.within = &stats.Interval{Lo: v - errors*deviation, Hi: v + errors*deviation}
}

// Judge says what became of each expectation.
func Judge(r *reports.Report, wanted []Wanted) (all []reports.Expectation) {
	for i := range wanted {
		all = append(all, judge(r, &wanted[i]))
	}
	return all
}

// judge holds one expectation against each number that it speaks of. The worst one decides.
func judge(r *reports.Report, w *Wanted) reports.Expectation {
	var worst reports.Expectation
	var far float64
	for i, n := range numbers(r, w) {
		e := n.judged(w)
		away := n.away(w.Band)
		if i == 0 || rank(e.Verdict) > rank(worst.Verdict) || e.Verdict == worst.Verdict && away > far {
			worst, far = e, away
		}
	}
	worst.Note = uncounted(r, w)
	return worst
}

// rank orders verdicts: the higher one is the worse.
func rank(v reports.Verdict) int {
	return map[reports.Verdict]int{reports.Inconclusive: 1, reports.Fail: 2}[v]
}

// numbers are those that an expectation speaks of; at least one.
func numbers(r *reports.Report, w *Wanted) []number {
	p := phase(r, w.Phase)
	if p == nil {
		return []number{{unusable: "phase " + w.Phase + " was not run"}}
	}
	var all []number
	switch w.Kind {
	case expect.EdgeFails:
		if r.Scenario.Derived {
			all = fails(p, entering(p))
			break
		}
		all = share(p, reports.EdgeFails)
	case expect.AnyFails:
		all = share(p, reports.AnyFails)
	case expect.Fails:
		all = fails(p, leading(p, w.Service, w.Cohorts...))
		for _, n := range strays(p, w) {
			all = append(all, number{of: n.of, absent: cmp.Or(n.way, n.absent)})
		}
	case expect.Share:
		all = versionShares(p, w)
	case expect.Reaches:
		all = reached(p, w)
	case expect.Tries:
		all = tries(r, p, w)
	case expect.WorstTries:
		all = worstTries(p, w)
	case expect.Latency:
		all = latency(p, w.Quantile)
	}
	if len(all) == 0 {
		all = []number{{absent: "no request of the phase made such a call"}}
	}
	for i := range all {
		if p.Undecided != "" {
			all[i].unusable = p.Undecided
		}
	}
	return all
}

func phase(r *reports.Report, name string) *reports.Phase {
	for i := range r.Phases {
		if r.Phases[i].Name == name {
			return &r.Phases[i]
		}
	}
	return nil
}

// away is how far a number lies outside of a band; negative inside of it.
func (n *number) away(b expect.Band) float64 {
	v := n.predicted
	if v == nil {
		v = n.measured
	}
	if v == nil {
		return math.Inf(1)
	}
	return max(*v-b.Hi, b.Lo-*v)
}

// judged is what becomes of an expectation by one number.
func (n *number) judged(w *Wanted) reports.Expectation {
	verdict, reason := w.Band.Judge(expect.Evidence{Predicted: n.within, Interval: n.interval, Held: n.held, Unusable: n.unusable})
	e := reports.Expectation{Text: w.Text, Phase: w.Phase, Of: n.of, Unit: unit(w.Kind), Predicted: n.predicted, PredictedError: n.deviation,
		Measured: n.measured, N: n.n, Verdict: reports.Verdict(verdict), Why: n.why(reason)}
	if n.interval != nil && !math.IsInf(n.interval.Hi, 0) {
		e.Interval = n.interval
	}
	return e
}

// unit is what the numbers of a kind are counted in.
func unit(k expect.Kind) reports.Unit {
	switch k {
	case expect.Tries, expect.WorstTries:
		return reports.UnitTries
	case expect.Latency:
		return reports.UnitSeconds
	}
	return reports.UnitShare
}

// why says what decided.
func (n *number) why(reason expect.Reason) string {
	switch reason {
	case expect.PredictionBreaks:
		if n.way != "" {
			return n.way
		}
		return "the manifests do not achieve it, whatever is measured"
	case expect.MeasurementBreaks:
		return "what was measured excludes it"
	case expect.UnusableData:
		return n.unusable
	case expect.NoData:
		return "there are no data: " + cmp.Or(n.absent, "nothing was measured")
	case expect.MeasurementHolds:
		return "the measured interval lies within it"
	case expect.PredictionHolds:
		if n.interval == nil {
			return fmt.Sprintf("the manifests achieve it, and each of %d calls met what they say", n.held)
		}
		return "the manifests achieve it, and what was measured does not exclude it"
	}
	return cmp.Or(n.few, fmt.Sprintf("%d calls or requests are too few to tell", n.n))
}
