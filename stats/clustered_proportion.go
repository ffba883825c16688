package stats

import "math"

// Share counts the observations of a block of time: K of N are of the kind that is judged.
type Share struct{ K, N int64 }

// ClusteredProportion returns an interval for a probability that observations in blocks of time estimate, of which those of one block may
// depend on each other, as when a server fails for a second and then no more: the interval of Clopper and Pearson for the effective number of
// observations (Korn & Graubard, "Confidence intervals for proportions with small expected number of positive counts estimated from survey
// data", Survey Methodology 24, 1998), with their correction for the degrees of freedom from three blocks on. The
// effective number is that of the observations divided by how many times larger the variance between blocks is than that of independent
// observations. It is never more than there are observations. That neighbouring blocks depend on each other is estimated from twenty blocks
// on (Autocorrelation). Blocks without observations are left out. Without observations the interval is [0, 1].
func ClusteredProportion(blocks []Share, alpha float64) Interval {
	k, n := effectiveCounts(blocks, alpha)
	if n == 0 {
		return Interval{Lo: 0, Hi: 1}
	}
	return Interval{Lo: fractionalEnd(k, n, alpha/2), Hi: 1 - fractionalEnd(n-k, n, alpha/2)}
}

// effectiveCounts are how many independent observations, which need not be whole, tell as much as those of blocks: k of n.
func effectiveCounts(blocks []Share, alpha float64) (k, n float64) {
	requireProbability("alpha", alpha)
	used := 0.0
	for _, b := range blocks {
		requireCount(b.K, b.N)
		k, n = k+float64(b.K), n+float64(b.N)
		if b.N > 0 {
			used++
		}
	}
	if k == 0 || k == n || used < 2 { // all alike: nothing tells that they depend on each other
		return k, n
	}
	share := k / n
	var squares float64
	residuals := make([]float64, 0, len(blocks))
	for _, b := range blocks {
		if b.N > 0 {
			r := float64(b.K) - share*float64(b.N)
			residuals, squares = append(residuals, r), squares+r*r
		}
	}
	effectiveBlocks := used
	if used >= leastDependent {
		if _, fewer, ok := Autocorrelation(residuals); ok {
			effectiveBlocks = fewer
		}
	}
	variance := used / (used - 1) * squares / (n * n) * used / effectiveBlocks
	effective := min(n, share*(1-share)/variance)
	if used > 2 { // the variance is itself estimated
		ratio := studentUpper(alpha/2, n-1) / studentUpper(alpha/2, max(1, effectiveBlocks-1))
		effective = min(effective, effective*ratio*ratio)
	}
	effective = max(1, effective)
	return share * effective, effective
}

// fractionalEnd is lowerEnd for counts that need not be whole, which the incomplete beta function interpolates.
func fractionalEnd(k, n, tail float64) float64 {
	switch {
	case k <= 0:
		return 0
	case k >= n:
		return math.Pow(tail, 1/n)
	}
	end, _ := crossing(0, 1, endPrecision, func(p float64) bool { return atLeast(k, n, p) > tail })
	return end
}
