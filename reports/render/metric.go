package render

import (
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hellochaos/hellochaos/printable"
	"github.com/hellochaos/hellochaos/reports"
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

// emitState sends one series for each of the states, 1 for the one that holds and 0 for the others.
func (m *Metric) emitState(to chan<- prometheus.Metric, states []reports.Verdict, v reports.Verdict, labels ...string) {
	if v == "" {
		v = pending
	}
	for _, state := range states {
		value := 0.0
		if state == v {
			value = 1
		}
		m.Emit(to, value, append(slices.Clone(labels), string(state))...)
	}
}

// pending is the state of what has no verdict yet.
const pending reports.Verdict = "pending"

// states are the states of a run and of a phase, which end with a verdict; checkStates are those of a check, which has one when it is there.
var (
	states      = []reports.Verdict{reports.Pass, reports.Fail, reports.Inconclusive, pending}
	checkStates = []reports.Verdict{reports.Pass, reports.Fail, reports.Inconclusive, reports.NotJudged}
)

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
	metricFinds    = NewMetric("hellochaos_findings", "What is wrong with the manifests, by severity, once the run has ended.", "severity")

	metricPhase      = NewMetric("hellochaos_phase_info", "Always 1. The label entry is the place at which requests enter.", "phase", "entry")
	metricPhaseSays  = NewMetric("hellochaos_phase_verdict", "1 for the phase's verdict, 0 for the others; pending until it has ended.", "phase", "verdict")
	metricPhaseStart = NewMetric("hellochaos_phase_start_timestamp_seconds", "The time at which the phase's first request was due, in seconds since 1970.", "phase")
	metricPhaseTook  = NewMetric("hellochaos_phase_duration_seconds", "How long the phase sent requests and waited for answers, once it has ended.", "phase")
	metricApplied    = NewMetric("hellochaos_phase_apply_duration_seconds", "How long new requests took to obey the phase's manifests.", "phase")
	metricPlanned    = NewMetric("hellochaos_phase_planned_requests", "The largest number of requests that the phase sends, natural ones and probes.", "phase")
	metricObserved   = NewMetric("hellochaos_phase_observed_requests", "Requests that have ended, natural ones and probes.", "phase")
	metricUnsent     = NewMetric("hellochaos_phase_unsent_requests", "Requests that were due and never sent, once the phase has ended.", "phase")
	metricRate       = NewMetric("hellochaos_phase_planned_requests_per_second", "The rate at which requests are due.", "phase")
	metricLag        = NewMetric("hellochaos_phase_lag_median_seconds", "How late requests were sent after they were due (median), once the phase has ended.", "phase")
	metricLagP99     = NewMetric("hellochaos_phase_lag_p99_seconds", "How late requests were sent after they were due (99th percentile), once the phase has ended.", "phase")
	metricMet        = NewMetric("hellochaos_phase_branches_met", "Branches of the phase's rules that requests met, once the phase has ended.", "phase")
	metricBranches   = NewMetric("hellochaos_phase_branches", "Branches that the phase's rules have, once the phase has ended.", "phase")

	metricChangeSays = NewMetric("hellochaos_change_verdict", "1 for the verdict on the change from the objects of one phase to those of another under load, 0 for the others.", "from", "to", "verdict")
	metricChanged    = NewMetric("hellochaos_change_calls_total", "Calls that were judged while rules changed.", "from", "to")
	metricChangeLost = NewMetric("hellochaos_change_wrong_calls_total", "Those of them that met what they must not, by kind.", "from", "to", "kind")
	metricChangeLast = NewMetric("hellochaos_change_last_old_answer_seconds", "When the last answer by the old rules was there, since the objects began to be applied.", "from", "to", "proxy")

	metricRequests = NewMetric("hellochaos_requests_total", "Natural requests that have ended, by outcome: ok, or failed at the edge (5xx, timeout, no answer).", "phase", "outcome")
	metricDuration = histogram("hellochaos_request_duration_seconds", "Seconds from sending a natural request to the end of its answer. The error is below 1 %, the sum at most 1 % too low; a timeout counts as 100 s.", "phase", "outcome")
	MetricCalls    = NewMetric("hellochaos_hop_calls_total", "Calls to a hop that answers of natural requests report, as the caller saw them: a call with all its tries counts once.", "phase", "hop", "outcome")
	MetricAnswers  = NewMetric("hellochaos_hop_answers_total", "Calls that a version of the hop answered.", "phase", "hop", "version")
	metricTries    = NewMetric("hellochaos_hop_tries_total", "Tries of natural requests that the hop received, by its own count, once the phase has ended.", "phase", "hop")
	metricFactor   = NewMetric("hellochaos_hop_predicted_amplification_ratio", "Tries per natural request that the manifests predict.", "phase", "hop")

	MetricMismatches = NewMetric("hellochaos_mismatches_total", "Calls that met something else than the manifests say, by kind.", "phase", "kind")
	metricJudged     = NewMetric("hellochaos_call_judged_total", "Calls of natural requests and probes that were held against the manifests, once the phase has ended.", "phase", "call")
	metricMismatched = NewMetric("hellochaos_call_mismatched_total", "Calls that met something else than their rule says, once the phase has ended.", "phase", "call")
	metricOpen       = NewMetric("hellochaos_call_open_total", "Calls that a time limit may have decided, once the phase has ended.", "phase", "call")
	metricExcluded   = NewMetric("hellochaos_call_excluded_ratio", "The share of deviating calls that one run in 1,000 would miss.", "phase", "call")
	metricCheck      = NewMetric("hellochaos_check_verdict", "1 for the check's verdict, 0 for the others, once the phase has ended.", "phase", "check", "verdict")

	// MetricShare is sent while a phase runs as well.
	MetricShare    = NewMetric("hellochaos_share_measured_ratio", "A share of the natural requests or of their calls, as measured so far: of those that fail, or that lead to a destination.", "phase", "share")
	metricPredicts = NewMetric("hellochaos_share_predicted_ratio", "The share that the manifests predict.", "phase", "share")
	metricInterval = NewMetric("hellochaos_share_interval_ratio", "The ends of the 95 % interval of the share.", "phase", "share", "bound")

	metricWait       = NewMetric("hellochaos_wait_measured_seconds", "The median of the waits that retries added before a try.", "phase", "call", "try")
	metricWaitSays   = NewMetric("hellochaos_wait_predicted_seconds", "The median that the policy predicts.", "phase", "call", "try")
	metricRetries    = NewMetric("hellochaos_ledger_retries_total", "Retries that the called service counted.", "phase", "call")
	metricFailures   = NewMetric("hellochaos_ledger_failures_total", "Failed tries that it counted and that the policy sends again.", "phase", "call")
	metricViolations = NewMetric("hellochaos_ledger_violations_total", "Tries too many or too few.", "phase", "call")
)

func histogram(name, help string, labels ...string) *Metric {
	m := NewMetric(name, help, labels...)
	m.Type = "histogram"
	return m
}

// Metrics returns all metrics that Collect sends and Prometheus writes.
func Metrics() []*Metric {
	return []*Metric{
		metricBuild, metricRun, metricRunStart, metricRunTook, metricRunSays, metricExit, metricFinds,
		metricPhase, metricPhaseSays, metricPhaseStart, metricPhaseTook, metricApplied, metricPlanned, metricObserved, metricUnsent, metricRate, metricLag, metricLagP99,
		metricMet, metricBranches, metricChangeSays, metricChanged, metricChangeLost, metricChangeLast,
		metricRequests, metricDuration, MetricCalls, MetricAnswers, metricTries, metricFactor,
		MetricMismatches, metricJudged, metricMismatched, metricOpen, metricExcluded, metricCheck,
		MetricShare, metricPredicts, metricInterval, metricWait, metricWaitSays, metricRetries, metricFailures, metricViolations,
	}
}
