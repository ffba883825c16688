// Package run plans and executes the phases of a scenario on a target: it applies objects, sends natural requests and probes, has
// them judged, and writes the report. It knows neither sockets nor clusters, nor what any service or stage is called.
package run

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/scenarios/expectations"
	"github.com/hellochaos/hellochaos/scenarios/findings"
)

// Run is a planned run: all that can be said, and can be wrong, before anything is started.
type Run struct {
	name     string
	options  Options
	phases   []*planned
	added    [][]reports.Manifest
	findings []reports.Finding
	wanted   []expectations.Wanted
	hash     string
	emit     func(Event)
}

// Plan prepares the phases of a run: reads their objects, predicts and plans the requests at the target's pace. name is the
// scenario's. The error has all that is wrong, each once.
func Plan(name string, phases []scenarios.Phase, o Options, pace Pace) (*Run, error) {
	r := &Run{name: name, options: o, emit: func(Event) {}}
	var problems []error
	said := map[string]bool{}
	var former *planned
	for i := range phases {
		p := &planned{Phase: &phases[i], options: o, pace: pace, expected: expectedOf(phases, i, o.Expect)}
		if err := p.plan(former); err != nil && !said[err.Error()] {
			said[err.Error()] = true
			problems = append(problems, fmt.Errorf("phase %s: %w", p.Name, err))
		}
		r.phases = append(r.phases, p)
		former = p
	}
	if len(problems) == 0 {
		problems = append(r.expect(), r.planChanges())
	}
	if err := r.narrow(); err != nil {
		problems = append(problems, err)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	r.find()
	return r, r.describeObjects()
}

// find collects the findings of all phases. One that several have is of the first of them.
func (r *Run) find() {
	known := map[reports.Finding]bool{}
	for i, p := range r.phases {
		all := findings.Of(p.Phase, p.rules, p.ways)
		if i == 0 {
			all = slices.Concat(all, r.options.CasesNotMet)
		}
		for _, found := range all {
			if slices.Contains(r.options.Allowed, found.ID) {
				found.Severity, found.Text = reports.SeverityWarning, found.Text+" It is allowed."
			}
			same := found
			same.Phase = ""
			if !known[same] {
				known[same] = true
				r.findings = append(r.findings, found)
			}
		}
	}
	slices.SortStableFunc(r.findings, func(a, b reports.Finding) int { return strings.Compare(string(a.Severity), string(b.Severity)) })
}

// narrow leaves out all phases but the one whose request alone is to be sent, where that is asked for.
func (r *Run) narrow() error {
	if r.options.Request == "" {
		return nil
	}
	for i, p := range r.phases {
		if len(p.sequence) > 0 {
			r.phases = r.phases[i : i+1]
			return nil
		}
	}
	var names []string
	for _, p := range r.phases {
		names = append(names, p.Name)
	}
	return fmt.Errorf("--request %s: no phase of the run has such a request: name a phase (%s) and a number, as in %s/17 or, for a probe, %s/p/3",
		r.options.Request, strings.Join(names, ", "), names[len(names)-1], names[len(names)-1])
}

// Subscribe makes Execute call handle for every event.
func (r *Run) Subscribe(handle func(Event)) {
	others := r.emit
	r.emit = func(e Event) {
		others(e)
		handle(e)
	}
}

// Objects are the sets of objects that the run applies, in their order.
func (r *Run) Objects() [][]manifests.Object {
	var all [][]manifests.Object
	for _, p := range r.phases {
		all = append(all, p.Objects)
	}
	return all
}

// Notices are what a user should know before the start: checks that the plan cannot decide.
func (r *Run) Notices() (all []string) {
	for _, p := range r.phases {
		all = append(all, p.notices...)
	}
	return all
}

// Findings are what is wrong with the manifests themselves, whatever the mesh makes of them.
func (r *Run) Findings() []reports.Finding { return r.findings }

// Requests is how many the run sends at least, unless it is ended, the most that it sends, and about how long the first take.
func (r *Run) Requests() (least, most int, duration time.Duration) {
	for _, p := range r.phases {
		least += p.settled
		most += len(p.sequence)
		var longest time.Duration
		for _, prediction := range p.predictions {
			longest = max(longest, prediction.Longest)
		}
		duration += time.Duration(float64(p.settled)/p.rate*float64(time.Second)) + longest
		if p.change != nil {
			duration += 4 * settle
		}
	}
	return least, most, duration
}

// InFlight is the most requests that the run has under way at once, on a machine however slow.
func (r *Run) InFlight() (requests int) {
	for _, p := range r.phases {
		requests = max(requests, min(p.connections, len(p.sequence)))
	}
	return requests
}
