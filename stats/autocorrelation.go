package stats

import "math"

// leastSeries is the fewest values of which an autocorrelation is estimated: of fewer, the standard error, about
// 1/sqrt(n), is as large as what one looks for.
const leastSeries = 10

// Autocorrelation returns how far each value of a series (one per second, in order, without gaps) repeats the deviation
// of the one before: the coefficient r of lag 1, and with it the effective size of the series, the number of independent values
// whose mean has the same variance, n(1-r)/(1+r) for a first-order autoregressive series (Bayley & Hammersley, "The
// 'effective' number of independent observations in an autocorrelated time series", Suppl. J. Roy. Stat. Soc. 8, 1946). The
// effective size is held to [2, n]: a series that swings to and fro is not credited with more than its values.
//
// The usual estimator, the sum of products of neighbours over the sum of squares, both about the series' mean, is
// too small by about (1+4r)/n (Marriott & Pope, "Bias in the estimation of autocorrelations", Biometrika 41, 1954; Kendall,
// "Note on bias in the estimation of autocorrelation", ibid.): at r = 0.6 and 20 values by 0.17, which would double
// the effective size. The answer is corrected for that, (n r + 1)/(n - 4), and held to [-1, 1]. What is left is its
// spread, a standard error of about sqrt((1-r^2)/n): 0.2 for 20 values, 0.1 for 100. A trend over the whole series looks like a
// strong autocorrelation, and so makes the effective size small.
//
// The answer is false, and not usable, for fewer than 10 values, and where a value, or the sum of squares, is not finite. Values that are all equal
// have no deviation that could carry over: r is 0 and the effective size n.
func Autocorrelation(series []float64) (r, effective float64, ok bool) {
	if len(series) < leastSeries {
		return 0, 0, false
	}
	n := float64(len(series))
	mean, equal := sum(series)/n, true
	var squares, products float64
	for i, value := range series {
		squares += (value - mean) * (value - mean)
		if i > 0 {
			products += (value - mean) * (series[i-1] - mean)
			equal = equal && value == series[0]
		}
	}
	switch {
	case math.IsNaN(squares), math.IsInf(squares, 1):
		return 0, 0, false
	case equal, squares == 0:
		return 0, n, true
	}
	r = min(max((n*products/squares+1)/(n-4), -1), 1)
	return r, min(max(n*(1-r)/(1+r), 2), n), true
}
