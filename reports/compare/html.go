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

// comparisonPage is a comparison as its page shows it, all numbers as the other formats have them.
type comparisonPage struct {
	Title, Class string
	Word         Word
	Summary      string

	Sides, Changes, Warnings, Excluded []string

	Stages  []stageRows
	Margins string
}

// stageRows are the rows of a stage, in the comparison's order.
type stageRows struct {
	ID, Name string
	Word     Word   // what its rows make of the comparison
	Counts   string // "1 worse, 3 same"
	Rows     []pageRow
}

type pageRow struct {
	*Row
	Cells   cells
	Picture *page.Picture // none: there is no interval
}

// HTML writes a comparison as one page that needs nothing else.
func HTML(w io.Writer, c *Comparison) error {
	p := &comparisonPage{Title: strings.ToUpper(string(c.Word)) + ": hellochaos compare-reports", Class: class(c.Word), Word: c.Word, Summary: c.Summary,
		Sides: c.sides(), Changes: c.changes(), Warnings: c.warnings(), Excluded: c.leftOut(), Margins: c.margins()}
	at := map[string]int{}
	for i := range c.Rows {
		r := &c.Rows[i]
		if _, known := at[r.Stage]; !known {
			at[r.Stage] = len(p.Stages)
			p.Stages = append(p.Stages, stageRows{ID: fmt.Sprint("stage-", len(p.Stages)+1), Name: r.Stage})
		}
		stage := &p.Stages[at[r.Stage]]
		stage.Rows = append(stage.Rows, pageRow{r, r.cells(), r.picture(fmt.Sprint("row-", i+1))})
	}
	for i := range p.Stages {
		p.Stages[i].count()
	}
	return page.Write(w, pages, "comparison.html", p)
}

// count says what a stage's rows are.
func (s *stageRows) count() {
	of := map[Word]int{}
	s.Word = Same
	for _, r := range s.Rows {
		of[r.Word]++
		if r.Word == Worse || r.Word == Unclear && r.Gates && s.Word != Worse || r.Word == Better && s.Word == Same {
			s.Word = r.Word
		}
	}
	var counts []string
	for _, word := range []Word{Worse, Unclear, Better, Same} {
		if of[word] > 0 {
			counts = append(counts, fmt.Sprint(of[word], " ", word))
		}
	}
	s.Counts = strings.Join(counts, ", ")
}

// class is how the page colours a word: as the verdict with the same exit code.
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

// mark is a word for those who see no colour.
func mark(w Word) string {
	return map[Word]string{Worse: "✗", Better: "✓", Same: "=", Unclear: "?"}[w] + " " + strings.ToUpper(string(w))
}
