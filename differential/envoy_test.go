package differential

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/differential/envoy"
	"github.com/hellochaos/hellochaos/differential/proxy"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
)

var (
	envoyPolicies   = flag.Int("envoy-policies", 20, "how many random policies real Envoys execute at least")
	envoyRequests   = flag.Int("envoy-requests", 200, "how many requests are sent for each of them")
	matchedPolicies = flag.Int("matched-policies", 30, "how many random policies the matcher and the embedded mesh are compared with real Envoys for, at least")
	matchedRequests = flag.Int("matched-requests", 20, "how many requests are sent for each of them")
	matchedSet      = flag.Int("matched-set", 14, "how many policies are drawn for a set, of which those are taken that both sides accept")
	envoySet        = flag.Int("envoy-set", 20, "how many Services, each with a policy, there are in a set of real Envoys")
)

// program is the Envoy of the tests.
func program(t *testing.T) string {
	t.Helper()
	path, err := proxy.Find(t.Context(), os.Getenv("ENVOY"))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// execute draws a set of policies, has real Envoys execute it, and judges what its requests meet.
func execute(t *testing.T, program string, seed uint64, policies, requests int, change func(*envoy.Proxy), j *judgement, seen count) (executed int) {
	t.Helper()
	d := newDraw(seed)
	world := d.executedWorld(policies)
	objects := []tree{executedDoor, executedEntry}
	for i := range policies {
		if d.chance(0.35) {
			objects = append(objects, d.executedRoute(i, policies))
			continue
		}
		virtualService, destinationRule := d.executed(i, policies)
		objects = append(objects, virtualService, destinationRule)
	}
	on := &scope{T: t}
	defer on.end()
	s, err := newSet(on, world, objects)
	if err != nil {
		t.Fatalf("seed %d: %v\n%s", seed, err, text(objects))
	}
	for _, o := range s.policies {
		for feature := range features(o) {
			seen[feature]++
		}
	}
	pods, err := s.podsOf()
	if err != nil {
		t.Fatal(err)
	}
	spent := newWaits()
	stands, err := startStandIns(s.rules, pods, spent.around)
	if err != nil {
		t.Fatal(err)
	}
	defer stands.close()
	r := newReal(s, program, stands.place, change)
	defer r.close()
	ways, err := oracle.NewWays(s.rules)
	if err != nil {
		t.Fatal(err)
	}
	var all []*planned
	for i, policy := range s.policies {
		draw := d.executedRequest
		if policy["kind"] == "HTTPRoute" {
			draw = d.executedRouteRequest
		} else if policy["kind"] != "VirtualService" {
			continue
		}
		executed++
		fail, hang := []float64{0.1, 0.3, 0.6}[d.IntN(3)], []float64{0, 0, 0.04}[d.IntN(3)]
		for n := range requests {
			p := &planned{asked: draw(policy), name: fmt.Sprintf("%d/%d/%d", seed, i, n), fail: fail, hang: hang}
			if err := p.way(ways); err != nil {
				t.Fatalf("seed %d: %v: %v", seed, &p.asked, err)
			}
			if err := r.start(t.Context(), p.caller); err != nil {
				t.Fatalf("seed %d: %v\n%s", seed, err, text(objects))
			}
			all = append(all, p)
		}
	}
	eachOf(all, func(p *planned) {
		var err error
		if p.got, err = r.send(t.Context(), &p.asked, p.order()); err != nil {
			t.Errorf("%v: %v", &p.asked, err)
		}
	})
	j.judge(all, spent)
	return executed
}

// TestEnvoy has real Envoys execute random policies, and holds each request against the oracle.
func TestEnvoy(t *testing.T) {
	at := program(t)
	j, seen := &judgement{answers: count{}, kinds: count{}}, count{}
	begin, policies, sets := time.Now(), 0, 0
	for s := *seed; policies < *envoyPolicies; s++ {
		policies += execute(t, at, s, *envoySet, *envoyRequests, nil, j, seen)
		sets++
	}
	for _, feature := range seen.names() {
		t.Logf("%6d policies have %s", seen[feature], feature)
	}
	for _, answer := range j.answers.names() {
		t.Logf("%6d requests were answered by %s", j.answers[answer], answer)
	}
	for _, kind := range j.kinds.names() {
		t.Logf("%6d mismatches: %s", j.kinds[kind], kind)
	}
	n, squares := j.squares()
	t.Logf("%d shares of splits and faults were judged: the squares of their deviations are %.3f standard errors on average, where 1 is right", n, squares)
	for _, f := range fits(j.waits, j.ways) {
		verdict := "judged"
		if !f.judged {
			verdict = "too few to be judged"
		} else if f.short {
			verdict = "judged, but shorter than ways here"
		}
		t.Logf("%6d waits of up to %v, %s: half of them are from %.2f to %.2f of that", f.n, f.longest, verdict, f.low, f.high)
	}
	for _, wrong := range j.wrong() {
		t.Error(wrong)
	}
	t.Logf("seeds %d to %d: %d policies, %d requests with %d tries in %v: %d were retried, %d are open, %d mismatches", *seed, *seed+uint64(sets)-1, policies, j.requests,
		j.tries, time.Since(begin).Round(time.Second), j.retried, j.open, len(j.mismatches))
}
