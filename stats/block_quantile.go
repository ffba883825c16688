package stats

import (
	"cmp"
	"math"
	"slices"
)

// Bin counts the observations that have one value.
type Bin struct {
	Value float64
	Count int64
}

// Blocks are observations in blocks of time, in order. Observations of one block may depend on each other in any way, as when a
// machine is slow for a second. Observations of different blocks may depend on each other too, as when it is slow for several seconds:
// from twenty blocks on, this is estimated (Autocorrelation), and they count as fewer. Fewer blocks are taken for independent, since
// the estimate would be so inexact that intervals became several times as wide.
type Blocks struct {
	blocks []counts
	all    counts
}

// leastDependent is the fewest blocks of which it is estimated how much they depend on each other.
const leastDependent = 20

// counts are observations by value.
type counts struct {
	values []float64 // ascending
	upTo   []int64   // how many observations are at most the value at the same index
}

// count sorts bins by value and adds up their counts.
func count(bins []Bin) (c counts) {
	sorted := slices.Clone(bins)
	slices.SortFunc(sorted, func(a, b Bin) int { return cmp.Compare(a.Value, b.Value) })
	var total int64
	for _, bin := range sorted {
		total += bin.Count
		if last := len(c.values) - 1; last >= 0 && c.values[last] == bin.Value {
			c.upTo[last] = total
			continue
		}
		c.values, c.upTo = append(c.values, bin.Value), append(c.upTo, total)
	}
	return c
}

func (c *counts) total() int64 {
	if len(c.upTo) == 0 {
		return 0
	}
	return c.upTo[len(c.upTo)-1]
}

// atMost is how many observations are at most x.
func (c *counts) atMost(x float64) int64 {
	i, found := slices.BinarySearch(c.values, x)
	if !found {
		i--
	}
	if i < 0 {
		return 0
	}
	return c.upTo[i]
}

// NewBlocks makes Blocks from the bins of each block. It leaves out blocks without observations.
func NewBlocks(blocks [][]Bin) *Blocks {
	b := &Blocks{all: count(slices.Concat(blocks...))}
	for _, bins := range blocks {
		if one := count(bins); one.total() > 0 {
			b.blocks = append(b.blocks, one)
		}
	}
	return b
}

// N is the number of observations.
func (b *Blocks) N() int64 { return b.all.total() }

// Len is the number of blocks that have observations.
func (b *Blocks) Len() int { return len(b.blocks) }

// Equal reports whether both have the same observations in the same blocks.
func (b *Blocks) Equal(o *Blocks) bool {
	return slices.EqualFunc(b.blocks, o.blocks, func(x, y counts) bool {
		return slices.Equal(x.values, y.values) && slices.Equal(x.upTo, y.upTo)
	})
}

// at is the smallest value with at least rank observations at or below it.
func (b *Blocks) at(rank float64) float64 {
	i, _ := slices.BinarySearch(b.all.upTo, int64(math.Ceil(rank)))
	return b.all.values[min(i, len(b.all.values)-1)]
}

// Quantile is the q-quantile of all observations: the smallest value with at least the share q of them at or below it. It panics
// without observations, and when q is not in (0, 1).
func (b *Blocks) Quantile(q float64) float64 {
	requireProbability("q", q)
	return b.at(q * float64(b.N()))
}

// QuantileInterval returns the interval of the q-quantile: the values at the shares q ± t s (Woodruff, "Confidence intervals for
// medians and other position measures", JASA 47, 1952), where s is the standard error of the share at or below the quantile
// between blocks as clusters (Francisco & Fuller, "Quantile estimation with a complex survey design", Annals of Statistics
// 19, 1991), and t is the quantile of Student's distribution with one degree of freedom less than there are effective blocks. s is never
// less than the standard error of independent observations. With few blocks the interval is wide. QuantileInterval returns false
// when q - t s or q + t s is outside (0, 1): then there are too few observations or blocks for this alpha.
func (b *Blocks) QuantileInterval(q, alpha float64) (Interval, bool) {
	requireProbability("q", q)
	requireProbability("alpha", alpha)
	if b.Len() < 2 {
		return Interval{}, false
	}
	_, s, effective := b.share(b.Quantile(q), q)
	t := studentT(effective, alpha)
	lo, hi := q-t*s, q+t*s
	if lo <= 0 || hi >= 1 {
		return Interval{}, false
	}
	n := float64(b.N())
	return Interval{Lo: b.at(lo * n), Hi: b.at(hi * n)}, true
}

// BlocksSuffice reports whether QuantileInterval has a result for this number of blocks with perBlock observations each, when all
// observations are independent.
func BlocksSuffice(q, alpha float64, blocks int, perBlock float64) bool {
	requireProbability("q", q)
	requireProbability("alpha", alpha)
	if blocks < 2 {
		return false
	}
	half := studentT(float64(blocks), alpha) * math.Sqrt(q*(1-q)/(float64(blocks)*perBlock))
	return half < q && half < 1-q
}

// studentT is the two-sided quantile of Student's distribution for this number of blocks.
func studentT(blocks, alpha float64) float64 {
	return studentUpper(alpha/2, blocks-1)
}

// share is the share of observations that are at most x, its standard error between blocks, which is at least that of independent
// observations of the share q, and the effective number of blocks.
func (b *Blocks) share(x, q float64) (share, standardError, effective float64) {
	n := float64(b.N())
	share = float64(b.all.atMost(x)) / n
	var squares float64
	residuals := make([]float64, b.Len())
	for i := range b.blocks {
		one := &b.blocks[i]
		residuals[i] = float64(one.atMost(x)) - share*float64(one.total())
		squares += residuals[i] * residuals[i]
	}
	blocks := float64(b.Len())
	effective = blocks
	if b.Len() >= leastDependent {
		if _, fewer, ok := Autocorrelation(residuals); ok {
			effective = fewer
		}
	}
	between := blocks / (blocks - 1) * squares / (n * n) * blocks / effective
	return share, math.Sqrt(max(between, q*(1-q)/n)), effective
}

// QuantileRatio returns the logarithm of the ratio of the q-quantiles of two independent sets of Blocks with positive values, to
// over from, and its interval by MOVER (see Difference). The interval is the whole line when one of the quantiles has no interval.
func QuantileRatio(from, to *Blocks, q, alpha float64) Estimate {
	a, okFrom := from.QuantileInterval(q, alpha)
	b, okTo := to.QuantileInterval(q, alpha)
	if !okFrom || !okTo {
		return Estimate{Value: math.Log(to.Quantile(q) / from.Quantile(q)), Interval: Interval{Lo: math.Inf(-1), Hi: math.Inf(1)}}
	}
	return Difference(logarithm(from.Quantile(q), a), logarithm(to.Quantile(q), b))
}

// QuantileTest returns the two-sided p-value of the hypothesis that two sets of Blocks have one q-quantile: the quantile test
// (Mood's median test for any q; Conover, Practical Nonparametric Statistics, 1999, section 4.3) with blocks as clusters. The
// shares at or below the q-quantile of all observations together are compared by Welch's t-test. Their standard errors are those
// between blocks, and never less than those of independent observations. The result is 1 when a or b has fewer than two blocks.
func QuantileTest(a, b *Blocks, q float64) float64 {
	requireProbability("q", q)
	if a.Len() < 2 || b.Len() < 2 {
		return 1
	}
	x := commonQuantile(a, b, q)
	shareA, errorA, effectiveA := a.share(x, q)
	shareB, errorB, effectiveB := b.share(x, q)
	varianceA, varianceB := errorA*errorA, errorB*errorB
	both := varianceA + varianceB
	freedom := both * both / (varianceA*varianceA/(effectiveA-1) + varianceB*varianceB/(effectiveB-1))
	t := math.Abs(shareA-shareB) / math.Sqrt(both)
	return 2 * studentBelow(t, freedom)
}

// commonQuantile is the q-quantile of the observations of a and b together.
func commonQuantile(a, b *Blocks, q float64) float64 {
	rank := int64(math.Ceil(q * float64(a.N()+b.N())))
	values := slices.Concat(a.all.values, b.all.values)
	slices.Sort(values)
	i, _ := slices.BinarySearchFunc(values, rank, func(x float64, rank int64) int {
		return cmp.Compare(a.all.atMost(x)+b.all.atMost(x), rank)
	})
	return values[i]
}

func logarithm(value float64, interval Interval) Estimate {
	return Estimate{Value: math.Log(value), Interval: Interval{Lo: math.Log(interval.Lo), Hi: math.Log(interval.Hi)}}
}
