package explain

import (
	"testing"

	"github.com/hellochaos/hellochaos/reports"
)

func TestSummary(t *testing.T) {
	observed := func(verdict reports.Verdict, requests ...int) *reports.Report {
		r := &reports.Report{Verdict: verdict}
		for i, n := range requests {
			r.Phases = append(r.Phases, reports.Phase{Name: []string{"first", "second"}[i], Observed: n, Verdict: verdict})
		}
		return r
	}
	with := func(r *reports.Report, change func(*reports.Report)) *reports.Report { change(r); return r }
	missing := reports.Finding{ID: "HC103", Severity: reports.SeverityError, Object: "VirtualService v", File: "v.yaml", Line: 8}
	unmet := reports.Finding{ID: "HC301", Severity: reports.SeverityError, Object: `test case "a"`, File: "t.yaml", Line: 2}
	for want, r := range map[string]*reports.Report{
		"each of 1,380 requests met what the manifests say":                   observed(reports.Pass, 380, 1000),
		"the one request met what the manifests say":                          observed(reports.Pass, 0, 1),
		"the target failed: reading counters: refused":                        with(observed(reports.Inconclusive, 3), func(r *reports.Report) { r.Error = "reading counters: refused" }),
		"interrupted in phase second":                                         with(observed(reports.Inconclusive, 3, 3), func(r *reports.Report) { r.Aborted = true }),
		"interrupted before the first phase":                                  with(observed(reports.Inconclusive), func(r *reports.Report) { r.Aborted = true }),
		"no verdict: no request was sent":                                     observed(reports.Inconclusive, 0),
		"no verdict: phase second: the generator could not keep its schedule": with(observed(reports.Inconclusive, 3, 3), func(r *reports.Report) { r.Phases[1].Undecided = "the generator could not keep its schedule" }),
		"each of 1,380 requests met what the manifests say, but that is not what the scenario promises: see second": with(observed(reports.Pass, 380, 1000), func(r *reports.Report) { r.Phases[1].PromiseBroken = true }),
		"12 calls of 1,380 requests met something else than the manifests say, first b: not retried (v.yaml:7)": with(observed(reports.Fail, 380, 1000), func(r *reports.Report) {
			r.Phases[1].Mismatches = []reports.Mismatch{{Kind: "not retried", To: "b", Count: 10, File: "v.yaml", Line: 7}, {Kind: "no answer", To: "c", Count: 2}}
		}),
		"1 call of 1 request met something else than the manifests say, first b: no answer; 2 errors in the manifests, first HC103 of VirtualService v (v.yaml:8)": with(observed(reports.Fail, 1), func(r *reports.Report) {
			r.Phases[0].Mismatches = []reports.Mismatch{{Kind: "no answer", To: "b", Count: 1}}
			r.Findings = []reports.Finding{{ID: "HC201", Severity: reports.SeverityWarning}, missing, missing}
		}),
		"1 error in the manifests, HC103 of VirtualService v (v.yaml:8)": with(observed(reports.Fail, 5), func(r *reports.Report) { r.Findings = []reports.Finding{missing} }),
		`1 of 2 checks contradicts the manifests, first "b: split" in phase second (it is swapped)`: with(observed(reports.Fail, 5, 5), func(r *reports.Report) {
			r.Phases[1].Calls = []reports.Call{{To: "b", Requests: reports.Pass, Split: &reports.Split{Verdict: reports.Fail, Note: "it is swapped"}}}
		}),
		`no verdict: 1 of 1 check could not be decided, first "b: each call" in phase second`: with(observed(reports.Inconclusive, 5, 5), func(r *reports.Report) {
			r.Phases[1].Calls = []reports.Call{{To: "b", Requests: reports.Inconclusive}}
		}),
		"each of 5 requests met what the manifests say, and 1 of 1 test case holds": with(observed(reports.Pass, 5), func(r *reports.Report) { r.Cases = &reports.Cases{Held: 1, All: 1} }),
		`1 of 3 test cases hold, the first that does not is "a" (t.yaml:2)`: with(observed(reports.Fail, 5), func(r *reports.Report) {
			r.Cases, r.Findings = &reports.Cases{Held: 1, All: 3}, []reports.Finding{unmet, unmet}
		}),
		`1 error in the manifests, HC103 of VirtualService v (v.yaml:8); 2 of 3 test cases hold, the first that does not is "a" (t.yaml:2)`: with(observed(reports.Fail, 5), func(r *reports.Report) {
			r.Cases, r.Findings = &reports.Cases{Held: 2, All: 3}, []reports.Finding{missing, unmet}
		}),
		"1 error in the manifests, HC103 of VirtualService v (v.yaml:8); 3 of 3 test cases hold": with(observed(reports.Fail, 5), func(r *reports.Report) {
			r.Cases, r.Findings = &reports.Cases{Held: 3, All: 3}, []reports.Finding{missing}
		}),
		"no verdict: nothing was judged; 3 of 3 test cases hold":                                                   with(observed(reports.Inconclusive, 5), func(r *reports.Report) { r.Cases = &reports.Cases{Held: 3, All: 3} }),
		"each of 5 requests met what the manifests say, and the expectation is met":                                with(observed(reports.Pass, 5), expecting(reports.Pass)),
		"each of 5 requests met what the manifests say, and all 2 expectations are met":                            with(observed(reports.Pass, 5), expecting(reports.Pass, reports.Pass)),
		"each of 5 requests met what the manifests say, but the expectation is not met: a":                         with(observed(reports.Pass, 5), failing(reports.Fail)),
		"each of 5 requests met what the manifests say, but 1 of 2 expectations is not met: b":                     with(observed(reports.Pass, 5), failing(reports.Pass, reports.Fail)),
		"each of 5 requests met what the manifests say, but 2 of 3 expectations are not met, the first of them: b": with(observed(reports.Pass, 5), failing(reports.Inconclusive, reports.Fail, reports.Fail)),
		"1 call of 5 requests met something else than the manifests say, first b: no answer; the expectation is not met: a": with(observed(reports.Fail, 5), func(r *reports.Report) {
			r.Phases[0].Mismatches = []reports.Mismatch{{Kind: "no answer", To: "b", Count: 1}}
			expecting(reports.Fail)(r)
		}),
		`1 of 1 check contradicts the manifests, first "b: each call" in phase first; the expectation is not met: a`: with(observed(reports.Fail, 5), func(r *reports.Report) {
			r.Phases[0].Calls = []reports.Call{{To: "b", Requests: reports.Fail}}
			expecting(reports.Fail)(r)
		}),
		// The phase has no verdict, so that nothing can be said of each request.
		"the expectation is not met: c": with(observed(reports.Inconclusive, 5), func(r *reports.Report) {
			failing(reports.Fail)(r)
			r.Expectations[0].Text = "c"
		}),
		"no verdict: 1 of 2 expectations could not be decided: b": with(observed(reports.Pass, 5), func(r *reports.Report) {
			expecting(reports.Pass, reports.Inconclusive)(r)
			r.Verdict = reports.Inconclusive
		}),
		"no verdict: nothing was judged": observed(reports.Inconclusive, 5),
	} {
		if got := Summary(r); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// expecting adds expectations that have these verdicts, and failing makes the run fail by them.
func expecting(verdicts ...reports.Verdict) func(*reports.Report) {
	return func(r *reports.Report) {
		for i, v := range verdicts {
			r.Expectations = append(r.Expectations, reports.Expectation{Text: string(rune('a' + i)), Verdict: v})
		}
	}
}

func failing(verdicts ...reports.Verdict) func(*reports.Report) {
	return func(r *reports.Report) {
		expecting(verdicts...)(r)
		r.Verdict = reports.Fail
	}
}

func TestNumbers(t *testing.T) {
	for want, got := range map[string]string{"0.0625": number(0.0625), "0.333": number(1.0 / 3), "120": number(120), "0.0000012": number(0.0000012), "19.6 %": percent(0.1957), "1,234,567": count(1234567), "0": count(0)} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
