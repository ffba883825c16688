package scenarios

import (
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/target"
)

// ledger is the proof of a hop's retry policy by the services' own counters: the tries with attempt count k+1 equal the
// retryable failures with attempt count k, for every k up to the policy's limit, and there are none beyond. It tells
// policies apart whose failure probabilities no share can (f³ from f⁴).
type ledger struct {
	hop string
	// caller is the hop that calls this one; empty for the edge.
	caller string
	// rule is the caller's proxy's rule; nil when the caller has no proxy, and then no try carries an attempt count.
	rule *manifests.Rule
	// last is the expected number per request of retryable failures with the last attempt count that is sent again.
	last float64
	// received is the expected number of tries per request.
	received float64
	// retries: some failure that is expected here is one that the policy sends again.
	retries bool
}

const (
	ledgerName = " ledger"
	// leastFailures is how many failures of the last retried attempt are planned: none at all then has the
	// probability of risk, exp(-7.6).
	leastFailures = 7.6
	// leastTries is how many tries a ledger without retries looks at.
	leastTries = 300
	// mostWaits: a request waits for several hops in turn, and for one of them several times.
	mostWaits = 4
)

func newLedger(f *forecast, i int) *ledger {
	l := &ledger{hop: f.hops[i].name, rule: f.hops[i].rule, received: f.tries[i], retries: len(f.lost[i]) > 0}
	if i > 0 {
		l.caller = f.hops[i-1].name
	}
	if !l.retries {
		return l
	}
	again := f.again(i)
	calls := f.tries[i] / geometric(again, f.hops[i].tries())
	l.last = calls * math.Pow(again, float64(l.rule.Retry.Attempts))
	return l
}

func (l *ledger) row() reports.Check {
	return reports.Check{Name: l.hop + ledgerName, Kind: reports.Ledger, Unit: "retries", Hop: l.hop}
}

func (l *ledger) demand() float64 {
	if l.retries {
		return leastFailures / l.last
	}
	return requestsFor(leastTries, l.received)
}

func (l *ledger) measure(e *evidence) *reports.Measurement {
	m := &reports.Measurement{Attempts: l.lines(e.counters), Verdict: reports.Inconclusive}
	limit := 0
	if l.rule != nil {
		limit = l.rule.Retry.Attempts
	}
	received := func(k int) int64 { return m.Attempts[min(k, len(m.Attempts)-1)].Received }
	var missing, extra, surplus, total int64
	for k, line := range m.Attempts {
		total += line.Received
		switch {
		case (k == 0) != (l.rule == nil) || k > limit+1:
			// Without a proxy there is no count, and with one there always is; nothing is tried beyond the limit.
			extra += line.Received
		case k > 0 && k <= limit:
			m.N += line.Retryable
			m.K += received(k + 1)
			if d := received(k+1) - line.Retryable; d > 0 {
				surplus += d
			} else {
				missing -= d
			}
		}
	}
	// A caller that was itself cut took one try with it that would have been sent again: the one that it was waiting for.
	excused := min(missing, l.abandoned(e), l.cut(e.counters))
	m.Violations = extra + surplus + missing - excused
	if excused > 0 {
		m.Note = fmt.Sprintf("%d of its tries were cut together with their caller's, and so not sent again", excused)
	}
	m.Predicted, m.Measured = float64(m.N), pointer(float64(m.K))
	m.Band.Lo, m.Band.Hi = float64(m.N), float64(m.N)
	switch {
	case total == 0:
		m.Measured, m.Note = nil, "no data: no try got this far"
	case m.Violations > 0 && m.Violations <= surplus && surplus <= l.raced(e):
		// All that are missing are excused here, since no more violations are left than there are surplus tries.
		m.Note = fmt.Sprintf("%s, and no fewer requests took as long as the %v that a try may take: the mesh may have "+
			"cut a try just as the service answered it; run it again when the machine is less busy", balance(m, missing, surplus), l.rule.Retry.PerTry)
	case m.Violations > 0:
		m.Verdict = reports.Fail
	case l.promises() && l.failures(e.counters) == 0:
		m.Note = "no try failed, so no retry was called for: choose a fail probability above 0"
	case l.retries && m.Attempts[limit].Retryable == 0:
		m.Note = fmt.Sprintf("no try with attempt count %d failed, so the limit of %d retries was not reached: about %.0f requests would", limit, limit, math.Ceil(l.demand()))
	default:
		m.Verdict = reports.Pass
	}
	return m
}

// balance says in words how the number of retries that were seen follows from the number that the failures call for: the sum that the
// table's cell "K of N" is the result of.
func balance(m *reports.Measurement, missing, surplus int64) string {
	text := fmt.Sprintf("the failures call for %d retries", m.N)
	if missing > 0 {
		text += fmt.Sprintf(", %d of which were not sent because the try that waited for them was cut", missing)
	}
	return text + fmt.Sprintf("; %d more came without a failure that the service counted, which makes %d", surplus, m.K)
}

// promises reports whether the policy sends again what a run can make fail: answers of 500, or tries cut by its timeout.
func (l *ledger) promises() bool {
	if l.rule == nil || l.rule.Retry.Attempts == 0 {
		return false
	}
	r := &l.rule.Retry
	return r.Covers(manifests.Failure{Status: http.StatusInternalServerError}) || r.PerTry > 0 && r.Covers(manifests.Failure{PerTryTimeout: true})
}

// cut is how many tries of the hop were cut.
func (l *ledger) cut(counters target.Counters) int64 {
	return counters.Sum(func(t target.Tries) bool { return t.Service == l.hop && t.Status == target.StatusCut })
}

// raced is how many requests may have had a try that its caller's proxy cut and the service counted as answered: those that
// took as long as a try may take, less the tries of any hop that were counted as cut. Where the waits between tries alone may
// take that long, nothing is known of the rest.
func (l *ledger) raced(e *evidence) int64 {
	if l.rule == nil || l.rule.Retry.PerTry <= 0 {
		return 0
	}
	var waits time.Duration
	for n := 1; n <= l.rule.Retry.Attempts; n++ {
		waits += l.rule.Retry.BackOff(n)
	}
	if l.rule.Retry.PerTry < mostWaits*waits {
		return 0
	}
	raced := -e.counters.Sum(func(t target.Tries) bool { return t.Status == target.StatusCut })
	for _, ok := range []bool{true, false} {
		for _, bar := range e.tally.Latency(ok).Distribution() {
			if bar.To >= l.rule.Retry.PerTry.Microseconds() {
				raced += bar.Count
			}
		}
	}
	return max(0, raced)
}

// failures are the tries of the hop that failed or were cut.
func (l *ledger) failures(counters target.Counters) int64 {
	return counters.Sum(func(t target.Tries) bool {
		return t.Service == l.hop && (t.Status >= http.StatusInternalServerError || t.Status == target.StatusCut || t.Status == target.StatusBroken)
	})
}

// lines sorts a hop's tries by attempt count; there is a line for each count up to one beyond the policy's limit, and
// the last line holds all that are beyond.
func (l *ledger) lines(counters target.Counters) []reports.Tries {
	limit := 0
	if l.rule != nil {
		limit = l.rule.Retry.Attempts
	}
	lines := make([]reports.Tries, limit+3)
	for k := range lines {
		lines[k].Attempt = k
	}
	for _, t := range counters {
		if t.Service != l.hop {
			continue
		}
		line := &lines[min(t.Attempt, len(lines)-1)]
		line.Received += t.Count
		if l.rule != nil && l.rule.Retry.Covers(failureOf(t.Status)) {
			line.Retryable += t.Count
		}
	}
	return lines
}

// failureOf is how the caller's proxy saw a try that the service counted with this status.
func failureOf(status int) manifests.Failure {
	switch status {
	case target.StatusCut:
		return manifests.Failure{PerTryTimeout: true}
	case target.StatusBroken: // the application broke the connection; its sidecar answers for it
		return manifests.Failure{Status: http.StatusServiceUnavailable}
	}
	return manifests.Failure{Status: status}
}

// abandoned is how many calls to this hop ended because their caller was cut.
func (l *ledger) abandoned(e *evidence) int64 {
	if l.caller != "" {
		return e.counters.Sum(func(t target.Tries) bool { return t.Service == l.caller && t.Status == target.StatusCut })
	}
	var timeouts int64
	for i := range e.tally.Cohorts {
		timeouts += e.tally.Cohorts[i].Errors[attack.Timeout]
	}
	return timeouts
}
