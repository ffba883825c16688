package stats

import (
	"fmt"
	"math"
)

// Component is one part of a mixture: with a probability proportional to Weight, the value is Shift plus a value of the UniformSum
// of Widths. Shift and Widths have the same unit.
type Component struct {
	Weight float64
	Shift  float64
	Widths []float64
}

// Mixture is the distribution of a value that is drawn from one of several Components. An example is the time before a try: failed
// tries of different durations, and the back-offs between them. A Mixture does not change and may be used by many goroutines.
type Mixture struct {
	parts  []mixturePart
	lo, hi float64 // the smallest and the largest value
}

// mixturePart is one component, with its share of all values.
type mixturePart struct {
	share, shift float64
	sum          *UniformSum
}

// NewMixture prepares the distribution. Weights need not sum to 1; it panics if one is negative or none is positive.
func NewMixture(components []Component) *Mixture {
	m := &Mixture{lo: math.Inf(1), hi: math.Inf(-1)}
	weight := 0.
	for _, c := range components {
		if !(c.Weight >= 0) || math.IsInf(c.Weight, 1) {
			panic(fmt.Sprintf("stats: weight %v in a mixture, want 0 or more", c.Weight))
		}
		if c.Weight == 0 {
			continue // a component that is never drawn must not widen the range of the values
		}
		weight += c.Weight
		part := mixturePart{share: c.Weight, shift: c.Shift, sum: NewUniformSum(c.Widths...)}
		start := c.Shift + part.sum.start
		m.lo, m.hi = min(m.lo, start), max(m.hi, start+part.sum.span)
		m.parts = append(m.parts, part)
	}
	if !(weight > 0) {
		panic("stats: a mixture without weight has no values")
	}
	for i := range m.parts {
		m.parts[i].share /= weight
	}
	return m
}

// CDF returns the probability that the value is at most x, which has the unit of the components. It is exactly 0 below the
// smallest value and exactly 1 from the largest on.
func (m *Mixture) CDF(x float64) float64 {
	switch {
	case x < m.lo:
		return 0
	case x >= m.hi:
		return 1
	}
	var probability float64
	for i := range m.parts {
		probability += m.parts[i].share * m.parts[i].sum.CDF(x-m.parts[i].shift)
	}
	return min(probability, 1)
}

// Quantile returns the q-quantile, 0 < q < 1, in the unit of the components: the smallest x for which CDF(x) is at least q. It is
// found by bisection.
func (m *Mixture) Quantile(q float64) float64 {
	requireProbability("q", q)
	reached := func(x float64) bool { return m.CDF(x) >= q }
	if reached(m.lo) {
		return m.lo
	}
	_, quantile := crossing(m.lo, m.hi, endPrecision, reached)
	return quantile
}

// quantileFrom is Quantile for 0 <= q <= 1. For 0 it is the smallest value, and for 1 the largest.
func (m *Mixture) quantileFrom(q float64) float64 {
	switch {
	case q <= 0:
		return m.lo
	case q >= 1:
		return m.hi
	}
	return m.Quantile(q)
}
