package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// seconds draws blocks of latencies: exponential, with a factor for each second whose logarithm is normal.
func seconds(draw *rand.Rand, blocks, perBlock int, deviation float64) *Blocks {
	all := make([][]Bin, blocks)
	for i := range all {
		factor := math.Exp(deviation * draw.NormFloat64())
		for range perBlock {
			all[i] = append(all[i], Bin{Value: factor * (1 + draw.ExpFloat64()), Count: 1})
		}
	}
	return NewBlocks(all)
}

// For two equal runs whose seconds differ, the interval of the ratio covers 1 and the p-value is rarely below 0.05. Intervals for
// independent observations would miss 1 far more often.
func TestQuantileRatioCoversCorrelatedSeconds(t *testing.T) {
	for _, test := range []struct {
		blocks, perBlock int
		deviation, q     float64
		least            float64 // of the coverage
	}{
		{3, 200, .2, .5, .94},
		{4, 200, .2, .5, .94},
		{8, 200, .2, .5, .94},
		{8, 200, .2, .9, .94},
		{8, 200, 0, .5, .94},
		{8, 200, 0, .9, .94},
		{20, 200, .1, .99, .93},
		{30, 100, .1, .9, .93},
	} {
		const runs = 300
		draw := rand.New(rand.NewPCG(7, uint64(test.blocks)))
		covered, rejected, had, independent := 0, 0, 0, 0
		for range runs {
			a, b := seconds(draw, test.blocks, test.perBlock, test.deviation), seconds(draw, test.blocks, test.perBlock, test.deviation)
			p := QuantileTest(a, b, test.q)
			if p <= .05 {
				rejected++
			}
			ratio := QuantileRatio(a, b, test.q, .05)
			if math.IsInf(ratio.Interval.Hi, 1) {
				continue
			}
			had++
			inside := ratio.Interval.Lo <= 0 && 0 <= ratio.Interval.Hi
			if inside {
				covered++
			}
			if s := naive(a, b, test.q); s.Lo <= 0 && 0 <= s.Hi {
				independent++
			}
		}
		share := float64(covered) / float64(had)
		t.Logf("%d seconds of %d, deviation %g, q=%g: covers %.3f of %d (independent ranks: %.3f), p <= .05 in %.3f",
			test.blocks, test.perBlock, test.deviation, test.q, share, had, float64(independent)/float64(had), float64(rejected)/runs)
		if share < test.least || had < runs/2 || rejected > runs*8/100 {
			t.Errorf("%+v: covered %.3f of %d, rejected %d", test, share, had, rejected)
		}
		if test.deviation >= .2 && float64(independent)/float64(had) > share-.1 {
			t.Errorf("%+v: this test does not show that the seconds matter", test)
		}
	}
}

// dependent draws seconds as seconds does, but each second's factor repeats a share of the deviation of the second before.
func dependent(draw *rand.Rand, blocks, perBlock int, deviation, carried float64) *Blocks {
	all := make([][]Bin, blocks)
	for i, factor := range autoregressive(draw, blocks, carried) {
		for range perBlock {
			all[i] = append(all[i], Bin{Value: math.Exp(deviation*factor) * (1 + draw.ExpFloat64()), Count: 1})
		}
	}
	return NewBlocks(all)
}

// Two equal runs whose seconds depend on the seconds before are hardly more often rejected than independent ones, from twenty seconds on.
// The log has what it costs: how much wider intervals become where seconds are independent.
func TestQuantileTestOfDependentSeconds(t *testing.T) {
	const runs = 200
	for _, test := range []struct {
		blocks  int
		carried float64
		most    float64 // of the runs that are rejected at 0.05
	}{
		{5, 0, 0.08}, {5, 0.3, 0.16}, {5, 0.6, 0.3}, // not estimated
		{12, 0, 0.08}, {12, 0.3, 0.2}, {12, 0.6, 0.35},
		{20, 0, 0.07}, {20, 0.3, 0.09}, {20, 0.6, 0.13},
		{40, 0, 0.07}, {40, 0.3, 0.08}, {40, 0.6, 0.11},
	} {
		draw := rand.New(rand.NewPCG(8, uint64(test.blocks)))
		rejected, strict, plain, wider := 0, 0, 0, 0.0
		for range runs {
			a, b := dependent(draw, test.blocks, 50, 0.3, test.carried), dependent(draw, test.blocks, 50, 0.3, test.carried)
			p := QuantileTest(a, b, 0.5)
			if p <= 0.05 {
				rejected++
			}
			if p <= 0.01 {
				strict++
			}
			shareA, errorA, effective := a.share(commonQuantile(a, b, 0.5), 0.5)
			shareB, errorB, effectiveB := b.share(commonQuantile(a, b, 0.5), 0.5)
			independent := math.Hypot(errorA*math.Sqrt(effective/float64(test.blocks)), errorB*math.Sqrt(effectiveB/float64(test.blocks)))
			if 2*studentBelow(math.Abs(shareA-shareB)/independent, 2*float64(test.blocks-1)) <= 0.05 {
				plain++
			}
			wider += studentT(effective, 0.05) * errorA / (studentT(float64(test.blocks), 0.05) * errorA * math.Sqrt(effective/float64(test.blocks))) / runs
		}
		t.Logf("%d seconds of 50 that carry %g: p <= .05 in %.3f (taken for independent: %.3f), p <= .01 in %.3f; intervals %.2f times as wide",
			test.blocks, test.carried, float64(rejected)/runs, float64(plain)/runs, float64(strict)/runs, wider)
		if share := float64(rejected) / runs; share > test.most {
			t.Errorf("%+v: rejected %.3f", test, share)
		}
	}
}

// naive is the interval of the ratio by the ranks of independent observations.
func naive(a, b *Blocks, q float64) Interval {
	side := func(b *Blocks) Estimate {
		lo, hi, _ := QuantileRanks(b.N(), q, .05)
		return logarithm(b.Quantile(q), Interval{b.at(float64(lo)), b.at(float64(hi))})
	}
	return Difference(side(a), side(b)).Interval
}

func TestQuantileRatioFinds(t *testing.T) {
	draw := rand.New(rand.NewPCG(3, 3))
	a, b := seconds(draw, 8, 200, .1), seconds(draw, 8, 200, .1)
	ten := make([][]Bin, 8)
	for i := range ten {
		for range 200 {
			ten[i] = append(ten[i], Bin{Value: 11 + draw.ExpFloat64(), Count: 1})
		}
	}
	slow := NewBlocks(ten)
	for _, q := range []float64{.5, .9} {
		ratio, p := QuantileRatio(a, slow, q, .05), QuantileTest(a, slow, q)
		if p > 1e-4 || ratio.Interval.Lo < math.Log(2) {
			t.Errorf("q=%g, ten more: %v, p=%g", q, ratio, p)
		}
		back, pBack := QuantileRatio(slow, a, q, .05), QuantileTest(slow, a, q)
		near(t, "turned round", back.Interval.Lo, -ratio.Interval.Hi, 1e-9)
		near(t, "turned round p", pBack/p, 1, 1e-9)
	}
	if ratio, p := QuantileRatio(a, a, .5, .05), QuantileTest(a, a, .5); ratio.Value != 0 || math.IsInf(ratio.Interval.Hi, 1) || p < .99 {
		t.Errorf("the same: %v, p=%g", ratio, p)
	}
	if p := QuantileTest(seconds(draw, 3, 100, .1), NewBlocks(ten[:3]), .5); p > 1e-3 {
		t.Errorf("ten more in three seconds: p=%g", p)
	}
	if ratio := QuantileRatio(a, b, .999, .05); !math.IsInf(ratio.Interval.Lo, -1) || !math.IsInf(ratio.Interval.Hi, 1) {
		t.Errorf("too few for .999: %v", ratio)
	}
}

func TestBlocks(t *testing.T) {
	b := NewBlocks([][]Bin{{{1, 2}, {3, 1}}, nil, {{2, 1}}, {{3, 4}, {1, 2}}})
	if b.N() != 10 || b.Len() != 3 {
		t.Errorf("got %d observations in %d blocks, want 10 in 3", b.N(), b.Len())
	}
	for q, want := range map[float64]float64{.01: 1, .4: 1, .41: 2, .5: 2, .51: 3, .99: 3} {
		if got := b.Quantile(q); got != want {
			t.Errorf("q=%g: got %g, want %g", q, got, want)
		}
	}
	one := NewBlocks([][]Bin{{{1, 900}}})
	if _, ok := one.QuantileInterval(.5, .05); ok || QuantileTest(one, b, .5) != 1 {
		t.Error("an interval or a test from one block")
	}
	// Scaling all values scales the interval; doubling every count without more blocks keeps it within what clusters allow.
	rows := [][]Bin{{{1, 30}, {2, 40}, {3, 30}}, {{1, 50}, {2, 30}, {3, 20}}, {{1, 20}, {2, 20}, {3, 60}}, {{1, 33}, {2, 33}, {3, 34}}}
	i, ok := NewBlocks(rows).QuantileInterval(.5, .05)
	for _, bins := range rows {
		for j := range bins {
			bins[j].Value *= 10
		}
	}
	scaled, okScaled := NewBlocks(rows).QuantileInterval(.5, .05)
	if !ok || !okScaled || scaled.Lo != 10*i.Lo || scaled.Hi != 10*i.Hi {
		t.Errorf("scaled: %v, %v", i, scaled)
	}
}
