package reports

import (
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hellochaos/hellochaos/printable"
)

// Metric is one metric of a run in Prometheus.
type Metric struct {
	Name   string
	Type   string // "counter", "gauge" or "histogram"
	Help   string
	Labels []string

	description *prometheus.Desc
}

// NewMetric returns a metric with these labels. It is a counter where its name ends in _total, and else a gauge.
func NewMetric(name, help string, labels ...string) *Metric {
	m := &Metric{Name: name, Help: help, Labels: labels, Type: "gauge"}
	if strings.HasSuffix(name, "_total") {
		m.Type = "counter"
	}
	m.description = prometheus.NewDesc(name, help, labels, nil)
	return m
}

// Describe sends the metric's description.
func (m *Metric) Describe(to chan<- *prometheus.Desc) { to <- m.description }

// Emit sends one value, with the values of the labels in their order.
func (m *Metric) Emit(to chan<- prometheus.Metric, value float64, labels ...string) {
	kind := prometheus.GaugeValue
	if m.Type == "counter" {
		kind = prometheus.CounterValue
	}
	metric, err := prometheus.NewConstMetric(m.description, kind, value, valid(labels)...)
	if err != nil { // Only a mistake in this program leads here. Gathering the metrics will return the error.
		metric = prometheus.NewInvalidMetric(m.description, err)
	}
	to <- metric
}

// emitHistogram sends a histogram of count values. buckets has the cumulative counts by upper bound.
func (m *Metric) emitHistogram(to chan<- prometheus.Metric, count uint64, sum float64, buckets map[float64]uint64, labels ...string) {
	metric, err := prometheus.NewConstHistogram(m.description, count, sum, buckets, valid(labels)...)
	if err != nil {
		metric = prometheus.NewInvalidMetric(m.description, err)
	}
	to <- metric
}

// emitState sends one series for each verdict, 1 for the one that holds and 0 for the others.
func (m *Metric) emitState(to chan<- prometheus.Metric, v Verdict, labels ...string) {
	if v == "" {
		v = pending
	}
	for _, state := range []Verdict{Pass, Fail, Inconclusive, pending} {
		value := 0.0
		if state == v {
			value = 1
		}
		m.Emit(to, value, append(slices.Clone(labels), string(state))...)
	}
}

// pending is the state of what has no verdict yet.
const pending Verdict = "pending"

// valid returns labels in UTF-8, which Prometheus requires, with control characters escaped.
func valid(labels []string) []string {
	all := make([]string, len(labels))
	for i, l := range labels {
		all[i] = printable.Line(strings.ToValidUTF8(l, "\uFFFD"))
	}
	return all
}

// The metrics of a run that a report has. Shares are ratios in [0,1].
var (
	metricBuild    = NewMetric("hellochaos_build_info", "Always 1. The labels are the versions of hellochaos and of Go.", "version", "goversion")
	metricRun      = NewMetric("hellochaos_run_info", "Always 1. The labels are the run's id, the kind of its target, and its seed.", "run", "target", "seed")
	metricRunStart = NewMetric("hellochaos_run_start_timestamp_seconds", "The time at which the run began, in seconds since 1970.")
	metricRunTook  = NewMetric("hellochaos_run_duration_seconds", "How long the run took, once it has ended.")
	metricRunSays  = NewMetric("hellochaos_run_verdict", "1 for the run's verdict, 0 for the others; pending until it has ended.", "verdict")
	metricExit     = NewMetric("hellochaos_run_exit_code", "The exit code that follows from the run's report, once it has ended: 0 is a pass.")
	metricStage    = NewMetric("hellochaos_stage_verdict", "1 for the stage's verdict, 0 for the others; pending until both phases are measured.", "stage", "verdict")

	metricPhase      = NewMetric("hellochaos_phase_info", "Always 1. The label entry is the place at which requests enter the chain.", "stage", "phase", "entry")
	metricPhaseStart = NewMetric("hellochaos_phase_start_timestamp_seconds", "The time at which the phase's first request was due, in seconds since 1970.", "stage", "phase")
	metricPhaseTook  = NewMetric("hellochaos_phase_duration_seconds", "How long the phase sent requests and waited for answers, once it has ended.", "stage", "phase")
	metricApplied    = NewMetric("hellochaos_phase_apply_duration_seconds", "How long new requests took to obey the phase's manifests.", "stage", "phase")
	metricPlanned    = NewMetric("hellochaos_phase_planned_requests", "The largest number of requests that the phase sends.", "stage", "phase")
	metricUnsent     = NewMetric("hellochaos_phase_unsent_requests", "Requests that were due and never sent, once the phase has ended.", "stage", "phase")
	metricRate       = NewMetric("hellochaos_phase_planned_requests_per_second", "The rate at which requests are due.", "stage", "phase")
	metricLag        = NewMetric("hellochaos_phase_lag_median_seconds", "How late requests were sent after they were due (median), once the phase has ended.", "stage", "phase")
	metricLagP99     = NewMetric("hellochaos_phase_lag_p99_seconds", "How late requests were sent after they were due (99th percentile), once the phase has ended.", "stage", "phase")

	metricRequests = NewMetric("hellochaos_requests_total", "Requests that have ended, by outcome: ok, or failed at the edge (5xx, timeout, no answer).", "stage", "phase", "outcome")
	metricDuration = histogram("hellochaos_request_duration_seconds", "Seconds from sending a request to the end of its answer. The error is below 1 %, the sum at most 1 % too low; a timeout counts as 100 s.", "stage", "phase", "outcome")
	MetricCalls    = NewMetric("hellochaos_hop_calls_total", "Calls to a hop that answers at the edge report, as the caller saw them: a call with all its tries counts once.", "stage", "phase", "hop", "outcome")
	MetricAnswers  = NewMetric("hellochaos_hop_answers_total", "Calls that a version of the hop answered.", "stage", "phase", "hop", "version")
	metricTries    = NewMetric("hellochaos_hop_tries_total", "Tries that the hop received, by its own count, once the phase has ended.", "stage", "phase", "hop")
	metricFactor   = NewMetric("hellochaos_hop_predicted_amplification_ratio", "Tries per request at the edge that the manifests predict.", "stage", "phase", "hop")

	metricTrials     = NewMetric("hellochaos_check_trials", "Trials that a check has counted.", "stage", "phase", "check")
	metricViolations = NewMetric("hellochaos_check_violations", "Violations of an exact check or a ledger, once the phase has ended.", "stage", "phase", "check")
	metricCheck      = NewMetric("hellochaos_check_verdict", "1 for the check's verdict on the phase, 0 for the others; pending until it is decided.", "stage", "phase", "check", "verdict")
	metricsOfUnits   = map[string]unitMetrics{"share": newUnitMetrics("ratio"), "seconds": newUnitMetrics("seconds"), "retries": newUnitMetrics("retries")}
)

// unitMetrics are a check's numbers in one unit: one metric must not mix units.
type unitMetrics struct{ measured, predicted, band, interval *Metric }

func newUnitMetrics(unit string) unitMetrics {
	m := unitMetrics{
		measured:  NewMetric("hellochaos_check_measured_"+unit, "The value that a check has measured so far. It is absent where there are no data.", "stage", "phase", "check"),
		predicted: NewMetric("hellochaos_check_predicted_"+unit, "The value that the manifests predict.", "stage", "phase", "check"),
		band:      NewMetric("hellochaos_check_band_"+unit, "The ends of the band around the prediction in which the measured value must lie.", "stage", "phase", "check", "bound"),
	}
	if unit != "retries" { // Retries are counted one by one, so there is no interval.
		m.interval = NewMetric("hellochaos_check_interval_"+unit, "The ends of the confidence interval so far.", "stage", "phase", "check", "bound")
	}
	return m
}

func histogram(name, help string, labels ...string) *Metric {
	m := NewMetric(name, help, labels...)
	m.Type = "histogram"
	return m
}

// Metrics returns all metrics that Collect sends and Prometheus writes.
func Metrics() []*Metric {
	all := []*Metric{
		metricBuild, metricRun, metricRunStart, metricRunTook, metricRunSays, metricExit, metricStage,
		metricPhase, metricPhaseStart, metricPhaseTook, metricApplied, metricPlanned, metricUnsent, metricRate, metricLag, metricLagP99,
		metricRequests, metricDuration, MetricCalls, MetricAnswers, metricTries, metricFactor,
		metricTrials, metricViolations, metricCheck,
	}
	for _, unit := range []string{"share", "seconds", "retries"} {
		m := metricsOfUnits[unit]
		all = append(all, m.measured, m.predicted, m.band)
		if m.interval != nil {
			all = append(all, m.interval)
		}
	}
	return all
}
