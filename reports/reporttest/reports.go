package reporttest

import (
	"fmt"
	"math"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/stats"
)

// Retry is the report of `run retry --fail 0.5 --seed 7`, which passed: the phase prod, with which it is compared, and the phase retry.
func Retry() *reports.Report {
	r := newReport("retry", "--fail", "0.5", "--seed", "7")
	r.Scenario.Name = "retry"
	r.Phases = []reports.Phase{prod(0.5, true), retry(0.5)}
	r.Summary = "each of 1,380 requests met what the manifests say"
	return r
}

// RunAll is the report of `run all --fail 0.3 --seed 7`, which passed: six phases.
func RunAll() *reports.Report {
	r := newReport("all", "--fail", "0.3", "--seed", "7")
	r.Settings.Fail = 0.3
	r.Settings.Parameters = map[string]string{"canary-weight": "20"}
	r.Scenario.Name = "egress, prod, retry, ingress, canary"
	r.Phases = []reports.Phase{application(0.3), egress(0.3), prod(0.3, false), retry(0.3), ingress(0.3), canary(0.3)}
	r.Summary = "each of 8,864 requests met what the manifests say"
	r.Elapsed = 3.1
	return r
}

// clock is the calls to the host outside.
func clock(open bool, shown int64) reports.Call {
	if !open {
		rule := &reports.Rule{Name: "Sidecar default, REGISTRY_ONLY", File: "application.yaml", Line: 12, Policy: "the proxy answers 502", Answer: 502}
		return passing("backend", "time.jsontest.com", rule, 1, shown)
	}
	rule := noRule("time.jsontest.com")
	rule.Name, rule.File, rule.Line, rule.Policy = "ServiceEntry clock", "egress.yaml", 9, "leads outside"
	return passing("backend", "time.jsontest.com", rule, 0, shown)
}

// chain is the calls of the demo chain without retries, entered directly.
func chain(fail float64, open bool, middleware *reports.Rule) []reports.Call {
	reach := 1 - fail
	return []reports.Call{
		withTries(passing("edge", "frontend", nil, fail, 500), 1, 500),
		withTries(passing("frontend", "middleware", middleware, fail, int64(500*reach)), reach, 500),
		withTries(passing("middleware", "backend", noRule("backend", "prod"), fail, int64(500*reach*reach)), reach*reach, 500),
		clock(open, int64(500*reach*reach*reach)),
	}
}

func application(fail float64) reports.Phase {
	p := newPhase("application", "the services, without a policy", "direct", 500, 0)
	p.Calls = chain(fail, false, noRule("middleware", "prod", "canary"))
	p.Shares = shares(fail, 1-math.Pow(1-fail, 3), 500)
	return p
}

func egress(fail float64) reports.Phase {
	p := newPhase("egress", "a ServiceEntry opens the way to the external clock", "direct", 500, 690)
	p.Calls = chain(fail, true, noRule("middleware", "prod", "canary"))
	p.Calls[3] = led(p.Calls[3], 690, "answered")
	p.Calls[1].Split = &reports.Split{Balanced: true, Unit: reports.ByRequest, UnitFrom: reports.UnitOfRule, Verdict: reports.Pass, Parts: []reports.SplitShare{
		{Share: share("prod", 0.5, 350), Verdict: reports.Pass}, {Share: share("canary", 0.5, 350), Verdict: reports.Pass}}}
	p.Shares = shares(fail, 1-math.Pow(1-fail, 3), 500)
	p.Words = []string{"The ServiceEntry adds time.jsontest.com to the mesh's registry (egress.yaml:9), so that the proxy of backend lets calls out. Before, it answered 502."}
	return p
}

// prod has two destinations by weight and one destination where it is a base.
func prod(fail float64, base bool) reports.Phase {
	probes := 2764
	if base {
		probes = 0
	}
	p := newPhase("prod", "a VirtualService sends middleware's calls to the subset prod", "direct", 500, probes)
	rule := noRule("middleware", "prod")
	rule.Name, rule.File, rule.Line, rule.Policy = "VirtualService middleware, http[0]", "prod.yaml", 31, "no retries on 500, to prod"
	rule.Destinations[0].Name = "middleware subset prod"
	p.Calls = chain(fail, true, rule)
	if !base {
		p.Calls[1] = led(p.Calls[1], 2764, "answered", "fails")
		p.Words = []string{"Every call to middleware reaches version prod (prod.yaml:31). Before, the load balancer sent half of them to canary."}
	}
	p.Shares = shares(fail, 1-math.Pow(1-fail, 3), 500)
	return p
}

// retried is the chain with retries in front of middleware and backend, and of frontend where requests enter by a gateway.
func retried(fail float64, gateway bool) []reports.Call {
	const n = 500
	all := math.Pow(fail, 4)
	tries := 1 + fail + fail*fail + fail*fail*fail
	entry, reach := fail, 1-fail
	first := withTries(passing("edge", "frontend", nil, fail, n), 1, n)
	if gateway {
		entry, reach = all, 1-all
		first = withTries(passing("edge", "frontend", retries("frontend", "", 17), entry, n), tries, n)
	}
	return []reports.Call{
		first,
		withTries(passing("frontend", "middleware", retries("middleware", "prod", 32), all, int64(n*reach)), reach*tries, n),
		withTries(passing("middleware", "backend", retries("backend", "", 47), all, int64(n*reach*(1-all))), reach*(1-all)*tries, n),
		clock(true, int64(n*reach*(1-all)*(1-all))),
	}
}

func retry(fail float64) reports.Phase {
	p := newPhase("retry", "failed calls are sent again by the caller's proxy, up to 3 times", "direct", 500, 880)
	p.Calls = retried(fail, false)
	p.Calls[1], p.Calls[2] = probed(p.Calls[1], 3), probed(p.Calls[2], 3)
	all := math.Pow(fail, 4)
	p.Shares = shares(fail, 1-(1-fail)*(1-all)*(1-all), 500)
	p.Compared = []string{"Envoy's statistics: backend 1357 of 1357"}
	p.Words = []string{"A call is sent again when it fails with 5xx, so that it fails for good when all of its 4 tries do. The rule for frontend (retry.yaml:17) has no effect yet, since no proxy of the mesh sends the requests that enter directly."}
	p.Manifests = []reports.Manifest{{Kind: "VirtualService", Name: "backend", File: "retry.yaml", YAML: "apiVersion: networking.istio.io/v1\nkind: VirtualService\n"}}
	p.Edges = []reports.Edge{
		{From: "edge", To: "frontend", Version: "prod", Calls: 500, Failed: 250, Tries: pointer(int64(500)), FailedTries: pointer(int64(250))},
		{From: "frontend", To: "middleware", Version: "prod", Calls: 250, Failed: 16, Tries: pointer(int64(469)), FailedTries: pointer(int64(235))},
		{From: "middleware", To: "backend", Version: "prod", Calls: 234, Failed: 15, Tries: pointer(int64(440)), FailedTries: pointer(int64(221))},
		{From: "backend", To: "time.jsontest.com", Calls: 219},
	}
	p.Samples = []reports.Sample{sample()}
	return p
}

// sample is a request whose call to middleware was tried twice.
func sample() reports.Sample {
	return reports.Sample{Why: "most tries", Request: 17, Name: "7/retry/17", Cohort: "all", Trace: "00112233445566778899aabbccddeeff", Started: 0.011, Latency: 0.0163, Status: 200,
		Missing: "try 1 of backend was not recorded", Spans: []reports.Span{
			{Service: "edge", Parent: -1, Elapsed: 0.0163, Status: 200},
			{Service: "frontend", Version: "prod", Start: 0.0003, Elapsed: 0.0158, Status: 200, CallStart: pointer(0.0005), CallElapsed: pointer(0.0152), CallStatus: pointer(200)},
			{Service: "middleware", Version: "prod", Parent: 1, Attempt: 1, Start: 0.0007, Elapsed: 0.0001, Status: 500},
			{Service: "middleware", Version: "prod", Parent: 1, Attempt: 2, Start: 0.0132, Elapsed: 0.002, Status: 200, CallStart: pointer(0.0134), CallElapsed: pointer(0.0015), CallStatus: pointer(200)},
		}}
}

func ingress(fail float64) reports.Phase {
	p := newPhase("ingress", "requests enter by the gateway, so the frontend is retried too", "gateway", 500, 850)
	p.Calls = retried(fail, true)
	p.Calls[0] = probed(p.Calls[0], 3)
	all := math.Pow(fail, 4)
	p.Shares = shares(all, 1-math.Pow(1-all, 3), 500)
	p.Words = []string{"The gateway is a proxy of the mesh, so that the rule for frontend (retry.yaml:17) takes effect."}
	return p
}

// canary has two rules for middleware: one for a header, and one for all other requests.
func canary(fail float64) reports.Phase {
	p := newPhase("canary", "x-dev-user: super-secret leads to the canary, all else to prod", "gateway", 500, 1400)
	p.Calls = retried(fail, true)
	to := p.Calls[1]
	header, rest := retries("middleware", "canary", 17), retries("middleware", "prod", 26)
	header.Name, header.File, header.Destinations[0].Versions = "VirtualService middleware, http[0]", "canary.yaml", []string{"canary"}
	rest.Name, rest.File = "VirtualService middleware, http[1]", "canary.yaml"
	exact := passing("frontend", "middleware", header, to.Fails.Predicted, to.Fails.N/4)
	exact.Cohorts = []string{"exact header"}
	others := passing("frontend", "middleware", rest, to.Fails.Predicted, to.Fails.N-to.Fails.N/4)
	others.Cohorts = []string{"no header", "another value", "another case"}
	p.Calls = []reports.Call{p.Calls[0], led(exact, 690, "answered", "fails"), led(others, 710, "answered", "fails"), p.Calls[2], p.Calls[3]}
	all := math.Pow(fail, 4)
	p.Shares = shares(all, 1-math.Pow(1-all, 3), 500)
	p.Words = []string{"Of the four groups of requests only the one with the exact header reaches version canary (canary.yaml:17)."}
	return p
}

// Failed is Retry on a mesh that sends one retry less for backend, and whose promise is broken.
func Failed() *reports.Report {
	r := Retry()
	r.Verdict, r.Summary = reports.Fail, "12 calls of 1,380 requests met something else than the manifests say, first backend: not retried (retry.yaml:47)"
	r.Command = append(r.Command, "--break", "one-retry-less")
	r.Target.Deviation = "one-retry-less"
	p := &r.Phases[1]
	p.Verdict = reports.Fail
	p.Words = []string{"The proxy of middleware sends a failed call to backend at most 3 times, where retry.yaml:47 allows 4 tries."}
	c := &p.Calls[2]
	c.Verdict, c.Requests, c.Mismatched, c.Excludes = reports.Fail, reports.Fail, 12, nil
	c.Fails = counted("fails", 0.0625, 29, 234)
	last := &c.Branches[len(c.Branches)-1]
	last.Met, last.Verdict = 0, reports.Inconclusive
	c.Branches[3].Met, c.Branches[3].Verdict = 0, reports.Inconclusive
	c.Ledger.Verdict, c.Ledger.Violations, c.Ledger.Retries = reports.Fail, 152, 1205
	c.Ledger.Note = "the service counted 152 fewer retries than failures that call for one"
	c.Waits[2] = reports.Wait{Try: 4, Predicted: 0.0875, Verdict: reports.Inconclusive, Note: "0 waits are too few to be judged"}
	p.Mismatches = []reports.Mismatch{
		{Kind: "not retried", From: "middleware", To: "backend", Rule: "VirtualService backend, http[0]", File: "retry.yaml", Line: 47, Count: 10, Request: "7/retry/p31", Probe: true, Call: "0.1.2", Try: 3,
			Expected: `try 4 is sent, since try 3 answered 500, which "5xx,connect-failure,refused-stream" covers, and 4 tries are allowed`, Met: "try 3 was delivered",
			Again: "hellochaos send 7/retry/p31 --pins 0.1=fail,0.2=fail,0.3=fail --cascade absorb -H 'x-dev-user: super-secret'"},
		{Kind: "wrong status", From: "middleware", To: "backend", Rule: "VirtualService backend, http[0]", File: "retry.yaml", Line: 47, Count: 2, Request: "7/retry/88", Call: "0.1", Try: 1,
			Expected: "the service answers 200", Met: "status 503 came after 2ms without a trail", Again: "hellochaos send 7/retry/88"},
	}
	return r
}

// Inconclusive is Retry on a machine that was too slow, in two phases of which one did not end.
func Inconclusive() *reports.Report {
	r := Retry()
	r.Verdict, r.Summary = reports.Inconclusive, "phase retry has no verdict: a time limit may have decided 301 of 1,630 calls to backend"
	p := &r.Phases[1]
	p.Verdict = reports.Inconclusive
	p.Warnings = []string{"the load generator could not keep its schedule: 1,498 of 1,500 requests a second were sent"}
	p.Words = nil
	c := &p.Calls[2]
	c.Verdict, c.Requests, c.Open, c.Excludes, c.Decisive = reports.Inconclusive, reports.Inconclusive, 301, pointer(0.05), 138
	c.Note = "a time limit may have decided 301 of 1,630 calls, because this machine was too slow to tell"
	for i := range c.Branches {
		c.Branches[i].Met, c.Branches[i].Verdict = int64(20+i), reports.Inconclusive
	}
	return r
}

// Late is Retry on a machine that sent requests late, so that the times of its retries were not judged.
func Late() *reports.Report {
	r := Retry()
	p := &r.Phases[1]
	p.Late, p.LagP99 = true, 0.048
	p.Warnings = []string{"requests left up to 48 ms late (99th percentile), so no time is judged"}
	for i := range p.Calls {
		for j := range p.Calls[i].Waits {
			w := &p.Calls[i].Waits[j]
			w.Verdict, w.Note = reports.NotJudged, "requests left late"
		}
	}
	return r
}

// Findings is a run whose manifests have two errors and a warning. The mesh obeys them.
func Findings() *reports.Report {
	r := Retry()
	r.Verdict, r.Summary = reports.Fail, "2 errors in the manifests, first VirtualService middleware: no DestinationRule has the subset prd"
	r.Phases[1].PromiseBroken = true
	r.Findings = []reports.Finding{
		{ID: "unknown-subset", Severity: reports.SeverityError, Phase: "retry", File: "mine/retry.yaml", Line: 20, Object: "VirtualService middleware",
			Text: `no DestinationRule of middleware has the subset "prd" (did you mean "prod"?), so that the proxy answers 503 to every call. Name a subset that the DestinationRule has.`},
		{ID: "dead-rule", Severity: reports.SeverityError, Phase: "retry", File: "mine/retry.yaml", Line: 44, Object: "VirtualService backend, http[1]",
			Text: "no request can meet this rule, since http[0] matches every request. Put it first."},
		{ID: "default-retries", Severity: reports.SeverityWarning, Phase: "prod", Object: "VirtualService frontend",
			Text: "retries without retryOn do not send an answer of 500 again."},
	}
	return r
}

// Expected is a run of which three things were expected: one holds, one does not, and one cannot be decided.
func Expected() *reports.Report {
	r := Retry()
	r.Verdict, r.Summary = reports.Fail, `1 of 3 expectations is not met: "edge fails <= 0.01"`
	r.Expectations = []reports.Expectation{
		{Text: "edge fails <= 0.01", Phase: "retry", Unit: reports.UnitShare, Predicted: pointer(0.5), PredictedError: 0.001, Measured: pointer(0.49),
			Interval: &stats.Interval{Lo: 0.39, Hi: 0.58}, N: 300, Verdict: reports.Fail, Why: "the manifests do not achieve it, whatever is measured"},
		{Text: "worst case tries <= 16", Phase: "retry", Of: "backend", Unit: reports.UnitTries, Predicted: pointer(16.0), N: 1434, Verdict: reports.Pass,
			Why: "the manifests achieve it, and each of 1434 calls met what they say"},
		{Text: "p99 <= 250ms", Phase: "retry", Unit: reports.UnitSeconds, Measured: pointer(0.041), N: 153, Verdict: reports.Inconclusive,
			Why: "153 good answers are too few for an interval of the quantile: 757 are needed"},
	}
	return r
}

// Changed is a run that looked at calls while its rules changed: some were lost when they were applied, and too few told old rules from new
// ones when they were put back.
func Changed() *reports.Report {
	r := Retry()
	r.Verdict, r.Summary = reports.Fail, "19 calls lost in the change prod → retry"
	r.Changes = []reports.Change{
		{From: "prod", To: "retry", Verdict: reports.Fail, Rate: 500, Requests: 431, Applied: 0.165, Calls: 1458, Evidence: 602, Open: 1, Mixed: 13, Lost: 19, OldAfterNew: 2, Late: 1, Early: 1,
			Proxies: []reports.ChangedProxy{{Name: "backend", Unwatched: 0.0081}, {Name: "frontend", Old: 145, New: 222, LastOld: pointer(0.0604), FirstNew: pointer(0.096), Unwatched: 0.0043},
				{Name: "middleware", Old: 15, New: 224, LastOld: pointer(0.0819), FirstNew: pointer(0.094), Unwatched: 0.0061}},
			Troubles: []reports.Trouble{{Kind: "lost", Count: 19, Request: "7/retry/c/169", From: "frontend", To: "middleware", At: 0.041, Expected: "middleware-prod answers", Met: "status 404 came after 1ms without a trail"},
				{Kind: "old rules after new ones", Count: 2, Request: "7/retry/c/188", From: "frontend", To: "middleware", At: 0.097}},
			Words: []string{"19 calls were lost: neither the old rules of the caller nor the new ones explain what came back."}},
		{From: "retry", To: "prod", PutBack: true, Verdict: reports.Inconclusive, Why: "12 calls tell the old rules from the new ones, and at least 60 are needed", Rate: 500, Requests: 412, Applied: 0.081,
			Calls: 1440, Evidence: 12, Proxies: []reports.ChangedProxy{{Name: "frontend", Old: 12, LastOld: pointer(0.0), Unwatched: 0.0051}},
			Words: []string{"There is no verdict: 12 calls tell the old rules from the new ones, and at least 60 are needed."}},
	}
	return r
}

// OnPods is Changed on a cluster, where each pod has a proxy, and each connection takes up rules by itself.
func OnPods() *reports.Report {
	r := Changed()
	for i := range r.Changes {
		r.Changes[i].ByConnection = true
	}
	r.Changes[0].Proxies[1].Name, r.Changes[0].Proxies[1].Spread = "frontend-prod-54fff9dccc-qz2fh", 0.0124
	return r
}

// NotRestored is Retry on a cluster that was not put back.
func NotRestored() *reports.Report {
	r := Retry()
	r.Target = reports.Target{Kind: "cluster", Detail: "Istio 1.31.1 in namespace demo of kind-lab", Versions: map[string]string{"istio": "1.31.1", "kubernetes": "v1.34.0"}}
	r.Restored = reports.NotRestored
	r.Restoration = &reports.Restoration{Objects: 3, Detail: "3 objects", Elapsed: 1.25,
		Problem: "VirtualService middleware:\n  it was edited by someone else since the run began\nto put it back, type: hellochaos restore 20260102T030405Z-7 -n demo"}
	r.Phases[1].Incidents = []string{"pod backend-prod-7d9f went away"}
	return r
}

// Aborted is RunAll after an interrupt in its fourth phase.
func Aborted() *reports.Report {
	r := RunAll()
	r.Aborted, r.Verdict, r.Summary = true, reports.Inconclusive, "interrupted in phase retry"
	r.Phases = r.Phases[:4]
	p := &r.Phases[3]
	p.Verdict, p.Undecided, p.Calls, p.Words = reports.Inconclusive, "the phase was interrupted after 120 requests", nil, nil
	p.Sent, p.Observed = 120, 118
	return r
}

// Broken is a run whose target answered no more.
func Broken() *reports.Report {
	r := Retry()
	r.Verdict, r.Error, r.Summary = reports.Inconclusive, "reading the counters of backend: connection refused", "the target failed: reading the counters of backend: connection refused"
	r.Phases = r.Phases[:1]
	r.Phases[0].Verdict, r.Phases[0].Undecided = reports.Inconclusive, "the counters of backend could not be read"
	return r
}

// Graph is the report of a user's scenario: eight services, of which one calls three others side by side, two callers of one service,
// a split by weight, and rules with a fault.
func Graph() *reports.Report {
	r := newReport("-f", "shop.yaml", "--seed", "7")
	r.Settings.Fail = 0.1
	r.Scenario = reports.Scenario{Name: "shop", Services: []string{"web", "cart", "catalog", "recommendations", "payments", "inventory", "prices", "audit"}}
	r.Summary = "each of 4,900 requests met what the manifests say"
	p := newPhase("application", "the services, without a policy", "gateway", 500, 0)
	q := newPhase("resilience", "retries, a split of catalog, and a fault in payments", "gateway", 900, 4000)
	call := func(from, to string, after *reports.Rule, before, fails float64) {
		p.Calls = append(p.Calls, withTries(passing(from, to, noRule(to, "v1"), before, 400), 0.9, 500))
		if after == nil {
			q.Calls = append(q.Calls, withTries(passing(from, to, noRule(to, "v1"), before, 400), 0.9, 500))
			return
		}
		c := withTries(passing(from, to, after, fails, 800), 1.1, 900)
		if after.Covers500 {
			c = probed(c, 2)
		} else {
			c = led(c, 1400, "answered", "fails")
		}
		q.Calls = append(q.Calls, c)
	}
	rule := func(service string, line, attempts int, policy string) *reports.Rule {
		return &reports.Rule{Name: fmt.Sprintf("VirtualService %s, http[0]", service), File: "shop/rules/resilience.yaml", Line: line, Policy: policy, Retries: attempts, Covers500: attempts > 0,
			Destinations: []reports.Destination{{Name: service, Share: 1, Versions: []string{"v1"}}}}
	}
	call("edge", "web", rule("web", 4, 2, "2 retries on 5xx"), 0.1, 0.001)
	call("web", "cart", rule("cart", 19, 2, "2 retries on 5xx"), 0.1, 0.001)
	call("web", "catalog", rule("catalog", 33, 0, "no retries on 500, v1 80 %, v2 20 %"), 0.1, 0.1)
	call("web", "recommendations", nil, 0.1, 0.1)
	call("cart", "payments", rule("payments", 51, 0, "no retries on 500, 25 % aborted with 429"), 0.1, 0.1)
	call("cart", "inventory", nil, 0.1, 0.1)
	call("catalog", "inventory", rule("inventory", 70, 2, "2 retries on 5xx"), 0.1, 0.001)
	call("catalog", "prices", nil, 0.1, 0.1)
	call("payments", "audit", nil, 0.1, 0.1)
	split := &q.Calls[2]
	split.Rule.Destinations = []reports.Destination{{Name: "catalog subset v1", Share: 0.8, Versions: []string{"v1"}}, {Name: "catalog subset v2", Share: 0.2, Versions: []string{"v2"}}}
	split.Split = &reports.Split{Unit: reports.ByRequest, UnitFrom: reports.UnitOfRule, Verdict: reports.Pass, Parts: []reports.SplitShare{{Share: counted("v1", 0.8, 633, 800), Verdict: reports.Pass}, {Share: counted("v2", 0.2, 167, 800), Verdict: reports.Pass}}}
	split.Branches = append(split.Branches, reports.Branch{Name: "to v2", Met: 31, Wanted: 66, Why: "only 20 % of the calls lead there", Verdict: reports.NotJudged})
	p.Shares, q.Shares = shares(0.1, 0.5, 500), shares(0.001, 0.35, 900)
	p.Calls[0].Fails, q.Calls[0].Fails = p.Shares[0], q.Shares[0]
	r.Phases = []reports.Phase{p, q}
	return r
}

// Named are all reports of the package, by a name for a test of each.
func Named() map[string]*reports.Report {
	return map[string]*reports.Report{"retry": Retry(), "run all": RunAll(), "failed": Failed(), "inconclusive": Inconclusive(), "late": Late(), "findings": Findings(), "expected": Expected(), "changed": Changed(),
		"not restored": NotRestored(), "aborted": Aborted(), "broken": Broken(), "graph": Graph(), "hostile": Hostile(), "everything": Everything()}
}
