package scenarios

import (
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/target"
)

// ingressStage: requests enter by the gateway, whose proxy retries the frontend too.
func ingressStage() Stage {
	return Stage{
		Name:       "ingress",
		Title:      "requests enter by the gateway, so the frontend is retried too",
		entry:      [2]target.Entry{target.Direct, target.Gateway},
		cohorts:    plain(),
		leastExact: 300,
		retried:    []string{frontend, middleware, backend},
		splits:     true,
		checks:     func(p *phase) []check { return []check{p.edgeFailure(), p.cascading()} },
		explain: func(e *explanation) {
			e.explainRetries(frontend, middleware, backend)
			if edge := e.check(edgeFails); e.passed() && edge.After.Predicted > 0 && edge.After.Predicted < edge.Before.Predicted {
				e.say("Not all errors are gone: %s of the requests still fail at the edge, since a request fails when every try does.", reports.Probability(edge.After.Predicted))
			}
		},
	}
}
