package check

import (
	"fmt"
	"time"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios/observe"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
)

// LeastEvidence is how many calls must tell the old rules from the new ones, so that a change has a verdict.
const LeastEvidence = 60

// MostUnwatched is for how long a proxy may have been asked nothing during a change that has a verdict: what befell it meanwhile went unseen.
const MostUnwatched = 100 * time.Millisecond

// Change completes what a report says of a change: counts, proxies, and the verdict on what was seen. It began to be applied and was applied at
// these times since the attack began. busy says that requests left late.
func Change(c *reports.Change, seen *observe.Change, began, ended time.Duration, busy bool) {
	changed := seen.Conclude(began, ended, busy)
	count := func(kind oracle.Kind) int64 {
		if wrong := changed.Wrong[kind]; wrong != nil {
			return wrong.Count
		}
		return 0
	}
	c.Requests, c.Calls, c.Evidence, c.Open, c.Mixed = seen.Requests, seen.Calls, seen.Evidence(), seen.Open, seen.Mixed
	c.Lost, c.OldAfterNew = count(observe.Lost), count(observe.OldAfterNew)
	c.Late, c.Early = count(observe.Late), count(observe.Early)
	for i := range changed.Proxies {
		c.Proxies = append(c.Proxies, proxy(&changed.Proxies[i]))
	}
	for _, kind := range observe.ChangeKinds {
		if wrong := changed.Wrong[kind]; wrong != nil {
			c.Troubles = append(c.Troubles, trouble(string(kind), wrong))
		}
	}
	switch {
	case len(c.Troubles) > 0:
		c.Verdict = reports.Fail
	case seen.Unnamed > 0:
		c.Verdict, c.Why = reports.Inconclusive, fmt.Sprintf("%d calls came from services whose answers do not say in which pod they run, so that it is not known whose proxy sent the calls: "+
			"the image of the pods is older than this hellochaos", seen.Unnamed)
	case c.Evidence < LeastEvidence:
		c.Verdict, c.Why = reports.Inconclusive, fmt.Sprintf("%d calls tell the old rules from the new ones, and at least %d are needed", c.Evidence, LeastEvidence)
	default:
		c.Verdict = reports.Pass
		if worst := c.LeastWatched(); worst != nil && worst.Unwatched > MostUnwatched.Seconds() {
			c.Verdict, c.Why = reports.Inconclusive, fmt.Sprintf("the proxy of %s may have been asked nothing for %.0f ms, and at most %d ms may go unseen", worst.Name, 1000*worst.Unwatched, MostUnwatched.Milliseconds())
		}
	}
}

// Unwatched reports whether a change has no verdict since a proxy was asked too seldom.
func Unwatched(c *reports.Change) bool {
	worst := c.LeastWatched()
	return c.Verdict == reports.Inconclusive && worst != nil && worst.Unwatched > MostUnwatched.Seconds()
}

// proxy is what the report says of a proxy.
func proxy(p *observe.Proxy) reports.ChangedProxy {
	all := reports.ChangedProxy{Name: p.Name, Old: p.Old, New: p.New, Unwatched: p.Unwatched.Seconds(), Spread: p.Spread.Seconds()}
	if p.Old > 0 {
		last := max(0, p.LastOld.Seconds())
		all.LastOld = &last
	}
	if p.New > 0 {
		first := p.FirstNew.Seconds()
		all.FirstNew = &first
	}
	return all
}

// trouble is what the report says of calls of one kind that were wrong.
func trouble(kind string, wrong *observe.Wrong) reports.Trouble {
	t := reports.Trouble{Kind: kind, Count: wrong.Count, Request: wrong.Request, From: wrong.Proxy, To: wrong.Host, At: wrong.At.Seconds()}
	if wrong.Mismatch != nil {
		t.Expected, t.Met = wrong.Mismatch.Expected, wrong.Mismatch.Met
	}
	return t
}
