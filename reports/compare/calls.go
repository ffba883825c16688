package compare

import (
	"fmt"
	"math"
	"reflect"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/stats"
)

// calls compares the calls of the phase that have the same name.
func (p *pair) calls() {
	for i := range p.old.Calls {
		a := &p.old.Calls[i]
		label := p.old.Label(a)
		b := callLabelled(p.new, label)
		if b == nil {
			r := p.row(label, "all", Verdict)
			p.absent(&r, Value{Verdict: a.Verdict}, "OLD")
			continue
		}
		p.each(label, a, b)
		p.fails(label, a, b)
		p.tries(label, a, b)
		p.coverage(label, a, b)
		p.split(label, a, b)
		p.waits(label, a, b)
		p.ledger(label, a, b)
	}
	for i := range p.new.Calls {
		b := &p.new.Calls[i]
		if label := p.new.Label(b); callLabelled(p.old, label) == nil {
			r := p.row(label, "all", Verdict)
			p.absent(&r, Value{Verdict: b.Verdict}, "NEW")
		}
	}
}

func callLabelled(p *reports.Phase, label string) *reports.Call {
	for i := range p.Calls {
		if p.Label(&p.Calls[i]) == label {
			return &p.Calls[i]
		}
	}
	return nil
}

// counts are the violations of a rule, among trials that were held against it, with the verdict on them.
type counts struct {
	violations, trials int64
	verdict            reports.Verdict
}

// each compares the calls that met something else than their rule says.
func (p *pair) each(label string, a, b *reports.Call) {
	if a.Requests == reports.NotJudged && b.Requests == reports.NotJudged || a.Judged == 0 && b.Judged == 0 && a.Fails.N > 0 && b.Fails.N > 0 {
		return
	}
	p.violations(label, "each call", counts{a.Mismatched, a.Judged, a.Requests}, counts{b.Mismatched, b.Judged, b.Requests})
}

// ledger compares the tries too many or too few that the called service counted.
func (p *pair) ledger(label string, a, b *reports.Call) {
	const name = "ledger"
	of := func(l *reports.Ledger) counts {
		n := max(l.Failures, l.Retries)
		var received int64
		for _, line := range l.Attempts {
			received += line.Received
		}
		return counts{l.Violations, max(n, received, l.Violations), l.Verdict}
	}
	switch {
	case a.Ledger != nil && b.Ledger != nil:
		p.violations(label, name, of(a.Ledger), of(b.Ledger))
	case a.Ledger != nil:
		r := p.row(label, name, Violations)
		p.absent(&r, Value{K: a.Ledger.Violations, Verdict: a.Ledger.Verdict}, "OLD")
	case b.Ledger != nil:
		r := p.row(label, name, Violations)
		p.absent(&r, Value{K: b.Ledger.Violations, Verdict: b.Ledger.Verdict}, "NEW")
	}
}

// violations compares violations of rules: any violation is worse than none. Where both reports have violations, their shares are
// compared.
func (p *pair) violations(call, name string, a, b counts) {
	r := p.row(call, name, Violations)
	r.Gates = true
	r.Old = Value{Value: value(float64(a.violations)), K: a.violations, Verdict: a.verdict}
	r.New = Value{Value: value(float64(b.violations)), K: b.violations, Verdict: b.verdict}
	r.Difference = value(float64(b.violations - a.violations))
	r.identical = a == b
	switch {
	case a.violations == 0 && b.violations == 0:
		r.settle(a.verdict, b.verdict)
		if a.verdict == reports.Inconclusive && b.verdict == reports.Inconclusive {
			r.Word, r.Note = Unclear, "neither report has a violation, but neither has enough trials for a verdict"
		}
	case a.verdict == reports.Inconclusive && b.violations == 0, b.verdict == reports.Inconclusive && a.violations == 0:
		// A race with a time limit may explain the violations, so the run itself came to no verdict.
		r.Note = "it is inconclusive in the report that has the violations"
	case a.violations == 0 && b.verdict == reports.Fail:
		r.settled, r.Word = true, Worse
	case b.violations == 0 && a.verdict == reports.Fail:
		r.settled, r.Word = true, Better
	default:
		k1, n1, k2, n2 := float64(a.violations), float64(max(1, a.trials)), float64(b.violations), float64(max(1, b.trials))
		r.Old.N, r.New.N = a.trials, b.trials
		r.Old.Value, r.New.Value = value(k1/n1), value(k2/n2)
		r.show(test{difference: stats.Newcombe(k1, n1, k2, n2, intervalAlpha), margin: p.c.Margin, p: stats.TwoProportions(k1, n1, k2, n2)}, false)
		r.Kind, r.ofViolations = Share, true
		r.Note = "a report has violations that it does not fail for, or both have some, so their shares are compared"
	}
	p.add(r)
}

// fails compares how often calls fail. Where every request had the same outcome in both runs, so had every call.
func (p *pair) fails(label string, a, b *reports.Call) {
	r := p.row(label, "fails", Share)
	switch {
	case a.Fails.N == 0 && b.Fails.N == 0:
		return
	case noData(&r, &a.Fails, &b.Fails):
		p.add(r)
		return
	}
	if a.Fails.Predicted == 1 { // The rule lets no call through, so that fewer failures are not better.
		r.away = awayFrom(&a.Fails, &b.Fails)
		r.Predicted = value(b.Fails.Predicted)
	}
	if a.Judged == 0 && b.Judged == 0 { // then the verdicts are those on the shares
		r.verdicts = [2]reports.Verdict{a.Requests, b.Requests}
	}
	p.share(&r, &a.Fails, &b.Fails)
}

// share compares a share of trials that are not the same in both runs.
func (p *pair) share(r *Row, a, b *reports.Share) {
	r.Old, r.New = valueOf(a), valueOf(b)
	r.Old.Verdict, r.New.Verdict = r.verdicts[0], r.verdicts[1]
	r.Gates = !p.judged // Where each call was judged by itself, only draws can make shares differ.
	if noData(r, a, b) {
		p.add(*r)
		return
	}
	k1, n1, k2, n2 := float64(a.K), float64(a.N), float64(b.K), float64(b.N)
	r.identical = a.K == b.K && a.N == b.N
	if p.equal() {
		r.Difference = value(*b.Measured - *a.Measured)
		r.settled, r.Word = true, Same
		p.add(*r)
		return
	}
	r.show(test{difference: stats.Newcombe(k1, n1, k2, n2, intervalAlpha), margin: p.c.Margin, p: stats.TwoProportions(k1, n1, k2, n2)}, false)
	p.add(*r)
}

// noData reports whether a share was not measured in one of the reports, and notes in which. It counts where OLD has it.
func noData(r *Row, a, b *reports.Share) bool {
	none := func(s *reports.Share) bool { return s.N == 0 || s.Measured == nil }
	if !none(a) && !none(b) {
		return false
	}
	verdicts := [2]reports.Verdict{r.Old.Verdict, r.New.Verdict}
	r.Old, r.New = valueOf(a), valueOf(b)
	r.Old.Verdict, r.New.Verdict = verdicts[0], verdicts[1]
	r.Gates, r.Note = true, "no data in NEW"
	if none(a) {
		r.added, r.Note = true, "no data in OLD"
	}
	return true
}

// equal reports whether every request that both runs sent had the same outcome in both, so that the runs differ at most in how many
// requests they sent.
func (p *pair) equal() bool { return p.outcomes != nil && p.outcomes.equal && !p.outcomes.drawn }

// awayFrom is how much further from its prediction the new share is than the old one.
func awayFrom(a, b *reports.Share) *stats.Estimate {
	distance := func(s *reports.Share) stats.Estimate {
		i := stats.Wilson(float64(s.K), float64(s.N), intervalAlpha)
		lo, hi := math.Abs(i.Lo-s.Predicted), math.Abs(i.Hi-s.Predicted)
		lo, hi = min(lo, hi), max(lo, hi)
		if i.Lo <= s.Predicted && s.Predicted <= i.Hi {
			lo = 0
		}
		return stats.Estimate{Value: math.Abs(float64(s.K)/float64(s.N) - s.Predicted), Interval: stats.Interval{Lo: lo, Hi: hi}}
	}
	d := stats.Difference(distance(a), distance(b))
	return &d
}

// coverage compares which cases of the rule were met.
func (p *pair) coverage(label string, a, b *reports.Call) {
	if len(a.Branches) == 0 {
		return
	}
	met, has := map[string]bool{}, map[string]bool{}
	count := func(c *reports.Call) (v Value) {
		for _, branch := range c.Branches {
			v.N++
			if branch.Met > 0 {
				v.K++
			}
		}
		if v.N > 0 {
			v.Value = value(float64(v.K))
		}
		return v
	}
	for _, branch := range b.Branches {
		met[branch.Name], has[branch.Name] = branch.Met > 0, true
	}
	var lost []string
	for _, branch := range a.Branches {
		if branch.Met > 0 && !met[branch.Name] && (has[branch.Name] || !p.c.Policies) { // another rule has other cases
			lost = append(lost, branch.Name)
		}
	}
	r := p.row(label, "branches met", Coverage)
	r.Old, r.New = count(a), count(b)
	r.Difference = value(float64(r.New.K - r.Old.K))
	r.settled, r.Word, r.Gates = true, Same, true
	if len(lost) > 0 {
		r.Word, r.Note = Unclear, "no longer met: "+strings.Join(lost, ", ")
	}
	p.add(r)
}

// split compares how the mesh spread calls over the parts of a split. Shares that both runs passed lie within the tolerance of the
// runs, and are the same unless their difference is clear.
func (p *pair) split(label string, a, b *reports.Call) {
	if a.Split == nil {
		return
	}
	if b.Split == nil {
		r := p.row(label, "split", Share)
		p.absent(&r, Value{Verdict: a.Split.Verdict}, "OLD")
		return
	}
	if a.Split.Balanced && b.Split.Balanced {
		r := p.row(label, "split", Verdict)
		r.Old.Verdict, r.New.Verdict = a.Split.Verdict, b.Split.Verdict
		r.settle(a.Split.Verdict, b.Split.Verdict)
		r.Note = joined(r.Note, "a load balancer picks versions by load, so the manifests promise no share, only that each version answers")
		p.add(r)
		return
	}
	for i := range a.Split.Parts {
		if part := &a.Split.Parts[i]; i > 0 || len(a.Split.Parts) != 2 { // The first of two parts is what the second one leaves.
			p.part(label, a, b, part, partNamed(b.Split, part.Name))
		}
	}
}

func partNamed(s *reports.Split, name string) *reports.SplitShare {
	for i := range s.Parts {
		if s.Parts[i].Name == name {
			return &s.Parts[i]
		}
	}
	return nil
}

func (p *pair) part(call string, a, b *reports.Call, from, to *reports.SplitShare) {
	r := p.row(call, "split "+from.Name, Share)
	r.Gates = true
	if to == nil {
		p.absent(&r, valueOf(&from.Share), "OLD")
		return
	}
	r.Old, r.New = valueOf(&from.Share), valueOf(&to.Share)
	r.Old.Verdict, r.New.Verdict = from.Verdict, to.Verdict
	if noData(&r, &from.Share, &to.Share) {
		p.add(r)
		return
	}
	r.identical = from.K == to.K && from.N == to.N && from.Verdict == to.Verdict
	r.Predicted, r.away = value(to.Predicted), awayFrom(&from.Share, &to.Share)
	r.tolerated = a.Split.Verdict == reports.Pass && b.Split.Verdict == reports.Pass
	k1, n1, k2, n2 := float64(from.K), float64(from.N), float64(to.K), float64(to.N)
	r.show(test{difference: stats.Newcombe(k1, n1, k2, n2, intervalAlpha), margin: p.c.Margin, p: stats.TwoProportions(k1, n1, k2, n2)}, false)
	p.add(r)
}

// waits compares the medians of the times that retries added before each try, by the interval that each report has of them.
func (p *pair) waits(label string, a, b *reports.Call) {
	for i := range a.Waits {
		from := &a.Waits[i]
		for j := range b.Waits {
			if to := &b.Waits[j]; to.Try == from.Try {
				p.wait(label, from, to)
			}
		}
	}
}

func (p *pair) wait(call string, a, b *reports.Wait) {
	r := p.row(call, fmt.Sprintf("waits before try %d", a.Try), Wait)
	r.Old, r.New = Value{Value: a.Measured, N: a.N, Verdict: a.Verdict}, Value{Value: b.Measured, N: b.N, Verdict: b.Verdict}
	r.Predicted = value(b.Predicted)
	r.identical = reflect.DeepEqual(a, b)
	switch why := p.incomparable(); {
	case a.Measured == nil && b.Measured == nil:
		return
	case a.Measured == nil || b.Measured == nil:
		r.Note = "no data in one of the reports"
	case why != "":
		r.Note = why
	case a.Interval == nil || b.Interval == nil || a.Interval.Lo <= 0 || b.Interval.Lo <= 0 || *a.Measured <= 0 || *b.Measured <= 0 || b.Predicted <= 0 || a.Predicted <= 0:
		r.Note = "too few values"
	default:
		p.compareWaits(&r, a, b)
	}
	p.add(r)
}

func (p *pair) compareWaits(r *Row, a, b *reports.Wait) {
	estimate := func(w *reports.Wait) stats.Estimate {
		return stats.Estimate{Value: math.Log(*w.Measured), Interval: stats.Interval{Lo: math.Log(w.Interval.Lo), Hi: math.Log(w.Interval.Hi)}}
	}
	distance := func(e stats.Estimate, predicted float64) stats.Estimate {
		middle := math.Log(predicted)
		lo, hi := math.Abs(e.Interval.Lo-middle), math.Abs(e.Interval.Hi-middle)
		lo, hi = min(lo, hi), max(lo, hi)
		if e.Interval.Lo <= middle && middle <= e.Interval.Hi {
			lo = 0
		}
		return stats.Estimate{Value: math.Abs(e.Value - middle), Interval: stats.Interval{Lo: lo, Hi: hi}}
	}
	from, to := estimate(a), estimate(b)
	away := stats.Difference(distance(from, a.Predicted), distance(to, b.Predicted))
	r.away = &away
	r.show(test{
		difference: stats.Difference(from, to), p: scaled(from, to),
		// The interval of a wait does not account for variation from second to second, so the 99th percentile of the lag is used.
		margin: p.logMargin(*a.Measured), noise: p.logNoise(*a.Measured, 0.99),
	}, true)
}
