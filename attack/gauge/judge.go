package gauge

import (
	"errors"
	"fmt"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/expect"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/load"
	"github.com/hellochaos/hellochaos/stats"
)

// Risk is how often a measurement breaks an expectation that is met exactly at its limit, at most. It is that of a run's verdicts.
const Risk = 0.001

// Forms are those of expectations.
var Forms = expect.LoadForms

// Expectations reads expectations of an attack. The error joins one line for each that cannot be read.
func Expectations(texts []string) (all []expect.Expectation, err error) {
	var problems []error
	for _, text := range texts {
		e, err := expect.ParseLoad(text)
		if here := ofK6(text); err != nil && here != "" {
			problems = append(problems, fmt.Errorf("--expect %s: is written as %s", text, here))
		} else if err != nil {
			problems = append(problems, fmt.Errorf("--expect %w", err))
		}
		all = append(all, e)
	}
	return all, errors.Join(problems...)
}

// conclude holds the figures against what was expected.
func conclude(r *load.Report, t *tally, wanted []expect.Expectation) {
	var verdicts []reports.Verdict
	for i, w := range wanted {
		e := judge(r, t, i, w)
		if w.Text == r.Aborted { // the looks share the risk, so that one of them is as good as the end
			e.Verdict, e.Why = reports.Fail, "what was measured while the attack went on excluded it"
		}
		r.Expectations, verdicts = append(r.Expectations, e), append(verdicts, e.Verdict)
	}
	if len(wanted) > 0 {
		r.Verdict = reports.Worst(verdicts...)
	}
}

// number is a number of which an expectation speaks: its value, where it lies, and why it cannot be used, which is empty where it can.
type number struct {
	unit     load.Unit
	value    *float64
	interval *stats.Interval
	unusable string
	few      string // why the interval may be too wide
}

// watch says while an attack goes on whether it may end, because an expectation cannot be met any more. The looks share the risk: the k-th has
// the part 1/(k (k+1)) of it, which are 1 together. A rate is judged at the end alone.
func (t *tally) watch(wanted []expect.Expectation, look int) (broken string) {
	r := &load.Report{Limited: attack.Limited(t.requests(), t.late, 0), Requests: load.Requests{OK: t.requests() - t.failed, Failed: t.failed}, Latency: load.Outcomes{OK: t.ok.latency.report()}}
	for i, w := range wanted {
		if w.Kind == expect.Rate {
			continue
		}
		n := of(r, t, i, w, Risk/float64(look*(look+1)))
		if verdict, _ := w.Band.Judge(expect.Evidence{Interval: n.interval, Unusable: n.unusable}); n.interval != nil && reports.Verdict(verdict) == reports.Fail {
			return w.Text
		}
	}
	return ""
}

// of is the number of which an expectation speaks, of all requests or of those of its scope.
func of(r *load.Report, t *tally, index int, w expect.Expectation, risk float64) number {
	if index >= len(t.scoped) || t.scoped[index] == nil {
		return measured(r, t, w, risk)
	}
	s := t.scoped[index]
	if w.Kind == expect.Statuses {
		w.Kind = expect.Errors // those with the status are counted as failed there
	}
	return measured(s.report(r), s.tally, w, risk)
}

// judge says what became of an expectation.
func judge(r *load.Report, t *tally, index int, w expect.Expectation) load.Expectation {
	n := of(r, t, index, w, Risk)
	if r.Interrupted != "" {
		n.unusable = r.Interrupted
	}
	if len(r.Incomplete) > 0 {
		n.unusable = "a worker died, so that a part of the requests is missing"
	}
	verdict, reason := w.Band.Judge(expect.Evidence{Interval: n.interval, Unusable: n.unusable})
	e := load.Expectation{Text: w.Text, Verdict: reports.Verdict(verdict), Unit: n.unit, Measured: n.value}
	if n.interval != nil {
		e.Interval = finite(*n.interval)
		if w.Kind != expect.Rate {
			e.Confidence = 1 - Risk
		}
	}
	switch reason {
	case expect.MeasurementHolds:
		e.Why = "the measured interval lies within it"
	case expect.MeasurementBreaks:
		e.Why = "what was measured excludes it"
	case expect.UnusableData:
		e.Why = n.unusable
	case expect.NoData:
		e.Why = "there are no data: no request got a good answer"
		if w.Phase != "" || w.Target != "" {
			e.Why = "there are no data: no request of that part got a good answer"
		}
	default:
		e.Why = n.few
	}
	return e
}

// measured is the number of which an expectation speaks, with an interval that is wrong with the probability risk.
func measured(r *load.Report, t *tally, w expect.Expectation, risk float64) number {
	n := number{unit: load.Seconds}
	good, all := r.Requests.OK, r.Requests.OK+r.Requests.Failed
	if skipped := r.Requests.Skipped; float64(skipped) > 0.01*float64(r.Requests.Sent+skipped) {
		n.unusable = fmt.Sprintf("the load generator never sent %d of the requests that were due, so that no verdict follows", skipped)
	}
	switch {
	case w.Kind == expect.Errors && all > 0:
		share, interval := float64(r.Requests.Failed)/float64(all), stats.ClusteredProportion(t.shares(), risk)
		n.unit, n.value, n.interval = load.Share, &share, &interval
		n.few = fmt.Sprintf("%d requests are too few to tell: the interval lies across the limit", all)
	case w.Kind == expect.Errors:
		n.unit = load.Share
	case w.Kind == expect.Rate:
		n.unit = load.PerSecond
		if good > 0 { // counted, and not estimated
			n.value, n.interval = &r.Rate.OK, &stats.Interval{Lo: r.Rate.OK, Hi: r.Rate.OK}
		}
	case good > 0:
		blocks := t.blocks()
		value, interval := min(blocks.Quantile(w.Quantile), r.Latency.OK.Max), within(blocks, w.Quantile, risk)
		n.value, n.interval = &value, &interval
		n.few = fmt.Sprintf("%d good answers are too few to tell: the interval lies across the limit, or has no upper end", good)
	}
	if n.unit == load.Seconds && r.Limited {
		n.unusable = "the load generator did not keep its schedule, so that no verdict about latency follows"
	}
	return n
}
