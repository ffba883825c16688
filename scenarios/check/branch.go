package check

import (
	"fmt"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios/observe"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
)

// retried is how many right calls had a failed try.
func retried(seen *observe.Row) (n int64) {
	for failures := range seen.Good {
		if failures > 0 {
			n += seen.Good[failures]
		}
		n += seen.Bad[failures]
	}
	return n
}

// Branches are the cases of a row's rule and how often the tally says that they were met; none where the rule was not planned for, since
// it is that of the phase before.
func (e *Evidence) Branches(i int) (all []reports.Branch) {
	row, seen, want := &e.Ways.Rows[i], &e.Tally.Rows[i], e.Wants[i]
	if want == (oracle.Want{}) {
		return nil
	}
	add := func(name string, met int64, why string) {
		b := reports.Branch{Name: name, Met: met, Wanted: EachBranch, Why: why, Verdict: reports.Pass}
		switch {
		case met >= b.Wanted:
			b.Why = ""
		case why != "":
			b.Verdict = reports.NotJudged
		default:
			b.Verdict = reports.Inconclusive
		}
		all = append(all, b)
	}
	if !row.Tried && len(row.Destinations) < 2 {
		add(unfailing(row), seen.Judged-seen.Mismatched-seen.Open, "")
		return all
	}
	planned := float64(max(want.Calls, want.Retried, want.Each*(Retries(row)+2)))
	seldom := func(share float64) string {
		if share*planned < 2*EachBranch {
			return fmt.Sprintf("the mesh draws it for only %.3g %% of the calls", 100*share)
		}
		return ""
	}
	if row.Tried {
		e.tried(i, add)
	}
	if f := row.Rule; f != nil && f.Fault != nil {
		if share := Aborts(row); share > 0 {
			add(fmt.Sprintf("aborted with %d", f.Fault.AbortStatus), seen.Aborts, seldom(share))
		}
		if share := f.Fault.DelayShare; f.Fault.Delay > 0 && share > 0 && share < 1 {
			add("delayed", 0, fmt.Sprintf("no answer says whether the fault delayed the call, so that the share of %.3g %% cannot be judged", 100*share))
		}
	}
	if len(row.Destinations) > 1 {
		for j, name := range names(row) {
			add("to "+name, seen.Reached[j], seldom((1-Aborts(row))*row.Destinations[j].Share))
		}
	}
	return all
}

// tried adds the branches of calls whose tries can be made to fail.
func (e *Evidence) tried(i int, add func(name string, met int64, why string)) {
	row, seen := &e.Ways.Rows[i], &e.Tally.Rows[i]
	n := Retries(row)
	if n == 0 {
		add("answered", seen.Good[0], "")
		add("fails", seen.Bad[1], "")
		return
	}
	for failures := 0; failures <= min(n, observe.MaxTries); failures++ {
		name := fmt.Sprintf("answered at try %d", failures+1)
		if failures == observe.MaxTries && n > failures { // those of later tries are counted there, too
			name += " or a later one"
		}
		add(name, seen.Good[failures], "")
	}
	add(fmt.Sprintf("all %d tries fail", n+1), seen.Bad[min(n+1, observe.MaxTries)], "")
}

// unfailing names the only branch of a rule whose calls reach no service of ours: what the proxy, or a host outside, answers to all.
func unfailing(row *oracle.Row) string {
	status, always := Answer(row)
	switch {
	case !always:
		return "answered by the host outside"
	case Aborts(row) == 1:
		return fmt.Sprintf("aborted with %d", status)
	case status == 0:
		return "broken off by the proxy"
	}
	return fmt.Sprintf("answered %d by the proxy", status)
}
