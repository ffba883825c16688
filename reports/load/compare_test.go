package load

import (
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/stats"
)

// An attack that is slower beyond the margin is worse; one that the data cannot tell from the old one is unclear.
func TestCompare(t *testing.T) {
	margins := Margins{Share: 0.05, Latency: 0.25, LatencyFloor: 0.001}
	measured := func(p99, half float64, failed int64, rate float64) *Report {
		q := func(at, v, half float64) Quantile {
			return Quantile{at, v, &stats.Interval{Lo: v - half, Hi: v + half}}
		}
		share := float64(failed) / 1000
		return &Report{Requests: Requests{OK: 1000 - failed, Failed: failed, FailedShare: &stats.Interval{Lo: max(0, share-0.01), Hi: share + 0.01}}, Rate: Rate{Planned: 100, OK: rate},
			Latency: Outcomes{OK: Distribution{N: 1000, Quantiles: []Quantile{q(0.5, 0.01, 0.0001), q(0.9, 0.02, 0.0001), q(0.99, p99, half), {0.999, 0.5, nil}}}}}
	}
	old := measured(0.1, 0.005, 10, 99)
	for name, c := range map[string]struct {
		next   *Report
		strict bool
		word   string
		code   int
	}{
		"alike":          {measured(0.101, 0.005, 11, 98.9), false, "same", 0},
		"rare":           {measured(0.101, 0.005, 11, 98.9), true, "unclear", 3},
		"slower":         {measured(0.2, 0.01, 10, 99), false, "worse", 1},
		"faster":         {measured(0.05, 0.005, 10, 99), false, "better", 0},
		"cannot be told": {measured(0.12, 0.03, 10, 99), false, "unclear", 3},
		"more errors":    {measured(0.1, 0.005, 200, 99), false, "worse", 1},
		"fewer answers":  {measured(0.1, 0.005, 10, 50), false, "worse", 1},
	} {
		got := Compare(old, c.next, margins, c.strict)
		if got.Word() != c.word || got.ExitCode() != c.code || len(got.Mismatches) > 0 {
			t.Errorf("%s: %s, %d, %+v", name, got.Word(), got.ExitCode(), got)
		}
	}
	void := measured(0.5, 0.005, 10, 99)
	void.Limited, void.Closed, void.FromStart = true, true, true
	got := Compare(old, void, margins, false)
	var text strings.Builder
	if err := got.Text(&text, false); err != nil || got.Word() != "unclear" || len(got.Mismatches) != 2 || !strings.Contains(text.String(), "did not keep its schedule") {
		t.Errorf("%v: %+v\n%s", err, got, text.String())
	}
}
