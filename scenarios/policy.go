package scenarios

import (
	"net/http"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
)

// noProxy is the rule of callers outside the mesh.
const noProxy = "no proxy"

// policies are the retry policies of our own hops, as they take effect.
func (p *phase) policies() []reports.Policy {
	var policies []reports.Policy
	for _, h := range p.forecasts[0].hops {
		switch {
		case h.external:
		case h.rule == nil:
			policies = append(policies, reports.Policy{Hop: h.name, Rule: noProxy})
		default:
			r := h.rule.Retry
			policies = append(policies, reports.Policy{
				Aborts: aborts(h.rule), Answer: h.answer(), Hop: h.name, Rule: h.rule.Name, Retries: r.Attempts, RetryOn: r.On, PerTry: r.PerTry.Seconds(),
				Covers500: r.Attempts > 0 && r.Covers(manifests.Failure{Status: http.StatusInternalServerError}),
			})
		}
	}
	return policies
}

// aborts is the share of a rule's calls that its fault aborts.
func aborts(rule *manifests.Rule) float64 {
	if rule.Fault == nil || rule.Fault.AbortStatus == 0 {
		return 0
	}
	return rule.Fault.AbortShare
}

// answer is the status that the proxy gives to every call of a hop itself; 0 when a service can be reached.
func (h *hop) answer() int {
	status := 0
	for _, a := range h.arms {
		if status = a.status; status == 0 {
			return 0
		}
	}
	return status
}
