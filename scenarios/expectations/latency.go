package expectations

import (
	"fmt"
	"math"
	"slices"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/stats"
)

// binWidth is how wide a bin of latencies is at most, beside its lowest one (reports.Distribution).
const binWidth = 0.01

// latency is a quantile of the latencies of good answers to natural requests.
func latency(p *reports.Phase, q float64) []number {
	bins := map[int64]int64{}
	n := number{}
	for _, d := range p.Distributions {
		if d.Outcome != "ok" {
			continue
		}
		for _, bin := range d.Bins {
			bins[bin[0]] += bin[1]
			n.n += bin[1]
		}
	}
	if n.n == 0 {
		n.absent = "no natural request had a good answer"
		return []number{n}
	}
	measured := at(bins, max(1, int64(math.Ceil(q*float64(n.n)))))
	n.measured, n.interval = &measured, &stats.Interval{Lo: 0, Hi: math.Inf(1)}
	if lo, hi, ok := stats.QuantileRanks(n.n, q, Risk); ok {
		n.interval = &stats.Interval{Lo: at(bins, lo), Hi: at(bins, hi) * (1 + binWidth)}
	} else {
		n.few = fmt.Sprintf("%d good answers are too few for an interval of the quantile: %d are needed", n.n, Answers(q))
	}
	if p.Late || p.GeneratorLimited {
		n.unusable = "requests left late, so that no time is judged"
	}
	return []number{n}
}

// Answers is how many good answers a quantile needs to be judged.
func Answers(q float64) int64 { return stats.QuantileMinimum(q, Risk) }

// at is the lowest latency, in seconds, of the bin that holds a rank (1 is the smallest).
func at(bins map[int64]int64, rank int64) float64 {
	var lows []int64
	for low := range bins {
		lows = append(lows, low)
	}
	slices.Sort(lows)
	var below int64
	for _, low := range lows {
		if below += bins[low]; below >= rank {
			return float64(low) / 1e6
		}
	}
	return float64(lows[len(lows)-1]) / 1e6
}
