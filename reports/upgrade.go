package reports

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	v1 "github.com/hellochaos/hellochaos/reports/v1"
)

// upgrade makes a report of today's form from one of schema 1. Each stage's two measurements become two phases, "retry before" and
// "retry", and the checks of a service become the call that leads to it. What schema 1 does not have stays empty: probes, coverage,
// mismatches, outcomes, and the rules that were in force before a stage.
func upgrade(old *v1.Report, version string) *Report {
	r := &Report{
		Schema: SchemaVersion, UpgradedFrom: version, Command: old.Command, Started: old.Started, Elapsed: old.Elapsed,
		Tool:    Tool{Name: old.Tool.Name, Version: old.Tool.Version, Go: old.Tool.Go, System: old.Tool.System, Processors: old.Tool.Processors},
		Target:  Target(old.Target),
		Verdict: Verdict(old.Verdict), Summary: old.Summary, Aborted: old.Aborted, Error: old.Error, Restored: old.Restored,
		Links: converted(old.Links, func(l v1.Link) Link { return Link(l) }), Remarks: old.Remarks,
		Settings: upgradedSettings(&old.Settings),
	}
	if back := old.Restoration; back != nil {
		restoration := Restoration(*back)
		r.Restoration = &restoration
	}
	var names []string
	for i := range old.Stages {
		s := &old.Stages[i]
		names = append(names, s.Name)
		r.Phases = append(r.Phases, upgradedStage(old, i)...)
		for _, a := range s.Amplification {
			if !slices.Contains(r.Scenario.Services, a.Hop) {
				r.Scenario.Services = append(r.Scenario.Services, a.Hop)
			}
		}
	}
	r.Scenario.Name = strings.Join(names, ", ")
	r.Remarks = append(r.Remarks, fmt.Sprintf("The report has the older schema %s, which judges shares and not each request: it lists no mismatches, no coverage and no outcomes. "+
		"The measurements before and after a stage are two phases here.", version))
	return r
}

// converted converts each element of a list.
func converted[From, To any](all []From, convert func(From) To) []To {
	var to []To
	for _, one := range all {
		to = append(to, convert(one))
	}
	return to
}

// upgradedSettings keeps the settings that today's form does not have as parameters.
func upgradedSettings(s *v1.Settings) Settings {
	parameters := map[string]string{"tolerance": strconv.FormatFloat(s.Tolerance, 'g', -1, 64), "canary-weight": strconv.Itoa(s.CanaryWeight)}
	return Settings{Seed: s.Seed, Fail: s.Fail, Hang: s.Hang, Cascade: s.Cascade, Parameters: parameters, Rate: s.Rate,
		ManifestsHash: s.ManifestsHash, Manifests: s.Manifests}
}

// upgradedStage returns the phases of a stage.
func upgradedStage(r *v1.Report, stage int) (phases []Phase) {
	s := &r.Stages[stage]
	after := false
	for i := range s.Phases {
		name := s.Phases[i].Name
		p := measured(&s.Phases[i])
		p.Verdict = oldVerdict(s, name)
		p.Name, p.Title, p.Base = s.Name+" "+name, name+" stage "+s.Name, name == "before"
		if name == "after" {
			after = true
			p.Name, p.Title = s.Name, s.Title
			stageItself(&p, s)
		}
		u := upgrading{stage: s, phase: &s.Phases[i], rules: rulesOf(r, stage, name), tolerance: r.Settings.Tolerance}
		u.judged(&p)
		phases = append(phases, p)
	}
	if !after {
		p := Phase{Name: s.Name, Title: s.Title, Verdict: Verdict(s.Verdict), Undecided: "the run ended before the stage was measured"}
		stageItself(&p, s)
		phases = append(phases, p)
	}
	return phases
}

// stageItself gives a phase what belongs to the stage and not to one of its two measurements.
func stageItself(p *Phase, s *v1.Stage) {
	p.Words, p.PromiseBroken = s.Words, s.PromiseBroken
	p.Manifests = converted(s.Manifests, func(m v1.Manifest) Manifest { return Manifest(m) })
}

// oldVerdict is the worst verdict of a stage's checks on one phase.
func oldVerdict(s *v1.Stage, phase string) Verdict {
	var verdicts []Verdict
	for i := range s.Checks {
		if m := measurement(&s.Checks[i], phase); m != nil {
			verdicts = append(verdicts, Verdict(m.Verdict))
		}
	}
	return Worst(verdicts...)
}

func measurement(c *v1.Check, phase string) *v1.Measurement {
	switch phase {
	case "before":
		return c.Before
	case "after":
		return c.After
	}
	return nil
}

// measured converts what has the same form in both schemas.
func measured(p *v1.Phase) Phase {
	bins := func(all []v1.Bin) []Bin { return converted(all, func(b v1.Bin) Bin { return Bin(b) }) }
	return Phase{
		Entry: p.Entry, Started: p.Started, Way: p.Way, Applied: p.Applied, Elapsed: p.Elapsed,
		Planned: p.Planned, Natural: p.Observed, Sent: p.Sent, Observed: p.Observed, Unsent: p.Unsent,
		PlannedRate: p.PlannedRate, AchievedRate: p.AchievedRate, LagMedian: p.LagMedian, LagP99: p.LagP99,
		Stopped: p.Stopped, GeneratorLimited: p.GeneratorLimited, Late: p.Late, Warnings: p.Warnings,
		Incidents: p.Incidents, Replaced: p.Replaced, Compared: p.Compared,
		Latency: converted(p.Latency, func(l v1.Latency) Latency { return Latency(l) }),
		Seconds: converted(p.Seconds, func(s v1.Second) Second { return Second{Number: s.Number, OK: bins(s.OK), Failed: bins(s.Failed)} }),
		Distributions: converted(p.Distributions, func(d v1.Distribution) Distribution {
			return Distribution{Outcome: d.Outcome, Tries: d.Tries, Bins: bins(d.Bins)}
		}),
		Edges: converted(p.Edges, func(e v1.Edge) Edge { return Edge(e) }),
		Samples: converted(p.Samples, func(s v1.Sample) Sample {
			return Sample{Why: s.Why, Request: s.Request, Name: s.Name, Cohort: s.Cohort, Trace: s.Trace, Started: s.Started, Latency: s.Latency,
				Status: s.Status, Spans: converted(s.Spans, func(span v1.Span) Span { return Span(span) }), Missing: s.Missing}
		}),
	}
}
