package scenarios

import (
	"net/http"

	"github.com/hellochaos/hellochaos/target"
)

// egressStage: nothing leaves the mesh until a ServiceEntry lets it.
func egressStage() Stage {
	return Stage{
		Name:    "egress",
		Title:   "a ServiceEntry opens the way to the external clock",
		entry:   [2]target.Entry{target.Direct, target.Direct},
		cohorts: plain(),
		// No violation in 300 calls excludes shares above 1 %.
		leastExact: 300,
		checks: func(p *phase) []check {
			return []check{
				p.statusShare("the clock answers 502", clock, http.StatusBadGateway),
				p.statusShare("the clock tells the time", clock, http.StatusOK),
			}
		},
		explain: func(e *explanation) {
			blocked, open := e.check("the clock answers 502"), e.check("the clock tells the time")
			if e.passed() && before(blocked) == 1 && after(open) == 1 {
				e.say("Before, the proxy answers 502 for the clock: its host is not in the mesh's registry, and the Sidecar says REGISTRY_ONLY. The ServiceEntry adds it, so the clock's own answer comes through.")
			}
			if failed(open.Before) && *open.Before.Measured > open.Before.Predicted {
				e.say("The clock was reached before any ServiceEntry named it: outbound traffic is open (ALLOW_ANY) where the Sidecar says REGISTRY_ONLY.")
			}
			if failed(open.After) && *open.After.Measured < open.After.Predicted {
				e.say("The clock is still not reached after the ServiceEntry: its host or port does not take effect.")
			}
		},
	}
}
