package render

import (
	"strings"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/reports"
)

func TestPlan(t *testing.T) {
	plan := &reports.Plan{Scenario: "shop", Requests: 1434, Most: 2000, Duration: 1600 * time.Millisecond, Settings: reports.Settings{Fail: 0.5}, Notices: []string{"phase two: so few calls."},
		Findings: []reports.Finding{{ID: "HC103", Severity: reports.SeverityError, File: "b.yaml", Line: 7, Object: "VirtualService b", Text: "Subset blue is not defined."}},
		Phases: []reports.PlannedPhase{
			{Name: "one", Title: "first", Base: true, Objects: []reports.PlannedObject{{Name: "Service a", File: "a.yaml", Line: 1}, {Name: "Service b", File: "b.yaml", Line: 2}, {Name: "Service c", File: "a.yaml", Line: 9}, {Name: "Deployment d"}, {Name: "Deployment d"}},
				Shares: []reports.Share{{Name: reports.EdgeFails, Predicted: 0.5}}, Cohorts: []reports.PlannedCohort{{Entry: "straight at a", Request: "GET /", Natural: 300}},
				Calls: []reports.PlannedCall{{From: "edge", To: "a", Fails: 0.5, Tries: 1}}},
			{Name: "two", Title: "second", Shares: []reports.Share{{Name: reports.EdgeFails, Predicted: 0.25}, {Name: reports.AnyFails, Predicted: 0.5}},
				Cohorts: []reports.PlannedCohort{{Name: "blue", Entry: "by Gateway door", Request: "POST /orders?new=1 of host shop.example.com, x-team: blue", Natural: 75, Probes: 1059}},
				Calls: []reports.PlannedCall{
					{From: "edge", To: "a", Rule: &reports.Rule{Policy: "none"}, Fails: 0.5, Tries: 1, Unchanged: true},
					{From: "a", To: "b", Cohorts: []string{"blue", "green"}, Rule: &reports.Rule{Policy: "1 retry on 5xx", File: "b.yaml", Line: 7}, Fails: 0.25, Tries: 1.5, Branches: []reports.PlannedBranch{
						{Name: "answered at try 1", Met: []reports.MetBy{{Cohort: "blue", Calls: 1066}, {Cohort: "green", Calls: 70}}},
						{Name: "to canary", Met: []reports.MetBy{{Cohort: "blue", Calls: 3}}, Why: "the mesh draws it for only 0.1 % of the calls"}, {Name: "all 2 tries fail"}}},
					{From: "a", To: "c", Rule: &reports.Rule{Policy: "none"}}}},
		},
		Changes: []reports.PlannedChange{{From: "one", To: "two", Rate: 27.5, Steps: [][]string{{"DestinationRule b"}, {"VirtualService a", "VirtualService b"}}, Back: [][]string{{"VirtualService b (removed)"}}},
			{From: "two", To: "three", Blocked: "no request can be sent before and after it"}, {From: "three", To: "four"}}}
	var b strings.Builder
	if err := Plan(&b, plan, TextOptions{}); err != nil {
		t.Fatal(err)
	}
	want := `PLAN  shop: about 1,434 requests, at most 2,000, with --fail 0.5, in about 2s.
      Nothing was started.

one: first. It is only compared with: no probes are sent.
  begins with a.yaml: Service a (1), Service c (9); b.yaml: Service b (2); of
              hellochaos itself: Deployment d
  predicts edge fails 0.5

requests  enter          ask for  natural  probes
all       straight at a  GET /    300      0

  rule, and its cases     probes that meet it  fails  tries
edge → a
  none: entered directly                       0.5    1.00

two: second
  applies nothing that was not in force before
  predicts edge fails 0.25, any of ours fails 0.5

requests  enter            ask for                 natural  probes
blue      by Gateway door  POST /orders?new=1 of   75       1,059
                           host shop.example.com,
                           x-team: blue

  rule, and its cases        probes that meet it         fails  tries
edge → a
  none                       as in the phase before      0.5    1.00
a → b of blue, green
  1 retry on 5xx (b.yaml:7)                              0.25   1.50
  - answered at try 1        1,066 blue, 70 green
  - to canary                3 blue, not judged: the
                             mesh draws it for only 0.1
                             % of the calls
  - all 2 tries fail         none
a → c
  none                       no probe                    0      0.00

the change one → two, and back: 27.5 requests a second at most, while the
objects are applied
  applies DestinationRule b; then VirtualService a, VirtualService b
  puts back VirtualService b (removed)

the change two → three will have no verdict: no request can be sent before and
after it

the change three → four: both phases have the same objects, so that nothing
changes

! phase two: so few calls.

ERROR  b.yaml:7: VirtualService b: Subset blue is not defined. (HC103)
`
	if got := b.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
