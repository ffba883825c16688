package sweep

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/page"
	"github.com/hellochaos/hellochaos/reports/render"
)

//go:embed page.html
var pageHTML string

var pages = template.Must(page.Shell().Funcs(template.FuncMap{"class": class, "mark": mark, "finding": func(f reports.Finding) string { return render.Finding(&f) }, "upper": strings.ToUpper}).Parse(pageHTML))

// sweepPage is the data of the page. Its numbers are the same texts as in the other formats.
type sweepPage struct {
	Title, Class string
	Word         string
	Summary      string
	About        []string
	Remarks      []string
	Expected     []expected
	Wrong        []wrongPoint
	Findings     []reports.Finding
	Phases       []pagePhase
	Reproduction string
}

// wrongPoint is a point that did not pass.
type wrongPoint struct{ Word, Class, Text, Again string }

// pagePhase is a phase with its pictures and tables.
type pagePhase struct {
	ID, Name, Title string
	Groups          []pictureGroup
	Tables          []pageTable
	Remarks         []string
}

// pictureGroup is the pictures of the points that differ in the first axis alone.
type pictureGroup struct {
	Title    string
	Pictures []*page.Picture
}

// pageTable is a table with a row a point.
type pageTable struct {
	Title string
	Heads []string
	Rows  [][]string
}

// HTML writes a grid as one page that needs no other file, no network and no script.
func HTML(w io.Writer, s *Report) error {
	p := &sweepPage{Title: "hellochaos " + s.Word() + ": " + s.Summary, Class: s.class(), Word: s.Word(), Summary: s.Summary, About: s.about(), Remarks: s.Remarks, Expected: s.expectations(),
		Findings: s.Findings, Reproduction: s.reproduction()}
	for i := range s.Points {
		if one := &s.Points[i]; one.ExitCode != reports.ExitPass {
			p.Wrong = append(p.Wrong, wrongPoint{one.Word, class(one.Verdict), s.At(i) + ": " + one.Summary, one.Again})
		}
	}
	for i, phase := range s.series() {
		p.Phases = append(p.Phases, s.pagePhase(fmt.Sprintf("phase-%d", i+1), &phase))
	}
	return page.Write(w, pages, "sweep.html", p)
}

// class selects the colour of the verdict. A grid that did not end well never has that of a pass.
func (s *Report) class() string {
	switch s.ExitCode() {
	case reports.ExitPass:
		return string(reports.Pass)
	case reports.ExitInconclusive, reports.ExitAborted:
		return string(reports.Inconclusive)
	}
	return string(reports.Fail)
}

func (s *Report) pagePhase(id string, p *phaseSeries) pagePhase {
	one := pagePhase{ID: id, Name: p.Name, Title: p.Title, Remarks: p.remarks()}
	for i, along := range s.lines() {
		group := pictureGroup{Title: along.Rest}
		for _, of := range p.tables() {
			for j := range of.Series {
				title := of.Series[j].Name + ": " + of.Title
				group.Pictures = append(group.Pictures, s.picture(fmt.Sprintf("%s-%d-%s-%d", id, i+1, of.Kind, j+1), &of.Series[j], along, title, of.print))
			}
		}
		one.Groups = append(one.Groups, group)
	}
	for _, of := range p.tables() {
		one.Tables = append(one.Tables, s.pageTable(of.caption(), append(s.firstColumns(p, &of), columns(&of)...)))
	}
	return one
}

func (s *Report) pageTable(title string, all []column) pageTable {
	t := pageTable{Title: title}
	for i := range all {
		t.Heads = append(t.Heads, all[i].head)
	}
	for point := range s.Points {
		var row []string
		for i := range all {
			row = append(row, all[i].cells[point])
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// class is the class that colours a verdict.
func class(v reports.Verdict) string {
	switch v {
	case reports.Pass, reports.Fail, reports.Inconclusive:
		return string(v)
	}
	return "same"
}

// mark is a verdict as a sign and a word, for readers who do not see its colour.
func mark(word string) string {
	sign := map[string]string{"PASS": "✓", "FAIL": "✗", "INCONCLUSIVE": "?"}[word]
	if sign == "" {
		sign = "!"
	}
	return sign + " " + word
}
