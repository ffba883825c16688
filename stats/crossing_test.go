package stats

import "testing"

func TestFewestFindsTheFirst(t *testing.T) {
	for want := int64(1); want <= 40; want++ {
		for _, guess := range []int64{-5, 0, 1, 7, 39, 40, 1000} {
			if got := fewest(guess, 40, func(n int64) bool { return n >= want }); got != want {
				t.Errorf("from guess %d: got %d, want %d", guess, got, want)
			}
		}
	}
	if got := fewest(3, 40, func(int64) bool { return false }); got != 0 {
		t.Errorf("a condition that never holds: got %d, want 0", got)
	}
}

func TestCrossingEnclosesTheTurn(t *testing.T) {
	for _, turn := range []float64{1e-9, .1, 1. / 3, .999} {
		below, above := crossing(0, 1, endPrecision, func(x float64) bool { return x >= turn })
		if below > turn || above < turn {
			t.Errorf("turn at %g: got [%g, %g]", turn, below, above)
		}
		near(t, "relative width", (above-below)/turn, 0, 1e-8)
	}
}
