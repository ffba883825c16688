package expectations_test

import (
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/expect"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios/expectations"
)

func pointer[T any](v T) *T { return &v }

func share(predicted float64, k, n int64) reports.Share {
	s := reports.Share{Predicted: predicted, K: k, N: n}
	if n > 0 {
		s.Measured = pointer(float64(k) / float64(n))
	}
	return s
}

// shop is a report of a service with a rule for one header and a split for all else, and of a service behind it.
func shop() *reports.Report {
	edge, any := share(0.05, 16, 300), share(0.1, 33, 300)
	edge.Name, any.Name = reports.EdgeFails, reports.AnyFails
	to := func(subset string, part float64) reports.Destination {
		return reports.Destination{Name: "reviews.default.svc.cluster.local subset " + subset, Share: part, Versions: []string{subset}}
	}
	return &reports.Report{Phases: []reports.Phase{{Name: "before"}, {
		Name: "verify", Natural: 300, Shares: []reports.Share{edge, any},
		Calls: []reports.Call{
			{From: "edge", To: "reviews", Cohorts: []string{"reviews end-user: jason"}, Fails: share(0.05, 7, 150), MeanTries: 1.05, MostTries: 4, Judged: 200, Open: 1,
				Rule: &reports.Rule{Name: "VirtualService reviews, http[0]", File: "reviews.yaml", Line: 17, Destinations: []reports.Destination{to("v2", 1)}}},
			{From: "edge", To: "reviews", Cohorts: []string{"reviews", "reviews end-user: JASON"}, Fails: share(0.2, 31, 150), MeanTries: 1.5, MostTries: 4, Judged: 200,
				Rule:  &reports.Rule{Name: "VirtualService reviews, http[1]", File: "reviews.yaml", Line: 20, Aborts: 0.1, Destinations: []reports.Destination{to("v1", 0.8), to("v3", 0.2)}},
				Split: &reports.Split{Verdict: reports.Pass, Parts: []reports.SplitShare{part("aborted with 503", 0.1, 15), part("v1", 0.72, 108), part("v3", 0.18, 27)}}},
			{From: "reviews", To: "ratings", Fails: share(0.01, 3, 250), Tries: &reports.Factor{Predicted: 1.4, Measured: 1.5, Tries: 450, Requests: 300}, Judged: 250,
				Rule:  &reports.Rule{Name: "no rule", Destinations: []reports.Destination{{Name: "ratings.default.svc.cluster.local", Share: 1, Versions: []string{"a", "b"}}}},
				Split: &reports.Split{Balanced: true, Verdict: reports.Pass, Parts: []reports.SplitShare{part("a", 0.5, 75), part("b", 0.5, 75)}}},
			{From: "reviews", To: "rare", Rule: &reports.Rule{Name: "no rule"}},
		},
		Distributions: []reports.Distribution{{Outcome: "ok", Tries: 1, Bins: []reports.Bin{{1000, 500}, {20000, 500}}}, {Outcome: "failed", Bins: []reports.Bin{{9000000, 90}}}},
	}}}
}

func part(name string, predicted float64, k int64) reports.SplitShare {
	s := share(predicted, k, 150)
	s.Name = name
	return reports.SplitShare{Share: s, Verdict: reports.Pass}
}

func judge(t *testing.T, r *reports.Report, text string, cohorts ...string) reports.Expectation {
	t.Helper()
	e, err := expect.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	phase := e.Phase
	if phase == "" {
		phase = "verify"
	}
	all := expectations.Judge(r, []expectations.Wanted{{Expectation: e, Phase: phase, Cohorts: cohorts, Most: map[string]int{"reviews": 4, "ratings": 12}}})
	if len(all) != 1 {
		t.Fatalf("%s: %d results, want 1", text, len(all))
	}
	return all[0]
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		text, cohort string
		want         reports.Verdict
		of, why      string
	}{
		{text: "edge fails <= 0.06", want: reports.Pass, why: "the manifests achieve it, and what was measured does not exclude it"},
		{text: "edge fails <= 0.04", want: reports.Fail, why: "the manifests do not achieve it"},
		{text: "any fails <= 0.2", want: reports.Pass, why: "the measured interval lies within it"},
		{text: "reviews fails <= 0.1", want: reports.Fail, of: "reviews.yaml:20, called by edge", why: "the manifests do not"},
		{text: "reviews fails <= 0.3", want: reports.Pass, of: "reviews.yaml:20, called by edge"},
		{text: "reviews.default.svc.cluster.local fails <= 0.3", want: reports.Pass, of: "reviews.yaml:20, called by edge"},
		{text: "rare fails <= 0.3", want: reports.Fail, why: "there are no data: no natural request shows it"},
		{text: "nobody fails <= 0.3", want: reports.Fail, why: "there are no data: no request of the phase made such a call"},
		{text: "before: edge fails <= 0.3", want: reports.Fail, why: "there are no data"},
		{text: "after: edge fails <= 0.3", want: reports.Inconclusive, why: "phase after was not run"},
		{text: "reviews v3 share = 0.18 ± 0.01", want: reports.Pass}, // a fault takes a tenth of all
		{text: "reviews v3 share = 0.2 ± 0.01", want: reports.Fail},
		{text: "reviews v2 share = 1", want: reports.Pass, why: "each of 199 calls met what they say"},
		{text: "reviews v4 share >= 0.1", want: reports.Fail, why: "the manifests do not"},
		{text: "ratings a share within 0.3..0.7", want: reports.Pass, why: "the measured interval lies within it"},
		{text: "ratings a share within 0.45..0.55", want: reports.Inconclusive, why: "150 calls or requests are too few to tell"},
		{text: "ratings a share >= 0.8", want: reports.Fail, why: "the manifests do not"},
		{text: "ratings c share >= 0.1", want: reports.Fail},
		{text: "ratings tries per request <= 2", want: reports.Pass},
		{text: "ratings tries per request <= 1.3", want: reports.Fail},
		{text: "reviews tries per request <= 2", want: reports.Fail, why: "its tries are counted together, and 2 rules lead there"},
		{text: "worst case tries <= 12", want: reports.Pass, of: "ratings", why: "each of 649 calls met"},
		{text: "worst case tries <= 11", want: reports.Fail, of: "ratings"},
		{text: "reviews worst case tries <= 4", want: reports.Pass, of: "reviews"},
		{text: "p50 <= 20ms", want: reports.Inconclusive},
		{text: "p99 <= 25ms", want: reports.Pass, why: "the measured interval lies within it"},
		{text: "p99 <= 10ms", want: reports.Fail, why: "what was measured excludes it"},
		{text: "p99.9 <= 30ms", want: reports.Inconclusive, why: "1000 good answers are too few for an interval of the quantile: 7598 are needed"},
		{text: "jason reaches reviews v2", cohort: "reviews end-user: jason", want: reports.Pass, of: "reviews end-user: jason"},
		{text: "jason reaches reviews", cohort: "reviews end-user: jason", want: reports.Pass},
		{text: "JASON reaches reviews v1", cohort: "reviews end-user: JASON", want: reports.Fail},
		{text: "jason reaches ratings a", cohort: "reviews end-user: jason", want: reports.Fail, why: "the call of reviews goes to ratings, where a load balancer chooses among the versions"},
		{text: "jason reaches ratings", cohort: "reviews end-user: jason", want: reports.Pass},
		{text: "stranger reaches reviews", cohort: "stranger", want: reports.Fail, of: "stranger", why: "the manifests do not achieve it"},
		{text: "jason reaches reviews v1", cohort: "reviews end-user: jason", want: reports.Fail, why: "such a request goes to reviews subset v2 (reviews.yaml:17)"},
		{text: "jason reaches rare", cohort: "reviews end-user: jason", want: reports.Fail, why: "the call of reviews meets no rule ()"},
		{text: "jason reaches nobody", cohort: "reviews end-user: jason", want: reports.Fail, why: "such a request goes to reviews subset v2 (reviews.yaml:17), and leads to no call to nobody"},
		{text: "jason to nobody fails <= 0.1", cohort: "reviews end-user: jason", want: reports.Fail, why: "there are no data: such a request goes to reviews subset v2 (reviews.yaml:17), and leads to no call to nobody"},
		{text: "jason to reviews fails <= 0.1", cohort: "reviews end-user: jason", want: reports.Pass}, // the other rule's calls fail more often
		{text: "jason to reviews v2 share = 1", cohort: "reviews end-user: jason", want: reports.Pass},
		{text: "jason to nobody v2 share = 1", cohort: "reviews end-user: jason", want: reports.Fail},
	} {
		var cohorts []string
		if c.cohort != "" {
			cohorts = []string{c.cohort}
		}
		got := judge(t, shop(), c.text, cohorts...)
		if got.Verdict != c.want || !strings.Contains(got.Why, c.why) || c.of != "" && got.Of != c.of {
			t.Errorf("%s: %s, of %q, because %q (predicted %v, interval %v), want %s, of %q, because %q", c.text, got.Verdict, got.Of, got.Why, got.Predicted, got.Interval, c.want, c.of, c.why)
		}
	}
}

// In a report of derived requests the tries are those of each call.
func TestJudgeDerived(t *testing.T) {
	r := shop()
	r.Scenario.Derived = true
	if got := judge(t, r, "reviews tries per request <= 1.6"); got.Verdict != reports.Pass || got.Predicted == nil || *got.Predicted != 1.5 {
		t.Errorf("%+v, want a pass of 1.5", got)
	}
	if got := judge(t, r, "edge fails <= 0.1"); got.Verdict != reports.Fail || got.Of != "reviews.yaml:20, called by edge" {
		t.Errorf("%+v, want a failure at reviews.yaml:20: a share of all requests says nothing", got)
	}
	if got := judge(t, r, "reviews tries per request <= 1.4"); got.Verdict != reports.Fail || got.Of != "reviews.yaml:20, called by edge" {
		t.Errorf("%+v, want a failure at reviews.yaml:20", got)
	}
}

// What was measured and cannot be used gives no pass, and a prediction that breaks an expectation still fails it.
func TestJudgeUnusable(t *testing.T) {
	for name, spoil := range map[string]func(*reports.Phase){
		"edge fails <= 0.06":          func(p *reports.Phase) { p.Undecided = "pods were replaced" },
		"p99 <= 25ms":                 func(p *reports.Phase) { p.Late = true },
		"worst case tries <= 12":      func(p *reports.Phase) { p.Calls[2].Mismatched = 1 },
		"reviews v2 share = 1":        func(p *reports.Phase) { p.Calls[0].Mismatched = 1 },
		"reviews v3 share <= 0.19":    func(p *reports.Phase) { p.Calls[1].Split.Verdict, p.Calls[1].Split.Note = reports.NotJudged, "hidden" },
		"ratings a share <= 0.7":      func(p *reports.Phase) { p.Calls[2].Split.Verdict, p.Calls[2].Split.Note = reports.NotJudged, "hidden" },
		"ratings tries per request<2": func(p *reports.Phase) { p.Undecided = "it did not end" },
	} {
		r := shop()
		spoil(&r.Phases[1])
		if got := judge(t, r, name); got.Verdict != reports.Inconclusive {
			t.Errorf("%s: %s because %q, want inconclusive", name, got.Verdict, got.Why)
		}
	}
	r := shop()
	r.Phases[1].Undecided = "pods were replaced"
	if got := judge(t, r, "edge fails <= 0.01"); got.Verdict != reports.Fail {
		t.Errorf("a weak policy without usable data: %s, want fail", got.Verdict)
	}
}

// An expectation on failures says which answers of a proxy it does not count.
func TestUncountedAnswers(t *testing.T) {
	r := shop()
	if got := judge(t, r, "edge fails <= 0.1"); got.Note != "" {
		t.Errorf("without an answer of a proxy: %q", got.Note)
	}
	r.Phases[1].Calls = append(r.Phases[1].Calls, reports.Call{From: "edge", To: "nobody", Rule: &reports.Rule{Name: "no rule", Answer: 404}})
	for text, want := range map[string]string{"edge fails <= 0.1": "the 404 of the proxy is none", "nobody fails <= 0.1": "the 404", "reviews fails <= 0.3": ""} {
		if got := judge(t, r, text); !strings.Contains(got.Note, want) || want == "" && got.Note != "" {
			t.Errorf("%s: %q, want %q", text, got.Note, want)
		}
	}
}

// A rule that sends all of its calls to one version, and Istio's default, say nothing of the share that weights decide.
func TestShareIsThatOfWeights(t *testing.T) {
	r := shop()
	p := &r.Phases[1]
	all := *p.Calls[0].Rule
	all.Destinations = []reports.Destination{{Name: "reviews.default.svc.cluster.local subset v3", Share: 1, Versions: []string{"v3"}}}
	p.Calls[0].Rule = &all
	if got := judge(t, r, "reviews v3 share = 0.18 ± 0.01"); got.Verdict != reports.Pass {
		t.Errorf("beside a rule for all: %+v", got)
	}
	p.Calls[1].Rule.Destinations = p.Calls[1].Rule.Destinations[:1] // all to v1: no weights lead to v3 any more
	if got := judge(t, r, "reviews v3 share = 0.18 ± 0.01"); got.Verdict != reports.Fail {
		t.Errorf("without weights: %+v", got)
	}
	p.Calls[0].Rule.Hosts, p.Calls[0].Rule.Destinations = []string{"reviews"}, p.Calls[1].Rule.Destinations
	p.Calls[1].Rule, p.Calls[1].Split = &reports.Rule{Name: "no rule", Destinations: []reports.Destination{{Share: 1, Versions: []string{"v1", "v3"}}}},
		&reports.Split{Balanced: true, Verdict: reports.Pass, Parts: []reports.SplitShare{part("v1", 0.5, 75), part("v3", 0.5, 75)}}
	if got := judge(t, r, "reviews v3 share within 0.3..0.7"); got.Predicted == nil || *got.Predicted != 0 {
		t.Errorf("Istio's default beside a rule that leads elsewhere: %+v", got)
	}
}
