package compare

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/render"
)

// policies reports whether the two reports are those of 'hellochaos verify' before and after a change of the manifests: then the change is
// what is compared, rule by rule.
func policies(before, after *reports.Report) bool {
	a, b := before.Settings.ManifestsHash, after.Settings.ManifestsHash
	return before.Scenario.Derived && after.Scenario.Derived && before.UpgradedFrom == "" && after.UpgradedFrom == "" && a != "" && b != "" && a != b
}

// policies compares the rules of the phase: those for the same host and match, or else those that one request meets in both. Each request
// was made for its rules, so that shares of all requests, and times, say nothing.
func (p *pair) policies(before, after *reports.Report) {
	named, met := map[*reports.Call]bool{}, map[*reports.Call]bool{}
	for i := range p.old.Calls {
		a := &p.old.Calls[i]
		b, name := counterpart(p, a, named), ruleName(a)
		if b == nil {
			p.c.rules = append(p.c.rules, Mismatch{name, does(a), "no such rule"})
			p.c.exclude(Exclusion{p.phase, strconv.Quote(name), "only OLD has a rule for this host and match, and no request of NEW is one that met it: an --expect that spells the request out, in both runs, shows where it goes", true})
			continue
		}
		met[b] = true
		if does(a) != does(b) {
			p.c.rules = append(p.c.rules, Mismatch{name, does(a), does(b)})
		} else {
			p.split(name, a, b)
		}
		p.predicted(name, a, b)
		p.each(name, a, b)
		p.fails(name, a, b)
		p.coverage(name, a, b)
		if a.Ledger != nil && b.Ledger != nil {
			p.ledger(name, a, b)
		}
	}
	for i := range p.new.Calls {
		if b := &p.new.Calls[i]; !met[b] {
			p.c.rules = append(p.c.rules, Mismatch{ruleName(b), "no such rule", does(b)})
		}
	}
	p.c.Changes = append(p.c.rules, p.c.Changes...)
	p.expectations(before, after)
}

// counterpart is the row of NEW for one of OLD: that of the same host and match, or else one that a request of both meets; nil where there
// is none. Of several rows for one host and match each is that of one row; named are those that have been.
func counterpart(p *pair, a *reports.Call, named map[*reports.Call]bool) *reports.Call {
	for i := range p.new.Calls {
		if b := &p.new.Calls[i]; ruleName(b) == ruleName(a) && !named[b] {
			named[b] = true
			return b
		}
	}
	for i := range p.new.Calls {
		b := &p.new.Calls[i]
		if b.From == a.From && slices.ContainsFunc(a.Cohorts, func(cohort string) bool { return slices.Contains(b.Cohorts, cohort) }) {
			return b
		}
	}
	return nil
}

// ruleName is what a row is called where the policies differ: "shop.example.com /pay… x-canary: true, by gateway shop".
func ruleName(c *reports.Call) string {
	name := c.To
	switch {
	case c.Rule == nil:
		name += ", past every proxy"
	case len(c.Rule.Hosts) == 0:
		name += ", no rule"
	default:
		name = strings.Join(c.Rule.Hosts, " and ")
		if c.Rule.Match != "" {
			name += " " + c.Rule.Match
		}
	}
	if c.From != "edge" {
		return name + ", called by " + c.From
	}
	if len(c.Cohorts) > 0 {
		if _, gateway, ok := strings.Cut(c.Cohorts[0], ", by gateway "); ok {
			name += ", by gateway " + gateway
		}
	}
	return name
}

// does says what becomes of the calls of a row, and with how many tries.
func does(c *reports.Call) string {
	text := render.Becomes(c)
	if c.MostTries > 1 {
		text += fmt.Sprintf(", %.3g of %d tries", c.MeanTries, c.MostTries)
	}
	return text
}

// predicted compares what the rules of two rows come to. A prediction that is exact has no part of chance, so that no margin is left to it.
func (p *pair) predicted(name string, a, b *reports.Call) {
	switch fewer := arrives(b) < arrives(a); {
	case a.Fails.N > 0 && b.Fails.N > 0 && fewer && b.Fails.Predicted < a.Fails.Predicted:
		// what the proxy answers below 500 is no failure, and no better than what a service may fail
	case a.Fails.N > 0 && b.Fails.N > 0:
		p.exact(name, "predicted fails", a.Fails.Predicted, b.Fails.Predicted, 3*math.Hypot(a.Fails.PredictedError, b.Fails.PredictedError), false)
	case a.Fails.N > 0:
		p.c.exclude(Exclusion{p.phase, strconv.Quote(name) + ": predicted fails", "no natural request of NEW shows it", true})
	}
	p.exact(name, "predicted to arrive", arrives(a), arrives(b), 0, true)
}

// exact adds a row of two predictions, which are the same where they differ by no more than within.
func (p *pair) exact(name, metric string, a, b, within float64, moreIsBetter bool) {
	r := p.row(name, metric, Share)
	r.Old, r.New, r.settled, r.Gates, r.Word = Value{Value: value(a)}, Value{Value: value(b)}, true, true, Same
	if d := b - a; math.Abs(d) > within+1e-9*math.Max(a, b) {
		if r.Difference, r.Word = value(d), Worse; d > 0 == moreIsBetter {
			r.Word = Better
		}
	}
	p.add(r)
}

// arrives is the share of the calls of a row that its rule leads to a service, and does not answer itself.
func arrives(c *reports.Call) (share float64) {
	if c.Rule == nil {
		return 1
	}
	for i := range c.Rule.Destinations {
		if d := &c.Rule.Destinations[i]; d.Status == 0 {
			share += d.Share
		}
	}
	return share * (1 - c.Rule.Aborts)
}

// expectations compares the verdicts on expectations that both runs had, and on the runs, findings included.
func (p *pair) expectations(before, after *reports.Report) {
	add := func(metric string, a, b reports.Verdict) {
		r := p.row("", metric, Verdict)
		r.Old.Verdict, r.New.Verdict = a, b
		r.settle(a, b)
		p.add(r)
	}
	for i := range before.Expectations {
		e := &before.Expectations[i]
		for j := range after.Expectations {
			if other := &after.Expectations[j]; other.Text == e.Text {
				add("expectation "+strconv.Quote(e.Text), e.Verdict, other.Verdict)
			}
		}
	}
	add("verdict of the run", before.Verdict, after.Verdict)
}
