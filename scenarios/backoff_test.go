package scenarios

import (
	"math"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/service/trail"
	"github.com/hellochaos/hellochaos/target"
)

func TestWaited(t *testing.T) {
	failing := forecastOf(t, "retry", target.Direct, 0.5, 0, "absorb")
	hanging := forecastOf(t, "retry", target.Direct, 0, 0.2, "absorb")
	for _, c := range []struct {
		f       *forecast
		attempt int
		want    float64 // the median, in seconds
		least   float64
	}{
		{failing, 2, 0.0125, 100}, {failing, 3, 0.0375, 50}, {failing, 4, 0.0875, 50},
		{hanging, 2, 2.0125, 30}, {hanging, 3, 4.0375, 30},
	} {
		quantile := waited(c.f, 1, c.attempt)
		if got := quantile(0.5); math.Abs(got-c.want) > 1e-4 {
			t.Errorf("before try %d: median %.4f s, want %.4f", c.attempt, got, c.want)
		}
		if got := leastTimed(quantile); got != c.least {
			t.Errorf("before try %d: %v values wanted, want %v", c.attempt, got, c.least)
		}
	}
}

// observed is a tally of calls to middleware: 100 with a single try that the way makes 1 ms long, and 100 of attempt 2 that
// took so much longer than middleware itself.
func observed(added time.Duration) *attack.Tally {
	tally := attack.NewTally(1, frontend, middleware)
	for n := range 200 {
		attempt, elapsed := 1, time.Millisecond
		if n%2 == 1 {
			attempt, elapsed = 2, added
		}
		inner := trail.Hop{Service: middleware, Version: "prod", Status: 200, Attempt: attempt}
		call := trail.Call{URL: "http://middleware/", Status: 200, Elapsed: elapsed, Hop: &inner}
		tally.Add(&attack.Observation{Number: n, Status: 200, Latency: elapsed, Trail: &trail.Hop{Service: frontend, Status: 200, Calls: []trail.Call{call}}})
	}
	return tally
}

func TestBackoff(t *testing.T) {
	for _, c := range []struct {
		added time.Duration
		late  bool
		want  reports.Verdict
	}{
		{13 * time.Millisecond, false, reports.Pass}, {22 * time.Millisecond, false, reports.Pass},
		{51 * time.Millisecond, false, reports.Fail}, {3 * time.Millisecond, false, reports.Fail},
		{13 * time.Millisecond, true, reports.Inconclusive},
	} {
		b := &backoff{hop: middleware, attempt: 2, predicted: 0.0125, reach: 0.5, least: 100}
		m := b.measure(&evidence{tally: observed(c.added), result: attack.Result{Late: c.late}})
		if m.Verdict != c.want {
			t.Errorf("%v, late %v: %s, want %s (%v in %v, %s)", c.added, c.late, m.Verdict, c.want, *m.Measured, *m.Interval, m.Note)
		}
	}
	none := (&backoff{hop: middleware, attempt: 3, predicted: 0.04}).measure(&evidence{tally: observed(0)})
	if none.Verdict != reports.Inconclusive || none.Measured != nil {
		t.Errorf("without values: %+v, want inconclusive", none)
	}
	// A way that takes half as long as the wait drowns it.
	slow := (&backoff{hop: middleware, attempt: 2, predicted: 0.0015}).measure(&evidence{tally: observed(3 * time.Millisecond)})
	if slow.Verdict != reports.Inconclusive || slow.Note == "" {
		t.Errorf("on a busy machine: %+v, want inconclusive and why", slow)
	}
}
