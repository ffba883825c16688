package render

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/page"
)

// branchesView are the cases of a call's rule.
type branchesView struct {
	Name, Policy string
	Cases        []branchView
}

// branchView is one case of a rule.
type branchView struct {
	reports.Branch
	// Text says what is open about the case: why it was not met, or how many calls are missing. It is empty where enough met it.
	Text string
}

func newBranchesView(name string, c *reports.Call) branchesView {
	v := branchesView{Name: name}
	v.Policy, _ = policyOf(c)
	for _, b := range c.Branches {
		one := branchView{Branch: b}
		if b.Verdict != reports.Pass {
			one.Text = fmt.Sprintf("%s of %s calls met it", Count(b.Met), Count(b.Wanted))
			if b.Met == 0 {
				one.Text = "not met"
			}
			if b.Why != "" {
				one.Text += ": " + b.Why
			}
		}
		v.Cases = append(v.Cases, one)
	}
	return v
}

// openCases are cases of which the same must be known.
type openCases struct {
	Names   []string
	Verdict reports.Verdict
	Text    string
}

// Open returns the cases of which something must be known, those of which it is the same together.
func (v branchesView) Open() (open []openCases) {
	for _, b := range v.Cases {
		if b.Text == "" {
			continue
		}
		at := slices.IndexFunc(open, func(o openCases) bool { return o.Text == b.Text && o.Verdict == b.Verdict })
		if at < 0 {
			at = len(open)
			open = append(open, openCases{Verdict: b.Verdict, Text: b.Text})
		}
		open[at].Names = append(open[at].Names, b.Name)
	}
	return open
}

// drawnView is one thing that was judged of a call, with its picture.
type drawnView struct {
	Name    string
	Verdict reports.Verdict
	Text    string
	Notes   []string
	Picture *page.Picture // nil where there is nothing to draw
}

const (
	judgedWidth = 524.0
	judgedLeft  = 100.0 // the left end of the plot; the name of the row stands before it
	judgedRight = 250.0 // the right end of the plot; the numbers stand behind it
	judgedRow   = 36.0
)

// newSplitView draws how calls were spread over the parts of a split: each part with its prediction and the range that it must lie in.
func newSplitView(id, name string, settings reports.Settings, c *reports.Call) drawnView {
	v := drawnView{Name: name, Verdict: c.Split.Verdict}
	if c.Split.Note != "" {
		v.Notes = append(v.Notes, c.Split.Note)
	}
	v.Notes = append(v.Notes, unitKnown(c.Split))
	p := &page.Picture{ID: id, Title: "how the calls to " + name + " were spread", Width: judgedWidth, Height: judgedRow*float64(len(c.Split.Parts)) + 26}
	tolerated := func(part *reports.SplitShare) (lo, hi float64) {
		return min(1, part.Predicted*settings.SplitTolerance.Lo), min(1, part.Predicted*settings.SplitTolerance.Hi)
	}
	var values []float64
	for i := range c.Split.Parts {
		values = append(values, drawnValues(&c.Split.Parts[i].Share)...)
		if lo, hi := tolerated(&c.Split.Parts[i]); !c.Split.Balanced {
			values = append(values, lo, hi)
		}
	}
	where := page.Shares(values, judgedLeft, judgedRight)
	p.Axis(where, 2, p.Height-22, 44, Probability)
	var words []string
	for i, part := range c.Split.Parts {
		y := judgedRow*float64(i) + 16
		p.Text("label end", judgedLeft-12, y+4, page.Cut(part.Name, fitting(judgedLeft-14)))
		lines := []string{"no data"}
		if part.Measured != nil {
			lines = []string{fmt.Sprintf("%s: %s of %s", Probability(*part.Measured), Count(part.K), Count(part.N)), ""}
		}
		switch {
		case c.Split.Balanced:
			lines = append(lines[:1], "a load balancer picks")
		default:
			lo, hi := tolerated(&part)
			if hi > lo {
				p.Rectangle("band", where.At(lo), y-11, where.At(hi)-where.At(lo), 22)
			}
			p.Line("prediction", where.At(part.Predicted), y-11, where.At(part.Predicted), y+11)
			lines = append(lines[:1], fmt.Sprintf("predicted %s, tolerated %s to %s", Probability(part.Predicted), Probability(lo), Probability(hi)))
		}
		if part.Interval != nil {
			p.Bracket("interval now", where.At(part.Interval.Lo), where.At(part.Interval.Hi), y, 4)
		}
		if part.Measured != nil {
			p.Disc("point now", where.At(*part.Measured), y, 4)
		}
		drawLines(p, lines, y)
		words = append(words, part.Name+": "+strings.Join(lines, ", "))
	}
	p.Desc = strings.Join(words, "; ") + "."
	v.Picture = p
	return v
}

// drawLines writes two lines of numbers behind a plot.
func drawLines(p *page.Picture, lines []string, y float64) {
	for k, line := range lines {
		class := map[bool]string{true: "label", false: "tick"}[k == 0]
		p.Text(class, judgedRight+14, y-2+page.LineHeight*float64(k), page.Cut(line, fitting(judgedWidth-judgedRight-14)))
	}
}

// newWaitsView draws the median wait before each try beside its prediction, on a logarithmic axis of time.
func newWaitsView(id, name string, c *reports.Call) drawnView {
	v := drawnView{Name: name}
	var verdicts []reports.Verdict
	var medians []float64
	for _, w := range c.Waits {
		verdicts = append(verdicts, w.Verdict)
		medians = append(medians, w.Predicted)
		if w.Measured != nil {
			medians = append(medians, *w.Measured)
		}
	}
	v.Notes = waitNotes(c.Waits)
	v.Verdict = worstJudged(verdicts)
	where, any := page.Logarithmic(medians, judgedLeft, judgedRight)
	if !any {
		return v
	}
	p := &page.Picture{ID: id, Title: "waits before the tries of calls to " + name, Width: judgedWidth, Height: judgedRow*float64(len(c.Waits)) + 26}
	p.Axis(where, 2, p.Height-22, 44, Duration)
	var words []string
	for i, w := range c.Waits {
		y := judgedRow*float64(i) + 16
		label := fmt.Sprintf("before try %d", w.Try)
		p.Text("label end", judgedLeft-12, y+4, label)
		p.Line("prediction", where.At(w.Predicted), y-11, where.At(w.Predicted), y+11)
		lines := []string{fmt.Sprintf("%s, predicted %s", counted(w.N, "wait"), Duration(w.Predicted))}
		if w.Measured != nil {
			p.Disc("point now", where.At(*w.Measured), y, 4)
			lines = []string{fmt.Sprintf("median %s, predicted %s", Duration(*w.Measured), Duration(w.Predicted)),
				counted(w.N, "wait")}
			if w.Limit > 0 {
				lines[1] += fmt.Sprintf(", distance %s, limit %s", Probability(w.Distance), Probability(w.Limit))
			}
		}
		drawLines(p, lines, y)
		words = append(words, label+": "+strings.Join(lines, ", ")+", "+string(w.Verdict))
	}
	p.Desc = strings.Join(words, "; ") + "."
	v.Picture = p
	return v
}

// waitNotes returns what must be known of the waits, those of which it is the same together.
func waitNotes(waits []reports.Wait) (notes []string) {
	var order []string
	tries := map[string][]string{}
	for _, w := range waits {
		if w.Note != "" {
			order = appendNew(order, w.Note)
			tries[w.Note] = append(tries[w.Note], strconv.Itoa(w.Try))
		}
	}
	for _, note := range order {
		word := "try"
		if len(tries[note]) > 1 {
			word = "tries"
		}
		notes = append(notes, fmt.Sprintf("before %s %s: %s", word, list(tries[note]), note))
	}
	return notes
}

// worstJudged returns the worst of several verdicts, and that nothing was judged where none of them is one.
func worstJudged(verdicts []reports.Verdict) reports.Verdict {
	for _, v := range verdicts {
		if v != reports.NotJudged {
			return reports.Worst(verdicts...)
		}
	}
	return reports.NotJudged
}
