package compare

import (
	"fmt"
	"math"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/stats"
)

// pair is one phase of one stage in both reports.
type pair struct {
	c                  *Comparison
	stage, phase       string
	oldStage, newStage *reports.Stage
	old, new           *reports.Phase
}

// gather makes the rows of all phases that both reports have, and says what is left out.
func (c *Comparison) gather(before, after *reports.Report) {
	for i := range before.Stages {
		stage := &before.Stages[i]
		other := stageNamed(after, stage.Name)
		if other == nil {
			c.exclude(Exclusion{stage.Name, "", "everything", "only OLD has the stage", true})
			continue
		}
		for _, phase := range []string{"before", "after"} {
			p := &pair{c: c, stage: stage.Name, phase: phase, oldStage: stage, newStage: other,
				old: phaseNamed(stage, phase), new: phaseNamed(other, phase)}
			if why := p.unusable(before, after); why != "" {
				c.exclude(Exclusion{p.stage, p.phase, "everything", why, true})
				continue
			}
			p.checks()
			p.tries()
			p.latencies()
		}
	}
	for i := range after.Stages {
		if name := after.Stages[i].Name; stageNamed(before, name) == nil {
			c.exclude(Exclusion{name, "", "everything", "only NEW has the stage", false})
		}
	}
}

func (c *Comparison) exclude(e Exclusion) { c.Excluded = append(c.Excluded, e) }

func stageNamed(r *reports.Report, name string) *reports.Stage {
	for i := range r.Stages {
		if r.Stages[i].Name == name {
			return &r.Stages[i]
		}
	}
	return nil
}

func phaseNamed(s *reports.Stage, name string) *reports.Phase {
	for i := range s.Phases {
		if s.Phases[i].Name == name {
			return &s.Phases[i]
		}
	}
	return nil
}

// unusable says why a phase's data are none; empty: they are.
func (p *pair) unusable(before, after *reports.Report) string {
	var whys []string
	for _, s := range []struct {
		name   string
		report *reports.Report
		stage  *reports.Stage
		phase  *reports.Phase
	}{{"OLD", before, p.oldStage, p.old}, {"NEW", after, p.newStage, p.new}} {
		if why := void(s.report, s.stage, s.phase); why != "" {
			whys = append(whys, s.name+": "+why)
		}
	}
	return strings.Join(whys, "; ")
}

func void(r *reports.Report, stage *reports.Stage, phase *reports.Phase) string {
	last := phase != nil && stage.Name == r.Stages[len(r.Stages)-1].Name && phase.Name == stage.Phases[len(stage.Phases)-1].Name
	switch {
	case phase == nil:
		return "it was not measured"
	case phase.GeneratorLimited:
		return "the load generator could not keep its schedule"
	case phase.Replaced:
		return "pods were replaced meanwhile"
	case last && (r.Aborted || r.Error != ""):
		return "the run ended in it"
	case phase.Observed == 0:
		return "no request was observed"
	}
	return ""
}

// row is an empty one of this phase.
func (p *pair) row(metric string, kind Kind) Row {
	return Row{Stage: p.stage, Phase: p.phase, Metric: metric, Kind: kind, measured: measured{requests: int64(min(p.old.Sent, p.new.Sent))}}
}

func (p *pair) add(r Row) { p.c.Rows = append(p.c.Rows, r) }

// checks compares the checks of the phase by name.
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

// empty says whether a measurement has no data, or none that can be.
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

// check compares one check; b is nil where NEW does not have it.
func (p *pair) check(check *reports.Check, a, b *reports.Measurement) {
	noOld, noNew := empty(check, a), empty(check, b)
	if b != nil && noOld && noNew {
		p.c.exclude(Exclusion{p.stage, p.phase, check.Name, "neither report has data", false})
		return
	}
	kind := kindOf(check)
	if check.Kind == reports.Proportion && (a.Band.Lo == a.Band.Hi || b != nil && b.Band.Lo == b.Band.Hi) {
		kind = Violations // exact in this phase, a share in the other
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

// failureSuffix ends the names of shares of failures: of these fewer are better, of all other shares what is predicted.
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
	// A band that is wider than the run's tolerance: a load balancer picks by load, and trials are not independent.
	if balanced(a, p.c.tolerance) && balanced(b, p.c.tolerance) {
		r.test, r.P, r.Interval = nil, nil, nil
		r.settled, r.Word = a.Verdict == b.Verdict, Same
		r.Note = "a load balancer picks by load: all that is promised is that each version answers"
	}
}

// balanced says whether a share has a wider band than the tolerance explains.
func balanced(m *reports.Measurement, tolerance float64) bool {
	return m.Band.Width() > 2*tolerance+1e-9
}

// violations compares exact checks and ledgers: any is worse than none. Where both have some, their shares are compared.
func (p *pair) violations(r *Row, a, b *reports.Measurement) {
	r.Old.K, r.New.K = a.Violations, b.Violations
	r.Old.Value, r.New.Value = value(float64(a.Violations)), value(float64(b.Violations))
	r.Difference = value(float64(b.Violations - a.Violations))
	switch {
	case a.Violations == 0 && b.Violations == 0:
		r.settled, r.Word = a.Verdict == b.Verdict && a.Verdict == reports.Pass, Same
		if !r.settled {
			r.Note = "no violation, but too few trials to tell"
		}
	case a.Violations == 0:
		r.settled, r.Word = true, Worse
	case b.Violations == 0:
		r.settled, r.Word = true, Better
	default:
		k1, n1, k2, n2 := float64(a.Violations), float64(trials(a)), float64(b.Violations), float64(trials(b))
		r.Old.N, r.New.N = trials(a), trials(b)
		r.Old.Value, r.New.Value = value(k1/n1), value(k2/n2)
		r.show(test{difference: stats.Newcombe(k1, n1, k2, n2, intervalAlpha), margin: p.c.Margin, p: stats.TwoProportions(k1, n1, k2, n2)}, false)
		r.Kind = Share
		r.Note = "share of violations"
	}
}

// trials are what violations are of: a ledger's tries, or the trials of an exact check.
func trials(m *reports.Measurement) int64 {
	n := m.N
	var received int64
	for _, line := range m.Attempts {
		received += line.Received
	}
	return max(n, received, m.Violations)
}

// wait compares the median of what a retry waits, by the interval that the report has of it.
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
		// The report's interval of a wait knows nothing of seconds, so the machine's worst lateness counts, not its usual one.
		margin: p.logMargin(*a.Measured), noise: p.logNoise(*a.Measured, 0.99),
	}, true)
	r.away = func() float64 {
		return math.Abs(math.Log(*b.Measured/b.Predicted)) - math.Abs(math.Log(*a.Measured/a.Predicted))
	}
}

// tries compares the amplification of each hop. A request causes at most as many tries as the policies on its way allow; their
// mean as a part of that has at most the variance of a share, so it is compared as one.
func (p *pair) tries() {
	for i := range p.oldStage.Amplification {
		hop := p.oldStage.Amplification[i].Hop
		a, b := factor(p.oldStage, hop, p.phase), factor(p.newStage, hop, p.phase)
		if a == nil || b == nil || a.Requests <= 0 || b.Requests <= 0 || a.Tries < 0 || b.Tries < 0 {
			continue
		}
		r := p.row(hop+" tries/request", Tries)
		r.Old, r.New = Value{Value: &a.Measured, K: a.Tries, N: a.Requests}, Value{Value: &b.Measured, K: b.Tries, N: b.Requests}
		r.identical = a.Tries == b.Tries && a.Requests == b.Requests
		most := math.Ceil(max(mostTries(p.oldStage, hop), mostTries(p.newStage, hop), float64(a.Tries)/float64(a.Requests), float64(b.Tries)/float64(b.Requests)))
		n1, n2 := float64(a.Requests), float64(b.Requests)
		k1, k2 := float64(a.Tries)/most, float64(b.Tries)/most
		d := stats.Newcombe(k1, n1, k2, n2, intervalAlpha)
		r.show(test{
			difference: stats.Estimate{Value: most * d.Value, Interval: stats.Interval{Lo: most * d.Interval.Lo, Hi: most * d.Interval.Hi}},
			margin:     most * p.c.Margin, p: stats.TwoProportions(k1, n1, k2, n2),
		}, false)
		p.add(r)
	}
}

func factor(s *reports.Stage, hop, phase string) *reports.Factor {
	for i := range s.Amplification {
		switch a := &s.Amplification[i]; {
		case a.Hop != hop:
		case phase == "before":
			return a.Before
		default:
			return a.After
		}
	}
	return nil
}

// mostTries is how many tries of a hop one request can cause by the policies of the stage, those of the hops before it included.
func mostTries(s *reports.Stage, hop string) float64 {
	most := 1.0
	for _, policy := range s.Policies {
		most *= float64(1 + max(0, policy.Retries))
		if policy.Hop == hop {
			break
		}
	}
	return most
}

// quantiles that are compared, with what tables call them.
var quantiles = []struct {
	q    float64
	name string
}{{0.5, "p50"}, {0.9, "p90"}, {0.99, "p99"}}

// latencies compares the quantiles at the edge, seconds as blocks.
func (p *pair) latencies() {
	why := p.incomparable()
	if why == "" && (len(p.old.Seconds) == 0 || len(p.new.Seconds) == 0) {
		why = "a report has no latencies by second"
	}
	if why != "" {
		p.c.exclude(Exclusion{p.stage, p.phase, "latencies", why, false})
		return
	}
	for _, outcome := range []string{"ok", "failed"} {
		a, b := blocks(p.old, outcome), blocks(p.new, outcome)
		if a.N() == 0 || b.N() == 0 {
			continue // the shares tell of that
		}
		for _, q := range quantiles {
			p.quantile(outcome+" "+q.name, q.q, a, b)
		}
	}
}

// incomparable says why times say nothing of the target.
func (p *pair) incomparable() string {
	switch {
	case p.old.Late && p.new.Late:
		return "requests left late in both"
	case p.old.Late:
		return "requests left late in OLD"
	case p.new.Late:
		return "requests left late in NEW"
	case math.Abs(p.old.PlannedRate-p.new.PlannedRate) > 0.01*p.old.PlannedRate:
		return fmt.Sprintf("OLD had %.0f requests a second, NEW %.0f", p.old.PlannedRate, p.new.PlannedRate)
	case p.old.Entry != p.new.Entry:
		return fmt.Sprintf("OLD entered at %s, NEW at %s", p.old.Entry, p.new.Entry)
	}
	return ""
}

func blocks(phase *reports.Phase, outcome string) *stats.Blocks {
	all := make([][]stats.Bin, 0, len(phase.Seconds))
	for _, second := range phase.Seconds {
		bins := second.OK
		if outcome == "failed" {
			bins = second.Failed
		}
		block := make([]stats.Bin, 0, len(bins))
		for _, b := range bins {
			if b[1] > 0 {
				block = append(block, stats.Bin{Value: float64(max(1, b[0])) / 1e6, Count: b[1]})
			}
		}
		all = append(all, block)
	}
	return stats.NewBlocks(all)
}

// quantile compares one quantile of one outcome.
func (p *pair) quantile(name string, q float64, a, b *stats.Blocks) {
	r := p.row(name, Latency)
	from, to := a.Quantile(q), b.Quantile(q)
	r.Old, r.New = Value{Value: &from, N: a.N()}, Value{Value: &to, N: b.N()}
	r.identical = a.Equal(b)
	if n, seconds := min(a.N(), b.N()), min(a.Len(), b.Len()); n < stats.QuantileMinimum(q, intervalAlpha) || seconds < 2 {
		r.Difference = value(to/from - 1)
		r.Note = fmt.Sprintf("n is too small (%d in %d s)", n, seconds)
		r.Needed = p.fewest(q, a, b)
		p.add(r)
		return
	}
	r.show(test{
		difference: stats.QuantileRatio(a, b, q, intervalAlpha), p: stats.QuantileTest(a, b, q),
		margin: p.logMargin(from), noise: p.logNoise(from, q),
	}, true)
	if r.Interval == nil {
		r.Needed = p.fewest(q, a, b)
	}
	p.add(r)
}

// fewest is how many requests of the phase would give a quantile an interval.
func (p *pair) fewest(q float64, a, b *stats.Blocks) int64 {
	const longest = 3600
	least := a
	if b.N() < a.N() {
		least = b
	}
	perBlock := float64(least.N()) / float64(least.Len())
	for seconds := 2; seconds < longest; seconds++ {
		if stats.BlocksSuffice(q, intervalAlpha, seconds, perBlock) {
			return int64(float64(seconds) * float64(min(p.old.Sent, p.new.Sent)) / float64(least.Len()))
		}
	}
	return 0
}

// logMargin is the latency margin as a difference of logarithms, at an old latency.
func (p *pair) logMargin(from float64) float64 {
	return math.Log1p(max(p.c.LatencyMargin, p.c.LatencyFloor/from))
}

// logNoise is how much a latency can differ because the machine was busy: requests themselves left that much later than
// planned, by the median for medians and else by the 99th percentile.
func (p *pair) logNoise(from, q float64) float64 {
	lag := max(p.old.LagMedian, p.new.LagMedian)
	if q > 0.5 {
		lag = max(p.old.LagP99, p.new.LagP99)
	}
	return math.Log1p(max(0, lag) / from)
}
