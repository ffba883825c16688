package sweep

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/render"
	"github.com/hellochaos/hellochaos/reports/terminal"
)

const (
	// widestHead is how wide the head of a column of numbers is before it is folded: as wide as the widest numbers.
	widestHead = 17
	// mostWrong is how many points that did not pass are told one by one.
	mostWrong = 5
)

var colours = map[reports.Verdict]terminal.Colour{reports.Pass: terminal.Green, reports.Fail: terminal.Red, reports.Inconclusive: terminal.Yellow}

// Text writes a grid for people, in 80 columns: the verdict, what came of the expectations, what points met that did not pass, and of each
// phase a row a point with the predicted and the measured numbers. Columns that do not fit stand in further tables below.
func Text(w io.Writer, s *Report, colour bool) error {
	t := &terminal.Text{Coloured: colour}
	t.Headline(s.Word(), colours[s.Verdict], s.Summary)
	for _, line := range s.about() {
		t.Paragraph(line, "")
	}
	for i, e := range s.expectations() {
		if i == 0 {
			t.Blank()
		}
		t.Headline(strings.ToUpper(string(e.Verdict)), colours[e.Verdict], e.Text)
		for _, line := range e.Lines {
			t.Paragraph(line, "  ")
		}
	}
	s.findings(t, reports.SeverityError)
	s.wrong(t)
	for _, p := range s.series() {
		s.phase(t, &p)
	}
	s.findings(t, reports.SeverityWarning)
	for i, remark := range s.Remarks {
		if i == 0 {
			t.Blank()
		}
		t.Paragraph(remark, "! ")
	}
	_, err := io.WriteString(w, t.String())
	return err
}

// Headline is the verdict and the summary on one line.
func Headline(s *Report) string { return s.Word() + "  " + terminal.Plain(s.Summary) }

// findings writes what is wrong with the manifests.
func (s *Report) findings(t *terminal.Text, severity reports.Severity) {
	colour := terminal.Yellow
	if severity == reports.SeverityError {
		colour = terminal.Red
	}
	first := true
	for i := range s.Findings {
		if f := &s.Findings[i]; f.Severity == severity {
			if first {
				t.Blank()
			}
			first = false
			t.Headline(strings.ToUpper(string(severity)), colour, render.Finding(f))
		}
	}
}

// wrong writes what the first points met that did not pass.
func (s *Report) wrong(t *terminal.Text) {
	told := 0
	for i := range s.Points {
		p := &s.Points[i]
		if p.ExitCode == reports.ExitPass {
			continue
		}
		if told++; told == 1 {
			t.Blank()
		}
		if told > mostWrong {
			continue
		}
		t.Headline(p.Word, colours[p.Verdict], s.At(i)+": "+p.Summary)
		if p.Again != "" {
			t.Address(p.Again, "    again     ")
		}
	}
	if more := told - mostWrong; more > 0 {
		t.Paragraph(fmt.Sprintf("%d more points did not pass: the tables have their verdicts.", more), "")
	}
}

// column is a column of a table with a row a point.
type column struct {
	head  string
	cells []string
}

// phase writes the tables of a phase.
func (s *Report) phase(t *terminal.Text, p *phaseSeries) {
	t.Blank()
	if !s.Scenario.Derived { // else the title is a list of files
		t.Paragraph(p.Name+": "+p.Title, "")
	}
	for i, one := range p.tables() {
		if i > 0 {
			t.Blank()
		}
		t.Paragraph(one.caption(), "")
		s.tables(t, s.firstColumns(p, &one), columns(&one))
	}
	for _, line := range p.remarks() {
		t.Paragraph(line, "")
	}
}

// keys are the columns that name the points.
func (s *Report) keys() (all []column) {
	for i, axis := range s.Axes {
		one := column{head: axis.Name}
		for j := range s.Points {
			one.cells = append(one.cells, s.Points[j].Values[i])
		}
		all = append(all, one)
	}
	return all
}

// verdicts is the column of the verdicts of a phase.
func (s *Report) verdicts(phase string) column {
	one := column{head: "verdict"}
	for i := range s.Points {
		text := ""
		for _, p := range s.Points[i].Phases {
			if p.Name == phase {
				text = strings.ToUpper(string(p.Verdict))
			}
		}
		one.cells = append(one.cells, text)
	}
	return one
}

// firstColumns are those that stand first in a table: the names of the points, and beside the failed calls the verdicts.
func (s *Report) firstColumns(p *phaseSeries, of *table) []column {
	if of.Kind == "fails" {
		return append(s.keys(), s.verdicts(p.Name))
	}
	return s.keys()
}

// columns are the series of a table as columns.
func columns(of *table) (cs []column) {
	for _, one := range of.Series {
		c := column{head: one.Name}
		for _, n := range one.At {
			c.cells = append(c.cells, n.cell(of.print))
		}
		cs = append(cs, c)
	}
	return cs
}

// width is that of a column with its head folded.
func (c *column) width() int {
	widest := 0
	for _, text := range append(terminal.Cell(c.head, widestHead), c.cells...) {
		widest = max(widest, utf8.RuneCountInString(text))
	}
	return widest
}

// tables writes columns beside the first ones, and as many as do not fit in further tables, which begin with the names of the points.
func (s *Report) tables(t *terminal.Text, first, rest []column) {
	taken := append([]column{}, first...)
	width := 0
	for i := range taken {
		width += taken[i].width() + 2
	}
	for i := range rest {
		w := rest[i].width() + 2
		if width+w-2 > terminal.Width && i > 0 {
			write(t, taken)
			t.Blank()
			taken, width = s.keys(), 0
			for j := range taken {
				width += taken[j].width() + 2
			}
		}
		taken, width = append(taken, rest[i]), width+w
	}
	write(t, taken)
}

// write writes columns side by side. A head of several lines takes the first rows.
func write(t *terminal.Text, all []column) {
	height := 1
	heads := make([][]string, len(all))
	for i := range all {
		heads[i] = terminal.Cell(all[i].head, widestHead)
		height = max(height, len(heads[i]))
	}
	row := func(of func(i int) string) (cells []string) {
		for i := range all {
			cells = append(cells, of(i))
		}
		return cells
	}
	line := func(n int) func(i int) string {
		return func(i int) string {
			if n < len(heads[i]) {
				return heads[i][n]
			}
			return ""
		}
	}
	var rows [][]string
	for n := 1; n < height; n++ {
		rows = append(rows, row(line(n)))
	}
	for point := range all[0].cells {
		rows = append(rows, row(func(i int) string { return all[i].cells[point] }))
	}
	t.Table(row(line(0)), terminal.Group{Rows: rows})
}
