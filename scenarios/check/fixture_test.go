package check_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/scenarios/check"
	"github.com/hellochaos/hellochaos/scenarios/observe"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
	"github.com/hellochaos/hellochaos/stats"
	"github.com/hellochaos/hellochaos/target"
)

// phase is the evidence of a phase in which nothing was seen yet: its objects are those of a stage, overlaid with more YAML.
type phase struct {
	*check.Evidence
	t *testing.T
}

func newPhase(t *testing.T, stage, yaml string, request oracle.Request) *phase {
	t.Helper()
	objects, err := scenarios.Through(stage, nil)
	if err != nil {
		t.Fatal(err)
	}
	if yaml != "" {
		over, err := manifests.Parse("over.yaml", []byte(yaml))
		if err != nil {
			t.Fatal(err)
		}
		objects = manifests.Overlay(objects, over)
	}
	rules, err := manifests.Read(objects)
	if err != nil {
		t.Fatal(err)
	}
	ways, err := oracle.NewWays(rules)
	if err != nil {
		t.Fatal(err)
	}
	first, err := ways.Enter(manifests.Entry{Service: "frontend"}, manifests.Request{Path: "/", Header: http.Header{}})
	if err != nil {
		t.Fatal(err)
	}
	request.Timeout = attack.DefaultTimeout
	biased := request.Propagate || request.Hang > 0
	return &phase{t: t, Evidence: &check.Evidence{
		Ways: ways, Tally: observe.NewTally(ways, nil, nil), Predictions: []check.Predicted{{Prediction: ways.Predict(&request, first), Share: 1}},
		Wants: make([]oracle.Want, len(ways.Rows)), Exclude: 0.01, Elsewhere: 0.01, Biased: biased,
		Splits: check.NewSplits(ways, 0.7, 1.4, biased), Inwards: ways.Inwards(first), Cohorts: make([][]string, len(ways.Rows)),
		Slow: func(time.Duration) int64 { return 0 },
	}}
}

// row is the counts of the calls to a service or a host, and its place.
func (p *phase) row(to string) (*observe.Row, int) {
	p.t.Helper()
	for i := range p.Ways.Rows {
		if check.Service(&p.Ways.Rows[i]) == to {
			return &p.Tally.Rows[i], i
		}
	}
	p.t.Fatalf("no calls to %s", to)
	return nil, -1
}

// saw adds right calls: good ones by the tries that failed before, and failed ones of so many tries.
func (p *phase) saw(to string, failed, tries int64, good ...int64) *observe.Row {
	p.t.Helper()
	row, _ := p.row(to)
	for failures, n := range good {
		row.Good[failures] += n
		row.Judged += n
	}
	row.Bad[tries] += failed
	row.Judged += failed
	row.Calls = row.Judged
	return row
}

// judged is what was judged of the calls to a service or a host.
func (p *phase) judged(to string) *reports.Call {
	p.t.Helper()
	for i := range p.Splits {
		if p.Splits[i] != nil {
			p.Splits[i].Feed(&p.Tally.Rows[i])
		}
	}
	calls := p.Calls()
	for i := range calls {
		if calls[i].To == to {
			return &calls[i]
		}
	}
	return nil
}

// wants sets what was planned for a row.
func (p *phase) wants(to string, want oracle.Want) {
	p.t.Helper()
	_, i := p.row(to)
	p.Wants[i] = want
}

// added makes a histogram of what the way and the waits added to calls, in milliseconds.
func added(milliseconds ...float64) *hdrhistogram.Histogram {
	h := hdrhistogram.New(1, 100_000_000, 2)
	for _, ms := range milliseconds {
		if err := h.RecordValue(int64(1000 * ms)); err != nil {
			panic(err)
		}
	}
	return h
}

// planned is how many calls exclude 1 % at one in a thousand: 6.9/0.01.
var planned = stats.ZeroFailureTrials(0.01, check.Risk)

// virtualService is one for middleware with one route to prod and canary, and more of the test's.
func virtualService(route, more string) string {
	return fmt.Sprintf(`apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: middleware}
spec:
  hosts: [middleware]
  http:
    - route: [%s]
%s
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: middleware}
spec: {host: middleware, subsets: [{name: prod, labels: {version: prod}}, {name: canary, labels: {version: canary}}]}
`, route, strings.ReplaceAll(more, "^", "      "))
}

const (
	toProd   = "{destination: {host: middleware, subset: prod}}"
	toBoth   = "{destination: {host: middleware, subset: prod}, weight: 80}, {destination: {host: middleware, subset: canary}, weight: 20}"
	retrying = "^retries: {attempts: 3, retryOn: 5xx, perTryTimeout: 2s}"
)

// hostOf is what the calls of a service lead to, as reports call it.
func (p *phase) hostOf(caller string) string {
	p.t.Helper()
	for i := range p.Ways.Rows {
		if p.Ways.Rows[i].Caller == caller {
			return check.Service(&p.Ways.Rows[i])
		}
	}
	p.t.Fatalf("%s calls nobody", caller)
	return ""
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

// middle is a line of middleware's counters.
func middle(attempt, status int, count int64) target.Tries {
	return target.Tries{Service: "middleware", Version: "prod", Attempt: attempt, Status: status, Count: count}
}

func pinned(t target.Tries) target.Tries {
	t.Pinned = true
	return t
}

func counters(lines ...target.Tries) target.Counters { return lines }

var retryPhase *phase

// newPhaseAgain is a phase of stage retry without evidence, which is compiled once.
func newPhaseAgain(t *testing.T) *phase {
	t.Helper()
	if retryPhase == nil {
		retryPhase = newPhase(t, "retry", "", oracle.Request{Fail: 0.5})
	}
	again := *retryPhase.Evidence
	again.Tally = observe.NewTally(again.Ways, nil, nil)
	return &phase{Evidence: &again, t: t}
}
