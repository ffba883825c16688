package sweep

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/page"
	"github.com/hellochaos/hellochaos/reports/render"
)

// The size of a picture, and where its plot lies in it, in CSS pixels.
const (
	pictureWidth, pictureHeight = 500.0, 232.0
	plotLeft, plotRight         = 56.0, 484.0
	plotTop, plotBottom         = 12.0, 188.0
	// plotMargin is between an end of the plot and the first or last point.
	plotMargin = 18.0
)

// line is the points of a picture: those that differ in the first axis alone.
type line struct {
	// Rest are the values of the other axes: "blue-weight 20"; empty where there is none.
	Rest   string
	Points []int
}

// lines are the points of the grid by the values of all axes but the first.
func (s *Report) lines() (all []line) {
	for i := range s.Points {
		rest := Name(s.Axes[1:], s.Points[i].Values[1:], " ", ", ")
		at := slices.IndexFunc(all, func(l line) bool { return l.Rest == rest })
		if at < 0 {
			at = len(all)
			all = append(all, line{Rest: rest})
		}
		all[at].Points = append(all[at].Points, i)
	}
	for i := range all {
		slices.SortStableFunc(all[i].Points, func(a, b int) int { return cmp.Compare(s.abscissa(a), s.abscissa(b)) })
	}
	return all
}

// abscissa is the value of the first axis at a point. Values of axes are numbers, since they are probabilities and percentages.
func (s *Report) abscissa(point int) float64 {
	v, err := strconv.ParseFloat(s.Points[point].Values[0], 64)
	if err != nil {
		return 0
	}
	return v
}

// picture draws a series along a line of points: the prediction as a line, and what was measured as points with their intervals.
func (s *Report) picture(id string, one *series, along line, title string, print func(float64) string) *page.Picture {
	p := &page.Picture{ID: id, Title: title, Width: pictureWidth, Height: pictureHeight}
	x := page.Scale{From: plotLeft + plotMargin, To: plotRight - plotMargin}
	y := page.Scale{From: plotBottom, To: plotTop}
	for i, point := range along.Points {
		v := s.abscissa(point)
		if i == 0 {
			x.Lo, x.Hi = v, v
		}
		x.Lo, x.Hi, y.Hi = min(x.Lo, v), max(x.Hi, v), max(y.Hi, one.At[point].highest())
	}
	y.Hi = max(1.05*y.Hi, 1e-6)
	p.Side(y, plotLeft, plotRight, 30, print)
	p.Axis(x, plotTop, plotBottom, 48, func(v float64) string { return render.Probability(v) })
	p.Text("note end", plotRight, plotBottom+32, s.Axes[0].Name)
	var predicted []float64
	var words []string
	for _, point := range along.Points {
		if n := &one.At[point]; n.There {
			predicted = append(predicted, x.At(s.abscissa(point)), y.At(n.Predicted))
			words = append(words, fmt.Sprintf("%s %s: %s", s.Axes[0].Name, s.Points[point].Values[0], n.words(print)))
		}
	}
	p.Line("prediction", predicted...)
	for _, point := range along.Points {
		one.At[point].draw(p, x.At(s.abscissa(point)), y)
	}
	p.Desc = strings.Join(words, "; ") + "."
	return p
}

// highest is the highest number that the picture shows of a point.
func (n *number) highest() float64 {
	v := n.Predicted
	if n.Measured != nil {
		v = max(v, *n.Measured)
	}
	if n.Interval != nil {
		v = max(v, n.Interval.Hi)
	}
	return v
}

// words are a number in words.
func (n *number) words(print func(float64) string) string {
	text := "predicted " + print(n.Predicted)
	if n.Measured == nil {
		return text + ", none measured"
	}
	text += ", measured " + print(*n.Measured)
	if n.Interval != nil {
		text += " (" + print(n.Interval.Lo) + " to " + print(n.Interval.Hi) + ")"
	}
	if n.Verdict != "" {
		text += ", " + string(n.Verdict)
	}
	return text
}

// draw draws what was measured, in the colour of the verdict.
func (n *number) draw(p *page.Picture, x float64, y page.Scale) {
	if !n.There || n.Measured == nil {
		return
	}
	class := n.class()
	if n.Interval != nil {
		lo, hi := y.At(n.Interval.Lo), y.At(n.Interval.Hi)
		p.Line("interval "+class, x-4, lo, x+4, lo)
		p.Line("interval "+class, x, lo, x, hi)
		p.Line("interval "+class, x-4, hi, x+4, hi)
	}
	p.Disc("point "+class, x, y.At(*n.Measured), 3.5)
}

// class is the class of a point: that of its verdict, or another one where nothing is judged.
func (n *number) class() string {
	switch n.Verdict {
	case reports.Pass, reports.Fail, reports.Inconclusive:
		return string(n.Verdict)
	}
	return "now"
}
