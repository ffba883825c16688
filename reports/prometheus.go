package reports

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
)

// buckets are the upper bounds of the latency histogram in seconds, from the latency of a hop on loopback to the longest timeout of
// a request. A request that timed out is above them all.
var buckets = []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60}

// Prometheus writes a report in Prometheus' text format, for node_exporter's textfile collector or a Pushgateway. The metrics that
// a run serves while it is running have the same names, and at its end the same values. The error names a stage, phase or check
// that the report has twice.
func Prometheus(w io.Writer, r *Report) error {
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

type collector struct{ report *Report }

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
func Collect(r *Report, to chan<- prometheus.Metric) {
	metricBuild.Emit(to, 1, r.Tool.Version, r.Tool.Go)
	metricRun.Emit(to, 1, r.ID(), r.Target.Kind, strconv.FormatUint(r.Settings.Seed, 10))
	metricRunStart.Emit(to, timestamp(r.Started))
	metricRunSays.emitState(to, r.Verdict)
	if r.Verdict != "" {
		metricRunTook.Emit(to, r.Elapsed)
		metricExit.Emit(to, float64(r.ExitCode()))
	}
	for i := range r.Stages {
		s := &r.Stages[i]
		metricStage.emitState(to, s.Verdict, s.Name)
		for j := range s.Phases {
			collectPhase(&s.Phases[j], s.Name, to)
		}
		collectAmplification(s, to)
		collectChecks(s, to)
	}
}

// ID identifies a run: the second at which it began, and its seed.
func (r *Report) ID() string {
	return r.Started.UTC().Format("20060102T150405Z") + "-" + strconv.FormatUint(r.Settings.Seed, 10)
}

func timestamp(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }

func collectPhase(p *Phase, stage string, to chan<- prometheus.Metric) {
	metricPhase.Emit(to, 1, stage, p.Name, p.Entry)
	if !p.Started.IsZero() {
		metricPhaseStart.Emit(to, timestamp(p.Started), stage, p.Name)
	}
	metricPlanned.Emit(to, float64(p.Planned), stage, p.Name)
	metricRate.Emit(to, p.PlannedRate, stage, p.Name)
	if p.Elapsed > 0 {
		metricPhaseTook.Emit(to, p.Elapsed, stage, p.Name)
		metricApplied.Emit(to, p.Applied, stage, p.Name)
		metricUnsent.Emit(to, float64(p.Unsent), stage, p.Name)
		metricLag.Emit(to, p.LagMedian, stage, p.Name)
		metricLagP99.Emit(to, p.LagP99, stage, p.Name)
	}
	collectLatencies(p, stage, to)
	collectEdges(p, stage, to)
}

// collectLatencies counts requests and sorts their latencies into buckets. A bin that contains the bound of a bucket counts below
// that bound.
func collectLatencies(p *Phase, stage string, to chan<- prometheus.Metric) {
	for _, outcome := range []string{"ok", "failed"} {
		var count uint64
		var sum float64
		cumulative := make(map[float64]uint64, len(buckets))
		for _, bound := range buckets {
			cumulative[bound] = 0
		}
		for bin := range p.bins(outcome) {
			seconds, n := float64(bin[0])/1e6, uint64(max(0, bin[1]))
			count += n
			sum += seconds * float64(n)
			for i := len(buckets) - 1; i >= 0 && seconds <= buckets[i]; i-- {
				cumulative[buckets[i]] += n
			}
		}
		metricRequests.Emit(to, float64(count), stage, p.Name, outcome)
		metricDuration.emitHistogram(to, count, sum, cumulative, stage, p.Name, outcome)
	}
}

// bins yields the bins of all latencies with one outcome, from Distributions where the phase has them, and else from Seconds.
func (p *Phase) bins(outcome string) func(yield func(Bin) bool) {
	return func(yield func(Bin) bool) {
		each := func(bins []Bin) bool {
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
func collectEdges(p *Phase, stage string, to chan<- prometheus.Metric) {
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
		MetricCalls.Emit(to, float64(hops[name].ok), stage, p.Name, name, "ok")
		MetricCalls.Emit(to, float64(hops[name].failed), stage, p.Name, name, "failed")
	}
	for at, calls := range versions {
		MetricAnswers.Emit(to, float64(calls), stage, p.Name, at[0], at[1])
	}
}

func collectAmplification(s *Stage, to chan<- prometheus.Metric) {
	for _, a := range s.Amplification {
		for phase, factor := range map[string]*Factor{"before": a.Before, "after": a.After} {
			if factor != nil {
				metricTries.Emit(to, float64(factor.Tries), s.Name, phase, a.Hop)
				metricFactor.Emit(to, factor.Predicted, s.Name, phase, a.Hop)
			}
		}
	}
}

func collectChecks(s *Stage, to chan<- prometheus.Metric) {
	for i := range s.Checks {
		c := &s.Checks[i]
		for phase, m := range map[string]*Measurement{"before": c.Before, "after": c.After} {
			if m != nil {
				collectMeasurement(c, m, to, s.Name, phase, c.Name)
			}
		}
	}
}

func collectMeasurement(c *Check, m *Measurement, to chan<- prometheus.Metric, labels ...string) {
	metricTrials.Emit(to, float64(m.N), labels...)
	metricCheck.emitState(to, m.Verdict, labels...)
	if m.Verdict != "" && (c.Kind == Exact || c.Kind == Ledger) {
		metricViolations.Emit(to, float64(m.Violations), labels...)
	}
	unit, known := metricsOfUnits[c.Unit]
	if !known {
		return
	}
	unit.predicted.Emit(to, m.Predicted, labels...)
	bound := func(metric *Metric, lo, hi float64) {
		metric.Emit(to, lo, append(labels[:3:3], "lower")...)
		metric.Emit(to, hi, append(labels[:3:3], "upper")...)
	}
	bound(unit.band, m.Band.Lo, m.Band.Hi)
	if m.Measured != nil {
		unit.measured.Emit(to, *m.Measured, labels...)
	}
	if m.Interval != nil && unit.interval != nil {
		bound(unit.interval, m.Interval.Lo, m.Interval.Hi)
	}
}
