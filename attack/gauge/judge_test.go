package gauge

import (
	"strings"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/expect"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/load"
)

// tallied are requests at 100 a second: every bad-th is answered with 503, and the latencies go from 10 to 20 ms.
func tallied(n, bad int) *tally {
	t := newTally()
	for i := range n {
		o := attack.Observation{Number: i, Planned: time.Duration(i) * 10 * time.Millisecond, Status: 200, Latency: 10*time.Millisecond + time.Duration(i%11)*time.Millisecond}
		if o.Started = o.Planned; bad > 0 && i%bad == 0 {
			o.Status = 503
		}
		t.add(&o)
	}
	return t
}

func TestJudge(t *testing.T) {
	const pass, fail, open = reports.Pass, reports.Fail, reports.Inconclusive
	kept := attack.Result{Planned: 5000, Sent: 5000, Observed: 5000, PlannedRate: 100, AchievedRate: 100}
	limited := attack.Result{Planned: 5000, Sent: 4000, Unsent: 1000, Observed: 4000, PlannedRate: 100, AchievedRate: 80, Limited: true}
	late := kept
	late.Late = true
	for _, c := range []struct {
		name        string
		n, bad      int
		result      attack.Result
		interrupted string
		expect      string
		want        reports.Verdict
		why         string
	}{
		{"fast enough", 5000, 0, kept, "", "p99 <= 25ms", pass, "lies within"},
		{"too slow", 5000, 0, kept, "", "p99 <= 15ms", fail, "excludes"},
		{"at the limit", 5000, 0, kept, "", "p50 <= 15ms", open, "too few to tell"},
		{"the fewest without a slow one", 757, 0, kept, "", "p99 <= 25ms", pass, ""},
		{"one less", 756, 0, kept, "", "p99 <= 25ms", open, "756 good answers are too few"},
		{"the fewest without an error", 1517, 0, kept, "", "errors <= 0.5%", pass, ""},
		{"one less of these", 1516, 0, kept, "", "errors <= 0.5%", open, "1516 requests are too few"},
		{"too few for a quantile", 50, 0, kept, "", "p99.9 <= 1s", open, "too few to tell"},
		{"late", 5000, 0, late, "", "p99 <= 25ms", open, "did not keep its schedule"},
		{"late, and no latency", 5000, 100, late, "", "errors <= 5%", pass, ""},
		{"unsent", 4000, 0, limited, "", "errors <= 5%", open, "never sent 1000"},
		{"unsent, and a rate", 4000, 0, limited, "", "rate >= 10/s", open, "never sent 1000"},
		{"no good answer", 5000, 1, kept, "", "p99 <= 1s", fail, "no data"},
		{"no request at all", 0, 0, attack.Result{Planned: 10, PlannedRate: 1}, "", "errors <= 1%", fail, "no data"},
		{"no good answer, and a rate", 5000, 1, kept, "", "rate <= 1/s", fail, "no data"},
		{"few errors", 5000, 100, kept, "", "errors <= 5%", pass, ""},
		{"many errors", 5000, 10, kept, "", "errors <= 5%", fail, ""},
		{"errors at the limit", 5000, 20, kept, "", "errors <= 5%", open, "5000 requests are too few"},
		{"rate", 5000, 0, kept, "", "rate >= 99/s", pass, ""},
		{"rate of good answers", 5000, 2, kept, "", "rate >= 99/s", fail, ""},
		{"interrupted", 5000, 0, kept, "the attack was interrupted", "p99 <= 25ms", open, "interrupted"},
	} {
		tally := tallied(c.n, c.bad)
		w, err := expect.ParseLoad(c.expect)
		if err != nil {
			t.Fatal(err)
		}
		r := tally.report(&c.result)
		r.Interrupted = c.interrupted
		conclude(r, tally, []expect.Expectation{w})
		if r.Verdict != c.want || !strings.Contains(r.Expectations[0].Why, c.why) {
			t.Errorf("%s: %s is %s (%s), want %s (%s)", c.name, c.expect, r.Verdict, r.Expectations[0].Why, c.want, c.why)
		}
	}
	r := tallied(10, 0).report(&kept)
	conclude(r, newTally(), nil)
	if r.Verdict != "" || r.ExitCode() != reports.ExitPass || (&load.Report{}).ExitCode() != reports.ExitInfrastructure {
		t.Errorf("nothing expected: %q, exit %d", r.Verdict, r.ExitCode())
	}
}
