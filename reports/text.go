package reports

import (
	"io"
	"strings"

	"github.com/hellochaos/hellochaos/reports/terminal"
)

// Text writes a report for people: the verdict first, then a table for each stage, and below it in words what happened
// and why. It is laid out for 80 columns and right without colour.
func Text(w io.Writer, r *Report, colour bool) error {
	t := &text{terminal.Text{Coloured: colour}}
	t.head(r)
	for i := range r.Stages {
		t.stage(&r.Stages[i])
	}
	t.links(r)
	_, err := io.WriteString(w, t.String())
	return err
}

// text is a report being written.
type text struct{ terminal.Text }

func (t *text) head(r *Report) {
	t.Headline(HeadlineWord(r), colours[r.Verdict], r.Summary)
	for _, line := range about(r) {
		t.Paragraph(line, "")
	}
	lead := ""
	for _, line := range notRestored(r) {
		t.Paragraph(line, lead)
		lead = "  "
	}
}

func (t *text) stage(s *Stage) {
	t.Blank()
	t.Headline(strings.ToUpper(string(s.Verdict)), colours[s.Verdict], s.Name+": "+s.Title)
	if len(s.Checks) > 0 {
		t.checks(s.Checks)
	}
	for _, one := range sentences(s) {
		lead := "  "
		if one.mark != ' ' {
			lead += string(one.mark) + " "
		}
		t.Paragraph(one.text, lead)
	}
}

// links are what leads on from a report, and what went wrong beside it. An address stands on a line of its own, unbroken.
func (t *text) links(r *Report) {
	if len(r.Links)+len(r.Remarks) > 0 {
		t.Blank()
	}
	for _, l := range r.Links {
		t.Paragraph(l.Title, "")
		t.Address(l.URL, "  ")
	}
	for _, remark := range r.Remarks {
		t.Paragraph(remark, "! ")
	}
}

// checks writes the table of a stage.
func (t *text) checks(checks []Check) {
	var rows [][]string
	var painted []terminal.Colour
	for i := range checks {
		rows = append(rows, row(&checks[i]))
		painted = append(painted, colours[checks[i].Verdict])
	}
	t.Table(columns, rows, painted)
}

// colours are those of the verdicts.
var colours = map[Verdict]terminal.Colour{Pass: terminal.Green, Fail: terminal.Red, Inconclusive: terminal.Yellow}
