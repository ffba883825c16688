package differential

import (
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/hellochaos/hellochaos/scenarios/oracle"
	"github.com/hellochaos/hellochaos/service/trail"
	"github.com/hellochaos/hellochaos/stats"
)

// drawRisk is how often a share that is as the rule says is taken for a wrong one.
const drawRisk = 1e-9

// drawn is how often a proxy drew something of which a rule gives the probability, and of how many calls.
type drawn struct {
	what       string
	share      float64
	hits, outs int
	// delay is set where calls that took longer than most of it count as hits. On a machine whose ways take as long nothing can be said.
	delay time.Duration
}

// wrong reports whether a share cannot be what the rule says, where ways take as long as way.
func (d *drawn) wrong(way time.Duration) bool {
	if d.outs == 0 || d.delay > 0 && way > d.delay/2 {
		return false
	}
	likely := stats.ClopperPearson(int64(d.hits), int64(d.outs), drawRisk)
	return d.share < likely.Lo || d.share > likely.Hi
}

// deviation is by how many standard errors a share is off; false where the calls are too few for that to say anything.
func (d *drawn) deviation() (z float64, ok bool) {
	n := float64(d.outs)
	variance := n * d.share * (1 - d.share)
	if variance < 9 || d.delay > 0 {
		return 0, false
	}
	return (float64(d.hits) - n*d.share) / math.Sqrt(variance), true
}

// ruleDraws counts what the proxies drew for the calls under one rule.
type ruleDraws struct {
	way                   *oracle.Call
	calls, aborted, split int
	to                    []int
	prompt, delayed       int
}

func (r *ruleDraws) take(seen *trail.Call, e *oracle.Evidence) {
	r.calls++
	switch {
	case e.Aborted:
		r.aborted++
	case e.Destination >= 0:
		r.split++
		r.to[e.Destination]++
	}
	// A first try that is delivered at once takes no longer than its way and the delay.
	if hop := seen.Hop; hop != nil && hop.Attempt == 1 && hop.Elapsed < 10*time.Millisecond && r.way.Rule.Fault != nil {
		r.prompt++
		if delay := r.way.Rule.Fault.Delay; seen.Elapsed >= delay-delay/10 { // timers of Envoy may end a little early
			r.delayed++
		}
	}
}

// told reports whether every answer tells to which destination the proxy sent the call: no workload answers at two of them, and the proxy itself
// answers for one at most.
func (r *ruleDraws) told() bool {
	seen, nobody := make(map[string]bool), 0
	for i := range r.way.Destinations {
		if r.way.Destinations[i].Status != 0 {
			nobody++
		}
		for _, at := range r.way.Destinations[i].Workloads {
			if seen[at.Service+"-"+at.Version] {
				return false
			}
			seen[at.Service+"-"+at.Version] = true
		}
	}
	return nobody <= 1
}

// all are the draws of the rule. A destination that the proxy answers for with 503 is told from an abort with 503 by nobody.
func (r *ruleDraws) all() (all []drawn) {
	rule := r.way.Rule
	alike := false
	if f := rule.Fault; f != nil {
		if f.Delay > 0 {
			all = append(all, drawn{rule.Name + " delay", f.DelayShare, r.delayed, r.prompt, f.Delay})
		}
		alike = f.AbortStatus == http.StatusServiceUnavailable && slices.ContainsFunc(r.way.Destinations, func(d oracle.Destination) bool { return d.Status != 0 })
		if f.AbortStatus > 0 && !alike {
			all = append(all, drawn{rule.Name + " abort", f.AbortShare, r.aborted, r.calls, 0})
		}
	}
	if len(r.to) > 1 && !alike && r.told() {
		for i, hits := range r.to {
			all = append(all, drawn{rule.Name + " to " + r.way.Destinations[i].Name, r.way.Destinations[i].Share, hits, r.split, 0})
		}
	}
	return all
}
