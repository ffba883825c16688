package run

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/target/mesh"
)

// changed executes the change to a stage on a mesh whose proxies take new rules one by one, and few requests of its phases.
func changed(t *testing.T, stage, deviation string) *reports.Report {
	t.Helper()
	o := usual()
	o.ThroughChange, o.Seed, o.Attack.Rate = true, 7, 100
	r := planOf(t, stage, o, nil)
	for _, p := range r.phases {
		p.onlySo(1)
	}
	on, err := mesh.New(mesh.Options{Seed: o.Seed, Break: deviation, Gradual: true})
	if err != nil {
		t.Fatal(err)
	}
	report := r.Execute(t.Context(), on)
	if report.Error != "" {
		t.Fatal(report.Error)
	}
	if len(report.Changes) != 2 || report.Changes[0].PutBack || !report.Changes[1].PutBack {
		t.Fatalf("%+v: want one change, and one that is put back", report.Changes)
	}
	return report
}

// tooBusy reports whether a change has no verdict since this machine was too busy to ask each proxy often enough.
func tooBusy(c *reports.Change) bool {
	return c.Verdict == reports.Inconclusive && strings.Contains(c.Why, "may have been asked nothing")
}

// The tutorial's retries are applied and put back without a lost call, while proxies take them one by one.
func TestAChangeIsHitless(t *testing.T) {
	t.Parallel()
	for _, c := range changed(t, "retry", "").Changes {
		if c.Verdict != reports.Pass && !tooBusy(&c) || c.Evidence < 60 || c.Lost+c.OldAfterNew+c.Late+c.Early > 0 {
			t.Errorf("%s: %s: %v", c.Title(), c.Verdict, c.Words)
		}
		var names []string
		for _, p := range c.Proxies {
			names = append(names, p.Name)
			if told := p.LastOld != nil || p.FirstNew != nil; told != (p.Name != "backend") { // whose calls meet the same rules
				t.Errorf("%s: %+v", c.Title(), p)
			}
		}
		if !slices.Equal(names, []string{"backend", "frontend", "middleware"}) {
			t.Errorf("%s: calls of the proxies %v", c.Title(), names)
		}
	}
}

// A proxy that has no routes for 20 ms when it takes new ones loses calls, which is found and named.
func TestDroppedRoutesAreFound(t *testing.T) {
	t.Parallel()
	report := changed(t, "retry", "routes-dropped")
	if report.Verdict != reports.Fail && !slices.ContainsFunc(report.Changes, func(c reports.Change) bool { return tooBusy(&c) }) {
		t.Errorf("%s: %s", report.Verdict, report.Summary)
	}
	for _, c := range report.Changes {
		found := c.Verdict == reports.Fail && c.Lost > 0 && c.Troubles[0].Kind == "lost" && strings.Contains(c.Troubles[0].Met, "404") &&
			strings.Contains(report.Summary, "lost in the change ")
		if !found && !tooBusy(&c) {
			t.Errorf("%s: %s: %v; %s", c.Title(), c.Verdict, c.Words, report.Summary)
		}
	}
}

// Where nobody can tell old rules from new ones, there is no verdict.
func TestAChangeWithoutEvidence(t *testing.T) {
	t.Parallel()
	report := changed(t, "ingress", "") // whose requests enter by a Gateway that is not there before
	for _, c := range report.Changes {
		if c.Verdict != reports.Inconclusive || c.Calls != 0 || !strings.Contains(c.Why, "by Gateway frontend") {
			t.Errorf("%+v", c)
		}
	}
	if report.Verdict != reports.Inconclusive {
		t.Errorf("%s: %s", report.Verdict, report.Summary)
	}
}

func TestThroughChangeNeedsAChange(t *testing.T) {
	o := usual()
	o.ThroughChange, o.Request = true, "retry/1"
	if _, err := Plan("retry", phasesOf(t, "retry", nil, nil), o, pace); err == nil || !strings.Contains(err.Error(), "--request") {
		t.Errorf("with --request: %v", err)
	}
	o.Request = ""
	if _, err := Plan("retry", phasesOf(t, "retry", nil, nil)[1:], o, pace); err == nil || !strings.Contains(err.Error(), "nothing changes") {
		t.Errorf("with one phase: %v", err)
	}
}

// reluctant is a stand-in whose Apply fails at the n-th time.
type reluctant struct {
	*standIn
	n, applied int
}

func (r *reluctant) Apply(context.Context, []manifests.Object) error {
	if r.applied++; r.applied == r.n {
		return errors.New("the API server said no")
	}
	return nil
}

// Whatever goes wrong during a change, it has no verdict, and the target is closed.
func TestAChangeWhoseTargetFails(t *testing.T) {
	for n, name := range map[int]string{2: "before the load", 3: "under load", 4: "before it is put back"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			on := &reluctant{newStandIn(t), n, 0}
			o := limited(5)
			o.ThroughChange, o.Attack.Rate = true, 50
			report := on.run(t, o).Execute(t.Context(), on)
			last := report.Changes[len(report.Changes)-1]
			if report.ExitCode() != reports.ExitInfrastructure || on.closed != 1 || !strings.Contains(report.Error, "the API server said no") || len(report.Phases) != 1 {
				t.Errorf("exit %d, closed %d times, error %q, %d phases", report.ExitCode(), on.closed, report.Error, len(report.Phases))
			}
			if last.Verdict != reports.Inconclusive || last.PutBack != (n == 4) || !strings.Contains(last.Why, "see the run's error") {
				t.Errorf("%+v", last)
			}
			if n == 4 && (report.Changes[0].Verdict != reports.Inconclusive || report.Changes[0].Why != "0 calls tell the old rules from the new ones, and at least 60 are needed") {
				t.Errorf("rules that do not change: %+v", report.Changes[0])
			}
		})
	}
}
