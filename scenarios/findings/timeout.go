package findings

import (
	"fmt"
	"strings"
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
		f.tooShort(e)
	}
}

// tooShort finds a timeout that ends calls before their last retry is sent, where each try takes all of its perTryTimeout, or, without
// one, no time at all.
func (f *finder) tooShort(e *manifests.HTTPEntry) {
	sure, possible := 0, 0 // the last retries that are sent with the longest back-offs, and with none
	for sure < e.Retry.Attempts && begins(e, sure+1, true) < e.Timeout {
		sure++
	}
	for possible < e.Retry.Attempts && begins(e, possible+1, false) < e.Timeout {
		possible++
	}
	if sure == e.Retry.Attempts {
		return
	}
	each, waits := "fails at once", make([]string, 0, e.Retry.Attempts)
	if e.Retry.PerTry > 0 {
		each = fmt.Sprintf("takes all of its perTryTimeout of %v", e.Retry.PerTry)
		if !e.Retry.Covers(manifests.Failure{PerTryTimeout: true}) { // a try that the limit ends is then the last one
			each = fmt.Sprintf("fails just before its perTryTimeout of %v is over", e.Retry.PerTry)
		}
	}
	for n := 1; n <= sure+1; n++ {
		waits = append(waits, e.Retry.BackOff(n).String())
	}
	last := fmt.Sprintf("retry %d is the last that is sure to be sent", sure)
	if sure == 0 {
		last = "no retry is sure to be sent"
	}
	most := ""
	if possible < e.Retry.Attempts {
		most = fmt.Sprintf("even without back-offs such a call has at most %s, and not %d", counted(1+possible, "try", "tries"), 1+e.Retry.Attempts)
	}
	f.add(TimeoutShort, e, e.TimeoutLine, fmt.Sprintf("the timeout of %s, %v, is too short for its %s: where each try %s, %s, since in the worst case retry %d would begin after %v (back-offs of up to %s)", e.Name, e.Timeout,
		counted(e.Retry.Attempts, "retry", "retries"), each, last, sure+1, begins(e, sure+1, true), strings.Join(waits, " + ")), most, cutShort(e, possible),
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
