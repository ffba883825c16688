package render

import (
	"testing"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/stats"
)

// good are the quantiles of a phase's good answers.
func good(median, lo, hi, p99 float64) []reports.Latency {
	return []reports.Latency{{Outcome: "ok", Quantile: 0.5, Value: median, Interval: &stats.Interval{Lo: lo, Hi: hi}, N: 300},
		{Outcome: "ok", Quantile: 0.99, Value: p99, N: 300}}
}

// The price of retries is told where calls are sent again that were not, and where the medians can be told apart; never of times that are
// not judged.
func TestPrice(t *testing.T) {
	none, three := &reports.Rule{Retries: 2}, &reports.Rule{Retries: 3, Covers500: true} // without Covers500 a failed call is not sent again
	phase := func(rule *reports.Rule, latency []reports.Latency) *reports.Phase {
		return &reports.Phase{PlannedRate: 1, Latency: latency, Calls: []reports.Call{{From: "edge", To: "frontend"},
			{From: "frontend", To: "middleware", Rule: rule}, {From: "middleware", To: "backend", Rule: rule}}}
	}
	before := phase(none, good(0.0004, 0.0003, 0.0005, 0.012))
	now := phase(three, good(0.027, 0.026, 0.028, 0.157))
	const want = "Good answers take 27ms in the median where they took 400µs, and 157ms in the 99th percentile where they took 12ms, now that calls to middleware and backend have up to 3 retries."
	if got := price(before, now); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	late, faster := *now, *now
	late.Late = true
	faster.PlannedRate = 2
	for name, got := range map[string]string{
		"no phase before":                   price(nil, now),
		"the retries were there before":     price(phase(three, before.Latency), now),
		"fewer retries":                     price(phase(three, before.Latency), phase(none, now.Latency)),
		"medians that overlap":              price(phase(none, good(0.026, 0.025, 0.0265, 1)), now),
		"times that are not judged":         price(before, &late),
		"retries that no failure gets":      price(before, phase(&reports.Rule{Retries: 5}, now.Latency)),
		"more requests a second":            price(before, &faster),
		"no good answer before":             price(phase(none, nil), now),
		"an interval that is not known":     price(phase(none, []reports.Latency{{Outcome: "ok", Quantile: 0.5, Value: 0.0004}}), now),
		"good answers that are faster":      price(phase(none, good(0.1, 0.09, 0.11, 1)), now),
		"answers that are not good are not": price(phase(none, []reports.Latency{{Outcome: "failed", Quantile: 0.5, Value: 0.0004, Interval: &stats.Interval{}}}), now),
	} {
		if got != "" {
			t.Errorf("%s: %s", name, got)
		}
	}
}
