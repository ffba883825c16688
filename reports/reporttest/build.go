// Package reporttest builds reports for tests: the reports of runs that passed, failed or did not end well, with numbers that belong
// together, and one report in which every field has a value. It knows the types of a report and nothing else; the tests of the
// packages that read, render, compare or send reports use it.
package reporttest

import (
	"fmt"
	"math"
	"time"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/stats"
)

// pointer returns a pointer to a value.
func pointer[T any](v T) *T { return &v }

// share is a share of n trials of which as many are hits as the prediction says, rounded.
func share(name string, predicted float64, n int64) reports.Share {
	k := int64(math.Round(predicted * float64(n)))
	return counted(name, predicted, k, n)
}

// counted is a share of k hits among n trials.
func counted(name string, predicted float64, k, n int64) reports.Share {
	s := reports.Share{Name: name, Predicted: predicted, K: k, N: n}
	if n > 0 {
		s.Measured = pointer(float64(k) / float64(n))
		s.Interval = pointer(stats.ClopperPearson(k, n, 0.05))
	}
	return s
}

// factor is a number of tries for each of n requests.
func factor(predicted float64, n int64) *reports.Factor {
	tries := int64(math.Round(predicted * float64(n)))
	return &reports.Factor{Predicted: predicted, Measured: float64(tries) / float64(n), Tries: tries, Requests: n}
}

// retries is the rule of the stage retry for a service.
func retries(service, subset string, line int) *reports.Rule {
	rule := &reports.Rule{Name: "VirtualService " + service + ", http[0]", File: "retry.yaml", Line: line, Policy: "3 retries on 5xx", Retries: 3,
		RetryOn: "5xx,connect-failure,refused-stream", Covers500: true, PerTry: 2}
	name := service
	if subset != "" {
		rule.Policy += ", to " + subset
		name += " subset " + subset
	}
	rule.Destinations = []reports.Destination{{Name: name, Share: 1, Versions: []string{"prod"}}}
	return rule
}

// noRule is what holds for calls without a rule.
func noRule(service string, versions ...string) *reports.Rule {
	return &reports.Rule{Name: "no rule", Policy: "no retries on 500", Retries: 2, RetryOn: "connect-failure,refused-stream,unavailable,cancelled",
		Destinations: []reports.Destination{{Name: service, Share: 1, Versions: versions}}}
}

// passing is calls that met their rule, shown natural calls of which as many failed as predicted.
func passing(from, to string, rule *reports.Rule, fails float64, shown int64) reports.Call {
	return reports.Call{From: from, To: to, Rule: rule, Fails: share("fails", fails, shown), Judged: shown, Requests: reports.Pass, Verdict: reports.Pass}
}

// withTries adds the tries that the called service counted for n requests.
func withTries(c reports.Call, predicted float64, n int64) reports.Call {
	c.Tries = factor(predicted, n)
	return c
}

// probed adds what the probes of a rule of retries showed: each branch, the waits and the ledger.
func probed(c reports.Call, retries int) reports.Call {
	c.Judged += 1380
	c.Decisive = 690
	c.Excludes = pointer(stats.ZeroFailureBound(c.Decisive, 0.001))
	for try := 1; try <= retries+1; try++ {
		c.Branches = append(c.Branches, reports.Branch{Name: fmt.Sprintf("answered at try %d", try), Met: int64(160 + 10*try), Wanted: 66, Verdict: reports.Pass})
	}
	c.Branches = append(c.Branches, reports.Branch{Name: fmt.Sprintf("all %d tries fail", retries+1), Met: 212, Wanted: 66, Verdict: reports.Pass})
	for i, predicted := range []float64{0.0125, 0.0375, 0.0875}[:retries] {
		c.Waits = append(c.Waits, reports.Wait{Try: i + 2, N: int64(170 + 10*i), Predicted: predicted, Measured: pointer(predicted - 0.0002), Distance: 0.011, Limit: 0.09, Verdict: reports.Pass})
	}
	c.Ledger = &reports.Ledger{Retries: 1357, Failures: 1357, Verdict: reports.Pass, Attempts: []reports.Tries{
		{Attempt: 1, Received: 1880, Retryable: 830}, {Attempt: 2, Received: 830, Retryable: 375}, {Attempt: 3, Received: 375, Retryable: 152}, {Attempt: 4, Received: 152},
	}}
	return c
}

// led adds what the probes of a rule showed that says where calls go.
func led(c reports.Call, decisive int64, branches ...string) reports.Call {
	c.Judged += decisive
	c.Decisive = decisive
	c.Excludes = pointer(stats.ZeroFailureBound(decisive, 0.001))
	for _, name := range branches {
		c.Branches = append(c.Branches, reports.Branch{Name: name, Met: decisive / int64(len(branches)), Wanted: 66, Verdict: reports.Pass})
	}
	return c
}

// Started is when the runs of this package began.
var Started = time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC)

// newReport is a report without phases that passed.
func newReport(command ...string) *reports.Report {
	return &reports.Report{
		Schema: reports.SchemaVersion, Started: Started, Elapsed: 2.04, Verdict: reports.Pass, Restored: reports.Restored,
		Tool:     reports.Tool{Name: "hellochaos", Version: "v1.2.3", Go: "go1.26.0", System: "linux/amd64", Processors: 2},
		Command:  append([]string{"hellochaos", "run"}, command...),
		Target:   reports.Target{Kind: "mesh", Detail: "embedded mesh"},
		Settings: reports.Settings{Seed: 7, Fail: 0.5, Cascade: "absorb", Exclude: 0.01, SplitTolerance: stats.Interval{Lo: 0.7, Hi: 1.4}, ManifestsHash: "c0ffee"},
		Scenario: reports.Scenario{Services: []string{"frontend", "middleware", "backend"}},
	}
}

// newPhase is a phase without calls that passed: natural requests and probes, which were all sent.
func newPhase(name, title, entry string, natural, probes int) reports.Phase {
	p := reports.Phase{Name: name, Title: title, Verdict: reports.Pass, Entry: entry, Started: Started.Add(time.Second / 4), Way: "loopback", Applied: 0.02, Elapsed: 0.9,
		Planned: natural + probes, Natural: natural, Probes: probes, Sent: natural + probes, Observed: natural + probes, PlannedRate: 1500, AchievedRate: 1498.2,
		LagMedian: 0.0002, LagP99: 0.0011, Base: probes == 0}
	good, bad := int64(natural/4), int64(natural/4)
	for second := range 2 {
		p.Seconds = append(p.Seconds, reports.Second{Number: second, OK: []reports.Bin{{1200, good - 5}, {14500, 5}}, Failed: []reports.Bin{{400, bad}}})
	}
	p.Distributions = []reports.Distribution{{Outcome: "ok", Tries: 1, Bins: []reports.Bin{{1200, 2 * (good - 5)}, {14500, 10}}}, {Outcome: "failed", Bins: []reports.Bin{{400, 2 * bad}}}}
	p.Latency = []reports.Latency{
		{Outcome: "ok", Quantile: 0.5, Value: 0.0012, Interval: &stats.Interval{Lo: 0.0011, Hi: 0.0013}, N: 2 * good},
		{Outcome: "ok", Quantile: 0.99, Value: 0.0145, N: 2 * good}, {Outcome: "failed", Quantile: 0.5, Value: 0.0004, N: 2 * bad},
	}
	for i := range natural {
		p.Outcomes = append(p.Outcomes, byte(i%2)*3|byte(i%7)<<2)
	}
	return p
}

// shares are those of the edge and of any service.
func shares(edge, any float64, n int64) []reports.Share {
	return []reports.Share{share("edge fails", edge, n), share("any of ours fails", any, n)}
}
