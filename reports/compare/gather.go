package compare

import (
	"strings"

	"github.com/hellochaos/hellochaos/reports"
)

// pair is one phase in both reports.
type pair struct {
	c        *Comparison
	phase    string
	old, new *reports.Phase
	// outcomes are the requests that were compared one by one; nil where none were.
	outcomes *outcomes
	// judged: both reports judged each request by itself, and no call met anything else than the rules say.
	judged bool
	// sameForm: both reports are of today's schema, or both were of an older one.
	sameForm bool
}

// gather makes the rows of all phases that both reports have, and lists what is left out.
func (c *Comparison) gather(before, after *reports.Report) {
	sameForm := (before.UpgradedFrom == "") == (after.UpgradedFrom == "")
	for i := range before.Phases {
		old := &before.Phases[i]
		p := &pair{c: c, phase: old.Name, old: old, new: phaseNamed(after, old.Name), sameForm: sameForm}
		if p.new == nil {
			c.exclude(Exclusion{old.Name, "everything", "only OLD has the phase", sameForm || !old.Base})
			continue
		}
		if why := p.unusable(before, after); why != "" {
			c.exclude(Exclusion{p.phase, "everything", why, true})
			continue
		}
		p.judged = before.UpgradedFrom == "" && after.UpgradedFrom == "" && passes(p.old) && passes(p.new)
		if c.Policies {
			p.policies(before, after)
			p.verdict()
			continue
		}
		p.requests(before)
		p.shares()
		p.calls()
		p.verdict()
		p.latencies()
	}
	for i := range after.Phases {
		if name := after.Phases[i].Name; phaseNamed(before, name) == nil {
			c.exclude(Exclusion{name, "everything", "only NEW has the phase", false})
		}
	}
}

func (c *Comparison) exclude(e Exclusion) { c.Excluded = append(c.Excluded, e) }

func phaseNamed(r *reports.Report, name string) *reports.Phase {
	for i := range r.Phases {
		if r.Phases[i].Name == name {
			return &r.Phases[i]
		}
	}
	return nil
}

// passes reports whether the calls of a phase met what the rules say, as far as they could be judged.
func passes(p *reports.Phase) bool {
	some := false
	for i := range p.Calls {
		switch p.Calls[i].Requests {
		case reports.Pass:
			some = true
		case reports.NotJudged:
		default:
			return false
		}
	}
	return some
}

// unusable returns why the data of the phase cannot be compared. It is empty where they can.
func (p *pair) unusable(before, after *reports.Report) string {
	var whys []string
	for _, s := range []struct {
		name   string
		report *reports.Report
		phase  *reports.Phase
	}{{"OLD", before, p.old}, {"NEW", after, p.new}} {
		if why := void(s.report, s.phase); why != "" {
			whys = append(whys, s.name+": "+why)
		}
	}
	return strings.Join(whys, "; ")
}

func void(r *reports.Report, phase *reports.Phase) string {
	last := phase.Name == r.Phases[len(r.Phases)-1].Name
	switch {
	case phase.Undecided != "":
		return phase.Undecided
	case phase.Replaced:
		return "pods were replaced during the phase"
	case r.UpgradedFrom != "" && phase.GeneratorLimited: // Later reports say themselves whether that takes the verdict away.
		return "the load generator could not keep its schedule"
	case last && (r.Aborted || r.Error != ""):
		return "the run ended during the phase"
	case phase.Observed == 0:
		return "no request was observed"
	}
	return ""
}

// row returns an empty row of this phase; call is the label of the calls that it is about, or empty.
func (p *pair) row(call, metric string, kind Kind) Row {
	return Row{Phase: p.phase, Call: call, Metric: metric, Kind: kind, measured: measured{requests: int64(min(p.old.Sent, p.new.Sent))}}
}

func (p *pair) add(r Row) { p.c.Rows = append(p.c.Rows, r) }

// verdict compares the verdicts on the phase as a whole.
func (p *pair) verdict() {
	r := p.row("", "verdict", Verdict)
	r.Old.Verdict, r.New.Verdict = p.old.Verdict, p.new.Verdict
	r.settle(p.old.Verdict, p.new.Verdict)
	p.add(r)
}

// settle gives a row the word that follows from two verdicts alone. A verdict that is lost counts, one that is gained does not.
func (r *Row) settle(old, new reports.Verdict) {
	r.settled, r.Gates = true, true
	switch {
	case old == new:
		r.Word = Same
	case old == reports.Fail && new == reports.Pass:
		r.Word = Better
	case old == reports.Pass && new == reports.Fail:
		r.Word = Worse
	case new == reports.Pass:
		r.Word, r.Gates, r.Note = Unclear, false, "OLD has no verdict"
	case new == reports.Fail:
		r.Word, r.Note = Unclear, "it fails in NEW, and OLD has no verdict"
	default:
		r.Word, r.Note = Unclear, "NEW has no verdict"
	}
}
