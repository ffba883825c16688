package compare

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/stats"
)

// scaled returns the p-value of the hypothesis that two estimates do not differ, of which only intervals at intervalAlpha are known. It
// assumes that the sides of the intervals grow with the confidence as those of a normal distribution do.
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

// judge sets the word of every row. All p-values are one family.
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

// word returns the word of a row. A difference whose interval is within the margin is the same. A difference that is significant at
// familyAlpha, and larger than the margin and the noise, is better or worse.
func (t *test) word(r *Row, family int) Word {
	d := t.difference
	if d.Interval.Lo >= -t.margin && d.Interval.Hi <= t.margin {
		return Same
	}
	significant, size := *r.PHolm <= familyAlpha, math.Abs(d.Value)
	switch {
	case r.Interval == nil && !significant: // Needed is set already.
		r.Note = "too few answers for an interval"
	case !significant || size <= t.margin:
		r.Needed = t.needed(r.requests, family)
	case size <= t.noise:
		r.Note = fmt.Sprintf("requests themselves were sent up to %.3g ms late, since the machine was busy, which may explain the difference", 1000*math.Expm1(t.noise)**r.Old.Value)
	case r.away == nil && d.Value > 0:
		return Worse
	case r.away == nil:
		return Better
	case r.away() > t.margin:
		return Worse
	case r.away() < -t.margin:
		return Better
	default:
		r.Note = "the new value is about as far from the prediction as the old one, on its other side"
	}
	return Unclear
}

// mostNeeded is the largest number of requests that is reported.
const mostNeeded = 10_000_000

// needed returns about how many requests a phase needs so that the row is no longer unclear, if the difference stays the same. The width
// of an interval shrinks with the root of the number of requests. A difference inside the margin needs an interval that fits into the
// margin; one outside must be significant at the first step of Holm's procedure.
func (t *test) needed(requests int64, family int) int64 {
	size := math.Abs(t.difference.Value)
	half, gap := t.difference.Interval.Width()/2, t.margin-size
	if gap <= 0 {
		z := mathext.NormalQuantile(1 - familyAlpha/float64(2*family))
		half, gap = half*z/mathext.NormalQuantile(1-intervalAlpha/2), size
	}
	n := float64(requests) * half * half / (gap * gap)
	if !(n <= mostNeeded) {
		return 0 // The difference is on the edge of the margin.
	}
	return int64(math.Ceil(max(n, float64(requests)+1)))
}
