package explain

import (
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
	"github.com/hellochaos/hellochaos/stats"
)

// judged is a row of which some calls deviated.
func judged(rule *reports.Rule, mismatched, judged int64) reports.Call {
	return reports.Call{From: "a", To: "b", Rule: rule, Judged: judged, Mismatched: mismatched, Verdict: reports.Fail}
}

// deviated is a report whose second phase has one row and one kind of deviation.
func deviated(m reports.Mismatch, c reports.Call, others ...reports.Call) *reports.Report {
	m.From, m.To = c.From, c.To
	if c.Rule != nil {
		m.Rule, m.File, m.Line = c.Rule.Name, c.Rule.File, c.Rule.Line
	}
	r := phases([]reports.Call{passed("a", "b", byDefault("b", "one", "two"), 0.5)}, append([]reports.Call{c}, others...))
	r.Phases[1].Verdict, r.Phases[1].Mismatches = reports.Fail, []reports.Mismatch{m}
	return r
}

// Each kind of deviation says what the mesh evidently did, to how many calls, and which rule it did not obey.
func TestDeviations(t *testing.T) {
	v := func() *reports.Rule { return retrying(to("b subset one", "v.yaml", 7, "one")) }
	counts := func(c reports.Call, received ...int64) reports.Call {
		c.Ledger = &reports.Ledger{Verdict: reports.Fail}
		for k, n := range received {
			c.Ledger.Attempts = append(c.Ledger.Attempts, reports.Tries{Attempt: k, Received: n, Retryable: n / 2})
		}
		return c
	}
	const v0 = "VirtualService v, http[0] (v.yaml:7)"
	blocked := &reports.Rule{Name: "outside", File: "s.yaml", Line: 3, Answer: 502, Why: "nobody has the host; Sidecar default (s.yaml:3) blocks it"}
	open := &reports.Rule{Name: "open", Why: "ServiceEntry api (e.yaml:1) has the host", Destinations: []reports.Destination{{Name: "api.example.com", Share: 1}}}
	for name, c := range map[string]struct {
		m    reports.Mismatch
		row  reports.Call
		want string
	}{
		"no retries": {reports.Mismatch{Kind: "not retried", Count: 40, Try: 1}, counts(judged(v(), 40, 100), 0, 100, 0, 0, 0, 0),
			`40 of 100 calls from a to b failed at their first try and were not sent again, although ` + v0 + ` allows 3 retries on "5xx": no call was sent again at all, so that retries are off, or what is in force does not cover the failure.`},
		"one retry less": {reports.Mismatch{Kind: "not retried", Count: 12, Try: 3}, counts(judged(v(), 12, 1380), 0, 100, 50, 25, 0, 0),
			`12 of 1,380 calls from a to b failed at try 3 and were not sent again, although ` + v0 + ` allows 3 retries on "5xx": no call had more tries, so that the limit in force is 3 tries.`},
		"some are not": {reports.Mismatch{Kind: "not retried", Count: 12, Try: 2, FirstAt: 0.1, LastAt: 1.9}, counts(judged(v(), 12, 1380), 0, 100, 50, 25, 12, 0),
			`12 of 1,380 calls from a to b failed with tries left and were not sent again, although ` + v0 + ` allows 3 retries on "5xx", spread over the phase: some proxy or worker does not obey the rule for all of its calls.`},
		"without counts": {reports.Mismatch{Kind: "not retried", Count: 1, Try: 2, FirstAt: 0.1, LastAt: 0.1}, judged(v(), 1, 1380),
			`1 of 1,380 calls from a to b failed with tries left and were not sent again, although ` + v0 + ` allows 3 retries on "5xx".`},
		"at the beginning": {reports.Mismatch{Kind: "not retried", Count: 2, Try: 2, LastAt: 0.05}, judged(v(), 2, 1380),
			`2 of 1,380 calls from a to b failed with tries left and were not sent again, although ` + v0 + ` allows 3 retries on "5xx", all within the first 0.05 s of 2 s: a proxy did not obey the rules yet when the phase began.`},
		"too many tries": {reports.Mismatch{Kind: "too many tries", Count: 19, Try: 5, FirstAt: 0.1, LastAt: 1.5}, judged(v(), 19, 1079),
			"19 of 1,079 calls from a to b got try 5, where " + v0 + " allows 4 tries: more retries are in force than the manifests say, spread over the phase: some proxy or worker does not obey the rule for all of its calls."},
		"without cause": {reports.Mismatch{Kind: "retried without cause", Count: 50}, judged(v(), 50, 100),
			"50 of 100 calls from a to b were sent again although the try before did not fail, or failed in a way that " + v0 + " does not cover."},
		"the rules before": {reports.Mismatch{Kind: "wrong destination", Count: 12, By: "b-two", FirstAt: 0.05, LastAt: 1.5}, judged(v(), 12, 3005),
			"12 of 3,005 calls from a to b were answered by b-two, to which " + v0 + " does not lead: they were treated as the rules of phase first allow, spread over the phase: some proxy or worker does not obey the rule for all of its calls."},
		"not in force": {reports.Mismatch{Kind: "wrong destination", Count: 50, By: "b-two", LastAt: 1.5}, judged(v(), 50, 100),
			"50 of 100 calls from a to b were answered by b-two, to which " + v0 + " does not lead: they were treated as the rules of phase first allow. The rule is not in force."},
		"somebody else": {reports.Mismatch{Kind: "wrong destination", Count: 1, By: "x-one"}, judged(v(), 1, 100), "1 of 100 calls from a to b were answered by x-one, to which " + v0 + " does not lead."},
		"a blocked host is reached": {reports.Mismatch{Kind: "answered by the proxy", Count: 72, Status: 200}, judged(blocked, 72, 72),
			"All 72 calls from a to b were answered 200, where the proxy is to answer 502: nobody has the host; Sidecar default (s.yaml:3) blocks it. The host is reached all the same, so that outbound traffic is open."},
		"another answer": {reports.Mismatch{Kind: "answered by the proxy", Count: 72, Status: 503}, judged(blocked, 72, 100), "72 of 100 calls from a to b were answered 503, where outside (s.yaml:3) lets the proxy answer 502."},
		"a host that is still blocked": {reports.Mismatch{Kind: "answered by the proxy", Count: 72, Status: 502}, judged(open, 72, 72),
			"All 72 calls from a to b were answered 502 by a proxy, where they are to be let out: ServiceEntry api (e.yaml:1) has the host. What opens the way is not in force."},
		"404":                                    {reports.Mismatch{Kind: "answered by the proxy", Count: 9, Status: 404}, judged(v(), 9, 9), "All 9 calls from a to b were answered 404 by a proxy, although " + v0 + " holds for them: the proxy has no rule for the host, or none whose conditions hold."},
		"503":                                    {reports.Mismatch{Kind: "answered by the proxy", Count: 9, Status: 503}, judged(v(), 9, 9), "All 9 calls from a to b were answered 503 by a proxy: it knows nobody at the destination of " + v0 + ", or reached nobody there."},
		"another status":                         {reports.Mismatch{Kind: "answered by the proxy", Count: 9, Status: 418}, judged(v(), 9, 9), "All 9 calls from a to b were answered 418 by a proxy, which " + v0 + " does not ask for."},
		"without a proxy":                        {reports.Mismatch{Kind: "answered by the proxy", Count: 9, Status: 503}, judged(nil, 9, 9), "All 9 calls from a to b were answered 503 by something else than the service."},
		"a missing abort":                        {reports.Mismatch{Kind: "not answered by the proxy", Count: 9, By: "b-one"}, judged(v(), 9, 90), "9 of 90 calls from a to b were answered by b-one, where " + v0 + " lets the proxy answer itself: the rule is not in force for them."},
		"no answer":                              {reports.Mismatch{Kind: "no answer", Count: 1}, judged(v(), 1, 90), "1 of 90 calls from a to b got no answer, and no rule asks for that."},
		"no count":                               {reports.Mismatch{Kind: "no attempt count", Count: 90}, judged(v(), 90, 90), "All 90 calls from a to b carried no attempt count: they did not come through a proxy that obeys " + v0 + ", so that nothing sends them again."},
		"a count":                                {reports.Mismatch{Kind: "unexpected attempt count", Count: 90}, judged(nil, 90, 90), "All 90 calls from a to b carried an attempt count, although no proxy of a caller should be on their way: they came through one."},
		"no limit":                               {reports.Mismatch{Kind: "not cut by its time limit", Count: 9}, judged(v(), 9, 90), "9 of 90 calls from a to b were answered by a try that took longer than " + v0 + " lets a try take: the time limit is not in force for them."},
		"no delay":                               {reports.Mismatch{Kind: "delay missing", Count: 9}, judged(v(), 9, 90), "9 of 90 calls from a to b were answered sooner than the delay of " + v0 + " allows: the fault is not in force for them."},
		"no trail":                               {reports.Mismatch{Kind: "no trail", Count: 9}, judged(v(), 9, 90), "9 of 90 calls from a to b were answered without a trail: whoever answered is not the program that the manifests deploy, or something on the way changed its answer."},
		"wrong status":                           {reports.Mismatch{Kind: "wrong status", Count: 9}, judged(v(), 9, 90), "9 of 90 calls from a to b were answered with another status than the draws of b give: it runs another program or configuration than the manifests say, or something on the way changed the status."},
		"another host":                           {reports.Mismatch{Kind: "wrong host", Count: 9}, judged(v(), 9, 90), "9 of 90 calls from a to b arrived with another host than " + v0 + " sends: what it rewrites is not in force for them, or something else rewrites them."},
		"another path":                           {reports.Mismatch{Kind: "wrong path", Count: 90}, judged(v(), 90, 90), "All 90 calls from a to b arrived with another path than " + v0 + " sends: what it rewrites is not in force for them, or something else rewrites them."},
		"wrong calls":                            {reports.Mismatch{Kind: "wrong calls", Count: 9}, judged(v(), 9, 90), "9 of 90 calls from a to b were answered by a service that made other calls than its Deployment says: it runs with another configuration."},
		"an unknown kind":                        {reports.Mismatch{Kind: "new kind", Count: 9}, judged(v(), 9, 90), "9 of 90 calls from a to b deviated from " + v0 + " (new kind)."},
		"of a row that the report does not have": {reports.Mismatch{Kind: "no answer", Count: 9}, reports.Call{From: "a", To: "b", Rule: v(), Verdict: reports.Fail}, "9 calls from a to b got no answer, and no rule asks for that."},
	} {
		t.Run(name, func(t *testing.T) { expect(t, deviated(c.m, c.row), c.want) })
	}
}

// Where the rule depends on the request, the words say whose rule was obeyed in place of the right one.
func TestDeviationsByRequest(t *testing.T) {
	exact, rest := to("b subset two", "v.yaml", 7, "two"), to("b subset one", "v.yaml", 12, "one")
	rest.Name = "VirtualService v, http[1]"
	first, second := judged(exact, 0, 881), judged(rest, 0, 1102)
	first.Cohorts, second.Cohorts = []string{"exact"}, []string{"none", "other case"}
	first.Verdict, second.Verdict = reports.Pass, reports.Pass

	ignored := first
	ignored.Mismatched = 881
	expect(t, deviated(reports.Mismatch{Kind: "wrong destination", Count: 881, By: "b-one", Cohorts: []string{"exact"}}, ignored, second),
		`All 881 calls from a to b, all of cohort "exact", were answered by b-one, to which VirtualService v, http[0] (v.yaml:7) does not lead: they were treated as VirtualService v, http[1] (v.yaml:12) says, which is for the cohorts "none" and "other case". The rule is not in force.`,
		`The calls from a to b of the cohorts "none" and "other case" go to one (VirtualService v, http[1] (v.yaml:12)).`)

	insensitive := second
	insensitive.Mismatched = 366
	r := deviated(reports.Mismatch{Kind: "wrong destination", Count: 366, By: "b-two", Cohorts: []string{"other case"}}, insensitive, first)
	expect(t, r,
		`366 of 1,102 calls from a to b, all of cohort "other case", were answered by b-two, to which VirtualService v, http[1] (v.yaml:12) does not lead: they were treated as VirtualService v, http[0] (v.yaml:7) says, which is for cohort "exact". The proxy does not tell the cohorts apart as the conditions do.`,
		`The calls from a to b of cohort "exact" go to two (VirtualService v, http[0] (v.yaml:7)).`)
}

// What deviates is told of the first phase too, and of one that is only compared with.
func TestDeviationsOfABase(t *testing.T) {
	r := deviated(reports.Mismatch{Kind: "no answer", Count: 1, LastAt: 0.01}, judged(to("b", "v.yaml", 7, "one"), 1, 10))
	r.Phases = r.Phases[1:]
	r.Phases[0].Base = true
	expect(t, r, "1 of 10 calls from a to b got no answer, and no rule asks for that.")
}

func TestRequestsThatDeviate(t *testing.T) {
	c := judged(retrying(to("b", "g.yaml", 7, "one")), 90, 90)
	c.From = edge
	expect(t, deviated(reports.Mismatch{Kind: "no attempt count", Count: 90}, c),
		"All 90 requests to b carried no attempt count: they did not come through a proxy that obeys VirtualService v, http[0] (g.yaml:7), so that nothing sends them again.")
}

// part is a part of a split with the interval of what was measured.
func part(name string, predicted float64, k, n int64) reports.SplitShare {
	measured, interval := float64(k)/float64(n), stats.ClopperPearson(k, n, 0.05)
	return reports.SplitShare{Share: reports.Share{Name: name, Predicted: predicted, Measured: &measured, Interval: &interval, K: k, N: n}}
}

func TestSplits(t *testing.T) {
	rule := to("b", "v.yaml", 7, "one", "two")
	for want, split := range map[string]reports.Split{
		"The calls from a to b were not split by the weights of VirtualService v, http[0] (v.yaml:7): one got 66 % where the weights say 80 % and two got 34 % where the weights say 20 %.":                                            {Parts: []reports.SplitShare{part("one", 0.8, 330, 500), part("two", 0.2, 170, 500)}},
		"The calls from a to b were not split by the weights of VirtualService v, http[0] (v.yaml:7): one got 51 % where the weights say 80 % and two got 49 % where the weights say 20 %. That looks as if all weights were equal.":   {Parts: []reports.SplitShare{part("one", 0.8, 255, 500), part("two", 0.2, 245, 500)}},
		"The calls from a to b were not split by the weights of VirtualService v, http[0] (v.yaml:7): one got 21 % where the weights say 80 % and two got 79 % where the weights say 20 %. That looks as if the weights were swapped.": {Parts: []reports.SplitShare{part("one", 0.8, 105, 500), part("two", 0.2, 395, 500)}},
		"The calls from a to b were not split by the weights of VirtualService v, http[0] (v.yaml:7): one got 100 % where the weights say 80 % and two got 0 % where the weights say 20 %. That looks as if one alone had a weight.":   {Parts: []reports.SplitShare{part("one", 0.8, 500, 500), part("two", 0.2, 0, 500)}},
		"The calls from a to b were not spread as a load balancer spreads them that picks among all pods: one answered 500 of 500 calls and two answered 0 of 500 calls.":                                                              {Balanced: true, Parts: []reports.SplitShare{part("one", 0.5, 500, 500), part("two", 0.5, 0, 500)}},
	} {
		c := passed("a", "b", rule, 0.5)
		split.Verdict, c.Verdict = reports.Fail, reports.Fail
		c.Split = &split
		expect(t, phases(nil, []reports.Call{c}), want)
	}
}

func TestWaits(t *testing.T) {
	wait := func(try int, predicted, measured float64) reports.Wait {
		return reports.Wait{Try: try, Predicted: predicted, Measured: &measured, Verdict: reports.Fail}
	}
	for want, waits := range map[string][]reports.Wait{
		"The waits before retries of calls from a to b are not those of Envoy's back-off for VirtualService v, http[0] (v.yaml:7) (try 2, try 3): in the median they are 4 times as long, so that the interval in force is longer than the manifest's.": {wait(2, 0.0125, 0.05), wait(3, 0.0375, 0.15)},
		"The waits before retries of calls from a to b are not those of Envoy's back-off for VirtualService v, http[0] (v.yaml:7) (try 2): in the median they are 0.5 times as long, so that the interval in force is shorter than the manifest's.":     {wait(2, 0.0125, 0.00625), {Try: 3, Verdict: reports.Pass}},
		"The waits before retries of calls from a to b are not those of Envoy's back-off for VirtualService v, http[0] (v.yaml:7) (try 2): the medians are about right, and the waits are spread otherwise.":                                            {wait(2, 0.0125, 0.0124)},
	} {
		c := passed("a", "b", retrying(to("b", "v.yaml", 7, "one")), 0.5)
		c.Waits, c.Verdict = waits, reports.Fail
		expect(t, phases(nil, []reports.Call{c}), want)
	}
}

// A ledger that fails although each call met what it must says where the counts depart.
func TestLedger(t *testing.T) {
	lines := func(pairs ...int64) (all []reports.Tries) {
		for k := 0; k+1 < len(pairs); k += 2 {
			all = append(all, reports.Tries{Attempt: k / 2, Received: pairs[k], Retryable: pairs[k+1]})
		}
		return all
	}
	const v0 = "VirtualService v, http[0] (v.yaml:7)"
	for name, c := range map[string]struct {
		rule     *reports.Rule
		attempts []reports.Tries
		note     string
		want     []string
	}{
		"no counts":  {retrying(to("b", "v.yaml", 7, "one")), lines(5, 0, 100, 50), "", []string{"The service b counted 5 tries without an attempt count: they did not come through a proxy that obeys " + v0 + "."}},
		"too few":    {retrying(to("b", "v.yaml", 7, "one")), lines(0, 0, 100, 50, 49, 1, 1, 1, 1, 1, 0, 0), "", []string{"The service b counted 50 tries with attempt count 1 that " + v0 + " sends again, and 49 tries with attempt count 2."}},
		"too many":   {retrying(to("b", "v.yaml", 7, "one")), lines(0, 0, 100, 1, 1, 1, 1, 1, 1, 1, 1, 1), "", []string{"The service b counted 1 try beyond the 4 tries that " + v0 + " allows."}},
		"by a proxy": {nil, lines(0, 0, 100, 1), "the service counted 100 tries with attempt counts that the policy does not allow", []string{"The counts of b do not fit no rule: the service counted 100 tries with attempt counts that the policy does not allow."}},
	} {
		t.Run(name, func(t *testing.T) {
			row := passed("a", "b", c.rule, 0.5)
			row.Verdict, row.Ledger = reports.Fail, &reports.Ledger{Verdict: reports.Fail, Attempts: c.attempts, Note: c.note}
			expect(t, phases(nil, []reports.Call{row}), c.want...)
			row.Mismatched = 3 // the deviations say it
			expect(t, phases(nil, []reports.Call{row}))
		})
	}
}

// Every kind of the oracle has words of its own.
func TestEveryKindHasWords(t *testing.T) {
	kinds := []oracle.Kind{oracle.NoAnswer, oracle.ByProxy, oracle.NotByProxy, oracle.WrongWorkload, oracle.NoCount, oracle.UnexpectedTry, oracle.TooManyTries,
		oracle.RetryNotDue, oracle.RetryMissing, oracle.NotTimedOut, oracle.WrongStatus, oracle.WrongHost, oracle.WrongPath, oracle.WrongCalls, oracle.DelayMissing, oracle.ForeignTrail}
	for _, kind := range kinds {
		words := Phase(deviated(reports.Mismatch{Kind: string(kind), Count: 1, By: "b-two"}, judged(to("b", "v.yaml", 7, "one"), 1, 2)), 1)
		if len(words) != 1 || strings.Contains(words[0], "("+string(kind)+")") {
			t.Errorf("%s: %q, want a sentence of its own", kind, words)
		}
	}
}
