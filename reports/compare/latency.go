package compare

import (
	"fmt"
	"math"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/stats"
)

// quantiles that are compared, with what tables call them.
var quantiles = []struct {
	q    float64
	name string
}{{0.5, "p50"}, {0.9, "p90"}, {0.99, "p99"}}

// latencies compares the quantiles at the edge, seconds as blocks.
func (p *pair) latencies() {
	why := p.incomparable()
	if why == "" && (len(p.old.Seconds) == 0 || len(p.new.Seconds) == 0) {
		why = "a report has no latencies by second"
	}
	if why != "" {
		p.c.exclude(Exclusion{p.stage, p.phase, "latencies", why, p.c.Strict})
		return
	}
	for _, outcome := range []string{"ok", "failed"} {
		a, b := blocks(p.old, outcome), blocks(p.new, outcome)
		if a.N() == 0 || b.N() == 0 {
			continue // the shares tell of that
		}
		for _, q := range quantiles {
			p.quantile(outcome+" "+q.name, q.q, a, b)
		}
	}
}

// incomparable says why times say nothing of the target.
func (p *pair) incomparable() string {
	switch {
	case p.old.Late && p.new.Late:
		return "requests left late in both"
	case p.old.Late:
		return "requests left late in OLD"
	case p.new.Late:
		return "requests left late in NEW"
	case math.Abs(p.old.PlannedRate-p.new.PlannedRate) > 0.01*p.old.PlannedRate:
		return fmt.Sprintf("OLD had %.0f requests a second, NEW %.0f", p.old.PlannedRate, p.new.PlannedRate)
	case p.old.Entry != p.new.Entry:
		return fmt.Sprintf("OLD entered at %s, NEW at %s", p.old.Entry, p.new.Entry)
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
	r := p.row(name, Latency)
	from, to := a.Quantile(q), b.Quantile(q)
	r.Old, r.New = Value{Value: &from, N: a.N()}, Value{Value: &to, N: b.N()}
	r.identical = a.Equal(b)
	if n, seconds := min(a.N(), b.N()), min(a.Len(), b.Len()); n < stats.QuantileMinimum(q, intervalAlpha) || seconds < 2 {
		r.Difference = value(to/from - 1)
		r.Note = fmt.Sprintf("n is too small (%d in %d s)", n, seconds)
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

// fewest is how many requests of the phase would give a quantile an interval.
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

// logMargin is the latency margin as a difference of logarithms, at an old latency.
func (p *pair) logMargin(from float64) float64 {
	return math.Log1p(max(p.c.LatencyMargin, p.c.LatencyFloor/from))
}

// logNoise is how much a latency can differ because the machine was busy: requests themselves left that much later than
// planned, by the median for medians and else by the 99th percentile.
func (p *pair) logNoise(from, q float64) float64 {
	lag := max(p.old.LagMedian, p.new.LagMedian)
	if q > 0.5 {
		lag = max(p.old.LagP99, p.new.LagP99)
	}
	return math.Log1p(max(0, lag) / from)
}
