package scenarios

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/target"
)

// closeTimeout bounds the putting back. It has to outlast an API server that is away for a while.
const closeTimeout = 3 * time.Minute

// Run is a planned run: all that can be said, and can be wrong, before anything is started.
type Run struct {
	stages  []Stage
	options Options
	phases  [][2]*phase
	// unlike says, by stage, in which predictions the user's own manifests differ from the tutorial's.
	unlike [][]string
	// introduced are the objects that each stage itself applies; hash is that of all objects of all phases.
	introduced [][]reports.Manifest
	hash       string
	observer   Observer
}

// Pace is what a kind of target can be asked for.
type Pace struct {
	// Capacity is how many tries a second it carries without strain, and Timed the shortest wait that it can be held to:
	// below it the machines' own pace says more than the policy.
	Capacity float64
	Timed    time.Duration
}

// Plan prepares the stages of a run: reads their manifests, overridden by stage where overrides has one, predicts and
// plans the requests at the target's pace. The error has all that is wrong, each once.
func Plan(stages []Stage, o Options, pace Pace, overrides map[string][]manifests.Object) (*Run, error) {
	r := &Run{stages: stages, options: o, phases: make([][2]*phase, len(stages)), unlike: make([][]string, len(stages))}
	var problems []error
	said := map[string]bool{}
	for i := range stages {
		for j, after := range []bool{false, true} {
			p, err := stages[i].prepare(after, o, pace, overrides)
			if err == nil {
				if err = p.tooLong(); err == nil {
					err = p.attackOn("http://127.0.0.1/").Check()
				}
			}
			if err != nil && !said[err.Error()] {
				said[err.Error()] = true
				problems = append(problems, fmt.Errorf("stage %s, %s: %w", stages[i].Name, phaseName(after), err))
			}
			r.phases[i][j] = p
		}
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	return r, errors.Join(r.compare(pace, overrides), r.describeObjects())
}

// compare notes where the predictions of the user's own manifests differ from those of the tutorial's.
func (r *Run) compare(pace Pace, overrides map[string][]manifests.Object) error {
	for i := range r.stages {
		if len(overrides) == 0 {
			continue
		}
		bundled, err := r.stages[i].prepare(true, r.options, pace, nil)
		if err != nil {
			return fmt.Errorf("stage %s with the bundled manifests: %w", r.stages[i].Name, err)
		}
		promised := bundled.predictions()
		for name, p := range r.phases[i][1].predictions() {
			if q, ok := promised[name]; ok && math.Abs(p-q) > 0.01 {
				r.unlike[i] = append(r.unlike[i], fmt.Sprintf("%s (%s where it promises %s)", name, reports.Probability(p), reports.Probability(q)))
			}
		}
		slices.Sort(r.unlike[i])
	}
	return nil
}

// predictions are the shares that a phase predicts, by name.
func (p *phase) predictions() map[string]float64 {
	all := map[string]float64{}
	for _, c := range p.checks {
		switch c := c.(type) {
		case *proportion:
			all[c.name] = c.predicted
		case *exact:
			all[c.name] = c.predicted
		}
	}
	return all
}

// Objects are the sets of objects that the run applies, in their order.
func (r *Run) Objects() [][]manifests.Object {
	var all [][]manifests.Object
	for _, phases := range r.phases {
		for _, p := range phases {
			all = append(all, p.objects)
		}
	}
	return all
}

// Requests is the most that the run sends, and about how long that takes.
func (r *Run) Requests() (requests int, duration time.Duration) {
	for _, phases := range r.phases {
		for _, p := range phases {
			requests += p.requests
			duration += time.Duration(float64(p.requests)/p.rate*float64(time.Second)) + p.longest()
		}
	}
	return requests, duration
}

// InFlight is the most requests that the run has under way at once, on a machine however slow.
func (r *Run) InFlight() (requests int) {
	for _, phases := range r.phases {
		for _, p := range phases {
			requests = max(requests, min(p.connections(), p.requests))
		}
	}
	return requests
}

// Progress is how far a run has come.
type Progress struct {
	Stage, Phase  string
	Done, Planned int // requests of the phase
	// Check is the first share that is not decided yet (or the last one), with its estimate so far; empty when the phase
	// has none.
	Check    string
	Estimate reports.Measurement
}

// Execute runs the plan on a target and closes it. It always returns a report: of all that was measured until ctx ended
// or the target failed.
func (r *Run) Execute(ctx context.Context, on target.Target, progress func(Progress)) *reports.Report {
	began := time.Now()
	described := on.Describe()
	report := &reports.Report{
		Schema: reports.SchemaVersion, Started: began.UTC(), Settings: r.settings(),
		Tool: reports.Tool{Name: "hellochaos", Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH,
			Processors: runtime.GOMAXPROCS(0)},
		Target: reports.Target{Kind: described.Kind, Detail: described.Detail, Versions: described.Versions, Deviation: described.Deviation},
		Stages: []reports.Stage{},
	}
	r.began(report)
	var verdicts []reports.Verdict
	for i := range r.stages {
		r.phases[i][0].traced, r.phases[i][1].traced = described.Traced, described.Traced
		stage, err := r.stage(ctx, i, on, progress)
		report.Stages = append(report.Stages, *stage)
		verdicts = append(verdicts, stage.Verdict)
		if err != nil {
			report.Aborted = ctx.Err() != nil
			if !report.Aborted {
				report.Error = err.Error()
			}
			verdicts = append(verdicts, reports.Inconclusive)
			break
		}
	}
	report.Verdict = reports.Worst(verdicts...)
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	report.Restored = reports.Restored
	closed := time.Now()
	restoration, err := on.Close(closing)
	if err != nil || restoration.Objects > 0 {
		report.Restoration = &reports.Restoration{Objects: restoration.Objects, Detail: restoration.Detail, Elapsed: time.Since(closed).Seconds()}
	}
	if err != nil {
		report.Restored, report.Restoration.Problem = reports.NotRestored, err.Error()
	}
	report.Elapsed = time.Since(began).Seconds()
	report.Summary = summarize(report)
	return report
}

func (r *Run) settings() reports.Settings {
	o := r.options
	return reports.Settings{
		Seed: o.Seed, Fail: o.Fail, Hang: o.Hang, Cascade: o.Cascade, CanaryWeight: o.CanaryWeight, Tolerance: o.Tolerance,
		AlphaEarly: alphaEarly, AlphaFinal: alphaFinal, Rate: o.Attack.Rate, ManifestsHash: r.hash,
	}
}

// stage measures one stage before and after.
func (r *Run) stage(ctx context.Context, i int, on target.Target, progress func(Progress)) (*reports.Stage, error) {
	stage := &reports.Stage{Name: r.stages[i].Name, Title: r.stages[i].Title, Verdict: reports.Inconclusive}
	var err error
	family := len(r.phases[i][0].proportions()) + len(r.phases[i][1].proportions())
	for _, p := range r.phases[i] {
		var e *evidence
		var done reports.Phase
		if done, e, err = p.run(ctx, on, family, progress); e == nil {
			break
		}
		stage.Phases = append(stage.Phases, done)
		record(stage, p, e, unended(ctx, err))
		r.judged(stage, "")
		if err != nil {
			break
		}
	}
	stage.Policies, stage.Manifests = r.phases[i][1].policies(), r.introduced[i]
	var verdicts []reports.Verdict
	for j := range stage.Checks {
		c := &stage.Checks[j]
		c.Verdict = verdictOf(c)
		verdicts = append(verdicts, c.Verdict)
	}
	if err != nil {
		verdicts = append(verdicts, reports.Inconclusive)
	}
	stage.Verdict = reports.Worst(verdicts...)
	r.judged(stage, stage.Verdict)
	if err == nil {
		r.explain(i, stage)
	}
	return stage, err
}

// unended says in a few words why a phase did not end; the report's error has the rest.
func unended(ctx context.Context, err error) string {
	switch {
	case err == nil:
		return ""
	case ctx.Err() != nil:
		return "interrupted"
	}
	return "the phase did not end well: see the run's error"
}

// explain puts a measured stage into words.
func (r *Run) explain(i int, stage *reports.Stage) {
	e := &explanation{stage: stage, settings: r.settings()}
	r.stages[i].explain(e)
	if len(r.unlike[i]) > 0 && !stage.PromiseBroken {
		stage.PromiseBroken = true
		e.say("These manifests do not do what the tutorial promises: %s.", strings.Join(r.unlike[i], ", "))
	}
	for _, policy := range stage.Policies {
		if policy.Answer != 0 {
			e.say("No call to %s reaches a service: its caller's proxy answers %d to every one, because %s leads to a host or subset that does not exist or has no pods.", policy.Hop, policy.Answer, policy.Rule)
		}
		if policy.Aborts > 0 {
			e.say("%s aborts %s of the calls to %s, and an abort is not sent again.", policy.Rule, percent(&policy.Aborts), policy.Hop)
		}
	}
	if stage.Verdict == reports.Fail && len(stage.Words) == 0 {
		e.explainFailures()
	}
	for _, p := range stage.Phases {
		for _, incident := range p.Incidents {
			e.say("While %s was measured, %s.", p.Name, incident)
		}
	}
	for _, p := range r.phases[i] {
		for _, left := range p.left {
			e.say("Not checked, %s, %s: %s.", p.name(), strings.Join(left.hops, ", "), left.why)
		}
	}
}

func verdictOf(c *reports.Check) reports.Verdict {
	var verdicts []reports.Verdict
	for _, m := range []*reports.Measurement{c.Before, c.After} {
		if m != nil {
			verdicts = append(verdicts, m.Verdict)
		}
	}
	return reports.Worst(verdicts...)
}
