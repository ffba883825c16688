package scenarios

import (
	"slices"
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/stats"
)

// Observer is told how a run goes while it goes. Its functions are called one after another, by the goroutine that takes
// in the answers: a slow one would hold up the load. Each may be nil.
type Observer struct {
	// Began is told once, before anything is applied: all that the report has by then.
	Began func(reports.Report)
	// Phase is told of a phase before its first request, now and then while it sends, and when the last answer is in. One
	// that is sent again begins again.
	Phase func(Snapshot)
	// Stage is told after each of a stage's phases was judged, with an empty verdict, and of its own verdict at the end. The
	// copy is the observer's own.
	Stage func(reports.Stage)
}

// Snapshot is a phase while it runs.
type Snapshot struct {
	Stage string
	// Phase has its name, entry and beginning, what is planned, and how many answers are in.
	Phase reports.Phase
	// Cohorts are the names in the order of the tally; the one of a stage without cohorts is empty.
	Cohorts []string
	// Tally must not be changed, nor read after the observer has returned.
	Tally *attack.Tally
	// Checks are the shares so far, on the phase's side; those of other kinds are judged when the phase has ended. The verdict
	// of one that is not decided is empty.
	Checks []reports.Check
}

// snapshotEvery is how often an observer is told of a phase.
const snapshotEvery = 250 * time.Millisecond

// Observe makes Execute tell o how the run goes.
func (r *Run) Observe(o Observer) {
	r.observer = o
	for _, phases := range r.phases {
		for _, p := range phases {
			p.watcher = o.Phase
		}
	}
}

func (r *Run) began(report *reports.Report) {
	if r.observer.Began != nil {
		r.observer.Began(*report)
	}
}

// judged reports a stage to the observer as far as it is measured. The verdict is empty as long as a phase is missing.
func (r *Run) judged(stage *reports.Stage, verdict reports.Verdict) {
	if r.observer.Stage == nil {
		return
	}
	copied := *stage
	copied.Verdict = verdict
	copied.Phases, copied.Checks = slices.Clone(stage.Phases), slices.Clone(stage.Checks)
	copied.Amplification = slices.Clone(stage.Amplification)
	r.observer.Stage(copied)
}

// watched makes observe tell the phase's watcher now and then, if it has one.
func (p *phase) watched(tally *attack.Tally, observe func(*attack.Observation) bool) func(*attack.Observation) bool {
	p.tell(tally)
	if p.watcher == nil {
		return observe
	}
	last := time.Now()
	return func(o *attack.Observation) bool {
		more := observe(o)
		if time.Since(last) > snapshotEvery {
			p.tell(tally)
			last = time.Now()
		}
		return more
	}
}

// tell tells the phase's watcher how far it has come.
func (p *phase) tell(tally *attack.Tally) {
	if p.watcher == nil {
		return
	}
	at := Snapshot{Stage: p.stage.Name, Tally: tally, Phase: reports.Phase{
		Name: p.name(), Entry: string(p.entry), Started: p.began.UTC(), Planned: p.requests, PlannedRate: p.rate,
	}}
	for i, cohort := range p.cohorts {
		at.Cohorts = append(at.Cohorts, cohort.Name)
		at.Phase.Observed += int(tally.Cohorts[i].Requests)
	}
	for _, c := range p.checks {
		m, ok := estimate(c, tally)
		if !ok {
			continue
		}
		row := c.row()
		if p.after {
			row.After = &m
		} else {
			row.Before = &m
		}
		at.Checks = append(at.Checks, row)
	}
	p.watcher(at)
}

// estimate is a share as far as it was tallied; false: the check is of another kind, and is judged at the end. The verdict is
// empty until a look has decided.
func estimate(c check, tally *attack.Tally) (m reports.Measurement, ok bool) {
	interval := stats.Interval{Lo: 0, Hi: 1}
	switch c := c.(type) {
	case *proportion:
		m.K, m.N = c.count(tally)
		m.Predicted, m.Band, m.Verdict, interval = c.predicted, c.band(), c.decided, c.seen
	case *exact:
		m.K, m.N, _, _ = c.count(tally)
		m.Predicted, m.Band = c.predicted, stats.Interval{Lo: c.predicted, Hi: c.predicted}
		interval = stats.ClopperPearson(m.K, m.N, alphaAbsence)
	default:
		return m, false
	}
	m.Interval = &interval
	if m.N > 0 {
		m.Measured = pointer(float64(m.K) / float64(m.N))
	}
	return m, true
}
