package reports

import (
	"fmt"
	"math"
	"strings"

	"github.com/hellochaos/hellochaos/reports/page"
)

const (
	waterfallWidth = 1080.0
	waterfallLeft  = 220.0 // the left end of the plot; the service and the try stand before it
	waterfallRight = 760.0 // the right end of the plot; the status stands behind it
	waterfallRow   = 22.0
	waterfallWords = 46 // characters
)

// mostTries is the value of Sample.Why of the request with most tries, which shows best how retries work.
const mostTries = "most tries"

// waterfall is a sampled request with every try on an axis of time.
type waterfall struct {
	Title   string // why the request was chosen, its status and its latency
	Name    string // the id by which the services knew the request
	Trace   string
	Missing string
	Open    bool          // unfolded when the page opens
	Picture *page.Picture // nil where no span was recorded
}

func newWaterfall(id string, s *Sample) waterfall {
	title := fmt.Sprintf("%s: request %d, %s in %s", s.Why, s.Request, statusWord(s.Status), duration(s.Latency))
	if s.Cohort != "" {
		title += ", " + s.Cohort
	}
	w := waterfall{Title: title, Name: s.Name, Trace: s.Trace, Missing: s.Missing}
	if len(s.Spans) > 0 {
		w.Picture = waterfallPicture(id, title, s.Spans)
	}
	return w
}

// statusWord returns the status of a span or a sample in words.
func statusWord(status int) string {
	switch status {
	case 0:
		return "no answer"
	case 499:
		return "caller left"
	}
	return fmt.Sprint(status)
}

// waterfallPicture draws a row for each span, on one axis of time that begins when the request was sent.
func waterfallPicture(id, title string, spans []Span) *page.Picture {
	p := &page.Picture{ID: id, Title: title, Width: waterfallWidth, Height: waterfallRow*float64(len(spans)) + 34}
	lo, hi := 0.0, 1e-6
	for _, s := range spans {
		lo, hi = min(lo, s.Start), max(hi, s.Start+s.Elapsed)
	}
	where := page.Scale{Lo: lo, Hi: hi, From: waterfallLeft, To: waterfallRight}
	p.Axis(where, 4, p.Height-26, 70, duration)
	var words []string
	depths := spanDepths(spans)
	for i := range spans {
		y := 8 + waterfallRow*float64(i)
		words = append(words, drawSpan(p, spans, i, depths[i], where, y))
	}
	p.Desc = strings.Join(words, "; ") + "."
	return p
}

// spanDepths returns how many callers each span has above it. A parent that does not come before its span is ignored.
func spanDepths(spans []Span) []int {
	depths := make([]int, len(spans))
	for i, s := range spans {
		if s.Parent >= 0 && s.Parent < i {
			depths[i] = depths[s.Parent] + 1
		}
	}
	return depths
}

// drawSpan draws one row, and returns in words what it shows. The bar is the try as the service that received it recorded it, lighter
// where it waited for its own calls. The bracket before it is the time between the end of the previous try and its own start.
func drawSpan(p *page.Picture, spans []Span, i, depth int, where page.Scale, y float64) string {
	s := spans[i]
	who := strings.TrimSpace(s.Service + " " + s.Version)
	label := who
	if s.Attempt > 0 {
		label += fmt.Sprintf(", try %d", s.Attempt)
	}
	indent := 10 * float64(min(depth, 5))
	p.Text("label", 4+indent, y+12, page.Cut(label, int((waterfallLeft-16-indent)/page.Character)))
	class := "span"
	if s.Status >= 500 || s.Status == 0 || s.Status == 499 {
		class = "span bad"
	}
	left, right := where.At(s.Start), where.At(s.Start+s.Elapsed)
	p.Rectangle(class, left, y+2, max(1.5, right-left), waterfallRow-8)
	words := fmt.Sprintf("%s in %s", statusWord(s.Status), duration(s.Elapsed))
	if s.CallStart != nil && s.CallElapsed != nil {
		from, to := where.At(*s.CallStart), where.At(*s.CallStart+*s.CallElapsed)
		p.Rectangle("wait", from, y+4, max(0, to-from), waterfallRow-12)
		words += fmt.Sprintf(", own %s", duration(max(0, s.Elapsed-*s.CallElapsed)))
	}
	desc := fmt.Sprintf("%s at %s: %s", label, duration(s.Start), words)
	if before, ok := tryBefore(spans, i); ok {
		ended := before.Start + before.Elapsed
		switch gap := s.Start - ended; {
		case gap < 0: // Each service has its own clock. The two clocks differ, so the time between the tries is not known.
			words, desc = words+", clocks differ", desc+", the clocks of the services that received this try and the previous one differ"
		default:
			if !drawBackOff(p, where, ended, s.Start, y+9) {
				words += ", after " + duration(gap)
			}
			desc += fmt.Sprintf(", %s after the previous try", duration(gap))
		}
	}
	p.Text("label", waterfallRight+12, y+12, page.Cut(words, waterfallWords))
	return desc
}

// tryBefore returns the last recorded try of the same call before span i, and whether it is the one directly before.
func tryBefore(spans []Span, i int) (Span, bool) {
	for j := i - 1; j >= 0; j-- {
		if s := spans[j]; s.Parent == spans[i].Parent && s.Service == spans[i].Service && s.Attempt > 0 {
			return s, s.Attempt == spans[i].Attempt-1
		}
	}
	return Span{}, false
}

// drawBackOff draws the time between two tries as a bracket, and reports whether the bracket had room for its length in words.
func drawBackOff(p *page.Picture, where page.Scale, from, to, y float64) bool {
	left, right := where.At(from), where.At(to)
	p.Bracket("backoff", left, right, y, 4)
	length := duration(to - from)
	width := page.TextWidth(length) + 8
	if right-left <= width+10 {
		return false
	}
	middle := math.Round((left + right) / 2)
	p.Rectangle("gap", middle-width/2, y-6, width, 12)
	p.Text("tick middle", middle, y+4, length)
	return true
}
