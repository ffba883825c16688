package scenarios

import (
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
		checks: func(p *phase) []check {
			checks := []check{p.edgeFailure(), p.callFailure("middleware"), p.callFailure("backend"), p.cascading()}
			return append(checks, p.ledger("middleware"), p.ledger("backend"))
		},
		explain: func(e *explanation) {
			e.explainRetries("middleware", "backend")
			edge := e.check(edgeFails)
			if e.passed() && edge.After != nil && edge.After.Predicted > 0 {
				e.say("The frontend itself still fails: requests enter outside the mesh, so there is no caller's proxy that could send them again. Stage ingress puts one there.")
			}
		},
	}
}

// explainRetries tells what the retries of these hops did, from the calls' failures and the ledgers.
func (e *explanation) explainRetries(hops ...string) {
	for _, hop := range hops {
		policy := e.policy(hop)
		fails, ledger := e.check(hop+callFails), e.check(hop+ledgerName)
		if hop == frontend {
			fails = e.check(edgeFails)
		}
		if e.passed() && policy.Retries > 0 && fails.Before != nil && fails.After != nil {
			e.explainPolicy(policy, fails, ledger.After)
		}
		e.explainLedger(hop, policy, ledger.After)
		e.explainWaits(hop)
	}
}

// explainPolicy compares what the manifests imply with the tutorial's promise that failures all but vanish.
func (e *explanation) explainPolicy(policy reports.Policy, fails row, ledger *reports.Measurement) {
	hop := policy.Hop
	switch was, is := fails.Before.Predicted, fails.After.Predicted; {
	case !policy.Covers500 && e.settings.Fail > 0:
		e.say("The tutorial's promise does not hold for %s: %s retries on %q, which covers no 500, so its failures stay at %s. Today's Istio retries a 500 only where retryOn has 5xx or 500.", hop, policy.Rule, policy.RetryOn, shareText(is))
	case is < was:
		e.say("%s's calls fail with %s where it was %s: %s allows %d retries, so all %d tries must fail. Not zero: retries make failures rare, they do not remove them.", hop, shareText(is), shareText(was), policy.Rule, policy.Retries, policy.Retries+1)
	case e.settings.Hang == 0 || policy.PerTry == 0:
	case ledger != nil && ledger.K < ledger.N/2:
		e.say("Hung tries of %s are cut together with their caller's try, whose %g s began earlier: it is the caller that is tried again.", hop, policy.PerTry)
	default:
		e.say("Tries of %s that hang are cut after %g s and sent again.", hop, policy.PerTry)
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
