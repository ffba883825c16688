package run

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/scenarios/check"
)

// cases are the calls of a planned phase with the cases of their rules, each with the cohorts whose probes meet it.
func cases(p *reports.PlannedPhase) (lines []string) {
	for _, c := range p.Calls {
		line := fmt.Sprintf("%s to %s of %s, fails %.4f, tries %.2f:", c.From, c.To, strings.Join(c.Cohorts, "+"), c.Fails, c.Tries)
		if c.Unchanged {
			line += " unchanged"
		}
		for _, b := range c.Branches {
			line += " " + b.Name + " ="
			for _, by := range b.Met {
				line += fmt.Sprintf(" %d %s,", by.Calls, by.Cohort)
			}
			line += b.Why + ";"
		}
		lines = append(lines, line)
	}
	return lines
}

// The outline of a run has what its phases apply, send and predict, and which requests meet each case of each new rule, as often as the
// check of the case needs.
func TestOutline(t *testing.T) {
	o := usual()
	o.Fail, o.Seed = 0.5, 1
	r := planOf(t, "retry", o, nil)
	plan := r.Outline()
	if requests, most, duration := r.Requests(); plan.Requests != requests || plan.Most != most || plan.Duration != duration || plan.Scenario != "retry" || plan.Settings.Seed != 1 {
		t.Errorf("%+v, want %d requests, at most %d, in %s", plan, requests, most, duration)
	}
	if len(plan.Phases) != 2 || !plan.Phases[0].Base || plan.Phases[1].Base || len(plan.Phases[0].Objects) != 14 {
		t.Fatalf("%+v, want prod and retry", plan.Phases)
	}
	if got, want := plan.Phases[1].Objects, "VirtualService middleware retry.yaml"; len(got) != 3 || got[0].Name+" "+got[0].File != want || got[0].Line < 2 {
		t.Errorf("retry applies %+v", got)
	}
	want := []string{"edge to frontend of , fails 0.5000, tries 1.00: unchanged",
		"frontend to middleware of , fails 0.0625, tries 0.94: answered at try 1 = 146 ,; answered at try 2 = 265 ,; answered at try 3 = 175 ,; answered at try 4 = 175 ,; all 4 tries fail = 73 ,;",
		"middleware to backend of , fails 0.0625, tries 0.88: answered at try 1 = 73 ,; answered at try 2 = 265 ,; answered at try 3 = 175 ,; answered at try 4 = 175 ,; all 4 tries fail = 73 ,;",
		"backend to clock of , fails 0.0000, tries 0.44: unchanged"}
	if got := cases(&plan.Phases[1]); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	sent := plan.Phases[0].Cohorts[0].Natural + plan.Phases[1].Cohorts[0].Natural + plan.Phases[1].Cohorts[0].Probes
	if c := plan.Phases[1].Cohorts[0]; sent != plan.Requests || c.Entry != "straight at frontend" || c.Request != "GET /" || c.Probes == 0 {
		t.Errorf("%+v, %d of %d requests", c, sent, plan.Requests)
	}
	for _, c := range plan.Phases[0].Calls {
		if len(c.Branches) > 0 {
			t.Errorf("prod is only compared with, and probes are to meet %+v", c.Branches)
		}
	}
}

// Only the requests that a rule is for meet its cases.
func TestOutlineOfCohorts(t *testing.T) {
	o := usual()
	o.Fail = 0.1
	p := planOf(t, "canary", o, nil).Outline().Phases[1]
	for _, c := range p.Calls {
		for _, b := range c.Branches {
			met := int64(0)
			for _, by := range b.Met {
				if met += by.Calls; !slices.Contains(c.Cohorts, by.Cohort) {
					t.Errorf("%s to %s of %v: %s by %q", c.From, c.To, c.Cohorts, b.Name, by.Cohort)
				}
			}
			if met < check.EachBranch {
				t.Errorf("%s to %s: %s is met %d times", c.From, c.To, b.Name, met)
			}
		}
	}
	if c := p.Cohorts[0]; c.Name != "exact header" || c.Request != "GET /, x-dev-user: super-secret" || c.Entry != "by Gateway frontend" {
		t.Errorf("%+v", c)
	}
}

// What the mesh draws is played: calls go to each destination about as often as the weights say, and a fault aborts its share.
func TestOutlineOfDraws(t *testing.T) {
	objects := manifests.Overlay(scenariosThrough(t, "prod"), parsed(t, "own.yaml", `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: middleware}
spec:
  hosts: [middleware]
  http:
  - fault: {abort: {httpStatus: 503, percentage: {value: 20}}}
    route: [{destination: {host: middleware, subset: prod}, weight: 70}, {destination: {host: middleware, subset: canary}, weight: 30}]
`))
	o := usual()
	o.Fail = 0.1
	r, err := Plan("own", []scenarios.Phase{{Name: "own", Title: "t", Objects: objects, Cohorts: []scenarios.Cohort{{Entry: manifests.Entry{Service: "frontend"}}}}}, o, pace)
	if err != nil {
		t.Fatal(err)
	}
	shares := map[string]float64{}
	for _, c := range r.Outline().Phases[0].Calls {
		if c.To != "middleware" {
			continue
		}
		sum := 0.0
		for _, b := range c.Branches {
			if b.Name == "fails" || b.Name == "answered" || strings.HasPrefix(b.Name, "aborted") {
				sum += float64(b.Met[0].Calls)
			}
		}
		for _, b := range c.Branches {
			shares[b.Name] = float64(b.Met[0].Calls) / sum
		}
	}
	for name, want := range map[string]float64{"aborted with 503": 0.2, "to prod": 0.56, "to canary": 0.24} {
		if got := shares[name]; got < want-0.06 || got > want+0.06 {
			t.Errorf("%s: %.3f of the calls, want about %.2f: %v", name, got, want, shares)
		}
	}
}

func scenariosThrough(t *testing.T, stage string) []manifests.Object {
	t.Helper()
	objects, err := scenarios.Through(stage, nil)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// The outline has what is applied during a change, step by step: what VirtualServices refer to comes before them and goes after them.
func TestOutlineOfAChange(t *testing.T) {
	o := usual()
	o.ThroughChange = true
	got := planOf(t, "prod", o, nil).Outline().Changes
	if len(got) != 1 || got[0].From != "egress" || got[0].To != "prod" || got[0].Rate != mostChangeRate ||
		fmt.Sprint(got[0].Steps) != "[[DestinationRule middleware] [VirtualService middleware]]" ||
		fmt.Sprint(got[0].Back) != "[[VirtualService middleware (removed)] [DestinationRule middleware (removed)]]" {
		t.Errorf("%+v", got)
	}
	if got := planOf(t, "ingress", o, nil).Outline().Changes; len(got) != 1 || !strings.Contains(got[0].Blocked, "by Gateway frontend") || got[0].Steps != nil {
		t.Errorf("%+v", got)
	}
}
