package reports

import (
	"io"
	"strings"

	"github.com/hellochaos/hellochaos/reports/terminal"
)

// Text writes a report for people: the verdict first, then for each stage a table of its checks, and below the table sentences
// that report what happened and why. It is laid out for 80 columns, and says the same without colour.
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

// text is a report that is being written.
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
		t.Blank()
	}
	for _, one := range sentences(s) {
		lead := "  "
		if one.mark != ' ' {
			lead += string(one.mark) + " "
		}
		t.Paragraph(one.text, lead)
	}
}

// links writes the links to other programs, and the remarks: what went wrong beside the run.
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

// checks writes the table of a stage, its rows below their verdict and failures first. A column of verdicts would make the table
// wider than a terminal: INCONCLUSIVE alone takes 12 of the 80 columns.
func (t *text) checks(checks []Check) {
	var groups []terminal.Group
	for _, verdict := range []Verdict{Fail, Inconclusive, Pass} {
		group := terminal.Group{Title: verdictWord(verdict), Colour: colours[verdict]}
		for i := range checks {
			if Worst(checks[i].Verdict) == verdict {
				cells := row(&checks[i])
				group.Rows = append(group.Rows, cells[:len(cells)-1])
			}
		}
		if group.Rows != nil {
			groups = append(groups, group)
		}
	}
	t.Table(columns[:len(columns)-1], groups...)
}

// colours has the colour of each verdict.
var colours = map[Verdict]terminal.Colour{Pass: terminal.Green, Fail: terminal.Red, Inconclusive: terminal.Yellow}
