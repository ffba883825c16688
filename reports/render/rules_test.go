package render

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/reports"
)

// callsWithoutRule are calls of a service to others, of which no file has a rule, each with one failure in ten calls.
func callsWithoutRule(n int) *reports.Report {
	measured := 0.1
	p := reports.Phase{Name: "verify"}
	fails := reports.Share{Predicted: 0.1, Measured: &measured, K: 1, N: 10}
	p.Calls = append(p.Calls, reports.Call{From: "edge", To: "front", Fails: fails, Verdict: reports.Pass})
	for i := range n {
		name := fmt.Sprintf("svc-%02d", i)
		p.Calls = append(p.Calls, reports.Call{From: "front", To: name, Fails: fails, Verdict: reports.Pass, Tries: &reports.Factor{Predicted: 0.9},
			Rule: &reports.Rule{Name: "no rule", DefaultRetries: true, Destinations: []reports.Destination{{Name: name, Share: 1}}}})
	}
	return &reports.Report{Scenario: reports.Scenario{Name: "verify", Derived: true}, Phases: []reports.Phase{p}}
}

// tableOf is the table of rules of a report, with one blank in place of several.
func tableOf(t *testing.T, r *reports.Report, verbose bool) string {
	t.Helper()
	text := &text{report: r, verbose: verbose}
	text.ruleTable(&r.Phases[0])
	return strings.Join(strings.Fields(text.String()), " ")
}

// Few calls between services have a row each, with the caller; many that passed and have no rule have one together, and those that did not
// pass stay apart.
func TestRuleTableOfCallsBetweenServices(t *testing.T) {
	few := tableOf(t, callsWithoutRule(2), false)
	for _, part := range []string{"front requests enter here past every proxy 0.1 0.1", "svc-00 no rule is for it to svc-00 0.1 0.1 0.9/req called by front", "svc-01 no rule is for it"} {
		if !strings.Contains(few, part) {
			t.Errorf("%q is not in %s", part, few)
		}
	}
	r := callsWithoutRule(40)
	r.Phases[0].Calls[7].Verdict = reports.Fail
	many := tableOf(t, r, false)
	for _, part := range []string{"svc-06 FAIL no rule is for it", "between services 39 calls, each by Istio's default 0.1 0.1 itself, and no rule is for any"} {
		if !strings.Contains(many, part) {
			t.Errorf("%q is not in %s", part, many)
		}
	}
	if strings.Contains(many, "svc-05") {
		t.Errorf("a row that was joined is there, too: %s", many)
	}
	if verbose := tableOf(t, r, true); !strings.Contains(verbose, "svc-05") || strings.Contains(verbose, "39 calls") {
		t.Errorf("not every row is in %s", verbose)
	}
}

// The calls of two services under one rule have a row each.
func TestRuleTableTellsCallers(t *testing.T) {
	r := callsWithoutRule(2)
	for i, from := range []string{"front", "cart"} {
		c := &r.Phases[0].Calls[i+1]
		c.From, c.To = from, "stock"
		c.Rule = &reports.Rule{Name: "VirtualService stock, http[0]", File: "rules.yaml", Line: 7, Hosts: []string{"stock.default.svc.cluster.local"}, Policy: "3 retries on 5xx", Retries: 3, RetryOn: "5xx", Covers500: true}
	}
	got := tableOf(t, r, false)
	if !strings.Contains(got, "called by cart") || !strings.Contains(got, "called by front") || strings.Index(got, "called by cart") > strings.Index(got, "called by front") {
		t.Errorf("want a row for each caller, in their order: %s", got)
	}
}
