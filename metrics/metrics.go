// Package metrics serves the numbers of a run to Prometheus while it is running. It knows what a run reports about itself (the events of
// scenarios/run, tallies, the report so far) and Prometheus' client library. It must not know how load is sent, how a mesh is changed, or
// how a verdict is reached. Package render sends the metrics that a report has as well, under the same names.
//
// The package counts no requests, since the tallies of the run count them. It copies their numbers a few times a second, and a scrape gets
// the last copy.
package metrics

import (
	"slices"
	"strconv"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/render"
	"github.com/hellochaos/hellochaos/scenarios/observe"
	"github.com/hellochaos/hellochaos/scenarios/run"
)

// The metrics that a run serves, and its report does not have.
var (
	responses = render.NewMetric("hellochaos_responses_total", "Natural requests by the status of their answer. Code 0 is a request without a whole answer.", "phase", "cohort", "code")
	failures  = render.NewMetric("hellochaos_edge_failures_total", "Natural requests that failed at the edge, by the reason: 5xx, or the kind of error.", "phase", "cohort", "reason")
	attempts  = render.NewMetric("hellochaos_hop_answers_by_attempt_total", "Calls that a hop answered, by the attempt count of the try that was answered. Attempt 0 is a call without a proxy on its way.", "phase", "hop", "attempt")
)

// All returns the metrics that a run serves. Those that its report has are first.
func All() []*render.Metric { return append(render.Metrics(), responses, failures, attempts) }

// Run has the numbers of a run so far. Several goroutines may use it.
type Run struct {
	tool reports.Tool

	mutex  sync.Mutex
	report reports.Report
	// counts are the numbers of tallies, by phase.
	counts map[string][]value
}

// New returns a run that has not begun. version is that of hellochaos.
func New(version string) *Run {
	return &Run{tool: reports.Tool{Version: version}, counts: map[string][]value{}}
}

// Handle takes over what an event of the run has. It copies numbers, so what the event points to may change afterwards.
func (r *Run) Handle(event run.Event) {
	switch e := event.(type) {
	case run.Began:
		r.began(e.Report)
	case run.PhaseBegan:
		r.set(copied(e.Phase), nil)
	case run.Progress:
		phase := copied(e.Phase)
		phase.Distributions = distributions(e.Load)
		r.set(phase, count(&e))
	case run.PhaseEnded:
		r.phaseEnded(e.Phase)
	case run.Ended:
		r.runEnded(e.Report)
	}
}

// copied returns a phase that is going on: it has no verdict yet, whatever the run has noted so far.
func copied(p *reports.Phase) reports.Phase {
	phase := *p
	phase.Verdict, phase.Calls, phase.Shares = "", nil, nil
	for _, share := range p.Shares { // what is measured so far comes from the tallies
		phase.Shares = append(phase.Shares, reports.Share{Name: share.Name, Predicted: share.Predicted, PredictedError: share.PredictedError})
	}
	return phase
}

// began takes over the report of a run at its beginning.
func (r *Run) began(report *reports.Report) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.report = *report
	r.report.Tool.Version = r.tool.Version
	r.report.Verdict, r.report.Phases = "", nil
}

// runEnded takes over the report of a run that has ended, except its phases, which phaseEnded took over.
func (r *Run) runEnded(report *reports.Report) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	phases := r.report.Phases
	r.report = *report
	r.report.Tool.Version = r.tool.Version
	r.report.Phases = phases
}

// set takes over a phase that is going on, and the numbers of its tallies.
func (r *Run) set(phase reports.Phase, values []value) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.counts[phase.Name] = values
	*r.phaseOf(phase.Name) = phase
}

// phaseEnded takes over a phase that has ended. What its report has is no longer taken from the tallies.
func (r *Run) phaseEnded(p *reports.Phase) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	*r.phaseOf(p.Name) = *p
	r.counts[p.Name] = slices.DeleteFunc(r.counts[p.Name], func(v value) bool { return slices.Contains(render.Metrics(), v.metric) })
}

// phaseOf returns the phase with a name. It adds one where there is none.
func (r *Run) phaseOf(name string) *reports.Phase {
	for i := range r.report.Phases {
		if r.report.Phases[i].Name == name {
			return &r.report.Phases[i]
		}
	}
	r.report.Phases = append(r.report.Phases, reports.Phase{Name: name})
	return &r.report.Phases[len(r.report.Phases)-1]
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
	render.Collect(&r.report, to)
	for phase, values := range r.counts {
		for _, v := range values {
			v.metric.Emit(to, v.number, append([]string{phase}, v.labels...)...)
		}
	}
}

// value is one number of a tally, with its metric and the labels that follow the phase.
type value struct {
	metric *render.Metric
	number float64
	labels []string
}

// counting are the numbers of a phase.
type counting struct{ all []value }

func (c *counting) add(metric *render.Metric, number int64, labels ...string) {
	c.all = append(c.all, value{metric, float64(number), labels})
}

// count returns the numbers of a phase that is going on.
func count(at *run.Progress) []value {
	c := &counting{}
	c.judged(at.Tally)
	hops := map[string]*hop{}
	for i := range at.Load.Cohorts {
		cohort, name := &at.Load.Cohorts[i], at.Cohorts[i]
		failed := cohort.EdgeFailures
		for status, n := range cohort.Statuses {
			c.add(responses, n, name, strconv.Itoa(status))
		}
		for class, n := range cohort.Errors {
			c.add(failures, n, name, class)
			failed -= n
		}
		c.add(failures, failed, name, "5xx")
		for service, tally := range cohort.Hops {
			if hops[service] == nil {
				hops[service] = &hop{versions: map[string]int64{}}
			}
			hops[service].add(tally)
		}
	}
	for service, h := range hops {
		c.add(render.MetricCalls, h.calls-h.failed, service, "ok")
		c.add(render.MetricCalls, h.failed, service, "failed")
		for version, n := range h.versions {
			c.add(render.MetricAnswers, n, service, version)
		}
		for attempt, n := range h.attempts {
			if n > 0 {
				c.add(attempts, n, service, strconv.Itoa(attempt))
			}
		}
	}
	return c.all
}

// judged adds what the requests showed that were held against the manifests.
func (c *counting) judged(t *observe.Tally) {
	if t.Natural > 0 {
		for name, k := range map[string]int64{reports.EdgeFails: t.Edge, reports.AnyFails: t.Any} {
			c.all = append(c.all, value{render.MetricShare, float64(k) / float64(t.Natural), []string{name}})
		}
	}
	kinds := map[string]int64{}
	for deviation, found := range t.Mismatches {
		kinds[string(deviation.Kind)] += found.Count
	}
	for kind, n := range kinds {
		c.add(render.MetricMismatches, n, kind)
	}
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
