package reports

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/tw"
)

// width is the terminal width that text is laid out for.
const width = 80

// Text writes a report for people: the verdict first, then a table for each stage, and below it in words what happened
// and why. It is laid out for 80 columns and right without colour.
func Text(w io.Writer, r *Report, colour bool) error {
	t := &text{colour: colour}
	t.head(r)
	for i := range r.Stages {
		t.stage(&r.Stages[i])
	}
	t.links(r)
	_, err := io.WriteString(w, t.String())
	return err
}

// text is a report being written.
type text struct {
	strings.Builder
	colour bool
}

func (t *text) line(format string, args ...any) { fmt.Fprintf(t, format+"\n", args...) }

func (t *text) head(r *Report) {
	word := headline(r)
	t.line("%s  %s", t.paint(word, r.Verdict), strings.Join(fold(r.Summary, width-2-len(word)), "\n"+strings.Repeat(" ", 2+len(word))))
	requests := 0
	for _, s := range r.Stages {
		for _, p := range s.Phases {
			requests += p.Sent
		}
	}
	s := r.Settings
	about := fmt.Sprintf("%s: %d requests in %.1f s; fail %s, ", r.Target.Detail, requests, r.Elapsed, Probability(s.Fail))
	if s.Hang > 0 {
		about += "hang " + Probability(s.Hang) + ", "
	}
	about += fmt.Sprintf("%s, seed %d", s.Cascade, s.Seed)
	t.paragraph(about, "")
	if r.Target.Deviation != "" {
		t.paragraph("The mesh is wrong on purpose: --break "+r.Target.Deviation+".", "")
	}
	if r.Restoration != nil {
		t.restoration(r.Restoration)
	}
}

// restoration says how the target was put back, line by line: a difference is easier to read by itself.
func (t *text) restoration(r *Restoration) {
	if r.Problem == "" {
		t.paragraph(fmt.Sprintf("Put back in %.1f s: %s.", r.Elapsed, r.Detail), "")
		return
	}
	for i, one := range strings.Split(strings.TrimRight(r.Problem, "\n"), "\n") {
		lead := "  "
		if i == 0 {
			one, lead = "Not all was put back: "+one, ""
		}
		t.paragraph(one, lead)
	}
}

// headline is the verdict as the first word of the output.
func headline(r *Report) string {
	switch {
	case r.Restored == NotRestored:
		return "NOT RESTORED"
	case r.Error != "":
		return "ERROR"
	case r.Aborted:
		return "ABORTED"
	}
	return strings.ToUpper(string(r.Verdict))
}

func (t *text) stage(s *Stage) {
	t.line("")
	word := strings.ToUpper(string(s.Verdict))
	title := fold(s.Name+": "+s.Title, width-2-len(word))
	t.line("%s  %s", t.paint(word, s.Verdict), strings.Join(title, "\n"+strings.Repeat(" ", 2+len(word))))
	if len(s.Checks) > 0 {
		t.checks(s.Checks)
	}
	for _, p := range s.Phases {
		for _, warning := range p.Warnings {
			t.paragraph(p.Name+": "+warning, "  ! ")
		}
		for _, compared := range p.Compared {
			t.paragraph(p.Name+": "+compared+".", "  = ")
		}
	}
	for _, words := range s.Words {
		t.paragraph(words, "  ")
	}
	for _, note := range notes(s) {
		t.paragraph(note, "  ! ")
	}
	if line := amplification(s.Amplification); line != "" {
		t.paragraph(line, "  ")
	}
}

// notes are what must be known beside the numbers: each once, after the checks that it is about. Where a stage fails, what
// would settle its other checks is of no interest.
func notes(s *Stage) []string {
	var order []string
	about := map[string][]string{}
	for _, c := range s.Checks {
		for _, m := range []*Measurement{c.Before, c.After} {
			if m == c.Before && c.After != nil && c.After.Note != "" {
				continue // one hint for a check
			}
			if m == nil || m.Note == "" || s.Verdict == Fail && m.Verdict == Inconclusive || strings.HasPrefix(m.Note, "void") {
				continue // what makes a whole phase void is said once, with the phase
			}
			if about[m.Note] == nil {
				order = append(order, m.Note)
			}
			if !slices.Contains(about[m.Note], c.Name) {
				about[m.Note] = append(about[m.Note], c.Name)
			}
		}
	}
	for i, note := range order {
		order[i] = strings.Join(about[note], ", ") + ": " + note
	}
	return order
}

func amplification(rows []Amplification) string {
	var parts []string
	for _, a := range rows {
		if a.After != nil {
			parts = append(parts, fmt.Sprintf("%s %.2f (%.2f)", a.Hop, a.After.Measured, a.After.Predicted))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "Tries per request, measured (predicted): " + strings.Join(parts, ", ") + "."
}

// checks writes the table of a stage.
func (t *text) checks(checks []Check) {
	var out strings.Builder
	table := tablewriter.NewTable(&out,
		tablewriter.WithRendition(tw.Rendition{
			Borders:  tw.BorderNone,
			Settings: tw.Settings{Separators: tw.SeparatorsNone, Lines: tw.LinesNone},
		}),
		tablewriter.WithPadding(tw.Padding{Left: "  ", Overwrite: true}),
		tablewriter.WithHeaderAlignment(tw.AlignLeft),
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithHeaderAutoWrap(tw.WrapNone),
		tablewriter.WithRowAutoWrap(tw.WrapNone),
		tablewriter.WithRowAlignment(tw.AlignLeft),
	)
	table.Header("check", "predicted", "before", "after", "catches", "verdict")
	for i := range checks {
		c := &checks[i]
		// The table is in memory, and its only errors are of rows that it cannot convert; these are strings.
		_ = table.Append([]string{c.Name, predicted(c), measured(c, c.Before), measured(c, c.After), catches(c), t.verdict(c.Verdict)})
	}
	_ = table.Render()
	for line := range strings.Lines(out.String()) {
		t.line("%s", strings.TrimRight(strings.TrimPrefix(line, "  "), " \n"))
	}
}

// verdict is a table's cell; a long word would not fit.
func (t *text) verdict(v Verdict) string {
	word := map[Verdict]string{Pass: "PASS", Fail: "FAIL", Inconclusive: "INCONC."}[v]
	return t.paint(word, v)
}

const (
	green, red, yellow, reset = "\x1b[32m", "\x1b[31m", "\x1b[33m", "\x1b[0m"
)

func (t *text) paint(word string, v Verdict) string {
	if !t.colour {
		return word
	}
	return map[Verdict]string{Pass: green, Fail: red, Inconclusive: yellow}[v] + word + reset
}

// predicted is one value where both phases predict the same.
func predicted(c *Check) string {
	if c.Kind == Ledger {
		return "exact"
	}
	var sides []string
	for _, m := range []*Measurement{c.Before, c.After} {
		if m != nil && (m.N > 0 || c.Kind == Median) {
			if v := value(c, m.Predicted); len(sides) == 0 || sides[0] != v {
				sides = append(sides, v)
			}
		}
	}
	return strings.Join(sides, "→")
}

// measured is a number with the half-width of its interval, the longer side of it.
func measured(c *Check, m *Measurement) string {
	switch {
	case m == nil:
		return ""
	case m.Measured == nil:
		return "no data"
	case c.Kind == Ledger:
		return ledgerCell(m)
	case c.Kind == Exact || m.Band.Lo == m.Band.Hi:
		return fmt.Sprintf("%d of %d", m.K, m.N)
	case m.Interval == nil:
		return value(c, *m.Measured)
	}
	half := math.Max(*m.Measured-m.Interval.Lo, m.Interval.Hi-*m.Measured)
	return value(c, *m.Measured) + " ±" + value(c, half)
}

func ledgerCell(m *Measurement) string {
	if m.N == 0 && m.K == 0 {
		return "no retries"
	}
	return fmt.Sprintf("%d of %d", m.K, m.N)
}

// catches is the smallest deviation that the check would have found nine times in ten, after the stage where both phases
// have one.
func catches(c *Check) string {
	for _, m := range []*Measurement{c.After, c.Before} {
		switch {
		case m == nil:
		case c.Kind == Ledger:
			return "1 try"
		case m.Detects != nil:
			return Probability(*m.Detects)
		}
	}
	return ""
}

// value is a number in a check's unit: a share, or a time with three significant digits.
func value(c *Check, v float64) string {
	switch {
	case c.Unit != "seconds":
		return Probability(v)
	case v >= 1:
		return strconv.FormatFloat(v, 'f', 2, 64) + "s"
	}
	return strconv.FormatFloat(1000*v, 'f', max(0, 1-int(math.Log10(max(1, 10*v)))), 64) + "ms"
}

// Probability is a share as tables have it, with three significant digits, four decimals at most, and no zero before the point.
func Probability(p float64) string {
	decimals := 3
	switch {
	case p > 0 && p < 0.0001:
		return strconv.FormatFloat(p, 'g', 2, 64)
	case p < 0.1:
		decimals = 4
	}
	s := strconv.FormatFloat(p, 'f', decimals, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	if trimmed := strings.TrimPrefix(s, "0."); trimmed != s {
		return "." + trimmed
	}
	return s
}

// paragraph writes text folded to the width, its first line after lead and the others below it.
func (t *text) paragraph(text, lead string) {
	for i, line := range fold(text, width-len(lead)) {
		if i > 0 {
			lead = strings.Repeat(" ", len(lead))
		}
		t.line("%s%s", lead, line)
	}
}

// fold breaks text at blanks into lines of at most width characters; a longer word has a line of its own.
func fold(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len([]rune(line))+1+len([]rune(word)) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
