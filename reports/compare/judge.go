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
		r.Gates = (r.Gates || c.Strict) && !r.added
		r.judge(c.Family)
	}
}

func (r *Row) judge(family int) {
	switch {
	case r.Kind == Verdict && r.settled: // settled by the two verdicts alone
	case r.Old.Verdict == reports.Pass && r.New.Verdict == reports.Fail:
		r.Word, r.Note = Worse, "it passed in OLD and fails in NEW"
	case r.Old.Verdict == reports.Fail && r.New.Verdict == reports.Pass:
		r.Word, r.Note = Better, "it failed in OLD and passes in NEW"
	case r.identical:
		r.Word, r.Needed, r.Note = Same, 0, ""
	case r.settled:
	case r.test == nil:
		r.Word = Unclear
	default:
		r.Word = r.test.word(r, family)
		if r.Word == Unclear && r.tolerated {
			r.Word, r.Needed, r.Note = Same, 0, "both shares are within what the runs tolerate"
		}
	}
}

// word returns the word of a row. A difference whose interval is within the margin is the same. A difference that is significant at
// familyAlpha, whose whole interval lies beyond the margin and which is larger than the noise, is better or worse. Of any other
// difference that cannot be worse by more than the margin it does not matter what it is.
func (t *test) word(r *Row, family int) Word {
	i, d := t.difference.Interval, t.difference.Value
	if within(i, t.margin) {
		return Same
	}
	worse := t.difference // how much worse the new value is
	if r.away != nil {
		worse = *r.away
	}
	beyond := *r.PHolm <= familyAlpha && (i.Lo > t.margin || i.Hi < -t.margin)
	switch {
	case r.Interval == nil:
		r.Note = "too few answers for an interval"
	case beyond && math.Abs(d) <= t.noise:
		r.Note = fmt.Sprintf("requests themselves were sent up to %.3g ms late, since the machine was busy, which may explain the difference", 1000*math.Expm1(t.noise)**r.Old.Value)
	case beyond && worse.Interval.Lo > t.margin:
		return Worse
	case beyond && worse.Interval.Hi < -t.margin:
		return Better
	case beyond && within(worse.Interval, t.margin):
		r.Note = "the new value is about as far from the prediction as the old one, on its other side"
	case worse.Interval.Hi <= t.margin:
		r.Gates, r.Note = false, "it is not worse by more than the margin"
	default:
		r.Needed = t.needed(r.requests, family)
	}
	return Unclear
}

// within reports whether a whole interval is within the margin.
func within(i stats.Interval, margin float64) bool { return i.Lo >= -margin && i.Hi <= margin }

// mostNeeded is the largest number of requests that is reported.
const mostNeeded = 10_000_000

// needed returns about how many requests a phase needs so that the row is no longer unclear, if the difference stays the same. The width
// of an interval shrinks with the root of the number of requests, until it fits between the difference and the margin, on whichever side
// of the margin the difference lies. One beyond it must also be significant at the first step of Holm's procedure.
func (t *test) needed(requests int64, family int) int64 {
	size, half := math.Abs(t.difference.Value), t.difference.Interval.Width()/2
	times := half / math.Abs(t.margin-size)
	if size > t.margin {
		z := mathext.NormalQuantile(1 - familyAlpha/float64(2*family))
		times = max(times, half*z/mathext.NormalQuantile(1-intervalAlpha/2)/size)
	}
	n := float64(requests) * times * times
	if !(n <= mostNeeded) {
		return 0 // The difference is on the edge of the margin.
	}
	return int64(math.Ceil(max(n, float64(requests)+1)))
}
