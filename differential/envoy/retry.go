package envoy

import (
	"slices"
	"strings"
	"time"

	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
)

// firstBackOff is Envoy's first back-off interval where a policy names none.
const firstBackOff = 25 * time.Millisecond

// retryWords is a retry policy in words. A per-try timeout that is not shorter than the timeout of the route is ignored
// (FilterUtility::finalTimeout in Envoy's router.cc).
func retryWords(p *route.RetryPolicy, timeout time.Duration) string {
	if p == nil {
		return ""
	}
	perTry := p.PerTryTimeout.AsDuration()
	if timeout > 0 && perTry >= timeout {
		perTry = 0
	}
	base := p.GetRetryBackOff().GetBaseInterval().AsDuration()
	if base == 0 {
		base = firstBackOff
	}
	attempts := 1
	if p.NumRetries != nil {
		attempts = int(p.NumRetries.Value)
	}
	otherHosts := slices.ContainsFunc(p.RetryHostPredicate, func(h *route.RetryPolicy_RetryHostPredicate) bool {
		return h.Name == "envoy.retry_host_predicates.previous_hosts"
	})
	return RetryWords(attempts, perTry, base, otherHosts, func(f *Failure) bool { return covers(p, f) })
}

// covers follows Envoy's RetryStateImpl::wouldRetryFromHeaders and wouldRetryFromReset.
func covers(p *route.RetryPolicy, f *Failure) bool {
	words := strings.Split(p.RetryOn, ",")
	has := func(word string) bool { return slices.Contains(words, word) }
	if f.Status == 0 {
		return has("5xx") || has("gateway-error") || has("reset") || f.Name == "connect" && (has("connect-failure") || has("reset-before-request"))
	}
	if f.RateLimited {
		return has("envoy-ratelimited")
	}
	switch {
	case has("5xx") && f.Status >= 500 && f.Status < 600,
		has("gateway-error") && f.Status >= 502 && f.Status <= 504,
		has("retriable-4xx") && f.Status == 409:
		return true
	}
	return has("retriable-status-codes") && slices.Contains(p.RetriableStatusCodes, uint32(f.Status))
}
