package stats

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// The values of R's p.adjust(c(.01, .04, .03, .005), "holm").
func TestHolm(t *testing.T) {
	p := []float64{.01, .04, .03, .005}
	got := Holm(p)
	for i, want := range []float64{.03, .06, .06, .02} {
		near(t, "adjusted", got[i], want, 1e-15)
	}
	if !slices.Equal(p, []float64{.01, .04, .03, .005}) || len(Holm(nil)) != 0 {
		t.Errorf("the arguments were changed: %v", p)
	}
	if alone := Holm([]float64{.02}); alone[0] != .02 {
		t.Errorf("a family of one: got %v", alone)
	}
	if most := Holm([]float64{.9, .8}); most[0] != 1 || most[1] != 1 {
		t.Errorf("got %v, want at most 1", most)
	}
}

// In a family with false hypotheses, the probability to reject any of the 20 true ones is at most alpha, and Holm finds more of
// the false ones than Bonferroni.
func TestHolmHoldsTheFamily(t *testing.T) {
	const runs, alpha = 4000, .05
	draw := rand.New(rand.NewPCG(1, 2))
	wrong, holm, bonferroni := 0, 0, 0
	for range runs {
		p := make([]float64, 24)
		for i := range p {
			p[i] = draw.Float64()
			if i >= 20 {
				p[i] *= .004
			}
		}
		adjusted := Holm(p)
		if slices.Min(adjusted[:20]) <= alpha {
			wrong++
		}
		for i := 20; i < 24; i++ {
			if adjusted[i] <= alpha {
				holm++
			}
			if p[i]*24 <= alpha {
				bonferroni++
			}
		}
	}
	if share := float64(wrong) / runs; share > alpha+.01 {
		t.Errorf("a true hypothesis was rejected in %.3f of the families, want at most %g", share, alpha)
	}
	if holm <= bonferroni {
		t.Errorf("Holm found %d, Bonferroni %d", holm, bonferroni)
	}
}
