package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Bin is how many observations have a value.
type Bin struct {
	Value float64
	Count int64
}

// Blocks are observations in blocks of time. Those of one block may depend on each other as they like (a machine is slow for a
// second); those of different blocks do not.
type Blocks struct {
	values []float64 // ascending
	// below has for each value how many observations of each block are at most that, upTo how many of all.
	below [][]int64
	upTo  []int64
	sizes []int64 // of the blocks
	total int64
}

// NewBlocks sorts bins, block by block, into Blocks. Blocks without observations are no blocks.
func NewBlocks(blocks [][]Bin) *Blocks {
	b := &Blocks{}
	var filled [][]Bin
	for _, bins := range blocks {
		var size int64
		for _, bin := range bins {
			size += bin.Count
			b.values = append(b.values, bin.Value)
		}
		if size > 0 {
			filled, b.sizes, b.total = append(filled, bins), append(b.sizes, size), b.total+size
		}
	}
	slices.Sort(b.values)
	b.values = slices.Compact(b.values)
	b.below = make([][]int64, len(b.values))
	flat := make([]int64, len(b.values)*len(filled))
	for i := range b.below {
		b.below[i] = flat[i*len(filled) : (i+1)*len(filled)]
	}
	for column, bins := range filled {
		for _, bin := range bins {
			i, _ := slices.BinarySearch(b.values, bin.Value)
			b.below[i][column] += bin.Count
		}
		for i := 1; i < len(b.below); i++ {
			b.below[i][column] += b.below[i-1][column]
		}
	}
	b.upTo = make([]int64, len(b.values))
	for i, row := range b.below {
		for _, count := range row {
			b.upTo[i] += count
		}
	}
	return b
}

// N is the number of observations, Len that of the blocks.
func (b *Blocks) N() int64 { return b.total }

// Len is the number of blocks that have observations.
func (b *Blocks) Len() int { return len(b.sizes) }

// at returns the index of the smallest value that has at least so many observations at or below it.
func (b *Blocks) at(rank float64) int {
	i, _ := slices.BinarySearch(b.upTo, int64(math.Ceil(rank)))
	return min(i, len(b.values)-1)
}

// Quantile is the q-quantile of all observations: the smallest value with at least the share q at or below it. There must be
// observations.
func (b *Blocks) Quantile(q float64) float64 {
	requireProbability("q", q)
	return b.values[b.at(q*float64(b.total))]
}

// QuantileInterval returns the interval of the q-quantile: the values at the shares q ± t s (Woodruff, "Confidence intervals for
// medians and other position measures", JASA 47, 1952), where s is the standard error of the share at or below the quantile
// between blocks as clusters (Francisco & Fuller, "Quantile estimation with a complex survey design", Annals of Statistics
// 19, 1991), and t of Student's distribution with one degree of freedom less than there are blocks. s is never less than that
// of independent observations. With few blocks it is wide; the answer is false where a share would leave (0, 1): there are
// too few observations or blocks for this alpha.
func (b *Blocks) QuantileInterval(q, alpha float64) (Interval, bool) {
	requireProbability("q", q)
	requireProbability("alpha", alpha)
	if len(b.sizes) < 2 {
		return Interval{}, false
	}
	return b.quantileInterval(q, b.shareError(q), alpha)
}

// quantileInterval is QuantileInterval with the share's standard error known.
func (b *Blocks) quantileInterval(q, s, alpha float64) (Interval, bool) {
	t := -distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(len(b.sizes) - 1)}.Quantile(alpha / 2)
	lo, hi := q-t*s, q+t*s
	if lo <= 0 || hi >= 1 {
		return Interval{}, false
	}
	n := float64(b.total)
	return Interval{Lo: b.values[b.at(lo*n)], Hi: b.values[b.at(hi*n)]}, true
}

// shareError is the standard error of the share of observations at or below the q-quantile.
func (b *Blocks) shareError(q float64) float64 {
	at := b.at(q * float64(b.total))
	n, share := float64(b.total), float64(b.upTo[at])/float64(b.total)
	var squares float64
	for i, count := range b.below[at] {
		residual := float64(count) - share*float64(b.sizes[i])
		squares += residual * residual
	}
	blocks := float64(len(b.sizes))
	return math.Sqrt(max(blocks/(blocks-1)*squares/(n*n), q*(1-q)/n))
}

// QuantileRatio returns the logarithm of the ratio of the q-quantiles of two sets of Blocks with positive values, to over from,
// its interval by MOVER, and the p-value of their being equal; false when either has no interval. The two sets must be
// independent.
func QuantileRatio(from, to *Blocks, q, alpha float64) (ratio Estimate, p float64, ok bool) {
	if from.Len() < 2 || to.Len() < 2 {
		return Estimate{}, 1, false
	}
	sFrom, sTo := from.shareError(q), to.shareError(q)
	difference := func(alpha float64) (Estimate, bool) {
		a, okFrom := from.quantileInterval(q, sFrom, alpha)
		b, okTo := to.quantileInterval(q, sTo, alpha)
		if !okFrom || !okTo {
			return Estimate{}, false
		}
		return Difference(logarithm(from.Quantile(q), a), logarithm(to.Quantile(q), b)), true
	}
	ratio, ok = difference(alpha)
	if !ok {
		return Estimate{}, 1, false
	}
	return ratio, PValue(func(alpha float64) (Interval, bool) {
		d, ok := difference(alpha)
		return d.Interval, ok
	}), true
}

func logarithm(value float64, interval Interval) Estimate {
	return Estimate{Value: math.Log(value), Interval: Interval{Lo: math.Log(interval.Lo), Hi: math.Log(interval.Hi)}}
}
