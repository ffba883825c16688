package explain

import (
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/reports"
)

// fails is a share of 100 calls that fail as predicted.
func fails(p float64) reports.Share { return reports.Share{Predicted: p, K: int64(100 * p), N: 100} }

// to is a rule that leads to one destination, whose versions may answer.
func to(name, file string, line int, versions ...string) *reports.Rule {
	return &reports.Rule{Name: "VirtualService v, http[0]", File: file, Line: line, Destinations: []reports.Destination{{Name: name, Share: 1, Versions: versions}}}
}

// retrying adds 3 retries on 5xx to a rule.
func retrying(r *reports.Rule) *reports.Rule {
	r.Retries, r.RetryOn, r.Covers500, r.CoversTimeouts, r.PerTry = 3, "5xx", true, true, 2
	return r
}

// passed is calls that met their rule.
func passed(from, service string, rule *reports.Rule, failing float64) reports.Call {
	return reports.Call{From: from, To: service, Rule: rule, Fails: fails(failing), Judged: 100, Verdict: reports.Pass}
}

// byDefault is what holds for calls to a service without a VirtualService.
func byDefault(service string, versions ...string) *reports.Rule {
	return &reports.Rule{Name: "no VirtualService for " + service + ", Istio's default", Retries: 2, RetryOn: "connect-failure", DefaultRetries: true,
		Destinations: []reports.Destination{{Name: service + ".default.svc.cluster.local", Share: 1, Versions: versions}}}
}

// phases are a report of phases first and second, in which calls of the same kind follow each other.
func phases(before, after []reports.Call) *reports.Report {
	return &reports.Report{Settings: reports.Settings{Fail: 0.5}, Phases: []reports.Phase{
		{Name: "first", Base: true, Entry: reports.EntryGateway, Verdict: reports.Pass, Calls: before},
		{Name: "second", Entry: reports.EntryGateway, Verdict: reports.Pass, Elapsed: 2, Calls: after},
	}}
}

func expect(t *testing.T, r *reports.Report, want ...string) {
	t.Helper()
	got := Phase(r, len(r.Phases)-1)
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
	for _, words := range got {
		if !strings.HasSuffix(words, ".") || strings.Contains(words, "  ") || strings.Contains(words, "%!") {
			t.Errorf("%q is no sentence", words)
		}
	}
}

// Each kind of rule that is new in a phase has its words.
func TestRules(t *testing.T) {
	blocked := &reports.Rule{Name: "outside the registry (REGISTRY_ONLY)", File: "s.yaml", Line: 3, Answer: 502, Why: "nobody has the host; Sidecar default (s.yaml:3) blocks it"}
	open := byDefault("api.example.com")
	open.Destinations, open.Why = []reports.Destination{{Name: "api.example.com", Share: 1}}, "ServiceEntry api (e.yaml:1) has the host"
	own := func(status int) *reports.Rule {
		return &reports.Rule{Name: "VirtualService v, http[0]", File: "v.yaml", Line: 7, Answer: status}
	}
	split := to("b subset one", "v.yaml", 7, "one")
	split.Destinations = []reports.Destination{{Name: "b subset one", Share: 0.8, Versions: []string{"one"}}, {Name: "c.default.svc.cluster.local", Share: 0.2, Status: 503}}
	nowhere := to("b subset none", "v.yaml", 7)
	nowhere.Destinations[0].Status = 503
	aborting := retrying(to("b subset one", "v.yaml", 7, "one"))
	aborting.Aborts, aborting.AbortStatus, aborting.Delays, aborting.Delay = 0.3, 503, 1, 0.25
	always := to("b subset one", "v.yaml", 7, "one")
	always.Aborts, always.AbortStatus, always.Answer = 1, 403, 403
	limited := retrying(to("b subset one", "v.yaml", 7, "one"))
	limited.Timeout = 0.5
	uncovered := to("b subset one", "v.yaml", 7, "one")
	uncovered.Retries, uncovered.RetryOn = 2, "gateway-error"
	noCode := to("b", "r.yaml", 7, "one")
	noCode.Name, noCode.Retries, noCode.RetryOn = "HTTPRoute r, rules[0]", 2, "connect-failure,503"
	none := to("b subset one", "w.yaml", 9, "one")
	none.Retries, none.RetryOn, none.DefaultRetries = 2, "connect-failure", true
	for name, c := range map[string]struct {
		before, after *reports.Rule
		was, is       float64
		want          []string
	}{
		"nothing is new":      {before: to("b", "v.yaml", 7, "one"), after: to("b", "v.yaml", 7, "one"), was: 0.5, is: 0.5},
		"blocked":             {before: byDefault("b", "one"), after: blocked, was: 0.5, is: 1, want: []string{"The proxy of a itself answers 502 to every call to b: nobody has the host; Sidecar default (s.yaml:3) blocks it."}},
		"opened":              {before: blocked, after: open, was: 1, want: []string{"The proxy of a lets calls to b out: ServiceEntry api (e.yaml:1) has the host.", "In phase first it answered 502: nobody has the host; Sidecar default (s.yaml:3) blocks it."}},
		"no HTTP at the port": {before: byDefault("b", "one"), after: &reports.Rule{Name: "outside", Why: "nobody has the host"}, was: 0.5, is: 1, want: []string{"The proxy of a breaks the connection of every call to b: nobody has the host."}},
		"a direct answer":     {before: byDefault("b", "one"), after: own(403), was: 0.5, want: []string{"The proxy of a itself answers 403 to every call to b, as VirtualService v, http[0] (v.yaml:7) says."}},
		"a redirect":          {before: byDefault("b", "one"), after: own(301), was: 0.5, want: []string{"The proxy of a itself answers 301 to every call to b, as VirtualService v, http[0] (v.yaml:7) says."}},
		"to nobody":           {before: byDefault("b", "one"), after: nowhere, was: 0.5, is: 1, want: []string{"The proxy of a answers 503 to every call to b, since nobody is where VirtualService v, http[0] (v.yaml:7) leads."}},
		"a split, in part to nobody": {before: byDefault("b", "one"), after: split, was: 0.5, is: 0.6,
			want: []string{"Of the calls from a to b 80 % go to one and 20 % are answered 503, since nobody is at c (VirtualService v, http[0] (v.yaml:7))."}},
		"to one version":      {before: byDefault("b", "one", "two"), after: to("b subset one", "v.yaml", 7, "one"), was: 0.5, is: 0.5, want: []string{"Every call from a to b goes to version one (VirtualService v, http[0] (v.yaml:7)). In phase first the load balancer picked among one and two."}},
		"to as many versions": {before: byDefault("b", "one", "two"), after: to("b", "v.yaml", 7, "one", "two"), was: 0.5, is: 0.5},
		"retries":             {before: byDefault("b", "one"), after: retrying(to("b", "v.yaml", 7, "one")), was: 0.5, is: 0.0625, want: []string{"Calls to b fail with probability 0.0625, where it was 0.5: a failed call is sent again up to 3 times (v.yaml:7), so that it fails only when all 4 tries do."}},
		"retries and a limit": {before: byDefault("b", "one"), after: limited, was: 0.5, is: 0.0625, want: []string{"Calls to b fail with probability 0.0625, where it was 0.5: a failed call is sent again up to 3 times (v.yaml:7).", "The calls from a to b end after 0.5 s, with all their tries; then the proxy of a answers 504."}},
		"retries on no 500":   {before: byDefault("b", "one"), after: uncovered, was: 0.5, is: 0.5, want: []string{`A call to b that is answered 500 is not sent again: retryOn "gateway-error" covers no 500 (v.yaml:7). Today's Istio sends such a call again only where retryOn has 5xx or 500.`}},
		"an HTTPRoute's retries on no 500": {before: byDefault("b", "one"), after: noCode, was: 0.5, is: 0.5,
			want: []string{"A call to b that is answered 500 is not sent again: retry.codes has no 500 (r.yaml:7). An HTTPRoute's calls are sent again for the statuses of its codes, and where no connection could be made."}},
		"no retries any more":  {before: retrying(to("b", "v.yaml", 7, "one")), after: none, was: 0.0625, is: 0.5, want: []string{"Calls to b fail with probability 0.5, where it was 0.0625: the rule has no retries of its own (w.yaml:9), and Istio's default sends no call again that was answered 500."}},
		"no retries as before": {before: byDefault("b", "one"), after: none, was: 0.5, is: 0.6},
		"a fault": {before: byDefault("b", "one"), after: aborting, was: 0.5, is: 0.35, want: []string{"Calls to b fail with probability 0.35, where it was 0.5: a failed call is sent again up to 3 times (v.yaml:7).",
			"The proxy of a holds back every call to b for 0.25 s (VirtualService v, http[0] (v.yaml:7)).", "The proxy of a aborts 30 % of the calls to b with 503 (VirtualService v, http[0] (v.yaml:7)).",
			"An aborted call to b is not sent again: a proxy injects the fault before it looks at the retries."}},
		"every call is aborted": {before: byDefault("b", "one"), after: always, was: 0.5, want: []string{"The proxy of a aborts every call to b with 403 (VirtualService v, http[0] (v.yaml:7))."}},
	} {
		t.Run(name, func(t *testing.T) {
			expect(t, phases([]reports.Call{passed("a", "b", c.before, c.was)}, []reports.Call{passed("a", "b", c.after, c.is)}), c.want...)
		})
	}
}

// Calls whose retries come to the same are told of together, and so are the requests that no proxy sends.
func TestRetriesAlike(t *testing.T) {
	before := []reports.Call{passed(edge, "a", nil, 0.5), passed("a", "b", byDefault("b", "one"), 0.5), passed("b", "c", byDefault("c", "one"), 0.5)}
	after := []reports.Call{passed(edge, "a", nil, 0.5), passed("a", "b", retrying(to("b", "v.yaml", 7, "one")), 0.0625), passed("b", "c", retrying(to("c", "v.yaml", 17, "one")), 0.0625)}
	const both = "Calls to b and c fail with probability 0.0625, where it was 0.5: a failed call is sent again up to 3 times (v.yaml:7 and v.yaml:17), so that it fails only when all 4 tries do."
	expect(t, phases(before, after), both, "Requests enter at a from outside the mesh: no proxy is on their way, so that nobody sends a failed one again.")

	without := phases(before, after)
	without.Settings.Fail = 0
	expect(t, without)

	gateway := phases(before, append([]reports.Call{passed(edge, "a", retrying(to("a", "g.yaml", 3, "one")), 0.0625)}, after[1:]...))
	expect(t, gateway, "Calls to a, b and c fail with probability 0.0625, where it was 0.5: a failed call is sent again up to 3 times (g.yaml:3, v.yaml:7 and v.yaml:17), so that it fails only when all 4 tries do.")

	hanging := phases(before, after)
	hanging.Settings.Hang = 0.1
	expect(t, hanging, both, "Requests enter at a from outside the mesh: no proxy is on their way, so that nobody sends a failed one again.", "A try of b that takes longer than 2 s is cut and sent again.",
		"The 2 s of a try of c end later than those of the try of b that waits for it, which began earlier: where c hangs, both are cut, and it is the call to b that may be sent again.")
}

// What a blocked host met before is not told where it was reached all the same, and a caller that waits longer is not cut first.
func TestFactsThatDoNotHold(t *testing.T) {
	blocked := &reports.Rule{Name: "outside", File: "s.yaml", Line: 3, Answer: 502, Why: "nobody has the host"}
	open := to("api.example.com", "", 0)
	open.Why = "ServiceEntry api (e.yaml:1) has the host"
	reached := passed("a", "b", blocked, 0)
	reached.Mismatched = 3
	expect(t, phases([]reports.Call{reached}, []reports.Call{passed("a", "b", open, 0)}), "The proxy of a lets calls to b out: ServiceEntry api (e.yaml:1) has the host.")

	patient, rule := retrying(to("a", "g.yaml", 3, "one")), retrying(to("b", "v.yaml", 7, "one"))
	patient.PerTry = 5
	r := phases([]reports.Call{passed(edge, "a", patient, 0), passed("a", "b", byDefault("b", "one"), 0)}, []reports.Call{passed(edge, "a", patient, 0), passed("a", "b", rule, 0)})
	r.Settings = reports.Settings{Hang: 0.1}
	expect(t, r, "A try of b that takes longer than 2 s is cut and sent again.")
}

// A try that retryOn does not send again when it hangs is not said to be.
func TestHungTriesThatAreNotSentAgain(t *testing.T) {
	rule := retrying(to("b", "v.yaml", 7, "one"))
	rule.RetryOn, rule.CoversTimeouts = "500", false
	r := phases([]reports.Call{passed("a", "b", byDefault("b", "one"), 0.5)}, []reports.Call{passed("a", "b", rule, 0.1)})
	r.Settings.Hang = 0.1
	expect(t, r, "Calls to b fail with probability 0.1, where it was 0.5: a failed call is sent again up to 3 times (v.yaml:7).", "A try of b that takes longer than 2 s is cut, and the call is answered 504.")
}

// Rules that depend on the request are told of one by one, with the requests that meet them.
func TestRulesByRequest(t *testing.T) {
	exact, rest := to("b subset two", "v.yaml", 7, "two"), to("b subset one", "v.yaml", 12, "one")
	rest.Name = "VirtualService v, http[1]"
	a, b := passed("a", "b", exact, 0.5), passed("a", "b", rest, 0.5)
	a.Cohorts, b.Cohorts = []string{"exact"}, []string{"none", "other"}
	before := []reports.Call{passed("a", "b", to("b subset one", "u.yaml", 7, "one"), 0.5)}
	expect(t, phases(before, []reports.Call{a, b}), `The calls from a to b of cohort "exact" go to two (VirtualService v, http[0] (v.yaml:7)).`,
		`The calls from a to b of the cohorts "none" and "other" go to one (VirtualService v, http[1] (v.yaml:12)).`)

	rest.Aborts, rest.AbortStatus, rest.Answer, rest.Timeout = 1, 403, 403, 35
	expect(t, phases(before, []reports.Call{a, b}), `The calls from a to b of cohort "exact" go to two (VirtualService v, http[0] (v.yaml:7)).`,
		`The calls from a to b of the cohorts "none" and "other" are aborted with 403 (VirtualService v, http[1] (v.yaml:12)).`,
		`The calls from a to b of the cohorts "none" and "other" end after 35 s, with all their tries; then the proxy of a answers 504.`)
}

// At a gateway without rules the words do not need the name of a service.
func TestGatewayWithoutRules(t *testing.T) {
	rule := &reports.Rule{Name: "no rule", Answer: 404, Why: "no VirtualService has a rule at Gateway default/g"}
	r := phases([]reports.Call{passed(edge, "a", nil, 0.5)}, []reports.Call{passed(edge, "", rule, 0)})
	expect(t, r, "The gateway itself answers 404 to every request: no VirtualService has a rule at Gateway default/g.")
	r.Phases[1].Entry = "caller, gateway"
	expect(t, r, "The proxy at which requests enter itself answers 404 to every request: no VirtualService has a rule at Gateway default/g.")
}

// In the first phase, and in one that is only compared with, no rule is new.
func TestNothingIsNewInTheFirstPhase(t *testing.T) {
	r := phases(nil, nil)
	r.Phases = []reports.Phase{{Name: "only", Calls: []reports.Call{passed("a", "b", retrying(to("b", "v.yaml", 7, "one")), 0.5)}}}
	expect(t, r)
}

func TestPromise(t *testing.T) {
	p := func(v float64) *float64 { return &v }
	r := phases(nil, []reports.Call{passed("a", "b", to("b", "v.yaml", 7, "one"), 0.5)})
	last := &r.Phases[1]
	last.Shares = []reports.Share{{Name: "edge fails", Predicted: 0.5, Promised: p(0.0625)}, {Name: "any of ours fails", Predicted: 0.875, Promised: p(0.874)}}
	last.Calls[0].Fails.Promised = p(0.0625)
	before := []reports.Call{passed("a", "b", to("b", "v.yaml", 7, "one"), 0.5)}
	r.Phases[0].Calls = before
	expect(t, r)
	last.PromiseBroken = true
	expect(t, r, "The manifests do not do what the scenario promises: edge fails with probability 0.5, where it promises 0.0625; a call to b fails with probability 0.5, where it promises 0.0625.")
	last.Shares, last.Calls[0].Fails.Promised = nil, nil
	last.Calls[0].Split = &reports.Split{Verdict: reports.Pass, Parts: []reports.SplitShare{
		{Share: reports.Share{Name: "one", Predicted: 0.8, Promised: p(1)}}, {Share: reports.Share{Name: "two", Predicted: 0.2, Promised: p(0)}}, {Share: reports.Share{Name: "three", Promised: p(0)}}}}
	expect(t, r, "The manifests do not do what the scenario promises: a call to b goes to one with probability 0.8, where it promises 1; a call to b goes to two with probability 0.2, where it promises 0.")
}
