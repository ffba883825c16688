package compare

import (
	_ "embed"
	"html/template"
	"io"
	"strings"
)

//go:embed page.html
var pageHTML string

var page = template.Must(template.New("comparison").Parse(pageHTML))

// pageData is what the page shows, all numbers as the other formats have them.
type pageData struct {
	Word, Upper, Summary               string
	Sides, Changes, Warnings, Excluded []string
	Rows                               []pageRow
	Margins                            string
}

type pageRow struct {
	Word, Stage, Phase, Metric, Old, New, Difference, P, Needed, Note string
}

// HTML writes a comparison as one page that needs nothing else.
func HTML(w io.Writer, c *Comparison) error {
	data := pageData{Word: string(c.Word), Upper: strings.ToUpper(string(c.Word)), Summary: c.Summary,
		Sides: c.sides(), Changes: c.changes(), Warnings: c.warnings(), Excluded: c.leftOut(), Margins: c.margins()}
	for i := range c.Rows {
		r := &c.Rows[i]
		n := r.cells()
		data.Rows = append(data.Rows, pageRow{string(r.Word), r.Stage, r.Phase, r.Metric, n.old, n.new, n.difference, n.p, n.needed, r.Note})
	}
	return page.Execute(w, data)
}
