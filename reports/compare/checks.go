package compare

import (
	"math"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/stats"
)

// checks compares the checks of the phase that have the same name.
func (p *pair) checks() {
	for i := range p.oldStage.Checks {
		check := &p.oldStage.Checks[i]
		a, b := p.measurement(check), p.measurement(checkNamed(p.newStage, check.Name))
		if a != nil {
			p.check(check, a, b)
		}
	}
	for i := range p.newStage.Checks {
		check := &p.newStage.Checks[i]
		if p.measurement(check) != nil && p.measurement(checkNamed(p.oldStage, check.Name)) == nil {
			r := p.row(check.Name, kindOf(check))
			r.New, r.Note, r.added = valueOf(p.measurement(check)), "only NEW has this check", true
			p.add(r)
		}
	}
}

func checkNamed(s *reports.Stage, name string) *reports.Check {
	for i := range s.Checks {
		if s.Checks[i].Name == name {
			return &s.Checks[i]
		}
	}
	return nil
}

func (p *pair) measurement(c *reports.Check) *reports.Measurement {
	switch {
	case c == nil:
		return nil
	case p.phase == "before":
		return c.Before
	}
	return c.After
}

func valueOf(m *reports.Measurement) Value {
	return Value{Value: m.Measured, K: m.K, N: m.N, Verdict: m.Verdict}
}

func kindOf(c *reports.Check) Kind {
	switch c.Kind {
	case reports.Proportion:
		return Share
	case reports.Median:
		return Wait
	}
	return Violations
}

// empty reports whether a measurement has no data, or numbers that are impossible.
func empty(c *reports.Check, m *reports.Measurement) bool {
	switch {
	case m == nil || m.Measured == nil || m.Violations < 0:
		return true
	case c.Kind == reports.Median:
		return *m.Measured <= 0
	case c.Kind == reports.Ledger:
		return false
	}
	return m.K < 0 || m.N <= 0 || m.K > m.N
}

// check compares one check. b is nil where NEW does not have it.
func (p *pair) check(check *reports.Check, a, b *reports.Measurement) {
	noOld, noNew := empty(check, a), empty(check, b)
	if b != nil && noOld && noNew {
		p.c.exclude(Exclusion{p.stage, p.phase, check.Name, "neither report has data", false})
		return
	}
	kind := kindOf(check)
	if check.Kind == reports.Proportion && (a.Band.Lo == a.Band.Hi || b != nil && b.Band.Lo == b.Band.Hi) {
		kind = Violations // The check is exact in this phase, and a share in the other.
	}
	r := p.row(check.Name, kind)
	r.Gates, r.Old = kind != Wait, valueOf(a)
	switch {
	case b == nil:
		r.Note = "only OLD has this check"
	case noOld || noNew:
		r.New = valueOf(b)
		r.Note = "no data in " + map[bool]string{true: "OLD", false: "NEW"}[noOld]
	default:
		r.New = valueOf(b)
		p.compareCheck(&r, check, a, b)
	}
	p.add(r)
}

func (p *pair) compareCheck(r *Row, check *reports.Check, a, b *reports.Measurement) {
	r.identical = a.K == b.K && a.N == b.N && *a.Measured == *b.Measured && a.Violations == b.Violations && a.Verdict == b.Verdict
	switch r.Kind {
	case Share:
		p.share(r, check, a, b)
	case Violations:
		p.violations(r, a, b)
	case Wait:
		p.wait(r, a, b)
	}
}

// failureSuffix ends the names of shares of failures. Of these, less is better. Of all other shares, nearer to the prediction is better.
const failureSuffix = " fails"

// share compares a share of trials.
func (p *pair) share(r *Row, check *reports.Check, a, b *reports.Measurement) {
	k1, n1, k2, n2 := float64(a.K), float64(a.N), float64(b.K), float64(b.N)
	r.show(test{
		difference: stats.Newcombe(k1, n1, k2, n2, intervalAlpha),
		margin:     p.c.Margin, p: stats.TwoProportions(k1, n1, k2, n2),
	}, false)
	if strings.HasSuffix(check.Name, failureSuffix) {
		return
	}
	r.Predicted = value(b.Predicted)
	r.away = func() float64 { return math.Abs(*b.Measured-b.Predicted) - math.Abs(*a.Measured-a.Predicted) }
	// Where the band is wider than the tolerance of the run, a load balancer picks by load, and trials are not independent.
	if balanced(a, p.c.tolerance) && balanced(b, p.c.tolerance) {
		r.test, r.P, r.Interval = nil, nil, nil
		r.settled, r.Word = a.Verdict == b.Verdict, Same
		r.Note = "a load balancer picks versions by load, so the manifests promise no share, only that each version answers"
	}
}

// balanced reports whether the band of a share is wider than the tolerance makes it.
func balanced(m *reports.Measurement, tolerance float64) bool {
	return m.Band.Width() > 2*tolerance+1e-9
}

// violations compares exact checks and ledgers: any violation is worse than none. Where both reports have violations, their shares are
// compared.
func (p *pair) violations(r *Row, a, b *reports.Measurement) {
	r.Old.K, r.New.K = a.Violations, b.Violations
	r.Old.Value, r.New.Value = value(float64(a.Violations)), value(float64(b.Violations))
	r.Difference = value(float64(b.Violations - a.Violations))
	switch {
	case a.Violations == 0 && b.Violations == 0:
		r.settled, r.Word = a.Verdict == b.Verdict && a.Verdict == reports.Pass, Same
		if !r.settled {
			r.Note = "neither report has a violation, but one has too few trials for a verdict"
		}
	case a.Violations == 0 && b.Verdict == reports.Inconclusive, b.Violations == 0 && a.Verdict == reports.Inconclusive:
		// A race with a time limit may explain the violations, so the run itself came to no verdict.
		r.Note = "the check is inconclusive in the report that has the violations"
	case a.Violations == 0:
		r.settled, r.Word = true, Worse
	case b.Violations == 0:
		r.settled, r.Word = true, Better
	default:
		k1, n1, k2, n2 := float64(a.Violations), float64(trials(a)), float64(b.Violations), float64(trials(b))
		r.Old.N, r.New.N = trials(a), trials(b)
		r.Old.Value, r.New.Value = value(k1/n1), value(k2/n2)
		r.show(test{difference: stats.Newcombe(k1, n1, k2, n2, intervalAlpha), margin: p.c.Margin, p: stats.TwoProportions(k1, n1, k2, n2)}, false)
		r.Kind, r.ofViolations = Share, true
		r.Note = "both reports have violations, so their shares are compared"
	}
}

// trials returns the number of which violations are a part: the tries of a ledger, or the trials of an exact check.
func trials(m *reports.Measurement) int64 {
	n := m.N
	var received int64
	for _, line := range m.Attempts {
		received += line.Received
	}
	return max(n, received, m.Violations)
}

// wait compares the median of the time that retries added to a call, by the interval that each report has of it.
func (p *pair) wait(r *Row, a, b *reports.Measurement) {
	r.Predicted = value(b.Predicted)
	switch why := p.incomparable(); {
	case why != "":
		r.Note = why
		return
	case a.Interval == nil || b.Interval == nil || a.Interval.Lo <= 0 || b.Interval.Lo <= 0 || b.Predicted <= 0:
		r.Note = "too few values"
		return
	}
	estimate := func(m *reports.Measurement) stats.Estimate {
		return stats.Estimate{Value: math.Log(*m.Measured), Interval: stats.Interval{Lo: math.Log(m.Interval.Lo), Hi: math.Log(m.Interval.Hi)}}
	}
	from, to := estimate(a), estimate(b)
	r.show(test{
		difference: stats.Difference(from, to), p: scaled(from, to),
		// The interval of a wait does not account for variation from second to second, so the 99th percentile of the lag is used.
		margin: p.logMargin(*a.Measured), noise: p.logNoise(*a.Measured, 0.99),
	}, true)
	r.away = func() float64 {
		return math.Abs(math.Log(*b.Measured/b.Predicted)) - math.Abs(math.Log(*a.Measured/a.Predicted))
	}
}
