package reporttest

import (
	"math"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/stats"
)

// Everything is a report in which every field of every type has a value somewhere.
func Everything() *reports.Report {
	r := Failed()
	r.UpgradedFrom, r.Tool.Draws = "1.2", "2"
	r.Command = append(r.Command, "--header", "it's | `odd`")
	r.Target.Versions = map[string]string{"istio": "1.31.1", "kubernetes": "v1.34.0"}
	r.Settings = reports.Settings{Seed: math.MaxUint64, Fail: 0.5, Hang: 0.25, Cascade: "absorb", Exclude: 0.01, SplitTolerance: stats.Interval{Lo: 0.7, Hi: 1.4},
		Parameters: map[string]string{"canary-weight": "20"}, RequireTimes: true, Rate: 500, ManifestsHash: "c0ffee", Manifests: "mine"}
	r.Links = []reports.Link{{Title: "Grafana: a run", URL: "http://grafana.example/d/run?from=1&to=2"}}
	r.Remarks = []string{"Kiali did not answer"}
	r.Aborted, r.Error, r.Restored = true, "no answer", reports.NotRestored
	r.Restoration = &reports.Restoration{Objects: 3, Detail: "3 objects", Problem: "VirtualService backend:\n  edited since", Elapsed: 0.5}
	r.Findings, r.Expectations = Findings().Findings, Expected().Expectations
	r.Expectations[0].Note = "it fails nowhere else"
	r.Changes = OnPods().Changes
	p := &r.Phases[1]
	p.Unsent, p.Stopped, p.GeneratorLimited, p.Late, p.Replaced, p.PromiseBroken = 3, true, true, true, true, true
	p.Observed, p.Sent = p.Observed-3, p.Sent-3
	p.Warnings, p.Incidents, p.Undecided = []string{"requests left late"}, []string{"a pod was replaced"}, "pods of the chain were replaced"
	p.Shares[0].PredictedError, p.Shares[0].Promised = 0.001, pointer(0.25)
	p.Latency[1].Tries = 2
	c := &p.Calls[1]
	c.Cohorts, c.Open, c.Note = []string{"all"}, 2, "2 calls were open"
	c.Tries.PredictedError = 0.01
	c.Rule.Timeout, c.Rule.Aborts, c.Rule.AbortStatus, c.Rule.Delays, c.Rule.Delay, c.Rule.Answer = 5, 0.1, 503, 0.2, 0.25, 503
	c.Rule.Destinations[0].Status, c.Rule.Hosts, c.Rule.Match, c.Rule.Rewrites = 503, []string{"backend.default.svc.cluster.local"}, "end-user: jason", []string{"/v2"}
	c.Rule.Destinations[0].TLS, c.Rule.Mirrors = true, []string{"50 % copied to canary"}
	c.MeanTries, c.MostTries, r.Scenario.Derived, r.Cases = 1.9, 4, true, &reports.Cases{Held: 2, All: 3}
	c.Rule.Why, c.Rule.DefaultRetries, c.Rule.CoversTimeouts = "no VirtualService has this host", true, true
	m := &p.Mismatches[0]
	m.Status, m.By, m.Cohorts, m.FirstAt, m.LastAt = 500, "backend-prod", []string{"all"}, 0.01, 0.82
	c.Branches[1].Why = "it takes 8 s"
	c.Waits[0].Interval = &stats.Interval{Lo: 0.0115, Hi: 0.0136}
	c.Split = &reports.Split{Balanced: true, Unlike: true, Unit: reports.ByRequest, UnitFrom: reports.UnitMeasured, Note: "66 calls are needed", Verdict: reports.Inconclusive, Parts: []reports.SplitShare{{Share: share("prod", 0.5, 60), Verdict: reports.Inconclusive}}}
	p.Policies = []reports.PolicyCheck{{Policy: "outlierDetection", Host: "backend.default.svc.cluster.local", Rule: "DestinationRule backend", File: "backend.yaml", Line: 4, Requests: 40,
		Verdict: reports.Pass, Text: "after 3 answers of 500 in a row a pod met no request for 2s"}}
	return r
}

// Odd are texts that a terminal, Markdown, HTML or a shell would obey, or that are very long.
var Odd = []string{
	"\x1b[31mred\x1b[0m", "a\nb\tc", "::error::x", "##[error]y", "<script>alert(1)</script>", "a | b", "\u202egnp.exe", "[a](http://b.example)", "```", "'; rm -rf ~",
	"a-very-long-name-without-any-place-to-break-it-which-is-wider-than-a-terminal-is-and-wider-than-any-column",
}

// Hostile is Failed with odd names and texts in all places that a file or a cluster can fill.
func Hostile() *reports.Report {
	r := Failed()
	n := 0
	odd := func(texts ...*string) {
		for _, text := range texts {
			*text = Odd[n%len(Odd)] + " " + *text
			n++
		}
	}
	odd(&r.Summary, &r.Target.Detail, &r.Target.Deviation, &r.Scenario.Name)
	r.Findings = Findings().Findings
	for i := range r.Findings {
		f := &r.Findings[i]
		odd(&f.ID, &f.File, &f.Object, &f.Text)
	}
	r.Expectations = Expected().Expectations
	for i := range r.Expectations {
		e := &r.Expectations[i]
		odd(&e.Text, &e.Of, &e.Why)
	}
	r.Remarks = Odd
	for _, text := range Odd {
		r.Links = append(r.Links, reports.Link{Title: text, URL: "http://x.example/" + text}, reports.Link{Title: text, URL: "javascript:" + text})
	}
	for i := range r.Phases {
		p := &r.Phases[i]
		odd(&p.Name, &p.Title)
		p.Words, p.Warnings, p.Incidents = Odd, Odd, Odd
		for _, text := range Odd {
			p.Policies = append(p.Policies, reports.PolicyCheck{Policy: text, Host: text, Rule: text, File: text, Line: 4, Verdict: reports.Fail, Text: text})
		}
		for j := range p.Calls {
			c := &p.Calls[j]
			odd(&c.To, &c.From, &c.Note)
			c.Cohorts = Odd
			if c.Rule != nil {
				odd(&c.Rule.Name, &c.Rule.File, &c.Rule.Policy)
			}
			for k := range c.Branches {
				odd(&c.Branches[k].Name, &c.Branches[k].Why)
			}
			for k := range c.Waits {
				odd(&c.Waits[k].Note)
			}
		}
		for j := range p.Mismatches {
			m := &p.Mismatches[j]
			odd(&m.Kind, &m.From, &m.To, &m.Rule, &m.File, &m.Request, &m.Call, &m.Expected, &m.Met, &m.Again)
		}
	}
	r.Changes = Changed().Changes
	for i := range r.Changes {
		c := &r.Changes[i]
		odd(&c.From, &c.To, &c.Why, &c.Proxies[0].Name)
		c.Words = Odd
		for j := range c.Troubles {
			t := &c.Troubles[j]
			odd(&t.Kind, &t.Request, &t.From, &t.To, &t.Expected, &t.Met)
		}
	}
	return r
}
