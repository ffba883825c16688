package findings

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
)

// retries finds policies that do not send again what the services fail with.
func (f *finder) retries() {
	told := "" // the first rule of which the default was named
	for i := range f.entries {
		e := &f.entries[i]
		rows := f.met[placeOf(e)]
		if len(rows) == 0 || e.Retry.Default || e.Retry.Attempts == 0 {
			continue
		}
		meant := !e.Retry.DefaultOn && !sentAgain(&e.Retry) // an author who asks for tries alone that no service received
		if !meant && !e.Retry.Covers(manifests.Failure{Status: http.StatusInternalServerError}) && slices.ContainsFunc(rows, fails) {
			why := fmt.Sprintf("retryOn %q covers no 500", e.Retry.On)
			more := "add 5xx or 500 to retryOn"
			if e.OfHTTPRoute() {
				why, more = "retry of the rule has no 500 in codes", "add 500 to codes"
			}
			if e.Retry.DefaultOn {
				why = fmt.Sprintf("the retries have no retryOn, and Istio's default (%s) covers no 500", strings.ReplaceAll(e.Retry.On, ",", ", "))
			}
			effect := fmt.Sprintf("a call that is answered 500 is not sent again: it has 1 try, and not up to %d; %s if it is to be sent again", 1+e.Retry.Attempts, more)
			if told != "" && e.Retry.DefaultOn {
				why, effect = fmt.Sprintf("the retries have no retryOn, as those of %s", told), fmt.Sprintf("a call that is answered 500 has 1 try, and not up to %d", 1+e.Retry.Attempts)
			} else if e.Retry.DefaultOn {
				told = fmt.Sprintf("%s (%s:%d)", e.Name, e.File, e.RetriesLine)
			}
			f.add(NotRetried, e, e.RetriesLine, why, effect)
		}
	}
}

// aborts finds retries beside an abort.
func (f *finder) aborts() {
	for i := range f.entries {
		e := &f.entries[i]
		if e.Retry.Default || e.Retry.Attempts == 0 || e.Fault == nil || e.Fault.AbortStatus == 0 || e.Fault.AbortShare == 0 {
			continue
		}
		rest := fmt.Sprintf("the retries are for the other %s", percent(1-e.Fault.AbortShare))
		if e.Fault.AbortShare == 1 {
			rest = "no call is sent at all, so that the retries have no effect"
		}
		f.add(AbortFinal, e, e.AbortLine, fmt.Sprintf("the abort of %s is not retried: the proxy answers %d to %s of the calls itself, before the first try, so that such a call has 0 tries and not up to %d, whatever retryOn has",
			e.Name, e.Fault.AbortStatus, percent(e.Fault.AbortShare), 1+e.Retry.Attempts), rest, "to see retries, let the service itself fail, or abort a call that it makes")
	}
}

// repeated finds retries of requests that are not idempotent (RFC 9110, section 9.2.2).
func (f *finder) repeated() {
	for i := range f.entries {
		e := &f.entries[i]
		if e.Retry.Default || e.Retry.Attempts == 0 || !sentAgain(&e.Retry) {
			continue
		}
		for _, method := range []string{http.MethodPost, http.MethodPatch} {
			if slices.Contains(e.Methods, method) || slices.ContainsFunc(f.ways.Routed(), func(r oracle.Routed) bool {
				return r.Request.Method == method && placeOf(e) == place{r.Rule.Name, r.Rule.File, r.Rule.Line}
			}) {
				mend := fmt.Sprintf("give %s a rule of its own before this one, with retries: {attempts: 0}, or with retryOn: connect-failure, which covers only tries that no service received", method)
				on := "retryOn"
				if e.OfHTTPRoute() {
					on, mend = "retry covers", fmt.Sprintf("give %s a rule of its own whose retry names no codes, so that a call is not sent again for the status of its answer", method)
				}
				f.add(Repeated, e, e.RetriesLine, fmt.Sprintf("%s sends a %s up to %d times (%s %q): the proxy does not look at the method, and a service that fails after it has done its work does it up to %d times", e.Name, method,
					1+e.Retry.Attempts, on, e.Retry.On, 1+e.Retry.Attempts), mend)
			}
		}
	}
}

// sentAgain reports whether a policy sends tries again that a service received.
func sentAgain(r *manifests.Retry) bool {
	for _, failure := range []manifests.Failure{{Status: http.StatusInternalServerError}, {Status: http.StatusBadGateway}, {Status: http.StatusServiceUnavailable},
		{Status: http.StatusGatewayTimeout}, {Reset: true}, {PerTryTimeout: true}} {
		if r.Covers(failure) {
			return true
		}
	}
	return false
}

// fails reports whether a service that fails on purpose may answer the calls of a row.
func fails(row *oracle.Row) bool {
	for i := range row.Destinations {
		for _, w := range row.Destinations[i].Workloads {
			if w.Ours {
				return true
			}
		}
	}
	return false
}
