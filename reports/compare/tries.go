package compare

import (
	"math"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/stats"
)

// tries compares how many tries the called service received for each natural request. A request causes at most as many tries as the
// policies on its way allow. The mean number of tries divided by that maximum has at most the variance of a share, so it is compared as
// a share.
func (p *pair) tries(label string, one, other *reports.Call) {
	a, b := one.Tries, other.Tries
	if a == nil || b == nil || a.Requests <= 0 || b.Requests <= 0 {
		return
	}
	r := p.row(label, "tries/request", Tries)
	r.Old, r.New = Value{Value: &a.Measured, K: a.Tries, N: a.Requests}, Value{Value: &b.Measured, K: b.Tries, N: b.Requests}
	r.identical = a.Tries == b.Tries && a.Requests == b.Requests
	margin := p.c.Margin * max(1, a.Measured)
	if d := b.Measured - a.Measured; p.equal() && math.Abs(d) <= margin {
		r.Difference, r.Margin, r.settled, r.Word = &d, margin, true, Same
		p.add(r)
		return
	}
	most := math.Ceil(max(mostTries(p.old, one), mostTries(p.new, other), float64(a.Tries)/float64(a.Requests), float64(b.Tries)/float64(b.Requests)))
	n1, n2 := float64(a.Requests), float64(b.Requests)
	k1, k2 := float64(a.Tries)/most, float64(b.Tries)/most
	d := stats.Newcombe(k1, n1, k2, n2, intervalAlpha)
	r.show(test{
		difference: stats.Estimate{Value: most * d.Value, Interval: stats.Interval{Lo: most * d.Interval.Lo, Hi: most * d.Interval.Hi}},
		margin:     margin, p: stats.TwoProportions(k1, n1, k2, n2),
	}, false)
	p.add(r)
}

// mostTries returns how many tries one request can cause at most of the calls of a row, by the rules of these calls and of those on the
// way there, as far as one row alone leads to each service on the way.
func mostTries(p *reports.Phase, c *reports.Call) float64 {
	most := 1.0
	for range len(p.Calls) { // A way is at most as long as there are calls.
		if c.Rule != nil {
			most *= float64(1 + c.Rule.Retries)
		}
		var caller *reports.Call
		for i := range p.Calls {
			if other := &p.Calls[i]; other.To == c.From && (caller == nil || retries(other) > retries(caller)) {
				caller = other
			}
		}
		if caller == nil {
			break
		}
		c = caller
	}
	return min(most, 1e9)
}

func retries(c *reports.Call) int {
	if c.Rule == nil {
		return 0
	}
	return c.Rule.Retries
}
