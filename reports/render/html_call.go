package render

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/page"
)

// callView is a row of a phase's table. The words and numbers are those of the text report.
type callView struct {
	*reports.Call
	Name, From       string
	Policy, Where    string
	Fails, Interval  string // "0.5 → 0.0611", "0.0506 to 0.0664"
	Predicted, Count string // "0.5 → 0.0625", "61 of 1,000"
	Raw              string // the exact share
	Tries, TriesRaw  string
	TriesPredicted   string
	Waits            string
	WaitsPredicted   string
	Proof            []string
	Picture          *page.Picture
}

func newCallView(r *reports.Report, phase, call int, id string) callView {
	p := &r.Phases[phase]
	c := &p.Calls[call]
	one := newRow(r, phase, call)
	v := callView{Call: c, Name: one.call, Policy: one.policy, Where: one.where, Waits: medians(c.Waits), Tries: one.tries, Proof: proofOf(c)}
	if !strings.Contains(v.Name, "from "+c.From) {
		v.From = c.From
	}
	v.shares(r.Before(phase, c), &c.Fails)
	v.Picture = sharePicture(id, "calls to "+v.Name+" that fail", r.Before(phase, c), &c.Fails)
	if c.Tries != nil {
		v.TriesPredicted, v.TriesRaw = factor(c.Tries.Predicted), exactly(c.Tries.Measured)
	}
	if v.Waits != "" {
		var all []string
		for i := range c.Waits {
			all = append(all, milliseconds(c.Waits[i].Predicted))
		}
		v.WaitsPredicted = strings.Join(all, ", ") + " ms"
	}
	return v
}

// shares fills in a share before and now.
func (v *callView) shares(before, now *reports.Share) {
	v.Fails = change(before, now)
	v.Predicted = Probability(now.Predicted)
	if before != nil && before.Measured != nil && Probability(before.Predicted) != v.Predicted {
		v.Predicted = Probability(before.Predicted) + " → " + v.Predicted
	}
	if now.PredictedError > 0 {
		v.Predicted += " ±" + Probability(now.PredictedError)
	}
	if now.Measured == nil {
		if now.N == 0 && now.Predicted == 0 {
			v.Predicted = "" // nothing was predicted either
		}
		return
	}
	v.Raw, v.Count = exactly(*now.Measured), fmt.Sprintf("%s of %s", Count(now.K), Count(now.N))
	if now.Interval != nil {
		v.Interval = between(*now.Interval)
	}
}

// parts cuts a path or a host where a line should rather be broken than within a word: after its slashes, dots and hyphens.
func parts(name string) (all []string) {
	for name != "" {
		end := strings.IndexAny(name, "/.-") + 1
		if end == 0 {
			end = len(name)
		}
		all, name = append(all, name[:end]), name[end:]
	}
	return all
}

func exactly(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// newShareView is a row for a share of all natural requests, which is shown and not judged.
func newShareView(before, s *reports.Share, id string) callView {
	v := callView{Name: s.Name, Picture: sharePicture(id, s.Name, before, s)}
	v.shares(before, s)
	return v
}

// proofOf returns what the calls of a row showed, line by line.
func proofOf(c *reports.Call) (lines []string) {
	switch {
	case c.Judged > 0:
	case c.Verdict == reports.Pass || c.Verdict == reports.Fail: // A report of schema 1 judges shares.
		return []string{"not judged call by call"}
	default:
		return []string{"no call was judged"}
	}
	line := Count(c.Judged) + " judged, "
	switch c.Mismatched {
	case 0:
		line += "none deviated"
	default:
		line += Count(c.Mismatched) + " deviated"
	}
	if c.Open > 0 {
		line += ", " + Count(c.Open) + " open"
	}
	lines = append(lines, line)
	if c.Excludes != nil {
		lines = append(lines, Count(c.Decisive)+" decisive:", fmt.Sprintf("at most %s deviate", Percent(*c.Excludes)))
	}
	return lines
}

const (
	shareWidth = 150.0
	shareLeft  = 17.0
	shareRight = shareWidth - 17
)

// sharePicture draws a share before and now, each with its prediction, on one axis that shows where they are.
func sharePicture(id, title string, before, now *reports.Share) *page.Picture {
	p := &page.Picture{ID: id, Title: title, Width: shareWidth, Height: 52}
	where := page.Shares(append(drawnValues(before), drawnValues(now)...), shareLeft, shareRight)
	p.Axis(where, 2, 34, 44, Probability)
	words := []string{"now: " + drawShare(p, "now", now, where, 26)}
	if before != nil {
		words = append([]string{"before: " + drawShare(p, "before", before, where, 10)}, words...)
	}
	p.Desc = strings.Join(words, ". ") + "."
	return p
}

// drawnValues are what drawShare draws of a share, which may be nil.
func drawnValues(s *reports.Share) (all []float64) {
	if s == nil {
		return nil
	}
	if s.N > 0 {
		all = append(all, s.Predicted)
	}
	if s.Measured != nil {
		all = append(all, *s.Measured)
		if s.Interval != nil {
			all = append(all, s.Interval.Lo, s.Interval.Hi)
		}
	}
	return all
}

// drawShare draws one phase's line, and returns in words what it shows.
func drawShare(p *page.Picture, class string, s *reports.Share, where page.Scale, y float64) string {
	if s.N > 0 {
		p.Line("prediction", where.At(s.Predicted), y-7, where.At(s.Predicted), y+7)
	}
	if s.Measured == nil {
		return "no data"
	}
	words := fmt.Sprintf("measured %s where %s is predicted", Probability(*s.Measured), Probability(s.Predicted))
	if s.Interval != nil {
		p.Bracket("interval "+class, where.At(s.Interval.Lo), where.At(s.Interval.Hi), y, 4)
		words += ", interval " + between(*s.Interval)
	}
	p.Disc("point "+class, where.At(*s.Measured), y, 4)
	return words
}

// product explains a predicted share of failed calls as a product. A call fails when all of its tries fail, so the fail probability
// is multiplied by itself as often as there are tries. It is empty where the prediction has another reason.
func product(r *reports.Report, c *reports.Call) string {
	if c.Rule == nil || r.Settings.Fail <= 0 || r.Settings.Fail >= 1 || r.Settings.Hang > 0 {
		return ""
	}
	tries := 1 + c.Rule.Retries
	if !c.Rule.Covers500 || tries < 2 || tries > 6 || c.Rule.Aborts > 0 || c.Rule.Answer > 0 {
		return ""
	}
	p := math.Pow(r.Settings.Fail, float64(tries))
	if math.Abs(p-c.Fails.Predicted) > 1e-9 {
		return ""
	}
	each := Probability(r.Settings.Fail)
	return strings.Repeat(each+" × ", tries-1) + each + " = " + Probability(p)
}
