package reports

import (
	"fmt"
	"io"
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
	summary := fold(r.Summary, width-2-len(word))
	t.line("%s  %s", t.paint(word, r.Verdict), strings.Join(summary, "\n"+strings.Repeat(" ", 2+len(word))))
	for _, line := range about(r) {
		t.paragraph(line, "")
	}
	lead := ""
	for _, line := range notRestored(r) {
		t.paragraph(line, lead)
		lead = "  "
	}
}

func (t *text) stage(s *Stage) {
	t.line("")
	word := strings.ToUpper(string(s.Verdict))
	title := fold(s.Name+": "+s.Title, width-2-len(word))
	t.line("%s  %s", t.paint(word, s.Verdict), strings.Join(title, "\n"+strings.Repeat(" ", 2+len(word))))
	if len(s.Checks) > 0 {
		t.checks(s.Checks)
	}
	for _, one := range sentences(s) {
		lead := "  "
		if one.mark != ' ' {
			lead += string(one.mark) + " "
		}
		t.paragraph(one.text, lead)
	}
}

// links are what leads on from a report, and what went wrong beside it. An address stands on a line of its own, unbroken.
func (t *text) links(r *Report) {
	if len(r.Links)+len(r.Remarks) > 0 {
		t.line("")
	}
	for _, l := range r.Links {
		t.paragraph(l.Title, "")
		t.line("  %s", plain(l.URL))
	}
	for _, remark := range r.Remarks {
		t.paragraph(remark, "! ")
	}
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
	table.Header(columns)
	for i := range checks {
		cells := row(&checks[i])
		last := len(cells) - 1
		cells[last] = t.paint(cells[last], checks[i].Verdict)
		// The table is in memory, and its only errors are of rows that it cannot convert; these are strings.
		_ = table.Append(cells)
	}
	_ = table.Render()
	for line := range strings.Lines(out.String()) {
		t.line("%s", strings.TrimRight(strings.TrimPrefix(line, "  "), " \n"))
	}
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
	for _, word := range strings.Fields(plain(text)) {
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
