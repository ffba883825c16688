package reports

import (
	"fmt"
	"math"
	"strings"
)

// Check is one question that a phase answered. It is derived from the calls of the phase, so that every format that lists checks
// lists the same ones.
type Check struct {
	// Name is unique in its phase: "middleware: each call", "middleware: split", "backend: waits before try 3".
	Name string
	// Call is the calls that the check is about; nil where it is about a policy.
	Call    *Call
	Verdict Verdict
	// Text is what was measured, as a clause. Note is what else must be known of it, often why there is no verdict; it may be empty.
	Text, Note string
}

// Label names a call among the calls of its phase: its service, and where several rows lead there the rule or the cohorts. It is
// unique in the phase.
func (p *Phase) Label(c *Call) string {
	label, earlier := p.label(c), 0
	for i := range p.Calls {
		other := &p.Calls[i]
		if other == c {
			break
		}
		if other.To == c.To && p.label(other) == label {
			earlier++
		}
	}
	if earlier > 0 {
		label += fmt.Sprintf(" (%d)", earlier+1)
	}
	return label
}

func (p *Phase) label(c *Call) string {
	alike, sameRule := 0, 0
	for i := range p.Calls {
		if other := &p.Calls[i]; other.To == c.To {
			alike++
			if other.ruleName() == c.ruleName() && other.From == c.From {
				sameRule++
			}
		}
	}
	switch {
	case alike == 1:
		return c.To
	case sameRule == 1:
		return fmt.Sprintf("%s from %s by %s", c.To, c.From, c.ruleName())
	case len(c.Cohorts) == 0:
		return fmt.Sprintf("%s from %s", c.To, c.From)
	}
	return fmt.Sprintf("%s from %s for %s", c.To, c.From, strings.Join(c.Cohorts, ", "))
}

func (c *Call) ruleName() string {
	if c.Rule == nil {
		return "no proxy"
	}
	return c.Rule.Name
}

// Checks lists what was judged in a phase, in the order of its calls.
func (p *Phase) Checks() (all []Check) {
	for i := range p.Calls {
		c := &p.Calls[i]
		label := p.Label(c)
		add := func(what string, verdict Verdict, text, note string) {
			all = append(all, Check{Name: label + ": " + what, Call: c, Verdict: verdict, Text: text, Note: note})
		}
		switch {
		case c.Judged == 0 && c.Fails.N > 0: // A report of an older form judges the share of the calls that fail, and not each call.
			add("fails", c.Requests, fmt.Sprintf("%d of %d calls failed (predicted %.4g)", c.Fails.K, c.Fails.N, c.Fails.Predicted), c.Note)
		case c.Judged > 0 || c.Requests != NotJudged:
			add("each call", c.Requests, c.judged(), c.Note)
		}
		for _, b := range c.Branches {
			add(b.Name, b.Verdict, fmt.Sprintf("met by %d calls, %d were planned", b.Met, b.Wanted), b.Why)
		}
		if c.Split != nil {
			add("split", c.Split.Verdict, c.Split.shares(), c.Split.Note)
		}
		for _, w := range c.Waits {
			add(fmt.Sprintf("waits before try %d", w.Try), w.Verdict, w.median(), w.Note)
		}
		if c.Ledger != nil {
			add("ledger", c.Ledger.Verdict, fmt.Sprintf("%d retries counted for %d failures that call for one", c.Ledger.Retries, c.Ledger.Failures), c.Ledger.Note)
		}
	}
	for i := range p.Policies {
		c := &p.Policies[i]
		all = append(all, Check{Name: c.Label(), Verdict: c.Verdict, Text: c.Text})
	}
	return all
}

// judged is what the calls of a row showed, as a clause.
func (c *Call) judged() string {
	text := fmt.Sprintf("%d calls, %d met something else than the rule says", c.Judged, c.Mismatched)
	if c.Open > 0 {
		text += fmt.Sprintf(", %d were open", c.Open)
	}
	if c.Excludes != nil {
		text += fmt.Sprintf("; %d would look otherwise without it", c.Decisive)
	}
	return text
}

// shares lists the parts of a split, measured and predicted.
func (s *Split) shares() (text string) {
	for i, part := range s.Parts {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%s %d of %d", part.Name, part.K, part.N)
		if !s.Balanced {
			text += fmt.Sprintf(" (predicted %.4g)", part.Predicted)
		}
	}
	return text
}

func (w *Wait) median() string {
	if w.Measured == nil {
		return fmt.Sprintf("%d waits", w.N)
	}
	return fmt.Sprintf("%d waits, median %.1f ms where %.1f ms are predicted", w.N, 1000**w.Measured, 1000*w.Predicted)
}

// Before is the share of the calls to the same service, or to the same host, that failed in the phase before; nil where there is
// none, or no such calls. A service that was only known by its host before is the same where the caller is the same.
func (r *Report) Before(phase int, c *Call) *Share {
	if phase == 0 {
		return nil
	}
	former := &r.Phases[phase-1]
	if sum := former.fails(func(other *Call) bool { return other.To == c.To }); sum != nil {
		return sum
	}
	return former.fails(func(other *Call) bool {
		return other.From == c.From && SameService(other.To, c.To)
	})
}

// SameService reports whether the calls of two phases lead to one service: a service that no call reaches is known by its host alone.
func SameService(a, b string) bool {
	return a == b || strings.HasPrefix(a, b+".") || strings.HasPrefix(b, a+".")
}

// OffPromise reports whether the prediction of a share differs from what the scenario's own manifests imply, by more than 0.01.
func (s *Share) OffPromise() bool {
	return s.Promised != nil && math.Abs(s.Predicted-*s.Promised) > 0.01
}

// fails is the share of calls that failed, of those that are meant; nil where there are none.
func (p *Phase) fails(meant func(*Call) bool) (sum *Share) {
	for i := range p.Calls {
		other := &p.Calls[i]
		if !meant(other) || other.Fails.N == 0 {
			continue
		}
		if sum == nil {
			sum = &Share{Name: other.Fails.Name}
		}
		sum.Predicted = (sum.Predicted*float64(sum.N) + other.Fails.Predicted*float64(other.Fails.N)) / float64(sum.N+other.Fails.N)
		sum.K, sum.N = sum.K+other.Fails.K, sum.N+other.Fails.N
	}
	if sum != nil {
		measured := float64(sum.K) / float64(sum.N)
		sum.Measured = &measured
	}
	return sum
}

// Services returns the names of the services that counted tries for natural requests, callers before those that they call.
func (r *Report) Services() (names []string) {
	known := map[string]bool{}
	for i := range r.Phases {
		for j := range r.Phases[i].Calls {
			if c := &r.Phases[i].Calls[j]; c.Tries != nil && !known[c.To] {
				known[c.To] = true
				names = append(names, c.To)
			}
		}
	}
	return names
}

// Coverage is how many branches of a phase's rules were met, and how many there are, those that were left out by choice included.
func (p *Phase) Coverage() (met, all int) {
	for i := range p.Calls {
		for _, b := range p.Calls[i].Branches {
			all++
			if b.Met > 0 {
				met++
			}
		}
	}
	return met, all
}
