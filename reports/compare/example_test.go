package compare

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
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
	mismatched         int64   // calls of middleware that met something else than their rule says
	missing            int64   // retries that the ledger misses
	requests, seconds  int
	old                bool // the report was of schema 1: no request was judged by itself
}

var (
	usual = truth{edge: 0.3, call: 0.0625, canary: 0.2, tries: 1.4, latency: 0.002, noise: 0.1, requests: 3000, seconds: 10}
	// former is usual in a report of schema 1.
	former = func() truth { is := usual; is.old = true; return is }()
)

// draw is the report of one run, with a seed that no other run has.
func (is truth) draw(seed uint64) *reports.Report { return is.again(seed, seed) }

// again is the report of a run with a seed: its requests draw the same as those of any other run with the seed, and what the mesh and
// the machine draw differs from run to run.
func (is truth) again(seed, run uint64) *reports.Report {
	random := rand.New(rand.NewPCG(run, 77))
	r := &reports.Report{Schema: reports.SchemaVersion, Tool: reports.Tool{Name: "hellochaos", Version: "1.0", Go: "go1.26.0", System: "linux/amd64", Processors: 2, Draws: "2"},
		Command: []string{"hellochaos", "run"}, Started: time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC), Target: reports.Target{Kind: "mesh", Detail: "embedded mesh"},
		Scenario: reports.Scenario{Name: "retry", Services: []string{"middleware", "backend"}}, Verdict: verdict(is.mismatched+is.missing == 0), Restored: reports.Restored,
		Settings: reports.Settings{Seed: seed, Fail: 0.3, Cascade: "absorb", Exclude: 0.01, SplitTolerance: stats.Interval{Lo: 0.7, Hi: 1.4}, ManifestsHash: "aa",
			Parameters: map[string]string{"canary-weight": "20"}}}
	if is.old {
		r.UpgradedFrom, r.Tool.Draws = "1.2", ""
		r.Settings.Exclude, r.Settings.SplitTolerance, r.Settings.Parameters = 0, stats.Interval{}, map[string]string{"tolerance": "0.05"}
	}
	for i, name := range []string{"prod", "retry"} {
		r.Phases = append(r.Phases, is.phase(name, rand.New(rand.NewPCG(seed, uint64(i))), random))
	}
	return r
}

func verdict(ok bool) reports.Verdict {
	if ok {
		return reports.Pass
	}
	return reports.Fail
}

// phase is one phase of a run. The requests' own draws are those of a seed; all other numbers are of the run.
func (is truth) phase(name string, draws, random *rand.Rand) reports.Phase {
	p := reports.Phase{Name: name, Entry: "direct", Planned: is.requests, Natural: is.requests, Sent: is.requests, Observed: is.requests,
		PlannedRate: float64(is.requests / is.seconds), LagMedian: 50e-6, LagP99: 500e-6, Base: name == "prod", Verdict: verdict(name == "prod" || is.mismatched+is.missing == 0)}
	is.outcomes(&p, draws)
	is.latencies(&p, random)
	p.Calls = is.calls(&p, name == "retry", random)
	return p
}

// outcomes draws each request: whether it fails at the edge, and else whether its call of backend fails.
func (is truth) outcomes(p *reports.Phase, draws *rand.Rand) {
	var edge, any int64
	for range is.requests {
		atEdge, call, hash := draws.Float64(), draws.Float64(), byte(1+draws.IntN(63))<<2
		switch {
		case atEdge < is.edge:
			edge++
			any++
			hash |= edgeBit | anyBit
		case call < is.call:
			any++
			hash |= anyBit
		}
		p.Outcomes = append(p.Outcomes, hash)
	}
	n := int64(is.requests)
	p.Shares = []reports.Share{counted(reports.EdgeFails, 0.3, edge, n), counted(reports.AnyFails, 0.34375, any, n)}
	if is.old {
		p.Outcomes = nil
	}
}

func counted(name string, predicted float64, k, n int64) reports.Share {
	interval := stats.ClopperPearson(k, n, 0.05)
	return reports.Share{Name: name, Predicted: predicted, K: k, N: n, Measured: value(float64(k) / float64(n)), Interval: &interval}
}

// calls has a row with a split, and one with retries.
func (is truth) calls(p *reports.Phase, judged bool, random *rand.Rand) []reports.Call {
	n := int64(is.requests)
	middleware := reports.Call{From: "edge", To: "middleware", Rule: &reports.Rule{Name: "VirtualService middleware"}, Requests: reports.Pass, Verdict: reports.Pass, Judged: n}
	canary := draw(random, "canary", 0.2, is.canary, n)
	middleware.Split = &reports.Split{Verdict: reports.Pass, Parts: []reports.SplitShare{
		{Share: counted("prod", 0.8, n-canary.K, n), Verdict: reports.Pass}, {Share: canary, Verdict: reports.Pass}}}
	backend := reports.Call{From: "middleware", To: "backend", Rule: &reports.Rule{Name: "VirtualService backend", Retries: 3}, Requests: reports.Pass, Verdict: reports.Pass, Judged: n}
	failed := p.Shares[1].K - p.Shares[0].K
	backend.Fails = counted("fails", 0.0625, failed, n-p.Shares[0].K)
	factor := &reports.Factor{Predicted: 1.4, Requests: n, Tries: int64(is.tries*float64(n) + math.Sqrt(is.tries*float64(n)/2)*random.NormFloat64())}
	factor.Measured = float64(factor.Tries) / float64(n)
	backend.Tries = factor
	if judged {
		middleware.Requests, middleware.Mismatched = verdict(is.mismatched == 0), is.mismatched
		backend.Branches = []reports.Branch{{Name: "answered at try 2", Met: 66, Wanted: 66, Verdict: reports.Pass}, {Name: "all 4 tries fail", Met: 66, Wanted: 66, Verdict: reports.Pass}}
		backend.Ledger = &reports.Ledger{Retries: 900 - is.missing, Failures: 900, Violations: is.missing, Verdict: verdict(is.missing == 0)}
		backend.Waits = []reports.Wait{{Try: 2, N: 300, Predicted: 0.0125, Measured: value(0.0125), Interval: &stats.Interval{Lo: 0.0115, Hi: 0.0136}, Verdict: reports.Pass}}
	}
	if is.old {
		middleware.Requests, backend.Requests, backend.Branches = reports.NotJudged, reports.NotJudged, nil
		middleware.Judged, backend.Judged = 0, 0
		if judged {
			middleware.Requests, middleware.Judged = verdict(is.mismatched == 0), 400
		}
	}
	return []reports.Call{middleware, backend}
}

// draw is a share of n trials that are drawn with a probability.
func draw(random *rand.Rand, name string, predicted, p float64, n int64) reports.Share {
	var k int64
	for range n {
		if random.Float64() < p {
			k++
		}
	}
	return counted(name, predicted, k, n)
}

// latencies are log-normal, with a factor for each second.
func (is truth) latencies(p *reports.Phase, random *rand.Rand) {
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
}

var defaults = Options{Margin: 0.05, LatencyMargin: 0.25, LatencyFloor: 0.001}

// find is the row of a metric ("backend: ledger", or "verdict" of the whole phase), or nil.
func find(c *Comparison, phase, metric string) *Row {
	for i := range c.Rows {
		if c.Rows[i].Phase == phase && c.Rows[i].of() == metric {
			return &c.Rows[i]
		}
	}
	return nil
}

// named is the name of a request.
func named(seed uint64, phase string, number int) string {
	return strconv.FormatUint(seed, 10) + "/" + phase + "/" + strconv.Itoa(number)
}
