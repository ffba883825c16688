package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// Under the truth the mean of the evidence is exactly 1 for every number of observations, as it must be for a martingale.
func TestEvidenceHasMeanOne(t *testing.T) {
	for _, prediction := range []float64{0, .001, .271, .9, 1} {
		s := NewSequence(prediction, 400, .05)
		for _, truth := range []float64{.01, .271, .5, .97} {
			for _, n := range []int64{0, 1, 2, 17, 300} {
				var mean float64
				for k := range n + 1 {
					mean += math.Exp(logProbability(k, n, truth) + s.Evidence(truth, k, n))
				}
				near(t, fmt.Sprintf("prediction %g, truth %g, n=%d", prediction, truth, n), mean, 1, 1e-9)
			}
		}
	}
}

// everRejected returns the exact probability that the truth is rejected after any of the first n observations. It carries the
// probability of every count that was not rejected yet from one observation to the next.
func everRejected(s *Sequence, truth float64, n int64) float64 {
	alive, rejected := []float64{1}, 0.
	for looks := int64(1); looks <= n; looks++ {
		next := make([]float64, looks+1)
		for k, mass := range alive {
			next[k] += mass * (1 - truth)
			next[k+1] += mass * truth
		}
		for k, mass := range next {
			if mass > 1e-15 && s.Rejects(truth, int64(k), looks) {
				rejected += mass
				next[k] = 0
			}
		}
		alive = next
	}
	return rejected
}

func TestSequenceEverRejectsTheTruthAtMostAlpha(t *testing.T) {
	for _, test := range []struct{ prediction, truth, alpha float64 }{
		{.271, .271, .05}, {.271, .271, .01}, {.0625, .0625, .05}, {.001, .001, .05}, {.5, .05, .05},
		{.05, .5, .05}, {0, .02, .05}, {1, .98, .05}, {.999, .5, .2},
	} {
		s := NewSequence(test.prediction, 600, test.alpha)
		got := everRejected(s, test.truth, 600)
		if got > test.alpha || got < test.alpha/100 {
			t.Errorf("prediction %g, truth %g: ever rejected with %.5f, want at most %g, but not never",
				test.prediction, test.truth, got, test.alpha)
		}
	}
}

func TestSequenceRejectsTheTruthRarelyInDraws(t *testing.T) {
	const runs, n, truth, alpha = 200, 3000, .271, .05
	s, draw, crossed := NewSequence(truth, n, alpha), rand.New(rand.NewPCG(2, 2)), 0
	for range runs {
		var k int64
		for i := int64(1); i <= n; i++ {
			if draw.Float64() < truth {
				k++
			}
			if s.Rejects(truth, k, i) {
				crossed++
				break
			}
		}
	}
	if got := float64(crossed) / runs; got > alpha || crossed == 0 {
		t.Errorf("share of runs that ever rejected the truth: got %g, want between 0 and %g", got, alpha)
	}
}

func TestSequenceIntervalIsWhatIsNotRejected(t *testing.T) {
	for _, prediction := range []float64{0, .001, .271, 1} {
		s := NewSequence(prediction, 10_000, .01)
		for _, n := range []int64{1, 2, 30, 1000, 1_000_000} {
			for _, k := range []int64{0, 1, n / 3, n - 1, n} {
				got, what := s.Interval(k, n), fmt.Sprintf("prediction %g, %d of %d", prediction, k, n)
				estimate := float64(k) / float64(n)
				if !(Interval{estimate, estimate}).Inside(got) {
					t.Errorf("%s: the estimate is outside %v", what, got)
				}
				for _, end := range []float64{got.Lo, got.Hi} {
					if inward, outward := end+(estimate-end)*1e-6, end-(estimate-end)*1e-6; end != estimate {
						if s.Rejects(inward, k, n) || !s.Rejects(outward, k, n) {
							t.Errorf("%s: %g does not end %v", what, end, got)
						}
					}
				}
				if open := got.Lo == 0; open != (k == 0) {
					t.Errorf("%s: lower end of %v, want 0 exactly for a count of 0", what, got)
				}
				if open := got.Hi == 1; open != (k == n) {
					t.Errorf("%s: upper end of %v, want 1 exactly for a full count", what, got)
				}
			}
		}
		if got, want := s.Interval(0, 0), (Interval{0, 1}); got != want {
			t.Errorf("without observations: got %v, want %v", got, want)
		}
	}
}

func TestSequenceIsSymmetricAndNested(t *testing.T) {
	s, mirrored, stricter := NewSequence(.2, 800, .05), NewSequence(.8, 800, .05), NewSequence(.2, 800, .01)
	for k := int64(0); k <= 100; k += 10 {
		got, other, wider := s.Interval(k, 100), mirrored.Interval(100-k, 100), stricter.Interval(k, 100)
		near(t, "mirrored lower end", other.Lo, 1-got.Hi, 1e-12)
		near(t, "mirrored upper end", other.Hi, 1-got.Lo, 1e-12)
		if !got.Inside(wider) || got.Width() >= wider.Width() {
			t.Errorf("%d of 100: %v at .05 is not within %v at .01", k, got, wider)
		}
		if fixed := ClopperPearson(k, 100, .05); got.Width() <= fixed.Width() {
			t.Errorf("%d of 100: %v is narrower than %v for one look only", k, got, fixed)
		}
	}
}

func TestEvidenceAtTheEnds(t *testing.T) {
	s := NewSequence(.271, 1000, .05)
	for _, test := range []struct {
		p    float64
		k, n int64
		want float64
	}{
		{0, 1, 10, math.Inf(1)}, {1, 9, 10, math.Inf(1)}, {0, 0, 0, 0}, {.5, 0, 0, 0}, {1, 0, 0, 0},
		// One of one: both mixtures have their mean as marginal, (1/2 + .271)/2.
		{1, 1, 1, math.Log(.3855)}, {.271, 1, 1, math.Log(.3855 / .271)}, {0, 0, 1, math.Log(1 - .3855)},
	} {
		got := s.Evidence(test.p, test.k, test.n)
		if got != test.want && !(math.Abs(got-test.want) < 1e-12) {
			t.Errorf("evidence against %g after %d of %d: got %g, want %g", test.p, test.k, test.n, got, test.want)
		}
	}
}

// The half-widths of a single mixture at n = 10,000, .271, alpha .05, by its weight (Clopper-Pearson has .0088).
func TestMixtureHalfWidths(t *testing.T) {
	for weight, want := range map[float64]float64{1250: .0127, 100: .0145, 2: .0171} {
		m := newBetaMixture(weight*.271, weight*(1-.271))
		s := &Sequence{mixtures: [2]betaMixture{m, m}, logThreshold: math.Log(20)}
		near(t, fmt.Sprintf("half-width at weight %g", weight), s.Interval(2710, 10_000).Width()/2, want, .0001)
	}
	near(t, "half-width of Clopper-Pearson", ClopperPearson(2710, 10_000, .05).Width()/2, .0088, .0001)
}

// runUntilDecided draws up to most observations. A run may fail after any of them and may pass after every twentieth; the final
// interval decides a run that is still undecided.
func runUntilDecided(s *Sequence, band Interval, truth float64, most int64, draw *rand.Rand) (failed, passed bool, n int64) {
	var k int64
	for n = 1; n <= most; n++ {
		if draw.Float64() < truth {
			k++
		}
		estimate := float64(k) / float64(n)
		switch {
		case estimate > band.Hi && s.Rejects(band.Hi, k, n), estimate < band.Lo && s.Rejects(band.Lo, k, n):
			return true, false, n
		case n%20 == 0 && s.Interval(k, n).Inside(band):
			return false, true, n
		}
	}
	final := ClopperPearson(k, most, .04)
	return final.Disjoint(band), final.Inside(band), most
}

// Mean numbers of observations to the verdict at prediction .271 with at most 10,000, alpha .01 for stopping early and .04
// at the end.
func TestEarlyStops(t *testing.T) {
	const most, prediction = 10_000, .271
	tests := []struct {
		truth, tolerance float64
		runs             int
		want, within     float64
		fails            bool
		otherVerdicts    int // of the runs, at most
	}{
		{0, .02, 2, 26, 1, true, 0},
		{.001, .02, 200, 26, 1, true, 0},
		{.10, .02, 150, 101, 15, true, 0},
		{.40, .02, 120, 285, 50, true, 0},
		{.19, .02, 80, 789, 130, true, 0},
		{.341, .02, 60, 1427, 270, true, 0},
		{.321, .02, 25, 4157, 800, true, 0},
		{.271, .03, 25, 3742, 600, false, 1},
		{.271, .02, 40, 8137, 600, false, 3}, // 98.1 % of the runs pass
	}
	for _, test := range tests {
		s, draw := NewSequence(prediction, most, .01), rand.New(rand.NewPCG(3, uint64(1000*test.truth)))
		var total int64
		others := 0
		for range test.runs {
			failed, passed, n := runUntilDecided(s, Band(prediction, test.tolerance), test.truth, most, draw)
			if failed != test.fails || passed == test.fails {
				others++
			}
			total += n
		}
		if others > test.otherVerdicts {
			t.Errorf("truth %g: %d of %d runs ended with another verdict, want at most %d", test.truth, others, test.runs, test.otherVerdicts)
		}
		near(t, fmt.Sprintf("mean observations at truth %g", test.truth), float64(total)/float64(test.runs), test.want, test.within)
	}
}

func BenchmarkSequenceInterval(b *testing.B) {
	s := NewSequence(.271, 10_000, .01)
	b.ReportAllocs()
	for b.Loop() {
		s.Interval(800, 3000)
	}
}

func BenchmarkSequenceRejects(b *testing.B) {
	s := NewSequence(.271, 10_000, .01)
	b.ReportAllocs()
	for b.Loop() {
		s.Rejects(.3, 800, 3000)
	}
}
