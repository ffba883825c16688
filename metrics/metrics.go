// Package metrics serves the numbers of a run to Prometheus while it is running. It knows what a run reports about itself
// (scenarios.Observer, tallies, the report so far) and Prometheus' client library. It must not know how load is sent, how a mesh is
// changed, or how a verdict is reached. Package reports sends the metrics that a report has as well, under the same names.
//
// The package counts no requests, since the tally of the run counts them. It copies the numbers of the tally a few times a second, and a
// scrape gets the last copy.
package metrics

import (
	"slices"
	"strconv"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios"
)

// The metrics that a run serves, and its report does not have.
var (
	responses = reports.NewMetric("hellochaos_responses_total", "Requests by the status of their answer. Code 0 is a request without a whole answer.", "stage", "phase", "cohort", "code")
	failures  = reports.NewMetric("hellochaos_edge_failures_total", "Requests that failed at the edge, by the reason: 5xx, or the kind of error.", "stage", "phase", "cohort", "reason")
	attempts  = reports.NewMetric("hellochaos_hop_answers_by_attempt_total", "Calls that a hop answered, by the attempt count of the try that was answered. Attempt 0 is a call without a proxy on its way.", "stage", "phase", "hop", "attempt")
)

// All returns the metrics that a run serves. Those that its report has are first.
func All() []*reports.Metric { return append(reports.Metrics(), responses, failures, attempts) }

// Run has the numbers of a run so far. Several goroutines may use it.
type Run struct {
	tool reports.Tool

	mutex  sync.Mutex
	report reports.Report
	counts map[[2]string][]value // the numbers of tallies, by stage and phase
}

// New returns a run that has not begun. version is that of hellochaos.
func New(version string) *Run {
	return &Run{tool: reports.Tool{Version: version}, counts: map[[2]string][]value{}}
}

// Observer returns an observer that updates r.
func (r *Run) Observer() scenarios.Observer {
	return scenarios.Observer{Began: r.Began, Phase: r.phase, Stage: r.stage}
}

// Began takes over the report of a run at its beginning.
func (r *Run) Began(report reports.Report) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	report.Tool.Version = r.tool.Version
	r.report = report
}

// Ended takes over the report of a run that has ended, except its stages.
func (r *Run) Ended(report *reports.Report) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	stages := r.report.Stages
	r.report = *report
	r.report.Stages = stages
}

// phase copies the numbers of a running phase.
func (r *Run) phase(at scenarios.Snapshot) {
	values := count(at)
	phase := at.Phase
	phase.Distributions = distributions(at.Tally)
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.counts[[2]string{at.Stage, phase.Name}] = values
	s := r.stageOf(at.Stage)
	if i := slices.IndexFunc(s.Phases, func(p reports.Phase) bool { return p.Name == phase.Name }); i >= 0 {
		s.Phases[i] = phase
	} else {
		s.Phases = append(s.Phases, phase)
	}
	for _, row := range at.Checks {
		i := slices.IndexFunc(s.Checks, func(c reports.Check) bool { return c.Name == row.Name })
		switch {
		case i < 0:
			s.Checks = append(s.Checks, row)
		case row.Before != nil:
			s.Checks[i].Before = row.Before
		default:
			s.Checks[i].After = row.After
		}
	}
}

// stage takes over the results of the phases of a stage that have ended.
func (r *Run) stage(stage reports.Stage) {
	for i := range stage.Phases {
		stage.Phases[i].Edges = nil // The tally counts the same calls.
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	*r.stageOf(stage.Name) = stage
}

// stageOf returns the stage with a name. It adds one where there is none.
func (r *Run) stageOf(name string) *reports.Stage {
	for i := range r.report.Stages {
		if r.report.Stages[i].Name == name {
			return &r.report.Stages[i]
		}
	}
	r.report.Stages = append(r.report.Stages, reports.Stage{Name: name})
	return &r.report.Stages[len(r.report.Stages)-1]
}

// Describe sends the descriptions of all that Collect sends.
func (r *Run) Describe(to chan<- *prometheus.Desc) {
	for _, m := range All() {
		m.Describe(to)
	}
}

// Collect sends the metrics of the run so far. It sends none before the run has begun.
func (r *Run) Collect(to chan<- prometheus.Metric) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.report.Started.IsZero() {
		return
	}
	reports.Collect(&r.report, to)
	for at, values := range r.counts {
		for _, v := range values {
			v.metric.Emit(to, float64(v.number), append(at[:], v.labels...)...)
		}
	}
}

// value is one number of a tally, with its metric and the labels that follow stage and phase.
type value struct {
	metric *reports.Metric
	number int64
	labels []string
}

// count returns the numbers of a phase.
func count(at scenarios.Snapshot) (all []value) {
	add := func(metric *reports.Metric, number int64, labels ...string) {
		all = append(all, value{metric, number, labels})
	}
	hops := map[string]*hop{}
	for i := range at.Tally.Cohorts {
		cohort, name := &at.Tally.Cohorts[i], at.Cohorts[i]
		failed := cohort.EdgeFailures
		for status, n := range cohort.Statuses {
			add(responses, n, name, strconv.Itoa(status))
		}
		for class, n := range cohort.Errors {
			add(failures, n, name, class)
			failed -= n
		}
		add(failures, failed, name, "5xx")
		for service, tally := range cohort.Hops {
			if hops[service] == nil {
				hops[service] = &hop{versions: map[string]int64{}}
			}
			hops[service].add(tally)
		}
	}
	for service, h := range hops {
		add(reports.MetricCalls, h.calls-h.failed, service, "ok")
		add(reports.MetricCalls, h.failed, service, "failed")
		for version, n := range h.versions {
			add(reports.MetricAnswers, n, service, version)
		}
		for attempt, n := range h.attempts {
			if n > 0 {
				add(attempts, n, service, strconv.Itoa(attempt))
			}
		}
	}
	return all
}

// hop has the numbers of the calls to a hop by all cohorts.
type hop struct {
	calls, failed int64
	versions      map[string]int64
	attempts      [attack.MaxTries + 1]int64
}

func (h *hop) add(t *attack.HopTally) {
	h.calls += t.Calls
	h.failed += t.Failed
	for version, n := range t.Versions {
		h.versions[version] += n
	}
	for attempt, n := range t.Attempts {
		h.attempts[attempt] += n.OK + n.Failed
	}
}

// distributions returns the latencies so far by outcome, without the number of tries.
func distributions(tally *attack.Tally) []reports.Distribution {
	var all []reports.Distribution
	for outcome, ok := range map[string]bool{"ok": true, "failed": false} {
		d := reports.Distribution{Outcome: outcome}
		for _, bin := range attack.Bins(tally.Latency(ok)) {
			d.Bins = append(d.Bins, reports.Bin{int64(bin.Micros), int64(bin.Count)})
		}
		all = append(all, d)
	}
	return all
}
