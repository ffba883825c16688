package compare

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/stats"
)

// truth is what a run is drawn from.
type truth struct {
	edge, call, canary float64 // shares
	tries              float64 // of the backend per request
	latency            float64 // seconds, the median of answers that are ok
	noise              float64 // standard deviation of a second's factor, as a logarithm
	violations         int64   // of the header route
	missing            int64   // retries that the ledger misses
	requests, seconds  int
}

var usual = truth{edge: 0.3, call: 0.0625, canary: 0.2, tries: 1.4, latency: 0.002, noise: 0.1, requests: 3000, seconds: 10}

// draw is the report of one run.
func (is truth) draw(seed uint64) *reports.Report {
	random := rand.New(rand.NewPCG(seed, 77))
	stage := reports.Stage{Name: "retry", Verdict: reports.Pass, Policies: []reports.Policy{{Hop: "backend", Retries: 3}},
		Amplification: []reports.Amplification{{Hop: "backend"}}}
	r := &reports.Report{Schema: reports.SchemaVersion, Tool: reports.Tool{Name: "hellochaos", Version: "1.0", Go: "go1.26.0", System: "linux/amd64", Processors: 2},
		Command: []string{"hellochaos", "run"}, Started: time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC), Target: reports.Target{Kind: "mesh", Detail: "embedded mesh"},
		Settings: reports.Settings{Seed: seed, Fail: 0.3, Cascade: "absorb", Tolerance: 0.05, ManifestsHash: "aa"}, Verdict: reports.Pass, Restored: reports.Restored}
	n := int64(is.requests)
	for _, phase := range []string{"before", "after"} {
		stage.Phases = append(stage.Phases, is.phase(phase, random))
		factor := &reports.Factor{Requests: n, Tries: int64(is.tries*float64(n) + math.Sqrt(is.tries*float64(n)/2)*random.NormFloat64())}
		factor.Measured = float64(factor.Tries) / float64(n)
		if phase == "before" {
			stage.Amplification[0].Before = factor
		} else {
			stage.Amplification[0].After = factor
		}
	}
	share := func(name string, predicted, p float64) reports.Check {
		return reports.Check{Name: name, Kind: reports.Proportion, Unit: "share", Verdict: reports.Pass,
			Before: drawn(random, predicted, p, n), After: drawn(random, predicted, p, n)}
	}
	stage.Checks = []reports.Check{
		share("edge fails", 0.3, is.edge), share("backend call fails", 0.0625, is.call), share("canary share", 0.2, is.canary),
		{Name: "canary, exact header", Kind: reports.Exact, Unit: "share", Verdict: verdict(is.violations == 0), After: &reports.Measurement{Predicted: 1,
			Band: stats.Interval{Lo: 1, Hi: 1}, K: 400 - is.violations, N: 400, Measured: value(1 - float64(is.violations)/400), Violations: is.violations, Verdict: verdict(is.violations == 0)}},
		{Name: "backend ledger", Kind: reports.Ledger, Unit: "retries", Verdict: verdict(is.missing == 0), After: &reports.Measurement{Measured: value(float64(900 - is.missing)),
			K: 900 - is.missing, N: 900, Violations: is.missing, Verdict: verdict(is.missing == 0)}},
		{Name: "backend wait, try 2", Kind: reports.Median, Unit: "seconds", Verdict: reports.Pass, After: &reports.Measurement{Predicted: 0.0125, N: 300,
			Band: stats.Interval{Lo: 0.00625, Hi: 0.025}, Measured: value(0.0125), Interval: &stats.Interval{Lo: 0.0115, Hi: 0.0136}, Verdict: reports.Pass}},
	}
	r.Stages = []reports.Stage{stage}
	return r
}

func verdict(ok bool) reports.Verdict {
	if ok {
		return reports.Pass
	}
	return reports.Fail
}

func drawn(random *rand.Rand, predicted, p float64, n int64) *reports.Measurement {
	var k int64
	for range n {
		if random.Float64() < p {
			k++
		}
	}
	interval := stats.ClopperPearson(k, n, 0.04)
	return &reports.Measurement{Predicted: predicted, Band: stats.Band(predicted, 0.05), Measured: value(float64(k) / float64(n)),
		Interval: &interval, K: k, N: n, Verdict: reports.Pass}
}

// phase has latencies that are log-normal, with a factor for each second.
func (is truth) phase(name string, random *rand.Rand) reports.Phase {
	p := reports.Phase{Name: name, Entry: "direct", Planned: is.requests, Sent: is.requests, Observed: is.requests,
		PlannedRate: float64(is.requests / is.seconds), LagMedian: 50e-6, LagP99: 500e-6}
	for second := range is.seconds {
		factor := math.Exp(is.noise * random.NormFloat64())
		count := map[int64]int64{}
		for range is.requests / is.seconds {
			// Bins of 1 %, as a histogram has them.
			micros := 1e6 * is.latency * factor * math.Exp(0.4*random.NormFloat64())
			count[int64(math.Exp(math.Floor(math.Log(micros)*100)/100))]++
		}
		s := reports.Second{Number: second}
		for micros, n := range count {
			s.OK = append(s.OK, reports.Bin{micros, n})
		}
		slices.SortFunc(s.OK, func(a, b reports.Bin) int { return int(a[0] - b[0]) })
		p.Seconds = append(p.Seconds, s)
	}
	return p
}

var defaults = Options{Margin: 0.05, LatencyMargin: 0.25, LatencyFloor: 0.001}

// find is the row of a metric, or nil.
func find(c *Comparison, phase, metric string) *Row {
	for i := range c.Rows {
		if c.Rows[i].Phase == phase && c.Rows[i].Metric == metric {
			return &c.Rows[i]
		}
	}
	return nil
}
