package compare

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/reports"
)

// ruled is a call that enters under a rule for shop.example.com, with a cohort.
func ruled(match, cohort string, retries int, fails float64, to ...reports.Destination) reports.Call {
	measured := fails
	return reports.Call{From: "edge", To: "shop", Cohorts: []string{cohort}, Requests: reports.Pass, Judged: 100, MeanTries: 1, MostTries: 1 + retries,
		Rule:     &reports.Rule{Hosts: []string{"shop.example.com"}, Match: match, Retries: retries, RetryOn: "5xx", Covers500: true, Destinations: to},
		Fails:    reports.Share{Predicted: fails, Measured: &measured, K: int64(100 * fails), N: 100},
		Branches: []reports.Branch{{Name: "answered at try 1", Met: 5}, {Name: fmt.Sprintf("all %d tries fail", 1+retries), Met: 5}}}
}

func to(subset string, share float64) reports.Destination {
	return reports.Destination{Name: "shop.default.svc.cluster.local subset " + subset, Share: share}
}

func verified(hash string, calls ...reports.Call) *reports.Report {
	return &reports.Report{Schema: reports.SchemaVersion, Scenario: reports.Scenario{Name: "verify", Derived: true}, Settings: reports.Settings{ManifestsHash: hash, Manifests: hash, Seed: 1},
		Verdict: reports.Pass, Phases: []reports.Phase{{Name: "verify", Verdict: reports.Pass, Sent: 200, Observed: 200, Calls: calls, Outcomes: []byte{4, 4}}}}
}

// Two reports of verify before and after a change are compared rule by rule, with what the rules come to.
func TestPolicies(t *testing.T) {
	canary, rest := ruled("x-canary: true", "shop x-canary: true", 0, 0.05, to("v2", 1)), ruled("", "shop", 3, 0.01, to("v1", 1))
	lost := ruled("x-canary: true", "shop x-canary: true", 0, 0, reports.Destination{Name: "nobody", Share: 1, Status: 503})
	both := ruled("", "shop x-canary: true", 3, 0.01, to("v1", 1))
	both.Cohorts = append(both.Cohorts, "shop")
	failed := verified("b", canary, rest)
	failed.Expectations = []reports.Expectation{{Text: "all reaches shop", Verdict: reports.Fail}}
	for name, c := range map[string]struct {
		now        *reports.Report
		word       Word
		line, more string
	}{
		"fewer retries":       {verified("b", canary, ruled("", "shop", 1, 0.02, to("v1", 1))), Worse, "shop.example.com: OLD to v1, 3 retries on 5xx, 1 of 4 tries, NEW to v1, 1 retry on 5xx, 1 of 2 tries", `"shop.example.com: predicted fails"`},
		"more retries":        {verified("b", canary, ruled("", "shop", 4, 0.005, to("v1", 1))), Better, "NEW to v1, 4 retries", `"shop.example.com: predicted fails"`},
		"another split":       {verified("b", canary, ruled("", "shop", 3, 0.01, to("v1", 0.9), to("v2", 0.1))), Same, "NEW to v1 90 %, v2 10 %", "1 of the rules, by host and match, differs"},
		"nobody answers":      {verified("b", lost, rest), Worse, "NEW to nobody (nobody: 503)", `"shop.example.com x-canary: true: predicted to arrive"`},
		"a rule is gone":      {verified("b", rest), Unclear, "shop.example.com x-canary: true: OLD to v2, NEW no such rule", "no request of NEW is one that met it"},
		"and its request met": {verified("b", both), Better, "shop.example.com x-canary: true: OLD to v2, NEW to v1, 3 retries on 5xx", "predicted fails"},
		"a rule more":         {verified("b", canary, rest, ruled("/pay", "shop /pay", 0, 0.05, to("v1", 1))), Same, "shop.example.com /pay: OLD no such rule, NEW to v1", ""},
		"an expectation":      {failed, Worse, "", "expectation"},
	} {
		before := verified("a", canary, rest)
		before.Expectations = []reports.Expectation{{Text: "all reaches shop", Verdict: reports.Pass}}
		got := Of(before, c.now, Options{Margin: 0.05, LatencyMargin: 0.25})
		var text bytes.Buffer
		if err := Text(&text, got, true, false); err != nil {
			t.Fatal(err)
		}
		flat := strings.Join(strings.Fields(text.String()), " ")
		if strings.HasPrefix(name, "nobody") && got.Counts()[Better] > 0 {
			t.Errorf("%s: what no service gets is called better:\n%s", name, text.String())
		}
		if got.Word != c.word || len(got.Mismatches) > 0 || !strings.Contains(flat, c.line) || !strings.Contains(got.Summary, c.more) || strings.Contains(flat, "no longer met") {
			t.Errorf("%s: %s, want %s with %q and %q:\n%s", name, got.Word, c.word, c.line, c.more, text.String())
		}
	}
}

// Other reports whose manifests differ are still different scenarios.
func TestPoliciesOfVerifyAlone(t *testing.T) {
	before, after := verified("a"), verified("b")
	after.Scenario.Derived = false
	if c := Of(before, after, Options{Margin: 0.05}); c.Policies || len(c.Mismatches) != 1 {
		t.Errorf("%+v", c.Mismatches)
	}
}
