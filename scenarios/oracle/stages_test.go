package oracle_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
	"github.com/hellochaos/hellochaos/service/trail"
	"github.com/hellochaos/hellochaos/target/mesh"
)

type setting struct {
	stage, broken string
	entry         manifests.Entry
	fail, hang    float64
	propagate     bool
	header        http.Header
	requests      int
	seed          int
}

// judged is what came of the requests of a setting.
type judged struct {
	requests, calls, open int
	kinds                 map[oracle.Kind]int
	first                 string
}

func run(t *testing.T, s setting) judged {
	t.Helper()
	objects, err := scenarios.Through(s.stage, nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := mesh.New(mesh.Options{Break: s.broken})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close(context.Background())
	before, _ := scenarios.Through("", nil)
	if err := m.Apply(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	if err := m.Apply(t.Context(), objects); err != nil {
		t.Fatal(err)
	}
	return send(t, m, objects, s)
}

func send(t *testing.T, m *mesh.Mesh, objects []manifests.Object, s setting) judged {
	t.Helper()
	rules, err := manifests.Read(objects)
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{"Accept": {"application/json"}, "Fail": {fmt.Sprint(s.fail)}, "Hang": {fmt.Sprint(s.hang)}}
	if s.propagate {
		header.Set(trail.HeaderCascade, trail.Propagate)
	}
	for name, values := range s.header {
		header[name] = values
	}
	ways, err := oracle.NewWays(rules)
	if err != nil {
		t.Fatal(err)
	}
	first, err := ways.Enter(s.entry, manifests.Request{Host: "x", Path: "/", Header: header})
	if err != nil {
		t.Fatal(err)
	}
	address, err := m.Address(t.Context(), s.entry)
	if err != nil {
		t.Fatal(err)
	}
	plan := attack.Plan{URL: address.URL, Requests: s.requests, Rate: 800, Cohorts: []attack.Cohort{{Header: header}}, Name: fmt.Sprintf("%d/test", s.seed),
		Connections: 1024, Timeout: 20 * time.Second}
	got := judged{kinds: map[oracle.Kind]int{}}
	var judge oracle.Judge
	_, err = attack.Run(t.Context(), plan, func(o *attack.Observation) bool {
		got.requests++
		name := plan.RequestName(o.Number)
		call := trail.Call{Status: o.Status, Elapsed: o.Latency, Error: o.Error, Hop: o.Trail}
		judge.Request(&oracle.Request{Name: name, Fail: s.fail, Hang: s.hang, Propagate: s.propagate, Timeout: plan.Timeout}, first, &call, func(e *oracle.Evidence) {
			got.calls++
			if e.Open {
				got.open++
			}
			if e.Mismatch != nil {
				got.kinds[e.Mismatch.Kind]++
				if got.first == "" {
					got.first = fmt.Sprintf("request %s, %s calls %s: expected %s; met %s", name, ways.Rows[e.Mismatch.Row].Caller, ways.Rows[e.Mismatch.Row].Host, e.Mismatch.Expected, e.Mismatch.Met)
				}
			}
		})
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestAMeshThatObeysHasNoMismatch(t *testing.T) {
	for _, s := range []setting{
		{stage: "", entry: manifests.Entry{Service: "frontend"}, fail: 0.3},
		{stage: "egress", entry: manifests.Entry{Service: "frontend"}, fail: 0.3},
		{stage: "prod", entry: manifests.Entry{Service: "frontend"}, fail: 0.1},
		{stage: "retry", entry: manifests.Entry{Service: "frontend"}, fail: 0.5},
		{stage: "retry", entry: manifests.Entry{Service: "frontend"}, fail: 0.5, propagate: true},
		{stage: "ingress", entry: manifests.Entry{Gateway: "default/frontend"}, fail: 0.5},
		{stage: "canary", entry: manifests.Entry{Gateway: "default/frontend"}, fail: 0.3, header: http.Header{"X-Dev-User": {"super-secret"}}},
		{stage: "ingress", entry: manifests.Entry{Gateway: "default/frontend"}, fail: 0.1, hang: 0.1, propagate: true},
	} {
		t.Run(fmt.Sprintf("%s %v %v", s.stage, s.fail, s.propagate), func(t *testing.T) {
			if testing.Short() && s.hang > 0 {
				t.Skip("make test waits for tries that hang")
			}
			s.requests = 80
			got := run(t, s)
			t.Logf("%+v", got)
			if len(got.kinds) > 0 || got.calls < got.requests {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestEachBreakIsAMismatch(t *testing.T) {
	for _, s := range []setting{
		{broken: "egress-open", stage: "", entry: manifests.Entry{Service: "frontend"}},
		{broken: "stale-rules", stage: "prod", entry: manifests.Entry{Service: "frontend"}},
		{broken: "no-retries", stage: "retry", entry: manifests.Entry{Service: "frontend"}, fail: 0.5},
		{broken: "one-retry-less", stage: "retry", entry: manifests.Entry{Service: "frontend"}, fail: 0.5},
		{broken: "retry-not-5xx", stage: "retry", entry: manifests.Entry{Service: "frontend"}, fail: 0.5},
		{broken: "gateway-bypassed", stage: "ingress", entry: manifests.Entry{Gateway: "default/frontend"}, fail: 0.5},
		{broken: "header-ignored", stage: "canary", entry: manifests.Entry{Gateway: "default/frontend"}, header: http.Header{"X-Dev-User": {"super-secret"}}},
		{broken: "header-case-insensitive", stage: "canary", entry: manifests.Entry{Gateway: "default/frontend"}, header: http.Header{"X-Dev-User": {"Super-Secret"}}},
	} {
		t.Run(s.broken, func(t *testing.T) {
			s.requests = 50
			if s.broken == "stale-rules" {
				s.requests = 600 // one in 200 meets it
			}
			got := run(t, s)
			t.Logf("%+v", got)
			if len(got.kinds) == 0 {
				t.Errorf("%+v", got)
			}
		})
	}
}
