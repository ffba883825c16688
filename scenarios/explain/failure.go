package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
)

// failures says what failed of the calls of a row beside deviations: how they were spread, how long retries waited, and what the
// called service counted.
func (s *story) failures(c *reports.Call) {
	if c.Split != nil && c.Split.Verdict == reports.Fail {
		s.split(c)
	}
	s.waits(c)
	if c.Ledger != nil && c.Ledger.Verdict == reports.Fail && c.Mismatched == 0 {
		s.ledger(c)
	}
}

// split says how calls were spread, where that is not what the weights or the load balancer make of them.
func (s *story) split(c *reports.Call) {
	var parts []string
	for i := range c.Split.Parts {
		part := &c.Split.Parts[i]
		switch {
		case part.Measured == nil:
		case c.Split.Balanced:
			parts = append(parts, fmt.Sprintf("%s answered %s of %s", part.Name, count(part.K), counted(part.N, "call")))
		default:
			parts = append(parts, fmt.Sprintf("%s got %s where the weights say %s", part.Name, percent(*part.Measured), percent(part.Predicted)))
		}
	}
	where := ""
	if c.Rule != nil && c.Rule.File != "" {
		where = " of " + rule(c.Rule)
	}
	if c.Split.Balanced {
		s.say("The %s were not spread as a load balancer spreads them that picks among all pods: %s.", calls(c.From, c.To), list(parts))
		return
	}
	s.say("The %s were not split by the weights%s: %s.%s", calls(c.From, c.To), where, list(parts), resembles(c.Split))
}

// resembles names the mistake that a split looks like; empty where it looks like none.
func resembles(split *reports.Split) string {
	agrees := func(wanted func(i int) float64) bool {
		for i := range split.Parts {
			interval := split.Parts[i].Interval
			if interval == nil || wanted(i) < interval.Lo || wanted(i) > interval.Hi {
				return false
			}
		}
		return len(split.Parts) > 1
	}
	n := len(split.Parts)
	unlike := slices.ContainsFunc(split.Parts, func(part reports.SplitShare) bool { return part.Predicted != split.Parts[0].Predicted })
	switch {
	case !unlike:
		return ""
	case agrees(func(int) float64 { return 1 / float64(n) }):
		return " That looks as if all weights were equal."
	case n == 2 && agrees(func(i int) float64 { return split.Parts[1-i].Predicted }):
		return " That looks as if the weights were swapped."
	}
	for i := range split.Parts {
		if split.Parts[i].N > 0 && split.Parts[i].K == split.Parts[i].N {
			return fmt.Sprintf(" That looks as if %s alone had a weight.", split.Parts[i].Name)
		}
	}
	return ""
}

// waits says by which factor retries came later or sooner than the back-off predicts.
func (s *story) waits(c *reports.Call) {
	var factor float64
	n := 0
	var notes []string
	for i := range c.Waits {
		w := &c.Waits[i]
		if w.Verdict != reports.Fail {
			continue
		}
		if w.Measured != nil && w.Predicted > 0 {
			factor += *w.Measured / w.Predicted
			n++
		}
		notes = append(notes, fmt.Sprintf("try %d", w.Try))
	}
	if len(notes) == 0 {
		return
	}
	text := fmt.Sprintf("The waits before retries of %s are not those of Envoy's back-off for %s (%s)", calls(c.From, c.To), name(c.Rule), strings.Join(notes, ", "))
	switch mean := factor / float64(max(n, 1)); {
	case n > 0 && mean > like:
		text += fmt.Sprintf(": in the median they are %s times as long, so that the interval in force is longer than the manifest's", number(mean))
	case n > 0 && mean < 1/like:
		text += fmt.Sprintf(": in the median they are %s times as long, so that the interval in force is shorter than the manifest's", number(mean))
	case n > 0:
		text += ": the medians are about right, and the waits are spread otherwise"
	}
	s.say("%s.", text)
}

// like is the factor up to which two medians count as about the same.
const like = 1.1

func name(r *reports.Rule) string {
	if r == nil {
		return "no rule"
	}
	return rule(r)
}

// ledger says where the called service's own counts depart from the policy, though each call that an answer shows met what it must.
func (s *story) ledger(c *reports.Call) {
	received := func(k int) int64 {
		if k < len(c.Ledger.Attempts) {
			return c.Ledger.Attempts[k].Received
		}
		return 0
	}
	says, n := name(c.Rule), len(s.words)
	if c.Rule != nil && received(0) > 0 {
		s.say("The service %s counted %s without an attempt count: they did not come through a proxy that obeys %s.", c.To, amount(received(0)), says)
		return
	}
	for k := 1; c.Rule != nil && k <= c.Rule.Retries && k < len(c.Ledger.Attempts); k++ {
		if retryable, next := c.Ledger.Attempts[k].Retryable, received(k+1); next != retryable {
			s.say("The service %s counted %s with attempt count %d that %s sends again, and %s with attempt count %d.", c.To, amount(retryable), k, says, amount(next), k+1)
		}
	}
	if c.Rule != nil {
		if beyond := received(c.Rule.Retries + 2); beyond > 0 {
			s.say("The service %s counted %s beyond the %s that %s allows.", c.To, amount(beyond), tries(c.Rule.Retries+1), says)
		}
	}
	if len(s.words) == n && c.Ledger.Note != "" {
		s.say("The counts of %s do not fit %s: %s.", c.To, says, c.Ledger.Note)
	}
}

// amount is a number of tries.
func amount(n int64) string {
	if n == 1 {
		return "1 try"
	}
	return count(n) + " tries"
}
