package check

import (
	"fmt"
	"net/http"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/target"
)

// mostWaits is how often a request waits for a try in turn: for several services, and for one of them several times.
const mostWaits = 4

// ledger holds a row's calls against what the called service itself counted: the tries with attempt count k+1 equal the
// retryable failures with attempt count k, for every k up to the policy's limit, and there are none beyond. It needs no
// trail and no draw, so it is a second witness. Nil where it cannot be: other rows lead to the same service, the row leads to several,
// a time limit of the route ends calls between two tries, or the counters could not be read.
func (e *Evidence) ledger(i int, service string) *reports.Ledger {
	row := &e.Ways.Rows[i]
	if !e.Counted || !e.alone(i, service) || row.Rule != nil && row.Rule.Timeout > 0 {
		return nil
	}
	b := book{service: service, rule: row.Rule, counters: e.Counters}
	if b.rule != nil {
		b.limit = b.rule.Retry.Attempts
	}
	l := &reports.Ledger{Attempts: b.lines(), Verdict: reports.NotJudged}
	extra, surplus, missing, total := b.balance(l)
	// A caller that was itself cut took one try with it that would have been sent again: the one that it was waiting for.
	excused := min(missing, e.cutCalls(row.Caller), b.cut())
	missing -= excused
	l.Violations = extra + surplus + missing
	switch {
	case total == 0:
		l.Verdict, l.Note = e.promised(i), "the service counted no try"
	case extra > 0:
		l.Verdict, l.Note = reports.Fail, fmt.Sprintf("the service counted %d tries with attempt counts that the policy does not allow", extra)
	case missing == 0 && surplus > 0 && surplus <= e.raced(&b):
		l.Note = fmt.Sprintf("%d more tries than failures were counted, and at least as many requests took as long as the %v that a try may take: "+
			"the mesh may have cut a try just as the service answered it", surplus, b.rule.Retry.PerTry)
	case l.Violations > 0 && l.Violations <= e.undecided()*int64(b.limit+1):
		l.Note = fmt.Sprintf("the service's counts differ by %d tries from those of its policy, and each call met what it must: time limits or lost connections "+
			"may have decided %d requests, whose tries may be counted otherwise than they ended", l.Violations, e.undecided())
	case surplus > 0:
		l.Verdict, l.Note = reports.Fail, fmt.Sprintf("the service counted %d more retries than failures that call for one", surplus)
	case missing > 0:
		l.Verdict, l.Note = reports.Fail, fmt.Sprintf("the service counted %d fewer retries than failures that call for one", missing)
	default:
		l.Verdict = reports.Pass
		if excused > 0 {
			l.Note = fmt.Sprintf("%d of its tries were cut together with their caller's, and so not sent again", excused)
		}
	}
	return l
}

// undecided is how many requests a time limit or a lost connection may have decided, where all others met what they must; 0 where some
// did not. Each of them may have had all tries of a call cut, or counted though they were cut.
func (e *Evidence) undecided() int64 {
	t := e.Tally
	if t.Wrong > 0 && !e.onlyLost() {
		return 0
	}
	return t.Open + t.Broken
}

// book is the counters of one service beside the rule of its callers.
type book struct {
	service  string
	rule     *manifests.Rule
	limit    int
	counters target.Counters
}

// lines sorts the tries by attempt count; there is a line for each count up to one beyond the policy's limit, and the last line
// holds all that are beyond.
func (b *book) lines() []reports.Tries {
	lines := make([]reports.Tries, b.limit+3)
	for k := range lines {
		lines[k].Attempt = k
	}
	for _, t := range b.counters {
		if t.Service != b.service {
			continue
		}
		line := &lines[min(t.Attempt, len(lines)-1)]
		line.Received += t.Count
		if b.rule != nil && b.rule.Retry.Covers(failureOf(t.Status)) {
			line.Retryable += t.Count
		}
	}
	return lines
}

// balance counts tries with attempt counts that the policy does not allow, retries without a failure, and failures without a
// retry.
func (b *book) balance(l *reports.Ledger) (extra, surplus, missing, total int64) {
	for k, line := range l.Attempts {
		total += line.Received
		switch {
		case (k == 0) != (b.rule == nil) || k > b.limit+1:
			// Without a proxy there is no count, and with one there always is; nothing is tried beyond the limit.
			extra += line.Received
		case k > 0 && k <= b.limit:
			next := l.Attempts[k+1].Received
			l.Failures += line.Retryable
			l.Retries += next
			surplus += max(0, next-line.Retryable)
			missing += max(0, line.Retryable-next)
		}
	}
	return extra, surplus, missing, total
}

// cut is how many tries of the service were cut.
func (b *book) cut() int64 {
	return b.counters.Sum(func(t target.Tries) bool { return t.Service == b.service && t.Status == target.StatusCut })
}

// cutCalls is how many tries of a caller were cut, and with them their calls; of the edge, how many requests got no answer.
func (e *Evidence) cutCalls(caller string) int64 {
	return e.Counters.Sum(func(t target.Tries) bool { return t.Service == caller && t.Status == target.StatusCut }) + e.Tally.Unanswered
}

// raced is how many requests may have had a try that its caller's proxy cut and the service counted as answered: those that
// took as long as a try may take, less the tries that were counted as cut. Where the waits between tries alone may take that
// long, nothing is known of the rest.
func (e *Evidence) raced(b *book) int64 {
	if b.rule == nil || b.rule.Retry.PerTry <= 0 {
		return 0
	}
	var waits time.Duration
	for n := 1; n <= b.limit; n++ {
		waits += b.rule.Retry.BackOff(n)
	}
	if b.rule.Retry.PerTry < mostWaits*waits {
		return 0
	}
	cut := e.Counters.Sum(func(t target.Tries) bool { return t.Status == target.StatusCut })
	return max(0, e.Slow(b.rule.Retry.PerTry)-cut)
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
