package compare

import (
	"fmt"

	"github.com/hellochaos/hellochaos/reports"
)

// underLoad compares what became of calls while rules changed ('hellochaos run --through-change'), by the verdicts. How many calls were lost
// and when the last one met old rules was measured once on each side, so that both are shown and nothing is made of their difference.
func (c *Comparison) underLoad(before, after *reports.Report) {
	for i := range before.Changes {
		old := &before.Changes[i]
		now := changeTitled(after, old.Title())
		if now == nil {
			c.exclude(Exclusion{old.Later(), "the change " + old.Title(), "only OLD has measured it under load", true})
			continue
		}
		r := Row{Phase: old.Later(), Metric: "change " + old.Title(), Kind: Verdict, Old: Value{Verdict: old.Verdict}, New: Value{Verdict: now.Verdict}}
		r.settle(old.Verdict, now.Verdict)
		if r.Note != "" {
			r.Note += "; "
		}
		r.Note += fmt.Sprintf("OLD: %s; NEW: %s", metUnderLoad(old), metUnderLoad(now))
		c.Rows = append(c.Rows, r)
	}
	for i := range after.Changes {
		if ch := &after.Changes[i]; changeTitled(before, ch.Title()) == nil {
			c.exclude(Exclusion{ch.Later(), "the change " + ch.Title(), "only NEW has measured it under load", false})
		}
	}
}

// changeTitled is the change with a title; nil where there is none.
func changeTitled(r *reports.Report, title string) *reports.Change {
	for i := range r.Changes {
		if r.Changes[i].Title() == title {
			return &r.Changes[i]
		}
	}
	return nil
}

// metUnderLoad is how many calls were lost during a change, and when the last answer by the old rules was there.
func metUnderLoad(c *reports.Change) string {
	if c.Calls == 0 {
		return "not measured"
	}
	text := fmt.Sprintf("%d of %d calls lost", c.Lost, c.Calls)
	last := -1.0
	for i := range c.Proxies {
		if old := c.Proxies[i].LastOld; old != nil {
			last = max(last, *old)
		}
	}
	if last >= 0 {
		text += fmt.Sprintf(", last old answer after %.0f ms", 1000*last)
	}
	return text
}
