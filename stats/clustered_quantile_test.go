package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// blocksOf makes blocks of observations that value draws, with a factor for each block.
func blocksOf(blocks, perBlock int, value func(factor float64) float64, factor func() float64) *Blocks {
	var all [][]Bin
	for range blocks {
		var bins []Bin
		by := factor()
		for range perBlock {
			bins = append(bins, Bin{Value: math.Ceil(value(by)), Count: 1})
		}
		all = append(all, bins)
	}
	return NewBlocks(all)
}

// The interval covers the true quantile about as often as it says, of independent observations and of those that depend on their block.
func TestQuantileBySharesCovers(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	const rounds, q = 100, 0.9
	exponential := func(factor float64) float64 { return 1000 * factor * random.ExpFloat64() }
	alone := func() float64 { return 1 }
	halves := func() float64 { return []float64{1, 3}[random.IntN(2)] }
	truth := 1000 * -math.Log(1-q)
	mixed := 0.0 // where (exp(-x/1000) + exp(-x/3000)) / 2 is 1-q
	for mixed = 0; math.Exp(-mixed/1000)+math.Exp(-mixed/3000) > 2*(1-q); mixed++ {
	}
	for name, c := range map[string]struct {
		factor func() float64
		truth  float64
	}{"independent": {alone, truth}, "by block": {halves, mixed}} {
		covered := 0
		for range rounds {
			if i := blocksOf(60, 50, exponential, c.factor).QuantileByShares(q, 0.05); i.Lo <= c.truth+1 && c.truth-1 <= i.Hi {
				covered++
			}
		}
		if share := float64(covered) / rounds; share < 0.89 {
			t.Errorf("%s: %.3f of the intervals cover the truth, want 0.95", name, share)
		}
	}
}

func TestQuantileByShares(t *testing.T) {
	counted := func(of ...int64) *Blocks { // blocks of a thousand ones, with so many observations of 9
		var all [][]Bin
		for _, k := range of {
			all = append(all, []Bin{{1, 1000 - k}, {9, k}})
		}
		return NewBlocks(all)
	}
	infinite := math.Inf(1)
	for name, c := range map[string]struct {
		blocks *Blocks
		q      float64
		want   Interval
	}{
		"few are above":           {counted(1, 0, 2, 1, 1, 0, 1, 2), 0.99, Interval{-infinite, 1}},
		"many are above":          {counted(100, 110, 90, 100, 95, 105, 100, 100), 0.99, Interval{9, 9}},
		"all of a single block":   {counted(0, 0, 0, 800, 0, 0, 0, 0), 0.99, Interval{-infinite, 9}},
		"too few for an end":      {NewBlocks([][]Bin{{{1, 50}}, {{2, 50}}}), 0.999, Interval{-infinite, infinite}},
		"enough for an upper one": {NewBlocks([][]Bin{{{1, 5000}}, {{2, 5000}}}), 0.999, Interval{-infinite, 2}},
	} {
		if got := c.blocks.QuantileByShares(c.q, 0.05); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}
