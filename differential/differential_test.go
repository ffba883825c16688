package differential

import (
	"flag"
	"testing"
)

var (
	policies = flag.Int("n", 200, "how many random policies are compared at least")
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

// TestTranslation compares what requests meet by manifests and by Istio's translation.
func TestTranslation(t *testing.T) {
	var compared, sent, disagreements, sets int
	found := make(map[string]int)
	for s := *seed; compared < *policies; s++ {
		d := newDraw(s)
		drawn := make([]tree, *perSet)
		for i := range drawn {
			drawn[i] = d.policy(i)
		}
		sets++
		on := &scope{T: t}
		objects, err := newSet(on, drawn)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", s, err, text(drawn))
		}
		compared += len(objects.policies)
		for range len(objects.policies) * *requests {
			a := d.request(objects.gateways())
			sent++
			ours, theirs, err := objects.ask(&a)
			if err != nil {
				t.Fatalf("seed %d: %v: %v\n%s", s, &a, err, text(objects.policies))
			}
			if ours == theirs {
				continue
			}
			disagreements++
			if found[kindOf(ours, theirs)]++; found[kindOf(ours, theirs)] > 1 || len(found) > *shown {
				continue
			}
			show(t, s, objects.policies, a)
		}
		on.end()
	}
	t.Logf("%d sets of %d policies, %d requests: %d disagreements of %d kinds", sets, compared, sent, disagreements, len(found))
	for kind, n := range found {
		t.Logf("%6d  %s", n, kind)
	}
}

// show makes a disagreement small and prints it.
func show(t *testing.T, seed uint64, policies []tree, a asked) {
	t.Helper()
	tries := 0
	policies, a = shrink(policies, a, func(less []tree, a asked) bool {
		if tries++; tries > 400 {
			return false
		}
		ours, theirs := both(t, less, a)
		return ours != theirs
	})
	ours, theirs := both(t, policies, a)
	t.Errorf("seed %d: %v\n  manifests: %s\n  Istio:     %s\n%s", seed, &a, ours, theirs, text(policies))
}

// both are the answers for a set of objects, all of which both sides accept; two equal ones otherwise.
func both(t *testing.T, policies []tree, a asked) (ours, theirs string) {
	on := &scope{T: t}
	defer on.end()
	s, err := newSet(on, policies)
	if err != nil || len(s.policies) != len(policies) {
		return "", ""
	}
	ours, theirs, err = s.ask(&a)
	if err != nil {
		return "", ""
	}
	return ours, theirs
}
