package explain

import (
	"fmt"
	"math"

	"github.com/hellochaos/hellochaos/reports"
)

// Change returns sentences that say what calls met while rules changed under load, what is wrong first.
func Change(c *reports.Change) (words []string) {
	say := func(format string, args ...any) { words = append(words, fmt.Sprintf(format, args...)) }
	for i := range c.Troubles {
		t := &c.Troubles[i]
		say("%s. The first one was that of %s to %s, no later than %s the objects began to be applied (request %s)%s.", troubled(t, c.ByConnection), sender(t), t.To, since(t.At), t.Request, instead(t))
	}
	if c.Why != "" {
		say("There is no verdict: %s.", c.Why)
	}
	if worst := c.LeastWatched(); len(c.Troubles) == 0 && worst != nil {
		say("Each of %s met the old rules of its caller or the new ones, and none met old ones after new ones %s.", counted(c.Calls, "call"), unit(c))
		say("Each proxy was asked at least once in any %s ms %s (%s least often): what was shorter may have gone unseen.", count(int64(math.Ceil(1000*worst.Unwatched))), watched(c), worst.Name)
	}
	if worst := c.Widest(); worst != nil && c.ByConnection {
		say("At the proxy of %s a call on one connection met old rules at least %s after one on another connection had met the new ones: each thread of the proxy takes up rules by itself.", worst.Name, milliseconds(worst.Spread))
	}
	return words
}

// unit is where the order of calls is judged.
func unit(c *reports.Change) string {
	if c.ByConnection {
		return "on one connection to a pod's proxy"
	}
	return "at one proxy"
}

// watched is the time in which a proxy must not be asked nothing for long.
func watched(c *reports.Change) string {
	if c.ByConnection {
		return "between its first call and its last one"
	}
	return "meanwhile"
}

// troubled says what became of calls that are wrong.
func troubled(t *reports.Trouble, byConnection bool) string {
	were, met := "was", "1 call"
	if t.Count != 1 {
		were, met = "were", count(t.Count)+" calls"
	}
	switch t.Kind {
	case "lost":
		return fmt.Sprintf("%s %s lost: neither the old rules of the caller nor the new ones explain what came back", met, were)
	case "old rules after new ones":
		if byConnection {
			return met + " met the old rules after the same connection to the proxy had met the new ones for the same host"
		}
		return met + " met the old rules after the proxy had obeyed the new ones for the same host"
	case "old rules after the change":
		return met + " met the old rules after all proxies were said to obey the new ones"
	}
	return met + " met the new rules before they were applied"
}

// sender is whose proxy sent a call.
func sender(t *reports.Trouble) string {
	if t.From == "" {
		return "the load generator"
	}
	return t.From
}

// since says when something was, in relation to something else.
func since(seconds float64) string {
	if seconds < 0 {
		return milliseconds(-seconds) + " before"
	}
	return milliseconds(seconds) + " after"
}

// instead is what was expected of a call and what it met.
func instead(t *reports.Trouble) string {
	if t.Met == "" {
		return ""
	}
	return ": by the new rules " + t.Expected + ", and " + t.Met
}

// milliseconds is a time in whole milliseconds.
func milliseconds(seconds float64) string { return count(int64(math.Round(1000*seconds))) + " ms" }

// changesAre are the changes with a verdict.
func changesAre(r *reports.Report, verdict reports.Verdict) (all []*reports.Change) {
	for i := range r.Changes {
		if r.Changes[i].Verdict == verdict {
			all = append(all, &r.Changes[i])
		}
	}
	return all
}

// hitless says that no change lost a call; "" where none was measured.
func hitless(r *reports.Report) string {
	if len(r.Changes) == 0 {
		return ""
	}
	return ", and no call was lost while the rules changed"
}

// unsteady says what failed while the rules changed: the first of it, and how many changes more did; "" where nothing failed.
func unsteady(r *reports.Report) string {
	all := changesAre(r, reports.Fail)
	if len(all) == 0 {
		return ""
	}
	t, what := &all[0].Troubles[0], "lost"
	if t.Kind != what {
		what = "with " + t.Kind
	}
	text := fmt.Sprintf("%s %s in the change %s", counted(t.Count, "call"), what, all[0].Title())
	switch more := len(all) - 1; {
	case more == 1:
		text += ", and 1 more change fails"
	case more > 1:
		text += fmt.Sprintf(", and %s more changes fail", count(int64(more)))
	}
	return text
}
