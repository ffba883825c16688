package compare

import (
	"fmt"
	"math"

	"github.com/hellochaos/hellochaos/reports/page"
)

const (
	pictureWidth, pictureHeight = 350.0, 44.0
	pictureMiddle               = 14.0 // the height of the interval
	// reach is the number of margins that the picture shows on each side.
	reach = 4.0
)

// picture draws a row's difference and its interval. It returns nil where the row has no interval or no margin. The unit of the axis is
// the row's margin, so that the pictures of all rows can be compared: a difference within the band in the middle is the same. Times are
// drawn on the logarithmic scale on which they are compared.
func (r *Row) picture(id string) *page.Picture {
	if r.Difference == nil || r.Interval == nil || r.Margin <= 0 {
		return nil
	}
	unit := r.scaled(r.Margin)
	where := page.Scale{Lo: -reach, Hi: reach, From: 10, To: pictureWidth - 10}
	at := func(difference float64) float64 { return where.At(r.scaled(difference) / unit) }
	p := &page.Picture{ID: id, Title: r.of() + ", " + r.Phase + ": new minus old", Width: pictureWidth, Height: pictureHeight}
	less, more := r.opposite(r.Margin), r.Margin // A difference between these two is the same.
	p.Rectangle("band", at(less), 3, at(more)-at(less), 22)
	p.Text("tick middle", at(less), 40, r.delta(less))
	p.Text("tick middle", at(more), 40, r.delta(more))
	p.Text("tick middle", where.At(0), 40, "0")
	p.Line("prediction", where.At(0), 3, where.At(0), 25)
	drawInterval(p, where, class(r.Word), r.scaled(r.Interval.Lo)/unit, r.scaled(*r.Difference)/unit, r.scaled(r.Interval.Hi)/unit)
	p.Desc = fmt.Sprintf("%s to %s is the same. Difference %s, interval %s to %s, %s.", r.delta(less), r.delta(more),
		r.delta(*r.Difference), r.delta(r.Interval.Lo), r.delta(r.Interval.Hi), r.Word)
	return p
}

// drawInterval draws an interval around a difference, all in margins; an end beyond the picture is an arrow.
func drawInterval(p *page.Picture, where page.Scale, colour string, lo, middle, hi float64) {
	class := "interval " + colour
	left, right := where.At(lo), where.At(hi)
	switch { // The whole interval is outside the picture: it becomes an arrow at the edge.
	case lo >= reach:
		left = right - 16
	case hi <= -reach:
		right = left + 16
	}
	p.Line(class, left, pictureMiddle, right, pictureMiddle)
	switch {
	case lo < -reach:
		p.Line(class, left+6, pictureMiddle-4, left, pictureMiddle, left+6, pictureMiddle+4)
	case lo < reach:
		p.Line(class, left, pictureMiddle-4, left, pictureMiddle+4)
	}
	switch {
	case hi > reach:
		p.Line(class, right-6, pictureMiddle-4, right, pictureMiddle, right-6, pictureMiddle+4)
	case hi > -reach:
		p.Line(class, right, pictureMiddle-4, right, pictureMiddle+4)
	}
	if math.Abs(middle) <= reach {
		p.Disc("point "+colour, where.At(middle), pictureMiddle, 4)
	}
}

// timed reports whether the row compares times. Their differences are parts of the old value, on a logarithmic scale.
func (r *Row) timed() bool { return r.Kind == Latency || r.Kind == Wait }

// scaled returns a difference on the scale on which it is tested.
func (r *Row) scaled(difference float64) float64 {
	if r.timed() {
		return math.Log1p(difference)
	}
	return difference
}

// opposite returns the difference of the same size in the other direction.
func (r *Row) opposite(difference float64) float64 {
	if r.timed() {
		return math.Expm1(-math.Log1p(difference))
	}
	return -difference
}
