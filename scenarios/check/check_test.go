package check_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios/check"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
)

// Each call by itself: all right and enough of them, a mismatch, too few, too many open, none at all.
func TestRequests(t *testing.T) {
	enough := oracle.Want{Retried: int(planned)}
	for _, c := range []struct {
		name     string
		base     bool
		want     oracle.Want
		see      func(*phase)
		verdict  reports.Verdict
		note     string
		decisive int64
		excludes float64 // 0: nothing is excluded
	}{
		{"all right", false, enough, func(p *phase) { p.saw("middleware", 100, 4, 500, planned-100) }, reports.Pass, "", planned, 0.01},
		{"one retried call less", false, enough, func(p *phase) { p.saw("middleware", 100, 4, 500, planned-101) }, reports.Inconclusive, "687 calls would have met something else without this rule, and 688 are needed to exclude that 1 % of them deviate", planned - 1, 0.01001},
		{"one mismatch", false, enough, func(p *phase) { row := p.saw("middleware", 0, 0, 500, planned); row.Judged++; row.Mismatched++ }, reports.Fail, "", planned, 0},
		{"a rule of the phase before", false, oracle.Want{}, func(p *phase) { p.saw("middleware", 0, 0, 50, 3) }, reports.Pass, "", 3, 0.9},
		{"nothing got there, though some was to", false, enough, func(*phase) {}, reports.Inconclusive, "no request got this far", 0, 0},
		{"nothing got there by a rule of the phase before", false, oracle.Want{}, func(*phase) {}, reports.NotJudged, "no request got this far", 0, 0},
		{"nothing got there in a Base phase", true, enough, func(*phase) {}, reports.NotJudged, "no request got this far", 0, 0},
		{"a tenth is open", false, enough, func(p *phase) { row := p.saw("middleware", 0, 0, 200, 700); row.Judged += 100; row.Open = 100 }, reports.Pass, "", 700, 0.0098},
		{"more is open", false, enough, func(p *phase) { row := p.saw("middleware", 0, 0, 200, 700); row.Judged += 101; row.Open = 101 }, reports.Inconclusive, "a time limit may have decided 101 of 1001 calls", 700, 0.0098},
		{"more is open in a Base phase", true, oracle.Want{}, func(p *phase) { row := p.saw("middleware", 0, 0, 200, 700); row.Judged += 101; row.Open = 101 }, reports.NotJudged, "a time limit", 700, 0.0098},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPhase(t, "retry", "", oracle.Request{Fail: 0.5})
			p.Base = c.base
			p.wants("middleware", c.want)
			c.see(p)
			got := p.judged("middleware")
			if got.Requests != c.verdict || !strings.Contains(got.Note, c.note) || c.note == "" && got.Note != "" {
				t.Errorf("%s (%s), want %s (%s)", got.Requests, got.Note, c.verdict, c.note)
			}
			if got.Decisive != c.decisive || (got.Excludes != nil) != (c.excludes > 0) || got.Excludes != nil && math.Abs(*got.Excludes-c.excludes) > 0.05*c.excludes {
				t.Errorf("%d calls are decisive and exclude %v, want %d and %v", got.Decisive, got.Excludes, c.decisive, c.excludes)
			}
		})
	}
}

// What excludes a deviation of a new rule that says where calls go is what other rules would have shown: half of the calls, where the
// balancer before picked among two versions. What is claimed is the least of what both sides of a rule exclude.
func TestRequestsOfARuleThatRoutes(t *testing.T) {
	before := newPhase(t, "", "", oracle.Request{Fail: 0.5})
	p := newPhase(t, "retry", "", oracle.Request{Fail: 0.5})
	p.Ways.After(before.Ways)
	p.wants("middleware", oracle.Want{Calls: int(2 * planned), Retried: int(planned)})
	p.saw("middleware", 0, 0, 2*planned-1000, 1000)
	got := p.judged("middleware")
	if got.Requests != reports.Pass || got.Decisive != planned || *got.Excludes > 0.01 {
		t.Errorf("%s, %d decisive, want pass and %d: of %d calls half would have been answered by the other version without the rule", got.Requests, got.Decisive, planned, 2*planned)
	}
	p.Elsewhere = 0.005 // as stage prod asks for
	if got := p.judged("middleware"); got.Requests != reports.Inconclusive || !strings.Contains(got.Note, "1379 are needed to exclude that 0.5 %") {
		t.Errorf("%s (%s), want inconclusive: 688 of 1379", got.Requests, got.Note)
	}
}

// On a cluster a connection may break without anybody's fault: up to one request in 1,000. Elsewhere each is a failure.
func TestLostConnections(t *testing.T) {
	for _, c := range []struct {
		name         string
		remote       bool
		broken, more int64 // requests of 1,000 that lost a connection, and that met something else
		verdict      reports.Verdict
		incident     bool
	}{
		{"one on a cluster", true, 1, 0, reports.Pass, true},
		{"two on a cluster", true, 2, 0, reports.Inconclusive, true},
		{"one on a cluster, and one that met something else", true, 1, 1, reports.Fail, false},
		{"one on this machine", false, 1, 0, reports.Fail, false},
		{"none", true, 0, 0, reports.Pass, false},
	} {
		p := newPhase(t, "retry", "", oracle.Request{Fail: 0.5})
		p.Remote, p.Tally.Natural, p.Tally.Probes = c.remote, 600, 400
		p.Tally.Broken, p.Tally.Wrong = c.broken, c.broken+c.more
		row := p.saw("middleware", 0, 0, 0, 1000)
		row.Mismatched, row.Judged = c.broken+c.more, row.Judged+c.broken+c.more
		got := p.judged("middleware")
		if got.Requests != c.verdict || (p.Lost() != "") != c.incident {
			t.Errorf("%s: %s (%s), incident %q; want %s", c.name, got.Requests, got.Note, p.Lost(), c.verdict)
		}
	}
}

// The verdict of a call is the worst of its parts, and "not judged" where none was judged.
func TestVerdictOfACall(t *testing.T) {
	p := newPhase(t, "retry", "", oracle.Request{Fail: 0.5})
	if got := p.judged("middleware"); got.Verdict != reports.NotJudged {
		t.Errorf("a call of which nothing was seen: %s, want not judged", got.Verdict)
	}
	p.saw("middleware", 0, 0, 10, 10)
	if got := p.judged("middleware"); got.Verdict != reports.Pass {
		t.Errorf("right calls by the rule of the phase before: %s, want pass", got.Verdict)
	}
	p.wants("middleware", oracle.Want{Each: check.EachBranch})
	if got := p.judged("middleware"); got.Requests != reports.Pass || got.Verdict != reports.Inconclusive {
		t.Errorf("too few in each branch: %s, want inconclusive", got.Verdict)
	}
}

// Calls that no request of the phase can make are left out.
func TestCallsThatAreNotExpected(t *testing.T) {
	p := newPhase(t, "retry", "", oracle.Request{Fail: 1})
	var to []string
	for _, c := range p.Calls() {
		to = append(to, c.To)
	}
	if !slices.Equal(to, []string{"frontend"}) {
		t.Errorf("calls to %v, want those to frontend alone, which always fails", to)
	}
	p.wants("backend", oracle.Want{Each: 1})
	if got := p.judged("backend"); got == nil || got.Requests != reports.Inconclusive {
		t.Errorf("%+v, want calls to backend that are inconclusive, since probes were to make some", got)
	}
}

// Of a host outside nothing is known: whatever it answers is right and proves nothing.
func TestAHostOutside(t *testing.T) {
	const outside = `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: clock}
spec: {hosts: [time.example], location: MESH_EXTERNAL, resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: backend-prod}
spec:
  selector: {matchLabels: {app: backend, version: prod}}
  template:
    metadata: {labels: {app: backend, version: prod}}
    spec: {containers: [{name: hello-service, image: hello-service, env: [{name: SERVICE_NAME, value: backend-prod}, {name: CALLS, value: '[[{"url":"http://time.example/","external":true}]]'}], ports: [{containerPort: 3000}]}]}
`
	p := newPhase(t, "prod", outside, oracle.Request{Fail: 0.3})
	row, i := p.row("time.example")
	row.Judged, row.Unknown = 100, 100
	if !check.Unknown(&p.Ways.Rows[i]) {
		t.Error("something is known of a host outside")
	}
	if got := p.judged("time.example"); got.Verdict != reports.NotJudged || got.Excludes != nil || !strings.Contains(got.Note, "nothing is known of who answers at time.example") {
		t.Errorf("%s, excludes %v (%s), want not judged", got.Verdict, got.Excludes, got.Note)
	}
}

// Rules are described with what they do, also where the proxy answers by itself.
func TestRuleSaysWhatItDoes(t *testing.T) {
	for _, c := range []struct {
		yaml, policy string
		answer       int
	}{
		{virtualService(toProd, retrying), "3 retries on 5xx, to prod", 0},
		{virtualService(toProd, `^retries: {attempts: 3, retryOn: connect-failure}`), "3 retries, none on 500, to prod", 0},
		{virtualService(toProd, "^rewrite: {uri: /a}"), "to prod, path rewritten", 0},
		{virtualService(toProd, "^rewrite: {authority: a}\n      headers: {request: {set: {a: b}}, response: {remove: [c]}}"), "to prod, host rewritten, headers changed, headers of answers changed", 0},
		{virtualService(toBoth, ""), "prod 80 %, canary 20 %", 0},
		{virtualService("{destination: {host: middleware, subset: none}}", retrying), "the proxy answers 503", 503},
		{virtualService(toProd, "^fault: {abort: {httpStatus: 418, percentage: {value: 100}}}"), "the proxy answers 418", 418},
		{virtualService(toProd, "^fault: {abort: {httpStatus: 418, percentage: {value: 30}}, delay: {fixedDelay: 2s, percentage: {value: 10}}}"), "to prod, 30 % aborted with 418, 10 % delayed by 2s", 0},
		{strings.Replace(virtualService(toProd, ""), "- route: ["+toProd+"]", "- directResponse: {status: 451}", 1), "the proxy answers 451", 451},
		{strings.Replace(virtualService(toProd, ""), "- route: ["+toProd+"]", "- redirect: {uri: /elsewhere}", 1), "the proxy answers 301", 301},
	} {
		p := newPhase(t, "prod", c.yaml, oracle.Request{})
		for i := range p.Ways.Rows {
			if row := &p.Ways.Rows[i]; row.Caller == "frontend" {
				if got := check.Rule(row); got.Policy != c.policy || got.Answer != c.answer || got.File != "over.yaml" || got.Line == 0 {
					t.Errorf("policy %q, answer %d, %s:%d; want %q, %d and a line of over.yaml", got.Policy, got.Answer, got.File, got.Line, c.policy, c.answer)
				}
			}
		}
	}
}

// Shares and factors are those of the natural requests, beside their predictions.
func TestSharesAndTries(t *testing.T) {
	p := newPhase(t, "retry", "", oracle.Request{Fail: 0.5})
	p.Tally.Natural, p.Tally.Edge, p.Tally.Any = 1000, 480, 560
	p.Counters, p.Counted = counters(middle(1, 200, 500), middle(2, 200, 400)), true
	p.Counters = append(p.Counters, pinned(middle(1, 200, 77)))
	row := p.saw("middleware", 30, 4, 470)
	row.Failed = 30
	shares := p.Shares()
	if shares[0].Name != reports.EdgeFails || shares[0].K != 480 || shares[0].N != 1000 || shares[0].Predicted != 0.5 || shares[1].K != 560 || math.Abs(shares[1].Predicted-0.5605) > 1e-4 {
		t.Errorf("%+v", shares)
	}
	got := p.judged("middleware")
	if got.Fails.K != 30 || got.Fails.N != 500 || got.Fails.Predicted != 0.0625 || got.Fails.Interval == nil {
		t.Errorf("fails %+v, want 30 of 500 with 0.0625 predicted", got.Fails)
	}
	if f := got.Tries; f == nil || f.Tries != 900 || f.Measured != 0.9 || math.Abs(f.Predicted-0.9375) > 1e-9 {
		t.Errorf("tries %+v, want 900 of natural requests, 0.9 for each, and 0.9375 predicted", f)
	}
}
