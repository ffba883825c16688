package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestHoeffding(t *testing.T) {
	got := Hoeffding(1.5, 4, 300, 0.05)
	half := 4 * math.Sqrt(math.Log(40)/600)
	near(t, "lower", got.Lo, 1.5-half, 1e-12)
	near(t, "upper", got.Hi, 1.5+half, 1e-12)
	if got := Hoeffding(0, 4, 0, 0.05); got != (Interval{Lo: 0, Hi: 4}) {
		t.Errorf("no observations: %v", got)
	}
	if got := Hoeffding(4, 4, 1, 0.05); got.Hi != 4 {
		t.Errorf("an end beyond the range: %v", got)
	}
	defer func() {
		if recover() == nil {
			t.Error("a mean outside of the range must panic")
		}
	}()
	Hoeffding(4.1, 4, 1, 0.05)
}

// The widest distribution on a range has half of its mass at each end.
func TestHoeffdingCovers(t *testing.T) {
	const runs, n, most, alpha = 20_000, 50, 4, 0.1
	draw, missed := rand.New(rand.NewPCG(3, 3)), 0
	for range runs {
		sum := 0.0
		for range n {
			sum += most * float64(draw.IntN(2))
		}
		if Hoeffding(sum/n, most, n, alpha).Disjoint(Interval{most / 2, most / 2}) {
			missed++
		}
	}
	if share := float64(missed) / runs; share > alpha {
		t.Errorf("%.3f of the intervals miss, want at most %.1f", share, alpha)
	}
}
