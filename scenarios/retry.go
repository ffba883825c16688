package scenarios

import (
	"math"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/target"
)

// retryStage: failed calls are sent again by the caller's proxy; requests enter outside the mesh, so the frontend's are
// not.
func retryStage() Stage {
	return Stage{
		Name:       "retry",
		Title:      "failed calls are sent again by the caller's proxy, up to 3 times",
		entry:      [2]target.Entry{target.Direct, target.Direct},
		cohorts:    plain(),
		leastExact: 300,
		retried:    []string{middleware, backend},
		splits:     true,
		checks: func(p *phase) []check {
			return []check{p.edgeFailure(), p.callFailure(middleware), p.callFailure(backend), p.cascading()}
		},
		explain: func(e *explanation) {
			e.explainRetries(middleware, backend)
			edge := e.check(edgeFails)
			if e.passed() && e.settings.Fail > 0 && edge.After != nil {
				e.say("The frontend itself still fails: requests enter outside the mesh, so there is no caller's proxy that could send them again. Stage ingress puts one there.")
			}
		},
	}
}

// explainRetries tells what the retries of these hops did, from the calls' failures, the ledgers and the waits.
func (e *explanation) explainRetries(hops ...string) {
	for len(hops) > 0 && e.passed() {
		alike := slices.DeleteFunc(slices.Clone(hops), func(hop string) bool { return e.retried(hop) != e.retried(hops[0]) })
		e.explainPolicy(alike, e.retried(hops[0]))
		hops = slices.DeleteFunc(hops, func(hop string) bool { return slices.Contains(alike, hop) })
	}
	for _, hop := range hops {
		e.explainLedger(hop, e.policy(hop), e.check(hop+ledgerName).After)
		e.explainWaits(hop)
	}
}

// retried is what the retries of a hop come to.
type retried struct {
	was, is float64 // how often its calls fail before and after, as predicted; -1 where that is not looked at
	retries int
	on      string
	covers  bool
	perTry  float64
	aborts  float64
	// withCaller: most of its hung tries were cut together with their caller's.
	withCaller bool
}

func (e *explanation) retried(hop string) retried {
	policy, fails, ledger := e.policy(hop), e.check(hop+callFails), e.check(hop+ledgerName).After
	if hop == frontend {
		fails = e.check(edgeFails)
	}
	rounded := func(p float64) float64 { return math.Round(p*1e9) / 1e9 } // what is alike but for rounding is alike
	return retried{was: rounded(before(fails)), is: rounded(after(fails)), retries: policy.Retries, on: policy.RetryOn, covers: policy.Covers500,
		perTry: policy.PerTry, aborts: policy.Aborts, withCaller: ledger != nil && ledger.K < ledger.N/2}
}

// explainPolicy compares what the manifests imply with the tutorial's promise that failures all but vanish, for hops whose
// retries come to the same.
func (e *explanation) explainPolicy(hops []string, r retried) {
	names := strings.Join(hops, " and ")
	switch {
	case r.retries == 0 || r.was < 0 || r.is < 0:
	case !r.covers && e.settings.Fail > 0:
		e.stage.PromiseBroken = true
		e.say("The tutorial's promise does not hold for %s: retryOn is %q, which covers no 500, so calls still fail with %s. Today's Istio retries a 500 only where retryOn has 5xx or 500.", names, r.on, reports.Probability(r.is))
	case r.is < r.was && r.aborts > 0:
		e.say("Calls to %s fail with %s where it was %s.", names, reports.Probability(r.is), reports.Probability(r.was))
	case r.is < r.was:
		e.say("Calls to %s fail with %s where it was %s: %d retries are allowed, so all %d tries must fail. Not zero: retries make failures rare, they do not remove them.", names, reports.Probability(r.is), reports.Probability(r.was), r.retries, r.retries+1)
	case e.settings.Hang == 0 || r.perTry == 0:
	case r.withCaller:
		e.say("Hung tries of %s are cut together with their caller's try, whose %g s began earlier: it is the caller that is tried again.", names, r.perTry)
	default:
		e.say("Tries of %s that hang are cut after %g s and sent again.", names, r.perTry)
	}
}

// explainLedger says where a ledger departs from the policy.
func (e *explanation) explainLedger(hop string, policy reports.Policy, m *reports.Measurement) {
	if !failed(m) {
		return
	}
	received := func(k int) int64 {
		if k < len(m.Attempts) {
			return m.Attempts[k].Received
		}
		return 0
	}
	if policy.Rule != noProxy && received(0) > 0 {
		e.say("%d tries reached %s without an attempt count: they did not come through a proxy that obeys %s, so nothing retried them.", received(0), hop, policy.Rule)
		return
	}
	for k := 1; k <= policy.Retries; k++ {
		retryable := m.Attempts[k].Retryable
		switch {
		case retryable == 0:
		case received(k+1) == 0 && k == 1:
			e.say("None of %d failed tries of %s was sent again, although %s allows %d retries on %q: retries are off, or what is in force does not cover a 500.", retryable, hop, policy.Rule, policy.Retries, policy.RetryOn)
			return
		case received(k+1) == 0:
			e.say("Tries of %s stop at the %s, although %d of those failed and %s allows %d retries: the limit in force is %d.", hop, ordinal(k), retryable, policy.Rule, policy.Retries, k-1)
			return
		case received(k+1) != retryable:
			e.say("Of %d failed tries of %s with attempt count %d, %d were sent again.", retryable, hop, k, received(k+1))
		}
	}
	if beyond := received(policy.Retries + 2); beyond > 0 {
		e.say("%d tries of %s went beyond the %d that %s allows.", beyond, hop, policy.Retries+1, policy.Rule)
	}
}

// explainWaits says by which factor a hop's retries came later or sooner than the back-off predicts.
func (e *explanation) explainWaits(hop string) {
	var factor float64
	n := 0
	for _, c := range e.stage.Checks {
		if c.Kind == reports.Median && c.Hop == hop && failed(c.After) {
			factor += *c.After.Measured / c.After.Predicted
			n++
		}
	}
	if n == 0 {
		return
	}
	word := "slower"
	if factor/float64(n) < 1 {
		word = "faster"
	}
	e.say("Retries of %s wait %.1f times as long as Envoy's back-off for this policy predicts: the interval in force is %s than the manifest's.", hop, factor/float64(n), word)
}
