package reports

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"strings"
)

//go:embed html
var htmlFiles embed.FS

// htmlPages are the templates of html/. A page of another kind begins with {{template "begin" .}} and ends with
// {{template "end"}}: head, style, theme and the way to its main part come from there; of its data "begin" needs Title and Class
// alone (pass, fail or inconclusive). {{template "picture" .}} writes a *picture.
var htmlPages = template.Must(template.New("").Funcs(template.FuncMap{
	"style": func() (template.CSS, error) {
		css, err := htmlFiles.ReadFile("html/style.css")
		return template.CSS(css), err
	},
	"px":           px,
	"share":        Probability,
	"duration":     duration,
	"number":       func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) },
	"rate":         significant,
	"value":        value,
	"verdict":      verdictMark,
	"reproduction": reproduction,
	"spaced":       func(list string) string { return strings.ReplaceAll(list, ",", ", ") },
}).ParseFS(htmlFiles, "html/*.html"))

// HTML writes a report as one page that needs nothing else: no network, no script. Everything on it comes from the report; what
// the report does not have is said in words.
func HTML(w io.Writer, r *Report) error { return writePage(w, "report.html", newPage(r)) }

// writePage writes a page whole or not at all.
func writePage(w io.Writer, template string, data any) error {
	var page bytes.Buffer
	if err := htmlPages.ExecuteTemplate(&page, template, data); err != nil {
		return fmt.Errorf("writing the report as HTML: %w", err)
	}
	if _, err := page.WriteTo(w); err != nil {
		return fmt.Errorf("writing the report as HTML: %w", err)
	}
	return nil
}

// page is a report as its page shows it.
type page struct {
	*Report
	Title, Class string
	Headline     string
	About        []string
	NotRestored  []string
	Stages       []stageView
}

func newPage(r *Report) *page {
	p := &page{Report: r, Headline: HeadlineWord(r), Class: verdictClass(r), About: about(r), NotRestored: notRestored(r)}
	p.Title = "hellochaos " + p.Headline + ": " + r.Summary
	for i := range r.Stages {
		p.Stages = append(p.Stages, newStageView(r, &r.Stages[i], "stage-"+strconv.Itoa(i+1)))
	}
	return p
}

// verdictClass is how the page's head is painted: a run that did not end well is never painted as a pass.
func verdictClass(r *Report) string {
	switch code := r.ExitCode(); code {
	case ExitPass:
		return string(Pass)
	case ExitInconclusive, ExitAborted:
		return string(Inconclusive)
	}
	return string(Fail)
}

// verdictMark is a verdict for those who see no colour.
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
