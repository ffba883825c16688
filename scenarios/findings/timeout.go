package findings

import (
	"fmt"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
)

// timeouts finds time limits that keep retries from being sent.
func (f *finder) timeouts() {
	for i := range f.entries {
		e := &f.entries[i]
		if e.Retry.Default || e.Retry.Attempts == 0 || e.Timeout == 0 {
			continue
		}
		if e.PerTry >= e.Timeout {
			f.add(PerTryUnused, e, e.PerTryLine, fmt.Sprintf("the perTryTimeout of %s, %v, is not below its timeout, %v: Envoy ignores it", e.Name, e.PerTry, e.Timeout),
				fmt.Sprintf("a call whose first try hangs is answered 504 after %v, with 1 try and none of its %s", e.Timeout, counted(e.Retry.Attempts, "retry", "retries")),
				fmt.Sprintf("set perTryTimeout below %v, so that %d tries and their back-offs fit", e.Timeout, 1+e.Retry.Attempts))
		}
		sure := lastRetry(e, true)
		switch {
		case sure < e.Retry.Attempts:
			f.tooShort(e, sure)
		case cutShort(e, sure) != "" && sure == 1:
			f.add(TimeoutShort, e, e.TimeoutLine, fmt.Sprintf("the timeout of %s, %v, is too short for its 1 retry: where the first try %s, the second one can never be whole", e.Name, e.Timeout, slow(e)),
				cutShort(e, sure), fmt.Sprintf("the timeout must be %v for both of them", begins(e, 1, true)+e.Retry.PerTry))
		}
	}
}

// lastRetry is the last retry of a call that is sent within the timeout where every try before it took all of its time: with the longest
// back-offs, or without any.
func lastRetry(e *manifests.HTTPEntry, waiting bool) (retry int) {
	for retry < e.Retry.Attempts && begins(e, retry+1, waiting) < e.Timeout {
		retry++
	}
	return retry
}

// slow says of a try that it takes all of its perTryTimeout, or, without one, no time at all.
func slow(e *manifests.HTTPEntry) string {
	switch {
	case e.Retry.PerTry == 0:
		return "fails at once"
	case !e.Retry.Covers(manifests.Failure{PerTryTimeout: true}): // a try that the limit ends is then the last one
		return fmt.Sprintf("fails just before its perTryTimeout of %v is over", e.Retry.PerTry)
	}
	return fmt.Sprintf("takes all of its perTryTimeout of %v", e.Retry.PerTry)
}

// tooShort adds the finding of a timeout that ends calls before their last retry is sent. sure is the last one that is sent in any case.
func (f *finder) tooShort(e *manifests.HTTPEntry, sure int) {
	last := fmt.Sprintf("retry %d is the last that is sure to be sent", sure)
	if sure == 0 {
		last = "no retry is sure to be sent"
	}
	f.add(TimeoutShort, e, e.TimeoutLine, fmt.Sprintf("the timeout of %s, %v, is too short for its %s: where each try %s, %s, since with the longest back-offs retry %d would begin after %v", e.Name, e.Timeout,
		counted(e.Retry.Attempts, "retry", "retries"), slow(e), last, sure+1, begins(e, sure+1, true)),
		fmt.Sprintf("the timeout must be above %v for all of them to be sent", begins(e, e.Retry.Attempts, true)))
}

// begins is how long after its call a retry begins where every try before it took all of its time, with the longest back-offs (Envoy
// draws each evenly between 0 and that) or without any.
func begins(e *manifests.HTTPEntry, retry int, waiting bool) (after time.Duration) {
	for n := 1; n <= retry; n++ {
		after += e.Retry.PerTry
		if waiting {
			after += e.Retry.BackOff(n)
		}
	}
	return after
}

// cutShort says how much of the last try that can be sent the timeout leaves; empty where that is all of it.
func cutShort(e *manifests.HTTPEntry, possible int) string {
	left := e.Timeout - begins(e, possible, false)
	if e.Retry.PerTry == 0 || left >= e.Retry.PerTry {
		return ""
	}
	return fmt.Sprintf("try %d of such a call is ended after at most %v of its %v", 1+possible, left, e.Retry.PerTry)
}
