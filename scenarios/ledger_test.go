package scenarios

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/target"
)

// tries is a counters' line of middleware.
func tries(attempt, status int, count int64) target.Tries {
	return target.Tries{Service: "middleware", Version: "prod", Attempt: attempt, Status: status, Count: count}
}

func TestLedger(t *testing.T) {
	direct := forecastOf(t, "prod", target.Direct, 0.5, 0, "absorb")
	retried := forecastOf(t, "retry", target.Direct, 0.5, 0, "absorb")
	exact := target.Counters{
		tries(1, 200, 500), tries(1, 500, 500), tries(2, 200, 250), tries(2, 500, 250),
		tries(3, 200, 125), tries(3, 500, 125), tries(4, 200, 60), tries(4, 500, 65),
	}
	with := func(more ...target.Tries) target.Counters { return append(more, exact...) }
	callerCut := target.Tries{Service: "frontend", Status: target.StatusCut, Count: 2}
	for _, c := range []struct {
		name       string
		forecast   *forecast
		counters   target.Counters
		violations int64
		verdict    reports.Verdict
	}{
		{"exact", retried, exact, 0, reports.Pass},
		{"one try too many", retried, with(tries(3, 200, 1)), 1, reports.Fail},
		{"one failure not sent again", retried, with(tries(1, 500, 1)), 1, reports.Fail},
		{"a fifth try", retried, with(tries(5, 200, 1)), 1, reports.Fail},
		{"far beyond the limit", retried, with(tries(99, 200, 1)), 1, reports.Fail},
		{"one without a count", retried, with(tries(0, 200, 1)), 1, reports.Fail},
		{"a status that is not retried", retried, with(tries(1, 404, 7)), 0, reports.Pass},
		{"cut by the per-try timeout and not sent again", retried, with(tries(1, target.StatusCut, 1)), 1, reports.Fail},
		{"cut, and its caller was cut too", retried, with(tries(1, target.StatusCut, 2), callerCut), 0, reports.Pass},
		{"a missing retry that no cut excuses", retried, with(tries(1, target.StatusCut, 2), tries(1, 500, 1), callerCut, callerCut), 1, reports.Fail},
		{"more cut than callers", retried, with(tries(1, target.StatusCut, 3), callerCut), 1, reports.Fail},
		{"the limit was never reached", retried, target.Counters{tries(1, 200, 9), tries(1, 500, 1), tries(2, 200, 1)}, 0, reports.Inconclusive},
		{"nothing failed", retried, target.Counters{tries(1, 200, 9)}, 0, reports.Inconclusive},
		{"nothing came", retried, nil, 0, reports.Inconclusive},
		{"no policy, no retries", direct, target.Counters{tries(1, 200, 5), tries(1, 500, 5)}, 0, reports.Pass},
		{"no policy, one retry", direct, target.Counters{tries(1, 500, 5), tries(2, 200, 1)}, 1, reports.Fail},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := &evidence{tally: attack.NewTally(1), counters: c.counters}
			m := newLedger(c.forecast, 1).measure(e)
			if m.Violations != c.violations || m.Verdict != c.verdict {
				t.Errorf("%d violations and %s, want %d and %s (%s)", m.Violations, m.Verdict, c.violations, c.verdict, m.Note)
			}
		})
	}
}

// A try that the proxy cut just as the service answered it looks like a retry too many. Only requests that took that long
// excuse it, each one, and only where they are not those whose cut was counted.
func TestLedgerRace(t *testing.T) {
	retried := forecastOf(t, "retry", target.Direct, 0.5, 0, "absorb")
	exact := target.Counters{
		tries(1, 200, 500), tries(1, 500, 500), tries(2, 200, 250), tries(2, 500, 250),
		tries(3, 200, 125), tries(3, 500, 125), tries(4, 200, 60), tries(4, 500, 65),
	}
	callerCut := target.Tries{Service: "frontend", Status: target.StatusCut, Count: 2}
	for _, c := range []struct {
		name    string
		slow    int
		latency time.Duration
		more    target.Counters
		verdict reports.Verdict
	}{
		{"one slow request, one more", 1, 2 * time.Second, target.Counters{tries(2, 200, 1)}, reports.Inconclusive},
		{"no slow request", 1, 1900 * time.Millisecond, target.Counters{tries(2, 200, 1)}, reports.Fail},
		{"one slow request, two more", 1, 3 * time.Second, target.Counters{tries(2, 200, 1), tries(3, 200, 1)}, reports.Fail},
		{"one slow request, one beyond the limit", 1, 3 * time.Second, target.Counters{tries(5, 200, 1)}, reports.Fail},
		{"one slow request, one failure not sent again", 1, 3 * time.Second, target.Counters{tries(1, 500, 1)}, reports.Fail},
		{"one slow request whose cut was counted, one more", 1, 3 * time.Second, target.Counters{tries(1, target.StatusCut, 1), tries(2, 200, 2)}, reports.Fail},
		{"five slow requests, two cut together with their callers, one more", 5, 3 * time.Second, target.Counters{tries(1, target.StatusCut, 2), callerCut, tries(3, 200, 1)}, reports.Inconclusive},
		{"two slow requests, one cut was counted", 2, 3 * time.Second, target.Counters{tries(1, target.StatusCut, 1), tries(2, 200, 2)}, reports.Inconclusive},
	} {
		tally := attack.NewTally(1)
		for n := range c.slow {
			tally.Add(&attack.Observation{Number: n, Status: 200, Latency: c.latency})
		}
		m := newLedger(retried, 1).measure(&evidence{tally: tally, counters: append(c.more, exact...)})
		if m.Verdict != c.verdict || c.verdict == reports.Inconclusive && !strings.Contains(m.Note, "just as the service answered") {
			t.Errorf("%s: %s (%s), want %s", c.name, m.Verdict, m.Note, c.verdict)
		}
		// The words and the cell "K of N" beside them are one sum.
		if sum := regexp.MustCompile(`call for (\d+) retries(?:, (\d+) of which [^;]*)?; (\d+) more [^,]*, which makes (\d+),`).FindStringSubmatch(m.Note); c.verdict == reports.Inconclusive {
			if sum == nil {
				t.Fatalf("%s: %q has no sum", c.name, m.Note)
			}
			number := func(text string) (n int64) { _, _ = fmt.Sscan(text, &n); return n }
			if number(sum[1]) != m.N || number(sum[4]) != m.K || m.N-number(sum[2])+number(sum[3]) != m.K {
				t.Errorf("%s: the cell says %d of %d, the words %q", c.name, m.K, m.N, m.Note)
			}
		}
	}
}

// Where the waits between tries alone take as long as a try may take, slow requests excuse nothing.
func TestLedgerRaceOfAShortTry(t *testing.T) {
	l := newLedger(forecastOf(t, "retry", target.Direct, 0.5, 0, "absorb"), 1)
	rule := *l.rule
	rule.Retry.PerTry = 50 * time.Millisecond
	l.rule = &rule
	tally := attack.NewTally(1)
	for n := range 100 {
		tally.Add(&attack.Observation{Number: n, Status: 200, Latency: time.Second})
	}
	more := target.Counters{tries(1, 500, 100), tries(2, 500, 51), tries(3, 500, 26), tries(4, 500, 13)}
	more = append(more, tries(2, 200, 50), tries(3, 200, 25), tries(4, 200, 13))
	if m := l.measure(&evidence{tally: tally, counters: more}); m.Violations == 0 || m.Verdict != reports.Fail {
		t.Errorf("%d violations and %s, want some and fail", m.Violations, m.Verdict)
	}
}

// A hop whose callers have no proxy must not see an attempt count.
func TestLedgerWithoutProxy(t *testing.T) {
	f := forecastOf(t, "retry", target.Direct, 0.5, 0, "absorb")
	front := func(attempt int) target.Tries {
		return target.Tries{Service: "frontend", Attempt: attempt, Status: 200, Count: 3}
	}
	for attempt, want := range map[int]reports.Verdict{0: reports.Pass, 1: reports.Fail} {
		e := &evidence{tally: attack.NewTally(1), counters: target.Counters{front(attempt)}}
		if m := newLedger(f, 0).measure(e); m.Verdict != want {
			t.Errorf("attempt count %d: %s, want %s", attempt, m.Verdict, want)
		}
	}
}

// The plan brings the last attempt's failure about: fewer than one run in 2,000 sees none.
func TestLedgerDemand(t *testing.T) {
	f := forecastOf(t, "retry", target.Direct, 0.3, 0, "absorb")
	l := newLedger(f, 1)
	if got, want := l.last, 0.7*0.027; got < want-1e-9 || got > want+1e-9 {
		t.Errorf("failures of attempt 3 per request: %.5f, want %.5f", got, want)
	}
	if got := l.demand(); got < 400 || got > 405 {
		t.Errorf("demand %.0f, want 7.6/%.4f = 402", got, l.last)
	}
	if l := newLedger(forecastOf(t, "retry", target.Direct, 0, 0, "absorb"), 1); l.retries {
		t.Error("without failures nothing is retried")
	}
}

func TestLedgerWords(t *testing.T) {
	policy := reports.Policy{Hop: "middleware", Rule: "VirtualService middleware, http[0]", Retries: 3, RetryOn: "5xx", Covers500: true}
	lines := func(pairs ...int64) []reports.Tries {
		all := make([]reports.Tries, 6)
		for i := range all {
			all[i].Attempt = i
		}
		for i := 0; i < len(pairs); i += 2 {
			all[i/2+1].Received, all[i/2+1].Retryable = pairs[i], pairs[i+1]
		}
		return all
	}
	for _, c := range []struct {
		name     string
		attempts []reports.Tries
		want     string
	}{
		{"none", lines(100, 50), "None of 50 failed tries of middleware was sent again"},
		{"one less", lines(100, 50, 50, 25, 25, 12), "stop at the 3rd, although 12 of those failed"},
		{"some", lines(100, 50, 40, 20, 20, 10, 10, 5), "Of 50 failed tries of middleware with attempt count 1, 40 were sent again"},
		{"beyond", lines(100, 50, 50, 25, 25, 12, 12, 6, 6, 3), "6 tries of middleware went beyond the 4"},
		{"no count", append([]reports.Tries{{Received: 100, Retryable: 50}}, lines()[1:]...), "100 tries reached middleware without an attempt count"},
	} {
		e := &explanation{stage: &reports.Stage{}}
		e.explainLedger("middleware", policy, &reports.Measurement{Verdict: reports.Fail, Attempts: c.attempts})
		if said := strings.Join(e.stage.Words, "\n"); !strings.Contains(said, c.want) {
			t.Errorf("%s: said %q, want %q", c.name, said, c.want)
		}
	}
}
