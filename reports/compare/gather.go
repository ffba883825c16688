package compare

import (
	"strings"

	"github.com/hellochaos/hellochaos/reports"
)

// pair is one phase of one stage in both reports.
type pair struct {
	c                  *Comparison
	stage, phase       string
	oldStage, newStage *reports.Stage
	old, new           *reports.Phase
}

// gather makes the rows of all phases that both reports have, and lists what is left out.
func (c *Comparison) gather(before, after *reports.Report) {
	for i := range before.Stages {
		stage := &before.Stages[i]
		other := stageNamed(after, stage.Name)
		if other == nil {
			c.exclude(Exclusion{stage.Name, "", "everything", "only OLD has the stage", true})
			continue
		}
		for _, phase := range []string{"before", "after"} {
			p := &pair{c: c, stage: stage.Name, phase: phase, oldStage: stage, newStage: other,
				old: phaseNamed(stage, phase), new: phaseNamed(other, phase)}
			if why := p.unusable(before, after); why != "" {
				c.exclude(Exclusion{p.stage, p.phase, "everything", why, true})
				continue
			}
			p.checks()
			p.tries()
			p.latencies()
		}
	}
	for i := range after.Stages {
		if name := after.Stages[i].Name; stageNamed(before, name) == nil {
			c.exclude(Exclusion{name, "", "everything", "only NEW has the stage", false})
		}
	}
}

func (c *Comparison) exclude(e Exclusion) { c.Excluded = append(c.Excluded, e) }

func stageNamed(r *reports.Report, name string) *reports.Stage {
	for i := range r.Stages {
		if r.Stages[i].Name == name {
			return &r.Stages[i]
		}
	}
	return nil
}

func phaseNamed(s *reports.Stage, name string) *reports.Phase {
	for i := range s.Phases {
		if s.Phases[i].Name == name {
			return &s.Phases[i]
		}
	}
	return nil
}

// unusable returns why the data of the phase cannot be compared. It is empty where they can.
func (p *pair) unusable(before, after *reports.Report) string {
	var whys []string
	for _, s := range []struct {
		name   string
		report *reports.Report
		stage  *reports.Stage
		phase  *reports.Phase
	}{{"OLD", before, p.oldStage, p.old}, {"NEW", after, p.newStage, p.new}} {
		if why := void(s.report, s.stage, s.phase); why != "" {
			whys = append(whys, s.name+": "+why)
		}
	}
	return strings.Join(whys, "; ")
}

func void(r *reports.Report, stage *reports.Stage, phase *reports.Phase) string {
	last := phase != nil && stage.Name == r.Stages[len(r.Stages)-1].Name && phase.Name == stage.Phases[len(stage.Phases)-1].Name
	switch {
	case phase == nil:
		return "the phase was not measured"
	case phase.GeneratorLimited:
		return "the load generator could not keep its schedule"
	case phase.Replaced:
		return "pods were replaced during the phase"
	case last && (r.Aborted || r.Error != ""):
		return "the run ended during the phase"
	case phase.Observed == 0:
		return "no request was observed"
	}
	return ""
}

// row returns an empty row of this phase.
func (p *pair) row(metric string, kind Kind) Row {
	return Row{Stage: p.stage, Phase: p.phase, Metric: metric, Kind: kind, measured: measured{requests: int64(min(p.old.Sent, p.new.Sent))}}
}

func (p *pair) add(r Row) { p.c.Rows = append(p.c.Rows, r) }
