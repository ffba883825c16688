package manifests

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	networking "istio.io/api/networking/v1alpha3"
)

const (
	// defaultAttempts and defaultOn are the policy of a rule without retries (Istio's
	// pilot/pkg/networking/core/route/retry, DefaultPolicy). None of these words covers an HTTP status.
	defaultAttempts = 2
	defaultOn       = "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes"
	// defaultBase is Envoy's first back-off interval. No interval is longer than maxBackOff times the base
	// (the constructor of Envoy's RetryStateImpl).
	defaultBase = 25 * time.Millisecond
	maxBackOff  = 10
)

// class is a set of the kinds of failure that a word of retryOn covers.
type class uint8

const (
	class5xx         class = 1 << iota // status 500 and above, and every try without an answer
	classGateway                       // status 502, 503, 504, and every try without an answer
	classReset                         // every try without an answer
	classConnect                       // the connection could not be made
	classConflict                      // status 409
	classStatus                        // the statuses that retryOn names by number
	classRateLimited                   // every status of an answer with the header x-envoy-ratelimited

	// classNone is for words about HTTP/2, HTTP/3, gRPC and response headers, which the services of the chain do not send.
	classNone class = 0
)

// retryWords are the words that Istio's webhook accepts in retryOn (pkg/config/validation, supportedRetryOnPolicies), each with
// the failures that it covers. reset-before-request covers a connection that could not be made, since no request was sent on it.
var retryWords = map[string]class{
	"5xx":                        class5xx,
	"gateway-error":              classGateway,
	"reset":                      classReset,
	"reset-before-request":       classConnect,
	"connect-failure":            classConnect,
	"retriable-4xx":              classConflict,
	"retriable-status-codes":     classStatus,
	"refused-stream":             classNone,
	"retriable-headers":          classNone,
	"envoy-ratelimited":          classRateLimited,
	"http3-post-connect-failure": classNone,
	"cancelled":                  classNone,
	"deadline-exceeded":          classNone,
	"internal":                   classNone,
	"resource-exhausted":         classNone,
	"unavailable":                classNone,
}

// retry is the policy that takes effect for a rule with this policy, nil for none, and this timeout, 0 for none. A per-try timeout
// that is not shorter than the rule's timeout is ignored (FilterUtility::finalTimeout in Envoy's router.cc).
func retry(policy *networking.HTTPRetry, routeTimeout time.Duration) Retry {
	r := Retry{Default: policy == nil, DefaultOn: policy.GetRetryOn() == "", Attempts: defaultAttempts, Base: defaultBase, PreviousHosts: true}
	on := defaultOn
	if policy != nil {
		r.Attempts = int(policy.Attempts)
		r.PerTry = policy.PerTryTimeout.AsDuration()
		if routeTimeout > 0 && r.PerTry >= routeTimeout {
			r.PerTry = 0
		}
		if policy.Backoff != nil {
			r.Base = policy.Backoff.AsDuration()
		}
		if policy.RetryIgnorePreviousHosts != nil {
			r.PreviousHosts, r.previousSet = policy.RetryIgnorePreviousHosts.Value, true
		}
		if policy.RetryOn != "" {
			on = policy.RetryOn
		}
	}
	r.SetOn(on)
	return r
}

// SetOn makes the policy cover the failures that these words of retryOn cover, and no others. The words are joined by commas, and blanks
// around them do not count (parseRetryOn in Istio's pilot/pkg/networking/core/route/retry). A word that retryOn does not accept covers nothing.
func (r *Retry) SetOn(words string) {
	r.On, r.classes, r.codes = words, classNone, nil
	for word := range strings.SplitSeq(words, ",") {
		word = strings.TrimSpace(word)
		if code, ok := statusCode(word); ok {
			r.codes = append(r.codes, code)
			r.classes |= classStatus
			continue
		}
		r.classes |= retryWords[word]
	}
}

// statusCode reads a number of retryOn: Istio takes those that are known HTTP statuses.
func statusCode(word string) (int, bool) {
	code, err := strconv.Atoi(word)
	return code, err == nil && http.StatusText(code) != ""
}

// Codes are the statuses that the policy names by number.
func (r *Retry) Codes() []int { return slices.Clone(r.codes) }

// Covers reports whether the policy sends a call again whose try failed with f, as long as attempts are left. It follows Envoy's
// RetryStateImpl::wouldRetryFromHeaders and wouldRetryFromReset.
func (r *Retry) Covers(f Failure) bool {
	if f.Overflow {
		return false
	}
	if f.Status == 0 {
		return r.classes&(class5xx|classGateway|classReset) != 0 || f.ConnectFailure && r.classes&classConnect != 0
	}
	if f.RateLimited {
		return r.classes&classRateLimited != 0
	}
	switch {
	case r.classes&class5xx != 0 && f.Status >= 500 && f.Status < 600,
		r.classes&classGateway != 0 && f.Status >= 502 && f.Status <= 504,
		r.classes&classConflict != 0 && f.Status == http.StatusConflict:
		return true
	}
	return r.classes&classStatus != 0 && slices.Contains(r.codes, f.Status)
}

// BackOff is the upper bound, excluded, of the wait before retry n, where the first retry has number 1. The wait is drawn
// uniformly from 0 up to it. It is min(Base·2^(n-1), 10·Base), as in Envoy's JitteredExponentialBackOffStrategy::nextBackOffMs.
func (r *Retry) BackOff(n int) time.Duration {
	if n < 1 {
		return 0
	}
	// 2^4 exceeds the limit already; a greater shift could only overflow.
	return min(r.Base<<min(n-1, 4), maxBackOff*r.Base)
}
