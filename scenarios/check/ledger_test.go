package check_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
	"github.com/hellochaos/hellochaos/target"
)

// exact are the counts of a middleware that is called with 3 retries on 500.
var exact = counters(middle(1, 200, 500), middle(1, 500, 500), middle(2, 200, 250), middle(2, 500, 250),
	middle(3, 200, 125), middle(3, 500, 125), middle(4, 200, 60), middle(4, 500, 65))

func with(more ...target.Tries) target.Counters { return append(more, exact...) }

var callerCut = target.Tries{Service: "frontend", Status: target.StatusCut, Count: 2}

// Each retryable failure is followed by exactly one more try, up to the limit, and nothing else is sent.
func TestLedger(t *testing.T) {
	for _, c := range []struct {
		name       string
		stage      string
		counters   target.Counters
		violations int64
		verdict    reports.Verdict
		note       string
	}{
		{"exact", "retry", exact, 0, reports.Pass, ""},
		{"probes count, too", "retry", with(pinned(middle(1, 500, 9)), pinned(middle(2, 200, 9))), 0, reports.Pass, ""},
		{"one try too many", "retry", with(middle(3, 200, 1)), 1, reports.Fail, "1 more retries than failures that call for one"},
		{"one failure not sent again", "retry", with(middle(1, 500, 1)), 1, reports.Fail, "1 fewer retries than failures that call for one"},
		{"a fifth try", "retry", with(middle(5, 200, 1)), 1, reports.Fail, "1 tries with attempt counts that the policy does not allow"},
		{"far beyond the limit", "retry", with(middle(99, 200, 1)), 1, reports.Fail, "attempt counts that the policy does not allow"},
		{"one without a count", "retry", with(middle(0, 200, 1)), 1, reports.Fail, "attempt counts that the policy does not allow"},
		{"a status that is not retried", "retry", with(middle(1, 404, 7)), 0, reports.Pass, ""},
		{"cut by the per-try timeout and not sent again", "retry", with(middle(1, target.StatusCut, 1)), 1, reports.Fail, "fewer retries"},
		{"cut, and its caller was cut too", "retry", with(middle(1, target.StatusCut, 2), callerCut), 0, reports.Pass, "2 of its tries were cut together with their caller's"},
		{"a missing retry that no cut excuses", "retry", with(middle(1, target.StatusCut, 2), middle(1, 500, 1), callerCut, callerCut), 1, reports.Fail, "1 fewer"},
		{"more cut than callers", "retry", with(middle(1, target.StatusCut, 3), callerCut), 1, reports.Fail, "1 fewer"},
		{"nothing failed", "retry", counters(middle(1, 200, 9)), 0, reports.Pass, ""},
		{"nothing came", "retry", nil, 0, reports.Inconclusive, "the service counted no try"},
		{"no policy, no retries", "prod", counters(middle(1, 200, 5), middle(1, 500, 5)), 0, reports.Pass, ""},
		{"no policy, one retry", "prod", counters(middle(1, 500, 5), middle(2, 200, 1)), 1, reports.Fail, "more retries than failures"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPhase(t, c.stage, "", oracle.Request{Fail: 0.5})
			p.wants("middleware", oracle.Want{Each: 1})
			p.Counters, p.Counted = c.counters, true
			got := p.judged("middleware").Ledger
			if got.Violations != c.violations || got.Verdict != c.verdict || !strings.Contains(got.Note, c.note) || c.note == "" && got.Note != "" {
				t.Errorf("%d violations and %s (%s), want %d and %s (%s)", got.Violations, got.Verdict, got.Note, c.violations, c.verdict, c.note)
			}
		})
	}
}

// The numbers of a ledger are those of the services.
func TestLedgerNumbers(t *testing.T) {
	p := newPhase(t, "retry", "", oracle.Request{Fail: 0.5})
	p.Counters, p.Counted = exact, true
	got := p.judged("middleware").Ledger
	if got.Retries != 875 || got.Failures != 875 || len(got.Attempts) != 6 || got.Attempts[1] != (reports.Tries{Attempt: 1, Received: 1000, Retryable: 500}) || got.Attempts[4] != (reports.Tries{Attempt: 4, Received: 125, Retryable: 65}) {
		t.Errorf("%+v", got)
	}
}

// A try that the proxy cut just as the service answered it looks like a retry too many. Only requests that took that long
// excuse it, each one, and only where they are not those whose cut was counted.
func TestLedgerRace(t *testing.T) {
	for _, c := range []struct {
		name    string
		slow    int64
		latency time.Duration
		more    target.Counters
		verdict reports.Verdict
	}{
		{"one slow request, one more", 1, 2 * time.Second, counters(middle(2, 200, 1)), reports.NotJudged},
		{"no slow request", 1, 1900 * time.Millisecond, counters(middle(2, 200, 1)), reports.Fail},
		{"one slow request, two more", 1, 3 * time.Second, counters(middle(2, 200, 1), middle(3, 200, 1)), reports.Fail},
		{"one slow request, one beyond the limit", 1, 3 * time.Second, counters(middle(5, 200, 1)), reports.Fail},
		{"one slow request, one failure not sent again", 1, 3 * time.Second, counters(middle(1, 500, 1)), reports.Fail},
		{"one slow request whose cut was counted, one more", 1, 3 * time.Second, counters(middle(1, target.StatusCut, 1), middle(2, 200, 2)), reports.Fail},
		{"five slow requests, two cut together with their callers, one more", 5, 3 * time.Second, counters(middle(1, target.StatusCut, 2), callerCut, middle(3, 200, 1)), reports.NotJudged},
		{"two slow requests, one cut was counted", 2, 3 * time.Second, counters(middle(1, target.StatusCut, 1), middle(2, 200, 2)), reports.NotJudged},
	} {
		p := newPhaseAgain(t)
		p.Slow = func(limit time.Duration) int64 {
			if c.latency >= limit {
				return c.slow
			}
			return 0
		}
		p.Counters, p.Counted = with(c.more...), true
		got := p.judged("middleware").Ledger
		if got.Verdict != c.verdict || c.verdict == reports.NotJudged && !strings.Contains(got.Note, "just as the service answered") {
			t.Errorf("%s: %s (%s), want %s", c.name, got.Verdict, got.Note, c.verdict)
		}
	}
}

// Where the waits between tries alone take as long as a try may take, slow requests excuse nothing.
func TestLedgerRaceOfAShortTry(t *testing.T) {
	p := newPhase(t, "retry", virtualService(toProd, strings.Replace(retrying, "2s", "50ms", 1)), oracle.Request{Fail: 0.5})
	p.Slow = func(time.Duration) int64 { return 100 }
	p.Counters, p.Counted = with(middle(2, 200, 1)), true
	if got := p.judged("middleware").Ledger; got.Verdict != reports.Fail {
		t.Errorf("%s (%s), want fail", got.Verdict, got.Note)
	}
}

// Where each request was right, requests that a time limit or a lost connection may have decided explain what the counts lack; not
// more than the tries of a call each, no tries that the policy never allows, and nothing where a request was wrong.
func TestLedgerOfOpenRequests(t *testing.T) {
	for _, c := range []struct {
		name                string
		open, broken, wrong int64
		remote              bool
		more                target.Counters
		verdict             reports.Verdict
	}{
		{"one open request, four retries missing", 1, 0, 0, false, counters(middle(1, 500, 4)), reports.NotJudged},
		{"one open request, five retries missing", 1, 0, 0, false, counters(middle(1, 500, 5)), reports.Fail},
		{"one open request, a retry too many", 1, 0, 0, false, counters(middle(2, 200, 1)), reports.NotJudged},
		{"one open request, a fifth try", 1, 0, 0, false, counters(middle(5, 200, 1)), reports.Fail},
		{"one open request, and a wrong one", 1, 0, 1, false, counters(middle(1, 500, 1)), reports.Fail},
		{"one lost connection on a cluster", 0, 1, 1, true, counters(middle(1, 500, 1)), reports.NotJudged},
		{"one lost connection on this machine", 0, 1, 1, false, counters(middle(1, 500, 1)), reports.Fail},
		{"no open request", 0, 0, 0, false, counters(middle(1, 500, 1)), reports.Fail},
	} {
		p := newPhaseAgain(t)
		p.Tally.Open, p.Tally.Broken, p.Tally.Wrong, p.Remote = c.open, c.broken, c.wrong, c.remote
		p.Counters, p.Counted = with(c.more...), true
		if got := p.judged("middleware").Ledger; got.Verdict != c.verdict || got.Violations == 0 || c.verdict == reports.NotJudged && !strings.Contains(got.Note, "each call met what it must") {
			t.Errorf("%s: %s, %d violations (%s), want %s", c.name, got.Verdict, got.Violations, got.Note, c.verdict)
		}
	}
}

// A service whose callers have no proxy must not see an attempt count.
func TestLedgerWithoutProxy(t *testing.T) {
	for attempt, want := range map[int]reports.Verdict{0: reports.Pass, 1: reports.Fail} {
		p := newPhaseAgain(t)
		p.Counters, p.Counted = counters(target.Tries{Service: "frontend", Attempt: attempt, Status: 200, Count: 3}), true
		if got := p.judged("frontend").Ledger; got.Verdict != want {
			t.Errorf("attempt count %d: %s, want %s", attempt, got.Verdict, want)
		}
	}
}

// There is no ledger where the counts cannot tell: a time limit of the route, several services behind one route, or no counts.
func TestNoLedger(t *testing.T) {
	for name, yaml := range map[string]string{
		"a time limit of the route": virtualService(toProd, retrying+"\n^timeout: 9s"),
		"several services":          virtualService("{destination: {host: middleware, subset: prod}, weight: 50}, {destination: {host: backend}, weight: 50}", retrying),
		"no counts":                 "",
	} {
		p := newPhase(t, "retry", yaml, oracle.Request{Fail: 0.5})
		p.Counters, p.Counted = exact, name != "no counts"
		to := p.hostOf("frontend")
		if got := p.judged(to); got.Ledger != nil {
			t.Errorf("%s: %+v, want no ledger", name, got.Ledger)
		}
		if got := p.judged("backend"); name == "several services" && (got.Ledger != nil || got.Tries != nil) {
			t.Errorf("%s: backend, which two rows lead to, has a ledger of its own: %+v", name, got.Ledger)
		}
	}
}
