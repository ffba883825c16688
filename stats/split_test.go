package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// evidence returns the logarithm of how many times as likely the observations are under the mean of the alternatives as
// under this destination's predicted share. At ln(number of tests / risk) the split has failed, and the destination with
// the most evidence is the one to report. With two destinations both have the same evidence.
func (s *SplitTest) evidence(destination int) float64 {
	share := s.share(destination)
	return share.evidence(share.hits(s), s.total)
}

// bounds returns the bounds, excluded, between which this destination's share of all observations is tolerated. For weights 80
// and 20, lo 0.7 and hi 1.4 they are 0.14 to 0.28 for the second destination and 0.72 to 0.86 for the first.
func (s *SplitTest) bounds(destination int) Interval {
	share := s.share(destination)
	bounds := Interval{Lo: s.lo * share.predicted, Hi: s.hi * share.predicted}
	if share.rest != (share.destination != destination) {
		return Interval{Lo: 1 - bounds.Hi, Hi: 1 - bounds.Lo}
	}
	return bounds
}

// share is the test of a destination.
func (s *SplitTest) share(destination int) *splitShare {
	if destination < 0 || destination >= len(s.counts) {
		panic(fmt.Sprintf("stats: destination %d of %d", destination, len(s.counts)))
	}
	return &s.shares[min(destination, len(s.shares)-1)]
}

func TestSplitBounds(t *testing.T) {
	for _, test := range []struct {
		weights []float64
		want    []Interval
	}{
		{[]float64{80, 20}, []Interval{{0.72, 0.86}, {0.14, 0.28}}},
		{[]float64{1, 4}, []Interval{{0.14, 0.28}, {0.72, 0.86}}},
		{[]float64{50, 50}, []Interval{{0.35, 0.7}, {0.3, 0.65}}},
		{[]float64{99, 1}, []Interval{{0.986, 0.993}, {0.007, 0.014}}},
		{[]float64{80, 10, 10}, []Interval{{0.72, 0.86}, {0.07, 0.14}, {0.07, 0.14}}},
	} {
		s := NewSplitTest(test.weights, 0.7, 1.4, 0.001)
		for i, want := range test.want {
			got := s.bounds(i)
			near(t, fmt.Sprintf("%v, lower bound of %d", test.weights, i), got.Lo, want.Lo, 1e-12)
			near(t, fmt.Sprintf("%v, upper bound of %d", test.weights, i), got.Hi, want.Hi, 1e-12)
		}
	}
}

// The ratios are computed by hand, from the likelihoods p^k (1-p)^(n-k) of two shares.
func TestSplitDecidesByLikelihoodRatios(t *testing.T) {
	// 116 of 580 are 20 %: 1/0.7 to the 116th times (0.8/0.86) to the 464th is 2,509; (1/1.4)^116 (0.8/0.72)^464 is 19,173.
	low := math.Pow(1/0.7, 116) * math.Pow(0.8/0.86, 464)
	high := math.Pow(1/1.4, 116) * math.Pow(0.8/0.72, 464)
	for _, test := range []struct {
		risk float64
		want Decision
	}{{1.001 / min(low, high), Passed}, {0.999 / min(low, high), Undecided}} {
		s := NewSplitTest([]float64{80, 20}, 0.7, 1.4, test.risk)
		s.Observe(0, 464)
		s.Observe(1, 116)
		if got := s.Decision(); got != test.want {
			t.Errorf("116 of 580 at %g: got %v, want %v (ratios %g and %g)", test.risk, got, test.want, low, high)
		}
	}

	// None of n: the bounds are (0.86/0.8)^n and (0.72/0.8)^n times as likely, none (1/0.8)^n, any share B(1/2, n+1/2)/pi / 0.8^n.
	s := NewSplitTest([]float64{80, 20}, 0.7, 1.4, 0.001)
	for n := int64(1); n < 100; n++ {
		s.Observe(0, 1)
		x := float64(n)
		any1 := 1.
		for i := range n {
			any1 *= (float64(i) + 0.5) / float64(i+1)
		}
		want := 0.35*(math.Pow(0.86/0.8, x)+math.Pow(0.72/0.8, x)) + 0.15*(1+any1)/math.Pow(0.8, x)
		near(t, fmt.Sprintf("evidence of none of %d, relative", n), math.Exp(s.evidence(0))/want, 1, 1e-9)
		near(t, "the same of the other destination", s.evidence(1), s.evidence(0), 0)
		if decision := s.Decision(); decision != Undecided {
			if decision != Failed || n != 40 {
				t.Errorf("a destination of 20 %% that is never met: %v after %d, want failed after 40", decision, n)
			}
			break
		}
	}
	s.Observe(1, 1_000_000)
	if got := s.Decision(); got != Failed {
		t.Errorf("after the decision: got %v, want failed still", got)
	}
}

func TestSplitWithoutObservationsIsUndecided(t *testing.T) {
	s := NewSplitTest([]float64{1, 1}, 0.7, 1.4, 0.001)
	if got := s.Decision(); got != Undecided {
		t.Errorf("got %v", got)
	}
	near(t, "evidence", s.evidence(0), 0, 1e-15)
}

// A share that differs by less than is tolerated passes, however many observations show the difference at once.
func TestSplitToleratesSmallDeviations(t *testing.T) {
	s := NewSplitTest([]float64{80, 20}, 0.7, 1.4, 0.001)
	s.Observe(0, 790_000)
	s.Observe(1, 210_000)
	if got := s.Decision(); got != Passed || s.evidence(0) < 100 {
		t.Errorf("21 %% of a million: got %v, evidence %g, want passed in spite of it", got, s.evidence(0))
	}
}

// Under the prediction the mean of the evidence is exactly 1 for every number of observations, as it must be for a martingale.
func TestSplitEvidenceHasMeanOne(t *testing.T) {
	for _, p := range []float64{0.01, 0.2, 0.5} {
		for _, n := range []int64{1, 2, 17, 300} {
			share := &NewSplitTest([]float64{1 - p, p}, 0.7, 1.4, 0.001).shares[0]
			var mean float64
			for k := range n + 1 {
				mean += math.Exp(logProbability(k, n, share.predicted) + share.evidence(k, n))
			}
			near(t, fmt.Sprintf("p=%g, n=%d", p, n), mean, 1, 1e-9)
		}
	}
}

// everDecided returns the exact probabilities that a split of two with this truth has passed, or failed, after any of the first n
// observations. It carries the probability of every undecided count from one observation to the next. It returns as soon as the
// probability of a pass reaches until, with the number of observations.
func everDecided(s *SplitTest, truth float64, n int64, until float64) (passed, failed float64, looks int64) {
	alive, least := []float64{1}, int64(0) // by count of the second destination, from least
	for looks = 1; looks <= n; looks++ {
		alive = append(alive, 0)
		for i := len(alive) - 1; i > 0; i-- {
			alive[i] = alive[i]*(1-truth) + alive[i-1]*truth
		}
		alive[0] *= 1 - truth
		for len(alive) > 1 && alive[0] < 1e-14 {
			alive, least = alive[1:], least+1
		}
		for len(alive) > 1 && alive[len(alive)-1] < 1e-14 {
			alive = alive[:len(alive)-1]
		}
		for i, mass := range alive {
			if mass < 1e-14 {
				continue
			}
			s.counts[0], s.counts[1], s.total = looks-least-int64(i), least+int64(i), looks
			switch s.look() {
			case Passed:
				passed += mass
				alive[i] = 0
			case Failed:
				failed += mass
				alive[i] = 0
			}
		}
		if passed >= until {
			return passed, failed, looks
		}
	}
	return passed, failed, looks
}

// By exact probabilities over all sequences of observations, a true split ever fails, and a split at a bound or beyond it ever
// passes, with a probability above 0 and of at most the risk.
func TestSplitKeepsItsRisks(t *testing.T) {
	for _, test := range []struct {
		predicted, lo, hi, risk float64
		looks                   int64
	}{{0.2, 0.7, 1.4, 0.001, 1500}, {0.2, 0.7, 1.4, 0.05, 1200}, {0.5, 0.7, 1.4, 0.02, 800}, {0.8, 0.6, 1.6, 0.02, 800}, {0.05, 0.5, 1.9, 0.02, 1500}} {
		what := fmt.Sprintf("%+v", test)
		s := func() *SplitTest {
			return NewSplitTest([]float64{1 - test.predicted, test.predicted}, test.lo, test.hi, test.risk)
		}
		if _, failed, _ := everDecided(s(), test.predicted, test.looks, 2); failed > test.risk || failed < test.risk/100 {
			t.Errorf("%s: a true split fails with %.6f", what, failed)
		}
		bounds := s().bounds(1)
		for _, truth := range []float64{bounds.Lo, bounds.Hi, bounds.Lo * 0.9, 1 - (1-bounds.Hi)*0.9} {
			passed, _, _ := everDecided(s(), truth, test.looks, 2)
			if atBound := bounds.Lo == truth || bounds.Hi == truth; passed > test.risk || atBound && passed < test.risk/1000 {
				t.Errorf("%s: a share of %.4f passes with %.6f", what, truth, passed)
			}
		}
	}
}

// decideDraws draws a split until it is decided, once in each run, and returns for each decision the sorted numbers of
// observations that it took.
func decideDraws(weights, truth []float64, runs int, draw *rand.Rand) (passed, failed []int64) {
	for range runs {
		s := NewSplitTest(weights, 0.7, 1.4, 0.001)
		for s.Decision() == Undecided && s.total < 200_000 {
			left, destination := draw.Float64(), 0
			for left -= truth[0]; left >= 0 && destination < len(truth)-1; {
				destination++
				left -= truth[destination]
			}
			s.Observe(destination, 1)
		}
		switch s.Decision() {
		case Passed:
			passed = append(passed, s.total)
		case Failed:
			failed = append(failed, s.total)
		}
	}
	slices.Sort(passed)
	slices.Sort(failed)
	return passed, failed
}

// How many observations a verdict takes, in the median of seeded runs, at bounds of 0.7 and 1.4 and a risk of one in 1,000.
func TestSplitTakesAsManyAsExpected(t *testing.T) {
	for _, test := range []struct {
		weights, truth []float64
		runs           int
		want           Decision
		median, within int64
	}{
		{[]float64{80, 20}, []float64{0.8, 0.2}, 300, Passed, 588, 60},
		{[]float64{50, 50}, []float64{0.5, 0.5}, 300, Passed, 148, 15},
		{[]float64{99, 1}, []float64{0.99, 0.01}, 40, Passed, 14610, 3500},
		{[]float64{80, 20}, []float64{0.7, 0.3}, 300, Failed, 268, 30},
		{[]float64{80, 20}, []float64{0.9, 0.1}, 300, Failed, 255, 25},
		{[]float64{80, 20}, []float64{0.2, 0.8}, 300, Failed, 12, 2},
		{[]float64{80, 20}, []float64{0.5, 0.5}, 300, Failed, 45, 8},
		{[]float64{80, 20}, []float64{1, 0}, 1, Failed, 40, 0},
		{[]float64{95, 5}, []float64{1, 0}, 1, Failed, 171, 0},
		{[]float64{99, 1}, []float64{1, 0}, 1, Failed, 874, 0},
		{[]float64{95, 5}, []float64{0.9, 0.1}, 200, Failed, 500, 80},
		{[]float64{80, 20}, []float64{0.72, 0.28}, 300, Failed, 400, 60},
	} {
		what := fmt.Sprintf("%v drawn as %v", test.weights, test.truth)
		passed, failed := decideDraws(test.weights, test.truth, test.runs, rand.New(rand.NewPCG(13, 13)))
		of, others := passed, failed
		if test.want == Failed {
			of, others = failed, passed
		}
		if len(others) > 2 || len(of) < test.runs-2 {
			t.Errorf("%s: %d of %d runs end as %v, %d otherwise", what, len(of), test.runs, test.want, len(others))
			continue
		}
		t.Logf("%s: %v after %d in the median, %d in 99 %%", what, test.want, of[len(of)/2], of[len(of)*99/100])
		near(t, what+", median", float64(of[len(of)/2]), float64(test.median), float64(test.within))
	}
}

// The closed form is compared with the exact distribution.
func TestTrialsToPass(t *testing.T) {
	for _, test := range []struct {
		predicted, lo, hi float64
		probability       float64
		want              int64
	}{
		{0.5, 0.7, 1.4, 0.5, 142}, {0.2, 0.7, 1.4, 0.5, 570}, {0.2, 0.7, 1.4, 0.99, 1535}, {0.05, 0.7, 1.4, 0.5, 2715}, {0.2, 0.5, 1.9, 0.99, 473},
		{0.9, 0.7, 1.4, 0.5, 1285},
	} {
		s := NewSplitTest([]float64{1 - test.predicted, test.predicted}, test.lo, test.hi, 0.001)
		got, what := s.TrialsToPass(test.probability), fmt.Sprintf("%+v", test)
		near(t, what, float64(got), float64(test.want), 1)
		_, _, exact := everDecided(s, test.predicted, 10_000, test.probability)
		if ratio := float64(got) / float64(exact); ratio < 0.945 || ratio > 1 {
			t.Errorf("%s: %d trials, exactly %d", what, got, exact)
		}
	}
	// A share of one percent takes thousands of observations, and computing their number takes constant time.
	s := NewSplitTest([]float64{99, 1}, 0.7, 1.4, 0.001)
	near(t, "one percent", float64(s.TrialsToPass(0.5)), 14_155, 1)
	near(t, "one percent, nearly always", float64(s.TrialsToPass(0.99)), 37_208, 1)
	tiny := NewSplitTest([]float64{1, 1e-30}, 0.999, 1.001, 0.001)
	if got := tiny.TrialsToPass(0.5); got != 1<<60 {
		t.Errorf("a weight that is never drawn: got %d", got)
	}
}

// Each of three destinations is tested against the other two.
func TestSplitOfThree(t *testing.T) {
	weights, truth := []float64{50, 30, 20}, []float64{0.5, 0.3, 0.2}
	planned := NewSplitTest(weights, 0.7, 1.4, 0.001).TrialsToPass(0.9)
	passed, failed := decideDraws(weights, truth, 600, rand.New(rand.NewPCG(14, 14)))
	if len(failed) > 3 || len(passed) < 597 {
		t.Fatalf("a true split passes in %d and fails in %d of 600 runs", len(passed), len(failed))
	}
	longer, _ := slices.BinarySearch(passed, planned+1)
	longer = len(passed) - longer
	near(t, fmt.Sprintf("runs of 600 that take longer than the %d planned for 9 of 10", planned), float64(longer), 60, 29)
	if median := passed[len(passed)/2]; median < 560 || median > 675 {
		t.Errorf("passes after %d in the median, want about 616", median)
	}
	// Two that are swapped fail, and the first, whose share is right, has the least evidence against it.
	s, draw := NewSplitTest(weights, 0.7, 1.4, 0.001), rand.New(rand.NewPCG(15, 15))
	for s.Decision() == Undecided {
		switch x := draw.Float64(); {
		case x < 0.5:
			s.Observe(0, 1)
		case x < 0.7:
			s.Observe(1, 1)
		default:
			s.Observe(2, 1)
		}
	}
	if s.Decision() != Failed || s.evidence(0) > min(s.evidence(1), s.evidence(2)) || max(s.evidence(1), s.evidence(2)) < math.Log(3000) {
		t.Errorf("swapped: %v, evidence %g, %g, %g", s.Decision(), s.evidence(0), s.evidence(1), s.evidence(2))
	}
}

func TestSplitAllocatesNothing(t *testing.T) {
	s := NewSplitTest([]float64{80, 15, 5}, 0.7, 1.4, 1e-300)
	if got := testing.AllocsPerRun(100, func() {
		s.Observe(0, 16)
		s.Observe(1, 3)
		s.Observe(2, 1)
		s.Decision()
	}); got != 0 {
		t.Errorf("%g allocations a look, want none", got)
	}
}

func BenchmarkSplitDecision(b *testing.B) {
	s := NewSplitTest([]float64{80, 20}, 0.7, 1.4, 1e-300)
	s.Observe(0, 80)
	s.Observe(1, 20)
	b.ReportAllocs()
	for b.Loop() {
		s.Decision()
	}
}
