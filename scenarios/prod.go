package scenarios

import (
	"fmt"

	"github.com/hellochaos/hellochaos/target"
)

const canaryShare = "canary share"

// prodStage: all of middleware's calls go to prod, or a weighted share to the canary.
func prodStage() Stage {
	return Stage{
		Name:    "prod",
		Title:   "a VirtualService sends middleware's calls to the subset prod",
		entry:   [2]target.Entry{target.Direct, target.Direct},
		cohorts: plain(),
		// No violation in 2,400 calls excludes shares above 1/800: a proxy that obeys the old rules now and then is found.
		leastExact: 2400,
		splits:     true,
		checks: func(p *phase) []check {
			return []check{p.versionShare(canaryShare, middleware, canary, 0)}
		},
		explain: func(e *explanation) {
			share := e.check(canaryShare)
			if e.passed() {
				e.say("Before, the load balancer picks among all pods of middleware, so both versions answer; after, the canary gets %s of the answers, as the weights say.", percent(share.After.Measured))
			}
			e.explainShare(share, middleware, canary)
		},
	}
}

// explainShare says how a version's share departs from the weights.
func (e *explanation) explainShare(c row, hop, version string) {
	m := c.After
	if !failed(m) {
		return
	}
	if m.Predicted != 0 && m.Predicted != 1 {
		e.say("%s's %s answered %s of the calls where the weights say %s: the split in force is not the manifest's.", hop, version, percent(m.Measured), percent(&m.Predicted))
		return
	}
	share := float64(m.Violations) / float64(m.N)
	said := fmt.Sprintf("%d of %d answers of %s came from a version that the rules leave nothing for (requests %s)", m.Violations, m.N, hop, numbers(m.First))
	switch observed := e.phase("after").Observed; {
	case share > 0.2:
		e.say("%s: the rule is not in force.", said)
	case int64(len(m.First)) == m.Violations && m.First[len(m.First)-1] < observed/20: // all of them are known
		e.say("%s, all at the beginning: the new rules had not reached every proxy when the stage was said to be applied.", said)
	default:
		e.say("%s, spread over the run: a few requests still see the old rules, so some proxy or worker did not take the new ones.", said)
	}
}
