// Package page is what HTML pages of reports have in common: their head and style for light, dark and paper, pictures as SVG that
// are styled by class alone, and scales with round ticks. A page needs nothing else: no network and no script. The package knows no
// report, and must not know what any number means.
package page

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
)

//go:embed shell.html style.css
var files embed.FS

var shell = template.Must(template.New("").Funcs(template.FuncMap{
	"style": func() (template.CSS, error) {
		css, err := files.ReadFile("style.css")
		return template.CSS(css), err
	},
	"px": Pixels,
}).ParseFS(files, "shell.html"))

// Shell returns templates to add those of a page to. A page begins with {{template "begin" .}} and ends with {{template "end"}}:
// of its data "begin" needs Title, and Class, which is pass, fail, inconclusive or same and colours what has the verdict's colour.
// {{template "picture" .}} writes a *Picture, and {{template "wide" .}} one that may be scrolled sideways.
func Shell() *template.Template { return template.Must(shell.Clone()) }

// Write writes a page, whole or not at all.
func Write(w io.Writer, templates *template.Template, name string, data any) error {
	var page bytes.Buffer
	if err := templates.ExecuteTemplate(&page, name, data); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	if _, err := page.WriteTo(w); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}
