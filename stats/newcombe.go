package stats

// Newcombe returns p2 - p1 of two probabilities, of which k1 of n1 and k2 of n2 independent observations are known, with the
// hybrid score interval (method 10 of Newcombe, "Interval estimation for the difference between independent proportions",
// Statistics in Medicine 17, 1998): the two Wilson intervals, by MOVER. It covers with about 1-alpha, rare events with more.
// Without observations on a side, that side's estimate is the middle of all that is possible. For counts that are not whole
// see Wilson.
func Newcombe(k1, n1, k2, n2, alpha float64) Estimate {
	return Difference(wilsonEstimate(k1, n1, alpha), wilsonEstimate(k2, n2, alpha))
}

func wilsonEstimate(k, n, alpha float64) Estimate {
	e := Estimate{Value: 0.5, Interval: Wilson(k, n, alpha)}
	if n > 0 {
		e.Value = k / n
	}
	return e
}
