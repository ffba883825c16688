package oracle_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
	"github.com/hellochaos/hellochaos/service/trail"
	"github.com/hellochaos/hellochaos/target/mesh"
)

var brokenGraphs = flag.Int("broken", 8, "how many random graphs with a random break TestRandomGraphsShowTheirBreak runs")

// policies changes the retry policies that the YAML has, as the mesh's deviations do.
func policies(change func(*manifests.Retry)) func(*manifests.Rules) (*manifests.Rules, error) {
	return func(rules *manifests.Rules) (*manifests.Rules, error) {
		return rules.Changed(func(rule *manifests.Rule) {
			if policy := &rule.Retry; !policy.Default && policy.Attempts > 0 {
				if change(policy); policy.Attempts == 0 {
					policy.PerTry = 0
				}
			}
		}), nil
	}
}

// randomBreaks are the deviations that change which calls meet what, with the rules that their proxies obey, and the share of the calls
// that do.
var randomBreaks = []struct {
	name  string
	rules func(*manifests.Rules) (*manifests.Rules, error)
	share float64
}{
	{"no-retries", policies(func(r *manifests.Retry) { r.Attempts = 0 }), 1},
	{"one-retry-less", policies(func(r *manifests.Retry) { r.Attempts-- }), 1},
	{"retry-too-often", policies(func(r *manifests.Retry) { r.Attempts++ }), 0.2},
	{"retry-not-5xx", policies(func(r *manifests.Retry) { r.SetOn("connect-failure,refused-stream") }), 1},
	{"header-ignored", func(r *manifests.Rules) (*manifests.Rules, error) { return r.WithoutHeaderMatches(), nil }, 1},
	{"header-case-insensitive", (*manifests.Rules).IgnoringHeaderCase, 1},
}

// users are the cohorts of the requests: without the header, with it, and with its value in another case.
var users = []http.Header{{}, {"X-Dev-User": {"super-secret"}}, {"X-Dev-User": {"Super-Secret"}}}

// planned is one request of a plan: of a cohort, natural, or with pins.
type planned struct {
	cohort int
	pins   string
}

// tells is how many calls of a request are expected to show a mismatch where proxies obey the calls of broken in place of those of
// right: 0 where the request meets the same by both, whatever the mesh draws. path names the call.
func tells(request *oracle.Request, right, broken *oracle.Call, path string, probability float64) (expected float64) {
	aborts, status := abortsOf(right)
	brokenAborts, brokenStatus := abortsOf(broken)
	switch {
	case aborts == 1 && brokenStatus == status:
		return probability * (1 - brokenAborts)
	case aborts == 1:
		return probability
	case brokenAborts > 0 && brokenStatus != status:
		expected += probability * brokenAborts
	}
	probability *= 1 - brokenAborts
	for i := range broken.Destinations {
		d := &broken.Destinations[i]
		for _, w := range d.Workloads {
			share := probability * d.Share * w.Share
			at := workloadOf(right, w)
			attempt, failed := deliveredAt(request, broken, w.Service, path)
			rightly, _ := deliveredAt(request, right, w.Service, path)
			switch {
			case share == 0:
			case at == nil || attempt != rightly:
				expected += share
			case !failed:
				for j := range w.Steps {
					for k, next := range w.Steps[j] {
						expected += tells(request, at.Steps[j][k], next, trail.CallOf(trail.Tries(path, attempt), next.Number), share)
					}
				}
			}
		}
	}
	return expected
}

// abortsOf is the share of the calls that a fault aborts, and the status with which it does.
func abortsOf(c *oracle.Call) (share float64, status int) {
	if c.Rule == nil || c.Rule.Fault == nil || c.Rule.Fault.AbortStatus == 0 {
		return 0, 0
	}
	return c.Rule.Fault.AbortShare, c.Rule.Fault.AbortStatus
}

// workloadOf is the workload of a call that is the same version of the same service.
func workloadOf(c *oracle.Call, w *oracle.Workload) *oracle.Workload {
	for i := range c.Destinations {
		for _, at := range c.Destinations[i].Workloads {
			if at.Service == w.Service && at.Version == w.Version {
				return at
			}
		}
	}
	return nil
}

// deliveredAt is the attempt count of the try of a call that is delivered, and whether it fails.
func deliveredAt(request *oracle.Request, c *oracle.Call, service, path string) (attempt int, failed bool) {
	retries := 0
	if c.Rule != nil {
		attempt = 1
		if c.Rule.Retry.Covers(manifests.Failure{Status: http.StatusInternalServerError}) {
			retries = c.Rule.Retry.Attempts
		}
	}
	for ; ; attempt++ {
		at := trail.Tries(path, attempt)
		if request.Pins != "" {
			failed = trail.Pinned(request.Pins, at) == trail.PinFail
		} else {
			failed = trail.Draw(trail.HeaderFail, request.Name, service, at) < request.Fail
		}
		if !failed || retries == 0 {
			return attempt, failed
		}
		retries--
	}
}

// brokenGraph is a random graph, what its requests are, and what the rules of a break make of them.
type brokenGraph struct {
	objects []manifests.Object
	ways    *oracle.Ways
	first   []*oracle.Call // by user
	plan    attack.Plan
	sent    []planned
	fail    float64
}

// waysOfUsers compiles the ways of all users by some rules.
func waysOfUsers(t *testing.T, rules *manifests.Rules) (*oracle.Ways, []*oracle.Call) {
	t.Helper()
	ways, err := oracle.NewWays(rules)
	if err != nil {
		t.Fatal(err)
	}
	var first []*oracle.Call
	for _, header := range users {
		way, err := ways.Enter(direct, manifests.Request{Path: "/", Header: header})
		if err != nil {
			t.Fatal(err)
		}
		first = append(first, way)
	}
	return ways, first
}

// draw draws a graph and plans its requests: a few natural ones, and probes.
func drawBroken(t *testing.T, seed uint64) *brokenGraph {
	t.Helper()
	g := &randomGraph{Rand: rand.New(rand.NewPCG(seed, 11)), headers: true}
	g.service("frontend", 3)
	b := &brokenGraph{fail: []float64{0.05, 0.3, 0.6}[g.IntN(3)]}
	var err error
	if b.objects, err = manifests.Parse("random.yaml", []byte(g.yaml.String())); err != nil {
		t.Fatalf("seed %d: %v\n%s", seed, err, g.yaml.String())
	}
	rules, err := manifests.Read(b.objects)
	if err != nil {
		t.Fatal(err)
	}
	b.ways, b.first = waysOfUsers(t, rules)
	wants := make([]oracle.Want, len(b.ways.Rows))
	for i := range wants {
		wants[i] = oracle.Want{Calls: 10, Retried: 10, Each: 10}
	}
	probes, _ := b.ways.Probes(b.first, wants, false)
	b.plan = attack.Plan{Name: fmt.Sprintf("%d/broken", seed), Rate: 2000, Connections: 32, Timeout: 20 * time.Second, Grace: time.Minute}
	add := func(p planned, series string, number int) {
		header := http.Header{"Accept": {"application/json"}, http.CanonicalHeaderKey(trail.HeaderFail): {fmt.Sprint(b.fail)}}
		for name, values := range users[p.cohort] {
			header[name] = values
		}
		if p.pins != "" {
			header.Set(trail.HeaderPins, p.pins)
		}
		b.plan.Cohorts = append(b.plan.Cohorts, attack.Cohort{Series: series, Header: header})
		b.plan.Sequence = append(b.plan.Sequence, attack.Slot{Cohort: int32(len(b.sent)), Number: int32(number)})
		b.sent = append(b.sent, p)
	}
	for n := range 15 {
		add(planned{cohort: n % len(users)}, "", n)
	}
	for n, probe := range probes {
		add(planned{probe.Cohort, probe.Pins}, "p", n)
	}
	b.plan.Requests = len(b.sent)
	return b
}

// request is what decides the draws of a planned request.
func (b *brokenGraph) request(n int) *oracle.Request {
	return &oracle.Request{Name: b.plan.RequestName(n), Fail: b.fail, Pins: b.sent[n].pins, Timeout: b.plan.Timeout}
}

// tells is how many mismatches the plan is expected to show on a mesh that obeys these rules.
func (b *brokenGraph) tells(t *testing.T, broken func(*manifests.Rules) (*manifests.Rules, error)) (expected float64) {
	t.Helper()
	rules, err := manifests.Read(b.objects)
	if err != nil {
		t.Fatal(err)
	}
	if rules, err = broken(rules); err != nil {
		t.Fatal(err)
	}
	_, first := waysOfUsers(t, rules)
	for n := range b.sent {
		cohort := b.sent[n].cohort
		expected += tells(b.request(n), b.first[cohort], first[cohort], "", 1)
	}
	return expected
}

// mismatches sends the plan to a mesh with a break, and returns how many calls deviate and what the first one met.
func (b *brokenGraph) mismatches(t *testing.T, deviation string) (mismatches int, first string) {
	t.Helper()
	m, err := mesh.New(mesh.Options{Seed: 1, Break: deviation})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close(t.Context())
	if err := m.Apply(t.Context(), b.objects); err != nil {
		t.Fatal(err)
	}
	address, err := m.Address(t.Context(), manifests.Entry{Service: "frontend"})
	if err != nil {
		t.Fatal(err)
	}
	b.plan.URL = address.URL
	var judge oracle.Judge
	_, err = attack.Run(t.Context(), b.plan, func(o *attack.Observation) bool {
		call := trail.Call{Status: o.Status, Elapsed: o.Latency, Error: o.Error, Hop: o.Trail}
		judge.Request(b.request(o.Number), b.first[b.sent[o.Number].cohort], &call, func(e *oracle.Evidence) {
			if e.Mismatch == nil {
				return
			}
			if mismatches++; first == "" {
				first = fmt.Sprintf("%s calls %s: %s: expected %s; met %s", b.ways.Rows[e.Way.Row].Caller, b.ways.Rows[e.Way.Row].Host, e.Mismatch.Kind, e.Mismatch.Expected, e.Mismatch.Met)
			}
		})
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return mismatches, first
}

// Whatever the graph and its rules, a mesh with a deviation shows it to the planned requests, if any of them can tell the rules that it
// obeys from the right ones; and where none can, nothing deviates. A break that chance alone would show is drawn anew, and counted.
func TestRandomGraphsShowTheirBreak(t *testing.T) {
	if testing.Short() {
		t.Log("the short form has three graphs at most")
		*brokenGraphs = min(*brokenGraphs, 3)
	}
	const surely = 12 // expected mismatches, of which chance leaves none once in e^12 times
	found, untold, chance, requests := map[string]int{}, 0, 0, 0
	for seed, done := uint64(0), 0; done < *brokenGraphs; seed++ {
		b := drawBroken(t, seed)
		broken := randomBreaks[seed%uint64(len(randomBreaks))]
		expected := b.tells(t, broken.rules) * broken.share
		if expected > 0 && expected < surely {
			chance++
			continue
		}
		if expected == 0 {
			untold++
			if untold%10 != 1 { // that nothing deviates is looked at now and then
				continue
			}
		}
		requests += len(b.sent)
		mismatches, first := b.mismatches(t, broken.name)
		if (mismatches > 0) != (expected > 0) {
			t.Fatalf("seed %d, %s: %d mismatches, and %.1f are expected (%s)", seed, broken.name, mismatches, expected, first)
		}
		if expected > 0 {
			found[broken.name]++
			done++
		}
	}
	t.Logf("%d breaks were found by %d requests (%v); %d times no planned request could tell the rules apart, and %d times only by chance", *brokenGraphs, requests, found, untold, chance)
	if *brokenGraphs >= 8 && len(found) < 4 {
		t.Errorf("only %v were drawn", found)
	}
}
