package compare

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/stats"
)

// scaled is the p-value of no difference of two estimates of which only intervals at intervalAlpha are known: their sides grow
// as those of normal ones would.
func scaled(from, to stats.Estimate) float64 {
	at := mathext.NormalQuantile(1 - intervalAlpha/2)
	return stats.PValue(func(alpha float64) (stats.Interval, bool) {
		factor := mathext.NormalQuantile(1-alpha/2) / at
		wide := func(e stats.Estimate) stats.Estimate {
			return stats.Estimate{Value: e.Value, Interval: stats.Interval{
				Lo: e.Value - factor*(e.Value-e.Interval.Lo), Hi: e.Value + factor*(e.Interval.Hi-e.Value)}}
		}
		return stats.Difference(wide(from), wide(to)).Interval, true
	})
}

// judge gives every row its word, all p-values as one family.
func (c *Comparison) judge() {
	var family []*Row
	var p []float64
	for i := range c.Rows {
		if r := &c.Rows[i]; r.test != nil {
			family, p = append(family, r), append(p, r.test.p)
		}
	}
	c.Family = len(family)
	for i, adjusted := range stats.Holm(p) {
		family[i].PHolm = value(adjusted)
	}
	for i := range c.Rows {
		r := &c.Rows[i]
		r.judge(c.Family)
		r.Gates = (r.Gates || c.Strict) && !r.added
	}
}

func (r *Row) judge(family int) {
	switch {
	case r.Old.Verdict == reports.Pass && r.New.Verdict == reports.Fail:
		r.Word, r.Note = Worse, "the check passed in OLD and fails in NEW"
	case r.Old.Verdict == reports.Fail && r.New.Verdict == reports.Pass:
		r.Word, r.Note = Better, "the check failed in OLD and passes in NEW"
	case r.identical:
		r.Word, r.Needed = Same, 0
	case r.settled:
	case r.test == nil:
		r.Word = Unclear
	default:
		r.Word = r.test.word(r, family)
	}
}

// word is the rule: different at familyAlpha and by more than margin and noise is better or worse, surely within the margin is the same.
func (t *test) word(r *Row, family int) Word {
	d := t.difference
	if d.Interval.Lo >= -t.margin && d.Interval.Hi <= t.margin {
		return Same
	}
	significant, size := *r.PHolm <= familyAlpha, math.Abs(d.Value)
	switch {
	case r.Interval == nil && !significant: // what gives it an interval is known already
		r.Note = "n is too small for an interval"
	case !significant || size <= t.margin:
		r.Needed = t.needed(r.requests, family)
	case size <= t.noise:
		r.Note = fmt.Sprintf("requests themselves left up to %.3g ms late: the machine was too busy to tell", 1000*math.Expm1(t.noise)**r.Old.Value)
	case r.away == nil && d.Value > 0:
		return Worse
	case r.away == nil:
		return Better
	case r.away() > t.margin:
		return Worse
	case r.away() < -t.margin:
		return Better
	default:
		r.Note = "as far from the prediction as before, on its other side"
	}
	return Unclear
}

// mostNeeded is the largest number of requests that is told.
const mostNeeded = 10_000_000

// needed is about how many requests would settle the row if the difference stays where it is: widths shrink with the root of
// their number. Inside the margin the interval must fit in, outside the difference must be found at Holm's first step.
func (t *test) needed(requests int64, family int) int64 {
	size := math.Abs(t.difference.Value)
	half, gap := t.difference.Interval.Width()/2, t.margin-size
	if gap <= 0 {
		z := mathext.NormalQuantile(1 - familyAlpha/float64(2*family))
		half, gap = half*z/mathext.NormalQuantile(1-intervalAlpha/2), size
	}
	n := float64(requests) * half * half / (gap * gap)
	if !(n <= mostNeeded) {
		return 0 // on the edge of the margin
	}
	return int64(math.Ceil(max(n, float64(requests)+1)))
}
