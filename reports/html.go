package reports

import (
	"embed"
	"html/template"
	"io"
	"strconv"
	"strings"

	"github.com/hellochaos/hellochaos/reports/page"
)

//go:embed html
var htmlFiles embed.FS

var htmlPages = template.Must(page.Shell().Funcs(template.FuncMap{
	"share":        Probability,
	"duration":     duration,
	"number":       func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) },
	"rate":         significant,
	"value":        value,
	"verdict":      verdictMark,
	"reproduction": reproduction,
	"spaced":       func(list string) string { return strings.ReplaceAll(list, ",", ", ") },
}).ParseFS(htmlFiles, "html/*.html"))

// HTML writes a report as one page that needs no other file, no network and no script. Everything on it comes from the report. Where
// the report does not have some data, the page has a sentence in their place.
func HTML(w io.Writer, r *Report) error {
	return page.Write(w, htmlPages, "report.html", newReportPage(r))
}

// reportPage is the data of the page.
type reportPage struct {
	*Report
	Title, Class string
	Headline     string
	About        []string
	NotRestored  []string
	Stages       []stageView
}

func newReportPage(r *Report) *reportPage {
	p := &reportPage{Report: r, Headline: HeadlineWord(r), Class: verdictClass(r), About: about(r), NotRestored: notRestored(r)}
	p.Title = "hellochaos " + p.Headline + ": " + r.Summary
	for i := range r.Stages {
		p.Stages = append(p.Stages, newStageView(r, &r.Stages[i], "stage-"+strconv.Itoa(i+1)))
	}
	return p
}

// verdictClass returns the class that colours the head of the page. A run that did not end well never has the colour of a pass.
func verdictClass(r *Report) string {
	switch code := r.ExitCode(); code {
	case ExitPass:
		return string(Pass)
	case ExitInconclusive, ExitAborted:
		return string(Inconclusive)
	}
	return string(Fail)
}

// verdictMark returns a verdict as a sign and a word, for readers who do not see its colour.
func verdictMark(v Verdict) string {
	switch v {
	case Pass:
		return "✓ PASS"
	case Fail:
		return "✗ FAIL"
	case Inconclusive:
		return "? INCONCLUSIVE"
	}
	return "no verdict"
}
