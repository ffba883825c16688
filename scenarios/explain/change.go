package explain

import (
	"fmt"
	"math"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
)

// Change returns sentences that say what calls met while rules changed under load, what is wrong first.
func Change(c *reports.Change) (words []string) {
	say := func(format string, args ...any) { words = append(words, fmt.Sprintf(format, args...)) }
	for i := range c.Troubles {
		t := &c.Troubles[i]
		say("%s. The first one was that of %s to %s, no later than %s the objects began to be applied (request %s)%s.", troubled(t), sender(t), t.To, since(t.At), t.Request, instead(t))
	}
	if c.Why != "" {
		say("There is no verdict: %s.", c.Why)
	}
	if c.Calls == 0 {
		return words
	}
	if worst := leastWatched(c); len(c.Troubles) == 0 && worst != nil {
		say("Each of %s met the old rules of its caller or the new ones, and none met old ones after new ones at one proxy.", counted(c.Calls, "call"))
		say("Each proxy was asked at least once in any %s ms meanwhile (%s least often): what was shorter may have gone unseen.", count(int64(math.Ceil(1000*worst.Unwatched))), worst.Name)
	}
	if last := lastOld(c); last != "" {
		say("The last answers by the old rules were there %s after the objects began to be applied, which took %s.", last, milliseconds(c.Applied))
	}
	if c.Mixed > 0 {
		say("%s met old rules at one proxy and new ones at another, which is right while proxies take rules one by one.", counted(c.Mixed, "request"))
	}
	return words
}

// troubled says what became of calls that are wrong.
func troubled(t *reports.Trouble) string {
	were, met := "was", "1 call"
	if t.Count != 1 {
		were, met = "were", count(t.Count)+" calls"
	}
	switch t.Kind {
	case "lost":
		return fmt.Sprintf("%s %s lost: neither the old rules of the caller nor the new ones explain what came back", met, were)
	case "old rules after new ones":
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

// leastWatched is the proxy that was asked least often; nil where none was.
func leastWatched(c *reports.Change) (worst *reports.ChangedProxy) {
	for i := range c.Proxies {
		if p := &c.Proxies[i]; worst == nil || p.Unwatched > worst.Unwatched {
			worst = p
		}
	}
	return worst
}

// lastOld says when the last answer by the old rules was there, by proxy.
func lastOld(c *reports.Change) string {
	var all []string
	for i := range c.Proxies {
		if p := &c.Proxies[i]; p.LastOld != nil {
			all = append(all, fmt.Sprintf("%s (%s)", milliseconds(*p.LastOld), p.Name))
		}
	}
	return list(all)
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

// unsteady says what failed while the rules changed, the first of it; "" where nothing did.
func unsteady(r *reports.Report) string {
	var parts []string
	for _, c := range changesAre(r, reports.Fail) {
		t := &c.Troubles[0]
		what := map[string]string{"lost": "lost"}[t.Kind]
		if what == "" {
			what = "with " + t.Kind
		}
		parts = append(parts, fmt.Sprintf("%s %s in the change %s", counted(t.Count, "call"), what, c.Title()))
	}
	return strings.Join(parts, ", ")
}
