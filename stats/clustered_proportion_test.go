package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestClusteredProportion(t *testing.T) {
	alike := func(blocks int, k, n int64) (all []Share) {
		for range blocks {
			all = append(all, Share{k, n})
		}
		return all
	}
	burst := alike(50, 0, 100)
	burst[20], burst[21] = Share{100, 100}, Share{100, 100} // 200 of 5,000, all in two blocks
	near := func(a, b float64) bool { return math.Abs(a-b) < 0.02*b+1e-9 }
	if got, want := ClusteredProportion(alike(50, 0, 100), 0.05), ClopperPearson(0, 5000, 0.05); got != want {
		t.Errorf("none of 5,000: %v, want %v", got, want)
	}
	if got := ClusteredProportion(nil, 0.05); got != (Interval{0, 1}) {
		t.Errorf("no data: %v", got)
	}
	if got, want := ClusteredProportion(alike(1000, 4, 100), 0.05), ClopperPearson(4000, 100_000, 0.05); !near(got.Lo, want.Lo) || !near(got.Hi, want.Hi) {
		t.Errorf("evenly spread: %v, want about %v", got, want)
	}
	independent, clustered := ClopperPearson(200, 5000, 0.05), ClusteredProportion(burst, 0.05)
	if clustered.Lo > 0.01 || clustered.Hi < 0.1 || clustered.Width() < 5*independent.Width() {
		t.Errorf("a burst: %v, want much wider than %v", clustered, independent)
	}
	if got := ClusteredProportion([]Share{{0, 10}, {10, 10}}, 0.05); got.Lo > 0.03 || got.Hi < 0.97 {
		t.Errorf("two blocks that differ: %v, want almost nothing known", got)
	}
}

// The interval covers the truth of blocks that fail as a whole about as often as it says.
func TestClusteredProportionCovers(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const truth, rounds = 0.1, 400
	covered := 0
	for range rounds {
		var blocks []Share
		for range 100 {
			b := Share{0, 50}
			if random.Float64() < truth {
				b.K = 50
			}
			blocks = append(blocks, b)
		}
		if i := ClusteredProportion(blocks, 0.05); i.Lo <= truth && truth <= i.Hi {
			covered++
		}
	}
	if share := float64(covered) / rounds; share < 0.92 {
		t.Errorf("%.3f of the intervals cover the truth, want 0.95", share)
	}
}
