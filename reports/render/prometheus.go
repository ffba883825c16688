package render

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"github.com/hellochaos/hellochaos/reports"
)

// buckets are the upper bounds of the latency histogram in seconds, from the latency of a hop on loopback to the longest timeout of
// a request. A request that timed out is above them all.
var buckets = []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60}

// Prometheus writes a report in Prometheus' text format, for node_exporter's textfile collector or a Pushgateway. The metrics that
// a run serves while it is running have the same names, and at its end the same values. The error names a phase or check
// that the report has twice.
func Prometheus(w io.Writer, r *reports.Report) error {
	registry := prometheus.NewRegistry()
	if err := registry.Register(collector{r}); err != nil {
		return fmt.Errorf("writing the report for Prometheus: %w", err)
	}
	families, err := registry.Gather()
	if err != nil {
		return fmt.Errorf("writing the report for Prometheus: %w", err)
	}
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(w, family); err != nil {
			return fmt.Errorf("writing the report for Prometheus: %w", err)
		}
	}
	return nil
}

type collector struct{ report *reports.Report }

func (c collector) Describe(to chan<- *prometheus.Desc) { Describe(to) }
func (c collector) Collect(to chan<- prometheus.Metric) { Collect(c.report, to) }

// Describe sends the descriptions of all that Collect sends.
func Describe(to chan<- *prometheus.Desc) {
	for _, m := range Metrics() {
		m.Describe(to)
	}
}

// Collect sends the metrics of a report. The run may not have ended: then a verdict is pending where there is none yet, and metrics
// whose values are not known yet are left out.
func Collect(r *reports.Report, to chan<- prometheus.Metric) {
	metricBuild.Emit(to, 1, r.Tool.Version, r.Tool.Go)
	metricRun.Emit(to, 1, r.ID(), r.Target.Kind, strconv.FormatUint(r.Settings.Seed, 10))
	metricRunStart.Emit(to, timestamp(r.Started))
	metricRunSays.emitState(to, states, r.Verdict)
	if r.Verdict != "" {
		metricRunTook.Emit(to, r.Elapsed)
		metricExit.Emit(to, float64(r.ExitCode()))
		for _, severity := range []reports.Severity{reports.SeverityError, reports.SeverityWarning} {
			n := 0
			for i := range r.Findings {
				if r.Findings[i].Severity == severity {
					n++
				}
			}
			metricFinds.Emit(to, float64(n), string(severity))
		}
	}
	for i := range r.Changes {
		collectChange(&r.Changes[i], to)
	}
	for i := range r.Phases {
		collectPhase(&r.Phases[i], to)
	}
}

func timestamp(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }

func collectPhase(p *reports.Phase, to chan<- prometheus.Metric) {
	metricPhase.Emit(to, 1, p.Name, p.Entry)
	metricPhaseSays.emitState(to, states, p.Verdict, p.Name)
	if !p.Started.IsZero() {
		metricPhaseStart.Emit(to, timestamp(p.Started), p.Name)
	}
	metricPlanned.Emit(to, float64(p.Planned), p.Name)
	metricObserved.Emit(to, float64(p.Observed), p.Name)
	metricRate.Emit(to, p.PlannedRate, p.Name)
	collectLatencies(p, to)
	collectEdges(p, to)
	for i := range p.Shares {
		collectShare(&p.Shares[i], to, p.Name, p.Shares[i].Name)
	}
	if p.Verdict == "" {
		return
	}
	metricPhaseTook.Emit(to, p.Elapsed, p.Name)
	metricApplied.Emit(to, p.Applied, p.Name)
	metricUnsent.Emit(to, float64(p.Unsent), p.Name)
	metricLag.Emit(to, p.LagMedian, p.Name)
	metricLagP99.Emit(to, p.LagP99, p.Name)
	met, branches := p.Coverage()
	metricMet.Emit(to, float64(met), p.Name)
	metricBranches.Emit(to, float64(branches), p.Name)
	collectMismatches(p, to)
	collectTries(p, to)
	for i := range p.Calls {
		collectCall(p, &p.Calls[i], to)
	}
	for _, check := range p.Checks() {
		metricCheck.emitState(to, checkStates, check.Verdict, p.Name, check.Name)
	}
}

// collectLatencies counts requests and sorts their latencies into buckets. A bin that contains the bound of a bucket counts below
// that bound.
func collectLatencies(p *reports.Phase, to chan<- prometheus.Metric) {
	for _, outcome := range []string{"ok", "failed"} {
		var count uint64
		var sum float64
		cumulative := make(map[float64]uint64, len(buckets))
		for _, bound := range buckets {
			cumulative[bound] = 0
		}
		for bin := range bins(p, outcome) {
			seconds, n := float64(bin[0])/1e6, uint64(max(0, bin[1]))
			count += n
			sum += seconds * float64(n)
			for i := len(buckets) - 1; i >= 0 && seconds <= buckets[i]; i-- {
				cumulative[buckets[i]] += n
			}
		}
		metricRequests.Emit(to, float64(count), p.Name, outcome)
		metricDuration.emitHistogram(to, count, sum, cumulative, p.Name, outcome)
	}
}

// bins yields the bins of all latencies with one outcome, from Distributions where the phase has them, and else from Seconds.
func bins(p *reports.Phase, outcome string) func(yield func(reports.Bin) bool) {
	return func(yield func(reports.Bin) bool) {
		each := func(bins []reports.Bin) bool {
			for _, b := range bins {
				if !yield(b) {
					return false
				}
			}
			return true
		}
		for _, d := range p.Distributions {
			if d.Outcome == outcome && !each(d.Bins) {
				return
			}
		}
		if len(p.Distributions) > 0 {
			return
		}
		for _, s := range p.Seconds {
			if outcome == "ok" && !each(s.OK) || outcome == "failed" && !each(s.Failed) {
				return
			}
		}
	}
}

// collectEdges sums the arrows of the service graph by the hop that was called.
func collectEdges(p *reports.Phase, to chan<- prometheus.Metric) {
	type hop struct{ ok, failed int64 }
	hops, order := map[string]*hop{}, []string{}
	versions := map[[2]string]int64{}
	for _, e := range p.Edges {
		if hops[e.To] == nil {
			hops[e.To] = &hop{}
			order = append(order, e.To)
		}
		hops[e.To].ok += e.Calls - e.Failed
		hops[e.To].failed += e.Failed
		if e.Version != "" {
			versions[[2]string{e.To, e.Version}] += e.Calls
		}
	}
	for _, name := range order {
		MetricCalls.Emit(to, float64(hops[name].ok), p.Name, name, "ok")
		MetricCalls.Emit(to, float64(hops[name].failed), p.Name, name, "failed")
	}
	for at, calls := range versions {
		MetricAnswers.Emit(to, float64(calls), p.Name, at[0], at[1])
	}
}

// collectMismatches sums the mismatches by kind.
func collectMismatches(p *reports.Phase, to chan<- prometheus.Metric) {
	kinds := map[string]int64{}
	for i := range p.Mismatches {
		kinds[p.Mismatches[i].Kind] += p.Mismatches[i].Count
	}
	for kind, n := range kinds {
		MetricMismatches.Emit(to, float64(n), p.Name, kind)
	}
}

// collectTries sends the tries of each service that counted some.
func collectTries(p *reports.Phase, to chan<- prometheus.Metric) {
	hops := map[string]*reports.Factor{}
	for i := range p.Calls {
		if c := &p.Calls[i]; c.Tries != nil {
			if hops[c.To] == nil {
				hops[c.To] = &reports.Factor{}
			}
			hops[c.To].Tries += c.Tries.Tries
			hops[c.To].Predicted += c.Tries.Predicted
		}
	}
	for hop, f := range hops {
		metricTries.Emit(to, float64(f.Tries), p.Name, hop)
		metricFactor.Emit(to, f.Predicted, p.Name, hop)
	}
}

// collectShare sends a share of a phase.
func collectShare(s *reports.Share, to chan<- prometheus.Metric, phase, name string) {
	metricPredicts.Emit(to, s.Predicted, phase, name)
	if s.Measured != nil {
		MetricShare.Emit(to, *s.Measured, phase, name)
	}
	if s.Interval != nil {
		metricInterval.Emit(to, s.Interval.Lo, phase, name, "lower")
		metricInterval.Emit(to, s.Interval.Hi, phase, name, "upper")
	}
}

// collectCall sends what was judged of the calls of a row.
func collectCall(p *reports.Phase, c *reports.Call, to chan<- prometheus.Metric) {
	name := p.Label(c)
	metricJudged.Emit(to, float64(c.Judged), p.Name, name)
	metricMismatched.Emit(to, float64(c.Mismatched), p.Name, name)
	metricOpen.Emit(to, float64(c.Open), p.Name, name)
	if c.Excludes != nil {
		metricExcluded.Emit(to, *c.Excludes, p.Name, name)
	}
	collectShare(&c.Fails, to, p.Name, name+": fails")
	if c.Split != nil {
		for i := range c.Split.Parts {
			part := &c.Split.Parts[i]
			collectShare(&part.Share, to, p.Name, name+": to "+part.Name)
		}
	}
	for i := range c.Waits {
		w := &c.Waits[i]
		metricWaitSays.Emit(to, w.Predicted, p.Name, name, strconv.Itoa(w.Try))
		if w.Measured != nil {
			metricWait.Emit(to, *w.Measured, p.Name, name, strconv.Itoa(w.Try))
		}
	}
	if c.Ledger != nil {
		metricRetries.Emit(to, float64(c.Ledger.Retries), p.Name, name)
		metricFailures.Emit(to, float64(c.Ledger.Failures), p.Name, name)
		metricViolations.Emit(to, float64(c.Ledger.Violations), p.Name, name)
	}
}
