package compare

import (
	"fmt"
	"math"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/stats"
)

// quantiles are the quantiles that are compared, with their names in tables.
var quantiles = []struct {
	q    float64
	name string
}{{0.5, "p50"}, {0.9, "p90"}, {0.99, "p99"}}

// latencies compares quantiles of the latencies at the edge. The seconds of a phase are the blocks of the statistics.
func (p *pair) latencies() {
	why := p.incomparable()
	if why == "" && (len(p.old.Seconds) == 0 || len(p.new.Seconds) == 0) {
		why = "a report has no latencies by second"
	}
	if why != "" {
		p.c.exclude(Exclusion{p.phase, "latencies", why, p.c.Strict})
		return
	}
	for _, outcome := range []string{"ok", "failed"} {
		a, b := blocks(p.old, outcome), blocks(p.new, outcome)
		if a.N() == 0 || b.N() == 0 {
			continue // The comparison of shares shows that there are no such answers.
		}
		for _, q := range quantiles {
			p.quantile(outcome+" "+q.name, q.q, a, b)
		}
	}
}

// incomparable returns why the times of the two phases cannot be compared. It is empty where they can.
func (p *pair) incomparable() string {
	switch {
	case p.old.Late && p.new.Late:
		return "requests were sent late in both reports"
	case p.old.Late:
		return "requests were sent late in OLD"
	case p.new.Late:
		return "requests were sent late in NEW"
	case p.old.GeneratorLimited || p.new.GeneratorLimited:
		return "the load generator could not keep its schedule"
	case math.Abs(p.old.PlannedRate-p.new.PlannedRate) > 0.01*p.old.PlannedRate:
		return fmt.Sprintf("OLD sent %.0f requests a second, NEW %.0f", p.old.PlannedRate, p.new.PlannedRate)
	case p.old.Entry != p.new.Entry:
		return fmt.Sprintf("OLD sent requests to %s, NEW to %s", p.old.Entry, p.new.Entry)
	}
	return ""
}

func blocks(phase *reports.Phase, outcome string) *stats.Blocks {
	all := make([][]stats.Bin, 0, len(phase.Seconds))
	for _, second := range phase.Seconds {
		bins := second.OK
		if outcome == "failed" {
			bins = second.Failed
		}
		block := make([]stats.Bin, 0, len(bins))
		for _, b := range bins {
			if b[1] > 0 {
				block = append(block, stats.Bin{Value: float64(max(1, b[0])) / 1e6, Count: b[1]})
			}
		}
		all = append(all, block)
	}
	return stats.NewBlocks(all)
}

// quantile compares one quantile of one outcome.
func (p *pair) quantile(name string, q float64, a, b *stats.Blocks) {
	r := p.row("", name, Latency)
	from, to := a.Quantile(q), b.Quantile(q)
	r.Old, r.New = Value{Value: &from, N: a.N()}, Value{Value: &to, N: b.N()}
	r.identical = a.Equal(b)
	if n, seconds := min(a.N(), b.N()), min(a.Len(), b.Len()); n < stats.QuantileMinimum(q, intervalAlpha) || seconds < 2 {
		r.Difference = value(to/from - 1)
		r.Note = fmt.Sprintf("too few answers for an interval (%d in %d s)", n, seconds)
		r.Needed = p.fewest(q, a, b)
		p.add(r)
		return
	}
	r.show(test{
		difference: stats.QuantileRatio(a, b, q, intervalAlpha), p: stats.QuantileTest(a, b, q),
		margin: p.logMargin(from), noise: p.logNoise(from, q),
	}, true)
	if r.Interval == nil {
		r.Needed = p.fewest(q, a, b)
	}
	p.add(r)
}

// fewest returns about how many requests of the phase are necessary for an interval of a quantile. It is 0 where an hour of requests
// would not suffice.
func (p *pair) fewest(q float64, a, b *stats.Blocks) int64 {
	const longest = 3600
	least := a
	if b.N() < a.N() {
		least = b
	}
	perBlock := float64(least.N()) / float64(least.Len())
	for seconds := 2; seconds < longest; seconds++ {
		if stats.BlocksSuffice(q, intervalAlpha, seconds, perBlock) {
			return int64(float64(seconds) * float64(min(p.old.Sent, p.new.Sent)) / float64(least.Len()))
		}
	}
	return 0
}

// logMargin returns the latency margin for an old latency, as a difference of logarithms.
func (p *pair) logMargin(from float64) float64 {
	return math.Log1p(max(p.c.LatencyMargin, p.c.LatencyFloor/from))
}

// logNoise returns by how much a latency can differ because the machine was busy: how late requests themselves were sent, by the median
// for medians, and by the 99th percentile for all other quantiles. It is a difference of logarithms.
func (p *pair) logNoise(from, q float64) float64 {
	lag := max(p.old.LagMedian, p.new.LagMedian)
	if q > 0.5 {
		lag = max(p.old.LagP99, p.new.LagP99)
	}
	return math.Log1p(max(0, lag) / from)
}
