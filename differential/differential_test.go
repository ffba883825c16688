package differential

import (
	"flag"
	"testing"
)

var (
	policies = flag.Int("policies", 1000, "how many random policies are compared at least")
	requests = flag.Int("requests", 20, "how many requests are sent for each of them")
	seed     = flag.Uint64("seed", 1, "the first seed; each set of policies has the next one")
	perSet   = flag.Int("set", 7, "how many policies are drawn for a set, of which those are taken that both sides accept")
	shown    = flag.Int("shown", 5, "how many disagreements are made small and shown")
)

// scope is a test whose cleanups run at its end.
type scope struct {
	*testing.T
	cleanups []func()
}

func (s *scope) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }

func (s *scope) end() {
	for i := len(s.cleanups) - 1; i >= 0; i-- {
		s.cleanups[i]()
	}
}

// tally is what a comparison saw.
type tally struct {
	sets, policies, requests, disagreements int
	// ordered are the requests to which Istio has another answer where their proxy is the first that asks.
	ordered              int
	features, met, kinds count // kinds are those of disagreements
}

// TestTranslation compares what requests meet by manifests and by Istio's translation.
func TestTranslation(t *testing.T) {
	all := tally{features: count{}, met: count{}, kinds: count{}}
	for s := *seed; all.policies < *policies; s++ {
		compareSet(t, s, &all)
	}
	for _, feature := range all.features.names() {
		t.Logf("%6d policies have %s", all.features[feature], feature)
	}
	for _, met := range all.met.names() {
		t.Logf("%6d requests met %s", all.met[met], met)
	}
	for _, kind := range all.kinds.names() {
		t.Logf("%6d disagreements: %s", all.kinds[kind], kind)
	}
	t.Logf("seeds %d to %d: %d sets of %d policies in all, %d requests, %d disagreements, and %d requests whose answer by Istio depends on the order in which proxies ask",
		*seed, *seed+uint64(all.sets)-1, all.sets, all.policies, all.requests, all.disagreements, all.ordered)
}

// compareSet draws a set of policies and its requests, and compares what these meet.
func compareSet(t *testing.T, s uint64, all *tally) {
	t.Helper()
	d := newDraw(s)
	drawn := d.objects(*perSet)
	on := &scope{T: t}
	defer on.end()
	objects, err := newSet(on, World(), drawn)
	if err != nil {
		t.Fatalf("seed %d: %v\n%s", s, err, text(drawn))
	}
	all.sets++
	all.policies += len(objects.policies)
	for _, p := range objects.policies {
		for feature := range features(p) {
			all.features[feature]++
		}
	}
	for range len(objects.policies) * *requests {
		a := d.request(objects.gateways())
		if d.chance(0.6) {
			a = d.near(objects.policies, objects.gateways())
		}
		objects.enter(d, &a)
		all.requests++
		ours, theirs, err := objects.ask(&a)
		if err != nil {
			t.Fatalf("seed %d: %v: %v\n%s", s, &a, err, text(objects.policies))
		}
		all.met[kindOf(theirs)]++
		if ours == theirs {
			continue
		}
		// What Istio tells a gateway can depend on whether a sidecar of its namespace asked before it (docs/differential.md).
		if first, anew := both(t, objects.policies, a); first == ours && anew == ours {
			all.ordered++
			t.Logf("seed %d: %v: Istio's answer depends on the order in which proxies ask: %s, and where this one is the first %s", s, &a, theirs, anew)
			continue
		}
		all.disagreements++
		kind := kindOf(ours) + " | " + kindOf(theirs)
		if all.kinds[kind]++; all.kinds[kind] == 1 && len(all.kinds) <= *shown {
			show(t, s, kind, objects.policies, a)
		}
	}
}

// show makes a disagreement small, as long as it is of its kind, and prints it.
func show(t *testing.T, seed uint64, kind string, policies []tree, a asked) {
	t.Helper()
	tries := 0
	policies, a = shrink(policies, a, func(less []tree, a asked) bool {
		if tries++; tries > 400 {
			return false
		}
		ours, theirs := both(t, less, a)
		return ours != theirs && kindOf(ours)+" | "+kindOf(theirs) == kind
	})
	ours, theirs := both(t, policies, a)
	t.Errorf("seed %d: %v\n  manifests: %s\n  Istio:     %s\n%s", seed, &a, ours, theirs, text(policies))
}

// both are the answers for a set of objects, all of which both sides accept; two equal ones otherwise.
func both(t *testing.T, policies []tree, a asked) (ours, theirs string) {
	on := &scope{T: t}
	defer on.end()
	s, err := newSet(on, World(), policies)
	if err != nil || len(s.policies) != len(policies) {
		return "", ""
	}
	ours, theirs, err = s.ask(&a)
	if err != nil {
		return "", ""
	}
	return ours, theirs
}
