package run

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/scenarios/check"
	"github.com/hellochaos/hellochaos/scenarios/observe"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
)

// Outline is what the run would do: what it applies, sends and predicts, and which cases of the rules its probes meet. Nothing is started.
func (r *Run) Outline() *reports.Plan {
	o := r.options
	plan := &reports.Plan{Scenario: r.name, Findings: r.findings, Notices: r.Notices(),
		Settings: reports.Settings{Seed: o.Seed, Fail: o.Fail, Hang: o.Hang, Cascade: o.Cascade, Exclude: o.Exclude, Parameters: o.Parameters, Rate: o.Attack.Rate, ManifestsHash: r.hash}}
	plan.Requests, plan.Most, plan.Duration = r.Requests()
	for i, p := range r.phases {
		added := p.Added
		if i == 0 {
			added = p.Objects
		}
		plan.Phases = append(plan.Phases, p.outline(added))
		if p.change != nil {
			plan.Changes = append(plan.Changes, p.change.outline())
		}
	}
	return plan
}

// outline is what a phase would do that adds some objects.
func (p *planned) outline(added []manifests.Object) reports.PlannedPhase {
	done := reports.PlannedPhase{Name: p.Name, Title: p.Title, Base: p.Base, Shares: check.PredictedShares(p.predictions)}
	for i := range added {
		done.Objects = append(done.Objects, reports.PlannedObject{Name: added[i].Name(), File: added[i].File, Line: added[i].Line})
	}
	for i := range p.Cohorts {
		c := &p.Cohorts[i]
		done.Cohorts = append(done.Cohorts, reports.PlannedCohort{Name: c.Name, Entry: enters(p.entries[i], p.rules), Request: asked(c)})
	}
	for _, slot := range p.sequence[:p.settled] {
		if c := &done.Cohorts[p.from[slot.Cohort]]; p.judged[slot.Cohort].Probe {
			c.Probes++
		} else {
			c.Natural++
		}
	}
	met, leading := p.met(), p.leading()
	for _, row := range p.inwards {
		if p.shown(row) == 0 && p.wants[row] == (oracle.Want{}) {
			continue // no request of the phase is to make such a call
		}
		of := &p.ways.Rows[row]
		call := reports.PlannedCall{From: of.Caller, To: check.Service(of), Cohorts: leading[row], Rule: check.Rule(of), Unchanged: !p.ways.New(row), Branches: p.branches(row, met)}
		call.Fails, _ = check.PredictedFails(p.predictions, row)
		for _, prediction := range p.predictions {
			call.Tries += prediction.Rows[row].Tries * prediction.Share
		}
		done.Calls = append(done.Calls, call)
	}
	return done
}

// enters says where requests enter, with the port of a Gateway that has several.
func enters(e manifests.Entry, rules *manifests.Rules) string {
	switch {
	case e.Gateway != "":
		text := "by Gateway " + strings.TrimPrefix(e.Gateway, manifests.Namespace+"/")
		if len(rules.Gateways[e.Gateway].Ports()) > 1 {
			text += fmt.Sprintf(", port %d", e.Port)
		}
		return text
	case e.Caller != "":
		return "from " + strings.TrimPrefix(e.Caller, manifests.Namespace+"/")
	}
	return "straight at " + e.Service
}

// asked is what the requests of a cohort ask for: "POST /orders of host orders, x-team: blue".
func asked(c *scenarios.Cohort) string {
	text := cmp.Or(c.Method, http.MethodGet) + " " + requestPath(c)
	if c.Host != "" {
		text += " of host " + c.Host
	}
	for _, name := range slices.Sorted(maps.Keys(c.Header)) {
		text += fmt.Sprintf(", %s: %s", strings.ToLower(name), c.Header.Get(name))
	}
	return text
}

// met plays the probes, and counts what their answers show, for each cohort of the scenario.
func (p *planned) met() []*observe.Tally {
	tallies := make([]*observe.Tally, len(p.Cohorts))
	for i := range tallies {
		tallies[i] = observe.NewTally(p.ways, nil, nil)
	}
	var probes []int32
	for _, slot := range p.sequence[:p.settled] {
		if p.judged[slot.Cohort].Probe {
			probes = append(probes, slot.Cohort)
		}
	}
	p.ways.Foresee(len(probes), func(n int) (*oracle.Request, *oracle.Call) {
		judged := &p.judged[probes[n]]
		return &judged.Request, judged.Way
	}, func(n int, s oracle.Shown) {
		row := &tallies[p.from[probes[n]]].Rows[s.Row]
		row.Judged++
		failures := min(s.Failures, observe.MaxTries)
		switch {
		case s.Aborted:
			row.Aborts++
		case s.Failed:
			row.Bad[failures]++
		default:
			row.Good[failures]++
		}
		if s.Destination >= 0 {
			row.Reached[s.Destination]++
		}
	})
	return tallies
}

// branches are the cases of a row's rule, each with the cohorts whose probes meet it.
func (p *planned) branches(row int, met []*observe.Tally) (all []reports.PlannedBranch) {
	for i, tally := range met {
		evidence := check.Evidence{Ways: p.ways, Tally: tally, Wants: p.wants}
		for j, b := range evidence.Branches(row) {
			if j == len(all) {
				all = append(all, reports.PlannedBranch{Name: b.Name})
			}
			if b.Verdict == reports.NotJudged {
				all[j].Why = b.Why
			}
			if b.Met > 0 {
				all[j].Met = append(all[j].Met, reports.MetBy{Cohort: p.Cohorts[i].Name, Calls: b.Met})
			}
		}
	}
	for j := range all {
		if len(all[j].Met) > 0 && enough(all[j].Met) {
			all[j].Why = ""
		}
	}
	return all
}

// enough reports whether so many calls meet a case that it is judged.
func enough(met []reports.MetBy) bool {
	sum := int64(0)
	for _, by := range met {
		sum += by.Calls
	}
	return sum >= check.EachBranch
}
