package render

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/page"
)

const (
	waterfallWidth  = 1080.0
	waterfallLeft   = 240.0 // the left end of the plot; the service and the try stand before it
	waterfallRight  = 760.0 // the right end of the plot; the status stands behind it
	waterfallRow    = 22.0
	waterfallWords  = 46 // characters
	waterfallIndent = 11.0
	waterfallDepth  = 8 // deeper tries are indented no further
)

// mostTries is the value of Sample.Why of the request with most tries, which shows best how retries work.
const mostTries = "most tries"

// deviatedSample is in the value of Sample.Why of the first request of a kind of mismatch.
const deviatedSample = "deviated"

// waterfall is a sampled request with every try on an axis of time.
type waterfall struct {
	why     string
	Title   string // why the request was chosen, its status and its latency
	Name    string // the id by which the services knew the request
	Trace   string
	Missing string
	Open    bool          // unfolded when the page opens
	Picture *page.Picture // nil where no span was recorded
}

func newWaterfall(id string, s *reports.Sample) waterfall {
	title := fmt.Sprintf("%s: request %d, %s in %s", s.Why, s.Request, statusWord(s.Status), Duration(s.Latency))
	if s.Cohort != "" {
		title += ", cohort " + s.Cohort
	}
	w := waterfall{why: s.Why, Title: title, Name: s.Name, Trace: s.Trace, Missing: s.Missing}
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

// spanRow is a span in its place in the tree of a request.
type spanRow struct {
	*reports.Span
	depth int
	// parent is the row of the caller, -1 where there is none. before is the row of the try before of the same call; -1 where this is the
	// first one, where that one was not recorded, and where it is not known which of several calls the try belongs to.
	parent, before int
	// beside: the caller had another call under way when this one began.
	beside bool
}

// spanRows returns the spans as a tree: what a try called stands below it, all tries of a call together, in the order in which the calls
// began. A parent that does not come before its span is ignored.
func spanRows(spans []reports.Span) []spanRow {
	children := map[int][]int{}
	for i, s := range spans {
		parent := s.Parent
		if parent >= i {
			parent = -1
		}
		children[max(parent, -1)] = append(children[max(parent, -1)], i)
	}
	var rows []spanRow
	var add func(parent, parentRow, depth int)
	add = func(parent, parentRow, depth int) {
		calls := callsOf(spans, children[parent])
		for k, call := range calls {
			before := -1
			for t, i := range call {
				row := spanRow{Span: &spans[i], depth: depth, parent: parentRow, before: -1}
				if t > 0 && spans[call[t-1]].Attempt > 0 && spans[call[t-1]].Attempt == spans[i].Attempt-1 {
					row.before = before
				}
				row.beside = t == 0 && parent >= 0 && slices.ContainsFunc(calls[:k], func(other []int) bool { return together(spans, other, call) })
				before = len(rows)
				rows = append(rows, row)
				add(i, before, depth+1)
			}
		}
	}
	add(-1, -1, 0)
	return rows
}

// together reports whether two calls were under way at the same time for more than half of the shorter one. Less may come from the clocks
// of two services, of which each recorded its own tries.
func together(spans []reports.Span, a, b []int) bool {
	begin := func(call []int) float64 { return spans[call[0]].Start }
	end := func(call []int) float64 {
		last := spans[call[len(call)-1]]
		return last.Start + last.Elapsed
	}
	shared := min(end(a), end(b)) - max(begin(a), begin(b))
	return shared > min(end(a)-begin(a), end(b)-begin(b))/2
}

// callsOf groups the tries that one try caused by their calls, as far as the attempt counts tell them apart. Calls of one service that
// were under way at the same time share their attempt counts, so each of their tries stands alone.
func callsOf(spans []reports.Span, tries []int) (calls [][]int) {
	of := map[string][][]int{}
	var services []string
	for _, i := range tries {
		s := &spans[i]
		known := of[s.Service]
		if known == nil {
			services = append(services, s.Service)
		}
		if last := len(known) - 1; last >= 0 && s.Attempt > spans[known[last][len(known[last])-1]].Attempt {
			known[last] = append(known[last], i)
		} else {
			known = append(known, []int{i})
		}
		of[s.Service] = known
	}
	for _, service := range services {
		known := of[service]
		if slices.ContainsFunc(known[min(1, len(known)):], func(call []int) bool { return spans[call[0]].Attempt > 1 }) || mixed(spans, known) {
			var alone [][]int
			for _, call := range known {
				for _, i := range call {
					alone = append(alone, []int{i})
				}
			}
			known = alone
		}
		calls = append(calls, known...)
	}
	slices.SortStableFunc(calls, func(a, b []int) int { return cmp.Compare(spans[a[0]].Start, spans[b[0]].Start) })
	return calls
}

// mixed reports whether a call of a service began before the last try of the call before it.
func mixed(spans []reports.Span, calls [][]int) bool {
	for k := 1; k < len(calls); k++ {
		if last := calls[k-1][len(calls[k-1])-1]; spans[calls[k][0]].Start < spans[last].Start+spans[last].Elapsed {
			return true
		}
	}
	return false
}

// waterfallPicture draws a row for each span, on one axis of time that begins when the request was sent.
func waterfallPicture(id, title string, spans []reports.Span) *page.Picture {
	rows := spanRows(spans)
	p := &page.Picture{ID: id, Title: title, Width: waterfallWidth, Height: waterfallRow*float64(len(rows)) + 34}
	lo, hi := 0.0, 1e-6
	for _, s := range spans {
		lo, hi = min(lo, s.Start), max(hi, s.Start+s.Elapsed)
	}
	where := page.Scale{Lo: lo, Hi: hi, From: waterfallLeft, To: waterfallRight}
	p.Axis(where, 4, p.Height-26, 70, Duration)
	drawTree(p, rows)
	var words []string
	for i := range rows {
		words = append(words, drawSpan(p, rows, i, where))
	}
	p.Desc = strings.Join(words, "; ") + "."
	return p
}

func spanTop(i int) float64 { return 8 + waterfallRow*float64(i) }

func spanLeft(r *spanRow) float64 { return 4 + waterfallIndent*float64(min(r.depth, waterfallDepth)) }

// drawTree draws a line from each try down to those that it caused.
func drawTree(p *page.Picture, rows []spanRow) {
	last := map[int]int{} // by row, the last row that it caused
	for i := range rows {
		if parent := rows[i].parent; parent >= 0 && rows[parent].depth < waterfallDepth {
			last[parent] = i
			x := spanLeft(&rows[parent]) + 3
			p.Line("branch", x, spanTop(i)+8, x+waterfallIndent-4, spanTop(i)+8)
		}
	}
	for parent := range rows {
		if i, ok := last[parent]; ok {
			x := spanLeft(&rows[parent]) + 3
			p.Line("branch", x, spanTop(parent)+15, x, spanTop(i)+8)
		}
	}
}

// drawSpan draws one row, and returns in words what it shows. The bar is the try as the service that received it recorded it, lighter
// where it waited for its own calls. The bracket before it is the time between the end of the previous try and its own start.
func drawSpan(p *page.Picture, rows []spanRow, i int, where page.Scale) string {
	s, y := &rows[i], spanTop(i)
	label := strings.TrimSpace(s.Service + " " + s.Version)
	if s.Attempt > 0 {
		label += fmt.Sprintf(", try %d", s.Attempt)
	}
	p.Text("label", spanLeft(s), y+12, page.Cut(label, fitting(waterfallLeft-12-spanLeft(s))))
	class := "span"
	if s.Status >= 500 || s.Status == 0 || s.Status == 499 {
		class = "span bad"
	}
	left, right := where.At(s.Start), where.At(s.Start+s.Elapsed)
	p.Rectangle(class, left, y+2, max(1.5, right-left), waterfallRow-8)
	words := fmt.Sprintf("%s in %s", statusWord(s.Status), Duration(s.Elapsed))
	if s.CallStart != nil && s.CallElapsed != nil {
		from, to := where.At(*s.CallStart), where.At(*s.CallStart+*s.CallElapsed)
		p.Rectangle("wait", from, y+4, max(0, to-from), waterfallRow-12)
		words += fmt.Sprintf(", own %s", Duration(max(0, s.Elapsed-*s.CallElapsed)))
	}
	if s.beside {
		words += ", side by side"
	}
	desc := fmt.Sprintf("%s at %s: %s", label, Duration(s.Start), words)
	if s.before >= 0 {
		ended := rows[s.before].Start + rows[s.before].Elapsed
		switch gap := s.Start - ended; {
		case gap < 0: // Each service has its own clock. The two clocks differ, so the time between the tries is not known.
			words, desc = words+", clocks differ", desc+", the clocks of the services that received this try and the previous one differ"
		default:
			if !drawBackOff(p, where, ended, s.Start, y+9) {
				words += ", after " + Duration(gap)
			}
			desc += fmt.Sprintf(", %s after the previous try", Duration(gap))
		}
	}
	p.Text("label", waterfallRight+12, y+12, page.Cut(words, waterfallWords))
	return desc
}

// drawBackOff draws the time between two tries as a bracket, and reports whether the bracket had room for its length in words.
func drawBackOff(p *page.Picture, where page.Scale, from, to, y float64) bool {
	left, right := where.At(from), where.At(to)
	p.Bracket("backoff", left, right, y, 4)
	length := Duration(to - from)
	width := page.TextWidth(length) + 8
	if right-left <= width+10 {
		return false
	}
	middle := math.Round((left + right) / 2)
	p.Rectangle("gap", middle-width/2, y-6, width, 12)
	p.Text("tick middle", middle, y+4, length)
	return true
}
