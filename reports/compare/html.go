package compare

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/page"
)

//go:embed page.html
var pageHTML string

var pages = template.Must(page.Shell().Funcs(template.FuncMap{"mark": mark, "class": class}).Parse(pageHTML))

// comparisonPage is the data of the page. Its numbers are the same texts as in the other formats.
type comparisonPage struct {
	Title, Class string
	Word         Word
	Summary      string

	Sides, Changes, Warnings, Excluded []string

	Phases  []phaseRows
	Margins string
}

// phaseRows are the rows of a phase, in the comparison's order.
type phaseRows struct {
	ID, Name string
	Word     Word   // the word of a comparison with only these rows
	Counts   string // "1 worse, 3 same"
	Rows     []pageRow
	Missing  int // how many data that should have been compared are missing
}

type pageRow struct {
	*Row
	Cells   cells
	Picture *page.Picture // nil where there is no interval
}

// HTML writes a comparison as one page that needs no other file, no network and no script.
func HTML(w io.Writer, c *Comparison) error {
	p := &comparisonPage{Title: strings.ToUpper(string(c.Word)) + ": hellochaos compare-reports", Class: class(c.Word), Word: c.Word, Summary: c.Summary,
		Sides: c.sides(), Changes: c.changes(), Warnings: c.warnings(), Excluded: c.leftOut(), Phases: c.phases(), Margins: c.margins()}
	return page.Write(w, pages, "comparison.html", p)
}

// phases returns the rows of the comparison by phase.
func (c *Comparison) phases() []phaseRows {
	var all []phaseRows
	of := func(name string) *phaseRows {
		for i := range all {
			if all[i].Name == name {
				return &all[i]
			}
		}
		all = append(all, phaseRows{ID: fmt.Sprint("phase-", len(all)+1), Name: name})
		return &all[len(all)-1]
	}
	for i := range c.Rows {
		r := &c.Rows[i]
		phase := of(r.Phase)
		phase.Rows = append(phase.Rows, pageRow{r, r.cells(), r.picture(fmt.Sprint("row-", i+1))})
	}
	for _, e := range c.Excluded {
		if e.Gates {
			of(e.Phase).Missing++
		}
	}
	for i := range all {
		all[i].count()
	}
	return all
}

// count sets the counts of a phase's rows, and the word that a comparison with only these rows would have.
func (s *phaseRows) count() {
	of, open := map[Word]int{}, s.Missing > 0
	for _, r := range s.Rows {
		of[r.Word]++
		open = open || r.Word == Unclear && r.Gates
	}
	s.Word = wordOf(of, open)
	var counts []string
	for _, word := range []Word{Worse, Unclear, Better, Same} {
		if of[word] > 0 {
			counts = append(counts, fmt.Sprint(of[word], " ", word))
		}
	}
	if s.Missing > 0 {
		counts = append(counts, fmt.Sprint(s.Missing, " not compared"))
	}
	s.Counts = strings.Join(counts, ", ")
}

// class returns the class that colours a word. A word has the colour of the verdict with the same exit code.
func class(w Word) string {
	switch w {
	case Worse:
		return string(reports.Fail)
	case Better:
		return string(reports.Pass)
	case Unclear:
		return string(reports.Inconclusive)
	}
	return "same"
}

// mark returns a word with a sign, for readers who do not see its colour.
func mark(w Word) string {
	return map[Word]string{Worse: "✗", Better: "✓", Same: "=", Unclear: "?"}[w] + " " + strings.ToUpper(string(w))
}
