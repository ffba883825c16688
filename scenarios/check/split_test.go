package check_test

import (
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
)

const aborting = "^fault: {abort: {httpStatus: 403, percentage: {value: 40}}}"

// What the mesh draws passes when its shares are told from others, fails when they are others, and else is undecided.
func TestSplits(t *testing.T) {
	destinations := func(counts ...int64) func(*phase) {
		return func(p *phase) {
			row, _ := p.row("middleware")
			copy(row.Destinations, counts)
			row.Calls, row.Judged = counts[0]+counts[1], counts[0]+counts[1]
			row.Spared = row.Calls
		}
	}
	faults := func(aborted, spared int64) func(*phase) {
		return func(p *phase) {
			row, _ := p.row("middleware")
			row.Aborted, row.Spared, row.Calls, row.Judged = aborted, spared, aborted+spared, aborted+spared
			row.Destinations[0] = spared
		}
	}
	both := func(aborted, prod, canary int64) func(*phase) {
		return func(p *phase) {
			destinations(prod, canary)(p)
			row, _ := p.row("middleware")
			row.Aborted = aborted
		}
	}
	for _, c := range []struct {
		name, yaml string
		request    oracle.Request
		base       bool
		see        func(*phase)
		verdict    reports.Verdict
		parts      string // names, predictions and counts
		note       string
		unlike     bool
	}{
		{"as the weights say", virtualService(toBoth, ""), oracle.Request{}, false, destinations(800, 200), reports.Pass, "prod 0.8 800, canary 0.2 200", "", false},
		{"another split", virtualService(toBoth, ""), oracle.Request{}, false, destinations(700, 300), reports.Fail, "prod 0.8 700, canary 0.2 300", "", false},
		{"all to one", virtualService(toBoth, ""), oracle.Request{}, false, destinations(200, 0), reports.Fail, "prod 0.8 200, canary 0.2 0", "", false},
		{"too few", virtualService(toBoth, ""), oracle.Request{}, false, destinations(80, 20), reports.Inconclusive, "prod 0.8 80, canary 0.2 20", "100 calls do not tell the shares from others; about", false},
		{"too few in a Base phase", virtualService(toBoth, ""), oracle.Request{}, true, destinations(80, 20), reports.NotJudged, "prod 0.8 80, canary 0.2 20", "100 calls do not tell", false},
		{"an abort", virtualService(toProd, aborting), oracle.Request{}, false, faults(400, 600), reports.Pass, "aborted with 403 0.4 400, not aborted 0.6 600", "", true},
		{"an abort too seldom", virtualService(toProd, aborting), oracle.Request{}, false, faults(250, 750), reports.Fail, "aborted with 403 0.4 250, not aborted 0.6 750", "", true},
		{"an abort that never strikes", virtualService(toProd, aborting), oracle.Request{}, false, faults(0, 100), reports.Fail, "aborted with 403 0.4 0, not aborted 0.6 100", "", true},
		{"an abort and weights", virtualService(toBoth, aborting), oracle.Request{}, false, both(1600, 1920, 480), reports.Pass, "aborted with 403 0.4 1600, prod 0.48 1920, canary 0.12 480", "", true},
		{"an abort and no canary", virtualService(toBoth, aborting), oracle.Request{}, false, both(1600, 2400, 0), reports.Fail, "aborted with 403 0.4 1600, prod 0.48 2400, canary 0.12 0", "", true},
		{"a subset that nobody has", virtualService(strings.Replace(toBoth, "subset: canary", "subset: none", 1), ""), oracle.Request{}, false, destinations(800, 200), reports.Pass, "prod 0.8 800, none 0.2 200", "", true},
		{"two subsets that nobody has", virtualService(strings.NewReplacer("prod", "one", "canary", "none").Replace(toBoth), ""), oracle.Request{}, false, destinations(1000, 0), reports.NotJudged,
			"one 0.8 1000, none 0.2 0", "the proxy answers 503 for two of the parts, and the answers do not say for which", true},
		{"one version in two parts", virtualService("{destination: {host: middleware, subset: prod}, weight: 80}, {destination: {host: middleware}, weight: 20}", ""), oracle.Request{}, false, destinations(900, 100),
			reports.NotJudged, "prod 0.8 900, middleware 0.2 100", "middleware-prod answers for two of the parts, and the answers do not say for which", false},
		{"an abort with the answer of another part", virtualService(strings.Replace(toBoth, "subset: canary", "subset: none", 1), strings.Replace(aborting, "403", "503", 1)), oracle.Request{}, false, both(500, 480, 0),
			reports.NotJudged, "aborted with 503 0.4 500, prod 0.48 480, none 0.12 0", "the proxy answers 503 for two of the parts", true},
		{"aborts that are sent again by the caller's caller", virtualService(toProd, aborting), oracle.Request{Propagate: true}, false, faults(100, 900), reports.NotJudged,
			"aborted with 403 0.4 100, not aborted 0.6 900", "answers of calls that were sent again do not show what earlier tries met", true},
		{"versions alike, where failures propagate", virtualService(toBoth, ""), oracle.Request{Propagate: true}, false, destinations(800, 200), reports.Pass, "prod 0.8 800, canary 0.2 200", "", false},
		{"never shown", virtualService(toBoth, ""), oracle.Request{Fail: 1}, false, func(p *phase) { p.wants("middleware", oracle.Want{Each: 1}) }, reports.NotJudged, "prod 0.8 0, canary 0.2 0", "each of them fails before", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPhase(t, "prod", c.yaml, c.request)
			p.Base = c.base
			c.see(p)
			got := p.judged("middleware").Split
			var parts []string
			for _, part := range got.Parts {
				parts = append(parts, strings.Join([]string{part.Name, fraction(part.Predicted), decimal(part.K)}, " "))
				if part.Verdict != c.verdict {
					t.Errorf("part %s: %s, want %s", part.Name, part.Verdict, c.verdict)
				}
			}
			if got.Verdict != c.verdict || strings.Join(parts, ", ") != c.parts || !strings.Contains(got.Note, c.note) || c.note == "" && got.Note != "" || got.Unlike != c.unlike || got.Balanced {
				t.Errorf("%s: %s (%s), unlike %v; want %s: %s (%s), unlike %v", got.Verdict, strings.Join(parts, ", "), got.Note, got.Unlike, c.verdict, c.parts, c.note, c.unlike)
			}
		})
	}
}

// A load balancer may favour a version, but leaves none out.
func TestBalanced(t *testing.T) {
	const other = `apiVersion: apps/v1
kind: Deployment
metadata: {name: middleware-canary}
spec:
  selector: {matchLabels: {app: middleware, version: canary}}
  template:
    metadata: {labels: {app: middleware, version: canary}}
    spec: {containers: [{name: hello-service, image: hello-service, env: [{name: SERVICE_NAME, value: middleware-canary}, {name: UPSTREAM_URI, value: "http://backend/"}, {name: FAIL_PROBABILITY, value: "0.9"}], ports: [{containerPort: 3000}]}]}
---
`
	whole := virtualService("{destination: {host: middleware}}", retrying)
	for _, c := range []struct {
		name         string
		stage, yaml  string
		request      oracle.Request
		base         bool
		prod, canary int64
		verdict      reports.Verdict
		note         string
	}{
		{"half and half", "", "", oracle.Request{}, false, 50, 50, reports.Pass, ""},
		{"a quarter", "", "", oracle.Request{}, false, 150, 50, reports.Pass, ""},
		{"all to one", "", "", oracle.Request{}, false, 66, 0, reports.Fail, ""},
		{"too few", "", "", oracle.Request{}, false, 65, 0, reports.Inconclusive, "65 calls are too few to tell whether every version answers: 66 are needed"},
		{"too few in a Base phase", "", "", oracle.Request{}, true, 65, 0, reports.NotJudged, "65 calls are too few"},
		{"a version that fails more often, with retries", "prod", other + whole, oracle.Request{}, false, 99, 1, reports.NotJudged, "the parts do not fail equally often"},
		{"versions alike, with retries", "prod", whole, oracle.Request{}, false, 99, 1, reports.Fail, ""},
	} {
		p := newPhase(t, c.stage, c.yaml, c.request)
		p.Base = c.base
		row, i := p.row("middleware")
		row.Calls, row.Judged = c.prod+c.canary, c.prod+c.canary
		for j, w := range p.Ways.Rows[i].Destinations[0].Workloads {
			row.Workloads[0][j] = map[string]int64{"prod": c.prod, "canary": c.canary}[w.Version]
		}
		got := p.judged("middleware").Split
		if got.Verdict != c.verdict || !got.Balanced || !strings.Contains(got.Note, c.note) || c.note == "" && got.Note != "" || len(got.Parts) != 2 {
			t.Errorf("%s: %s (%s), %+v; want %s (%s)", c.name, got.Verdict, got.Note, got.Parts, c.verdict, c.note)
		}
	}
}

// A direct entry leads to one pod: there is nothing to balance.
func TestTheEntryIsNotBalanced(t *testing.T) {
	const second = `apiVersion: apps/v1
kind: Deployment
metadata: {name: frontend-second}
spec:
  selector: {matchLabels: {app: frontend, version: second}}
  template:
    metadata: {labels: {app: frontend, version: second}}
    spec: {containers: [{name: hello-service, image: hello-service, env: [{name: SERVICE_NAME, value: frontend-second}, {name: UPSTREAM_URI, value: "http://middleware/"}], ports: [{containerPort: 3000}]}]}
`
	p := newPhase(t, "prod", second, oracle.Request{})
	row := p.saw("frontend", 0, 0, 100)
	row.Workloads[0][0] = 100
	if got := p.judged("frontend"); got.Split != nil || got.Verdict != reports.Pass {
		t.Errorf("%s, %+v; want a pass, and no split", got.Verdict, got.Split)
	}
}
