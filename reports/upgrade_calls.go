package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	v1 "github.com/hellochaos/hellochaos/reports/v1"
)

// Names of checks of schema 1. Its reports are of the tutorial's chain alone.
const (
	oldEdgeFails    = "edge fails"
	oldAnyFails     = "any hop fails"
	oldCallFails    = " call fails"
	oldWait         = " wait, try "
	oldClockBlocked = "the clock answers 502"
	oldCanary       = "canary" // the version whose share of the calls the other checks are about
)

// unknownRule stands for a rule that a report of schema 1 does not have.
func unknownRule() *Rule {
	return &Rule{Name: "a rule that a report of schema 1 does not name", Policy: "not known"}
}

// upgrading makes the calls of one measurement of a stage.
type upgrading struct {
	stage *v1.Stage
	phase *v1.Phase
	// rules are the policies in force by hop; nil where the report does not have them.
	rules map[string]*v1.Policy
	// tolerance is how far shares may be from their predictions.
	tolerance float64
	calls     []Call
}

// rulesOf returns the policies that were in force in a phase. A report has those after each stage, which are those before the next one.
func rulesOf(r *v1.Report, stage int, phase string) map[string]*v1.Policy {
	switch {
	case phase == "after":
	case phase == "before" && stage > 0 && follows(r.Stages[stage-1].Name, r.Stages[stage].Name):
		stage--
	default:
		return nil
	}
	rules := map[string]*v1.Policy{}
	for i := range r.Stages[stage].Policies {
		p := &r.Stages[stage].Policies[i]
		rules[p.Hop] = p
	}
	return rules
}

// follows reports whether a stage of schema 1 stands on another one directly.
func follows(former, stage string) bool {
	order := []string{"egress", "prod", "retry", "ingress", "canary"}
	i := slices.Index(order, former)
	return i >= 0 && i+1 < len(order) && order[i+1] == stage
}

// judged writes the shares and the calls of a phase.
func (u *upgrading) judged(p *Phase) {
	for _, hop := range u.hops() {
		if call := u.call(hop); call != nil {
			u.calls = append(u.calls, *call)
		}
		u.cohorts(hop)
	}
	p.Calls = u.calls
	for i := range u.stage.Checks {
		c := &u.stage.Checks[i]
		m := measurement(c, u.phase.Name)
		switch {
		case m == nil || c.Kind != oldProportion:
		case c.Name == oldEdgeFails:
			p.Shares = append(p.Shares, share(EdgeFails, m))
		case c.Name == oldAnyFails:
			p.Shares = append(p.Shares, share(AnyFails, m))
		}
	}
}

// hops lists the services that the stage's checks, policies and tries are about, callers before those that they call.
func (u *upgrading) hops() (hops []string) {
	add := func(hop string) {
		if hop != "" && !slices.Contains(hops, hop) {
			hops = append(hops, hop)
		}
	}
	for i := range u.stage.Policies {
		add(u.stage.Policies[i].Hop)
	}
	for i := range u.stage.Amplification {
		add(u.stage.Amplification[i].Hop)
	}
	for i := range u.stage.Checks {
		add(u.stage.Checks[i].Hop)
	}
	return hops
}

// caller is the service that calls a hop: the one of the service graph, or else the hop before it.
func (u *upgrading) caller(hop string) string {
	for _, e := range u.phase.Edges {
		if e.To == hop {
			return e.From
		}
	}
	hops := u.hops()
	if i := slices.Index(hops, hop); i > 0 {
		return hops[i-1]
	}
	return "edge"
}

// rule is the rule for the calls to a hop; nil where a report says that there is no proxy.
func (u *upgrading) rule(hop string) *Rule {
	p := u.rules[hop]
	switch {
	case p == nil:
		return unknownRule()
	case p.Rule == "no proxy":
		return nil
	}
	rule := &Rule{Name: p.Rule, Retries: p.Retries, RetryOn: p.RetryOn, Covers500: p.Covers500, PerTry: p.PerTry, Aborts: p.Aborts, Answer: p.Answer}
	switch {
	case p.Answer > 0:
		rule.Policy = fmt.Sprintf("the proxy answers %d", p.Answer)
	case p.Covers500:
		on := p.RetryOn
		if slices.Contains(strings.Split(on, ","), "5xx") {
			on = "5xx" // the other conditions do not concern an answer of 500
		}
		rule.Policy = fmt.Sprintf("%d retries on %s", p.Retries, on)
	default:
		rule.Policy = "no retries on 500"
	}
	if p.Aborts > 0 {
		rule.Policy += fmt.Sprintf(", %.3g %% aborted", 100*p.Aborts)
	}
	return rule
}

// call makes a call of all checks on a hop that are not about one cohort. It is nil where the stage has nothing of the hop.
func (u *upgrading) call(hop string) *Call {
	c := &Call{From: u.caller(hop), To: hop, Rule: u.rule(hop), Fails: Share{Name: "fails"}, Requests: NotJudged, Tries: u.tries(hop)}
	something := c.Tries != nil || u.rules[hop] != nil
	var verdicts []Verdict
	var notes []string
	for i := range u.stage.Checks {
		check := &u.stage.Checks[i]
		if m := measurement(check, u.phase.Name); m != nil && check.Hop == hop && check.Cohort == "" {
			something = true
			verdicts = append(verdicts, Verdict(m.Verdict))
			notes = append(notes, u.take(c, check, m)...)
		}
	}
	if !something {
		return nil
	}
	slices.SortFunc(c.Waits, func(a, b Wait) int { return cmp.Compare(a.Try, b.Try) })
	c.Waits = slices.CompactFunc(c.Waits, func(a, b Wait) bool { return a.Try == b.Try })
	c.Verdict = NotJudged
	if len(verdicts) > 0 {
		c.Verdict = Worst(verdicts...)
	}
	c.Note = strings.Join(notes, "; ")
	return c
}

// take takes a check into the call that it is about, and returns what else must be known of it.
func (u *upgrading) take(c *Call, check *v1.Check, m *v1.Measurement) (notes []string) {
	switch try, isWait := strings.CutPrefix(check.Name, c.To+oldWait); {
	case check.Kind == oldLedger:
		c.Ledger = &Ledger{Retries: m.K, Failures: m.N, Violations: m.Violations, Verdict: Verdict(m.Verdict), Note: m.Note,
			Attempts: converted(m.Attempts, func(t v1.Tries) Tries { return Tries(t) })}
		return nil
	case check.Kind == oldMedian:
		if n, err := strconv.ParseUint(try, 10, 8); isWait && err == nil {
			c.Waits = append(c.Waits, Wait{Try: int(n), N: m.N, Predicted: m.Predicted, Measured: m.Measured, Interval: m.Interval, Verdict: Verdict(m.Verdict), Note: m.Note})
			return nil
		}
	case check.Name == oldEdgeFails, check.Name == c.To+oldCallFails:
		c.Fails = share("fails", m)
		c.Requests = worse(c.Requests, Verdict(m.Verdict))
	case check.Name == oldClockBlocked:
		c.Fails = share("fails", m)
		u.exact(c, check, m)
	case check.Kind == oldExact && !strings.HasPrefix(check.Name, oldCanary):
		u.exact(c, check, m)
	default:
		u.versions(c, check, m)
	}
	if m.Note != "" {
		notes = append(notes, check.Name+": "+m.Note)
	}
	if Verdict(m.Verdict) == Fail && check.Kind == oldProportion {
		notes = append(notes, fmt.Sprintf("%s: %d of %d, where a share from %.4g to %.4g was tolerated", check.Name, m.K, m.N, m.Band.Lo, m.Band.Hi))
	}
	if len(m.First) > 0 {
		notes = append(notes, fmt.Sprintf("%s: the first requests that contradict it are %s", check.Name, strings.Trim(fmt.Sprint(m.First), "[]")))
	}
	return notes
}

// exact counts the violations of a check that must always or never hold as calls that met something else than the rules say.
func (u *upgrading) exact(c *Call, check *v1.Check, m *v1.Measurement) {
	if check.Kind != oldExact {
		return
	}
	c.Judged, c.Mismatched = max(c.Judged, m.N), max(c.Mismatched, m.Violations)
	c.Requests = worse(c.Requests, Verdict(m.Verdict))
}

// versions makes the split of a call of the share of its canary.
func (u *upgrading) versions(c *Call, check *v1.Check, m *v1.Measurement) {
	u.exact(c, check, m)
	others := share(u.otherVersion(c.To), m)
	others.Predicted, others.K = 1-m.Predicted, m.N-m.K
	if m.Measured != nil {
		others.Measured = pointer(1 - *m.Measured)
	}
	if m.Interval != nil {
		others.Interval = pointer(*m.Interval)
		others.Interval.Lo, others.Interval.Hi = 1-m.Interval.Hi, 1-m.Interval.Lo
	}
	v := Verdict(m.Verdict)
	c.Split = &Split{Verdict: v, Note: m.Note, Parts: []SplitShare{{Share: share(oldCanary, m), Verdict: v}, {Share: others, Verdict: v}},
		// Only where a load balancer chooses is the band of a share wider than the tolerance makes it.
		Balanced: check.Kind == oldProportion && m.Band.Width() > 2*u.tolerance+1e-9}
}

// otherVersion names the version of a service that is not the canary; "others" where there is not exactly one.
func (u *upgrading) otherVersion(service string) string {
	var versions []string
	for _, e := range u.phase.Edges {
		if e.To == service && e.Version != "" && e.Version != oldCanary && !slices.Contains(versions, e.Version) {
			versions = append(versions, e.Version)
		}
	}
	if len(versions) == 1 {
		return versions[0]
	}
	return "others"
}

// cohorts makes a call for each cohort whose requests have a check of their own on a hop.
func (u *upgrading) cohorts(hop string) {
	for i := range u.stage.Checks {
		check := &u.stage.Checks[i]
		m := measurement(check, u.phase.Name)
		if m == nil || check.Hop != hop || check.Cohort == "" {
			continue
		}
		c := Call{From: u.caller(hop), To: hop, Cohorts: []string{check.Cohort}, Rule: u.rule(hop), Fails: Share{Name: "fails"}, Requests: NotJudged, Verdict: Verdict(m.Verdict)}
		c.Note = strings.Join(u.take(&c, check, m), "; ")
		u.calls = append(u.calls, c)
	}
}

// tries returns how many tries a hop received for each request.
func (u *upgrading) tries(hop string) *Factor {
	for i := range u.stage.Amplification {
		a := &u.stage.Amplification[i]
		f := a.After
		if u.phase.Name == "before" {
			f = a.Before
		}
		if a.Hop == hop && f != nil {
			return &Factor{Predicted: f.Predicted, Measured: f.Measured, Tries: f.Tries, Requests: f.Requests}
		}
	}
	return nil
}

func share(name string, m *v1.Measurement) Share {
	return Share{Name: name, Predicted: m.Predicted, Measured: m.Measured, Interval: m.Interval, K: m.K, N: m.N}
}

// worse returns the worse of two verdicts; NotJudged is not one.
func worse(a, b Verdict) Verdict {
	if a == NotJudged {
		return b
	}
	return Worst(a, b)
}

func pointer[T any](v T) *T { return &v }
