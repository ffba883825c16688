package oracle_test

import (
	"slices"
	"testing"

	"github.com/hellochaos/hellochaos/scenarios/oracle"
	"github.com/hellochaos/hellochaos/service/trail"
)

// failuresOf is how many tries of a call pins make fail; call is the path of the tries above it.
func failuresOf(pins, call string) (n int) {
	for n < 10 && trail.Pinned(pins, trail.Tries(call, n+1)) == trail.PinFail {
		n++
	}
	return n
}

func TestProbesMeetWhatIsWanted(t *testing.T) {
	ways, first := enter(t, "retry", direct)
	wants := make([]oracle.Want, len(ways.Rows))
	for i := range wants {
		wants[i] = oracle.Want{Retried: 690, Each: 66}
	}
	probes := ways.Probes([]*oracle.Call{first}, wants)
	var middleware, backend [5]int // by failed tries
	for _, p := range probes {
		if problem := trail.CheckPins(p.Pins); problem != "" {
			t.Fatalf("pins %q: want %s", p.Pins, problem)
		}
		if trail.Pinned(p.Pins, "0") == trail.PinFail {
			continue // the frontend fails, so nothing below it is called
		}
		failures := failuresOf(p.Pins, "0")
		middleware[failures]++
		if failures < 4 {
			backend[failuresOf(p.Pins, trail.Tries("0", failures+1))]++
		}
	}
	for name, counts := range map[string][5]int{"middleware": middleware, "backend": backend} {
		if retried := counts[1] + counts[2] + counts[3] + counts[4]; retried < 690 {
			t.Errorf("%s: %d calls are retried, want at least 690", name, retried)
		}
		if slices.Min(counts[:]) < 66 {
			t.Errorf("%s: %v calls by failed tries, want at least 66 of each", name, counts)
		}
	}
	if len(probes) > 1000 {
		t.Errorf("%d probes, want at most 1000: each one serves both calls", len(probes))
	}
}

func TestProbesOfNothingWanted(t *testing.T) {
	ways, first := enter(t, "retry", direct)
	if probes := ways.Probes([]*oracle.Call{first}, make([]oracle.Want, len(ways.Rows))); len(probes) > 0 {
		t.Errorf("%d probes, want none", len(probes))
	}
}

func TestPlayOnceFollowsPins(t *testing.T) {
	ways, first := enter(t, "retry", direct)
	for pins, tries := range map[string]int{"none": 4, "0=fail": 1, "0.1=fail": 5, "0.*=fail": 5, "0.1=fail,0.2=fail,0.3.*=fail": 8} {
		if got := ways.PlayOnce(&oracle.Request{Fail: 1, Pins: pins}, first).Tries; got != tries {
			t.Errorf("pins %s: %d tries, want %d: the clock's included", pins, got, tries)
		}
	}
}
