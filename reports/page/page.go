// Package page has the parts that the HTML pages of reports share: their head, their style for light and dark screens and for paper,
// pictures in SVG that are styled by class alone, and scales with round ticks. A page needs no other file, no network and no script.
// The package must not know reports, and not what any number means.
package page

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/hellochaos/hellochaos/printable"
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

// Shell returns the common templates, to which the caller adds those of a page. A page begins with {{template "begin" .}} and ends with
// {{template "end"}}. "begin" needs two fields: Title, and Class, which is pass, fail, inconclusive or same and selects the colour of the
// verdict. {{template "picture" .}} writes a *Picture, and {{template "wide" .}} one that can be scrolled sideways.
func Shell() *template.Template { return template.Must(shell.Clone()) }

// Write writes a page. It writes nothing where the page cannot be made. Control characters and those that change the direction of
// writing are written as escapes, because a name that has one would change how the text behind it is read.
func Write(w io.Writer, templates *template.Template, name string, data any) error {
	var page bytes.Buffer
	if err := templates.ExecuteTemplate(&page, name, data); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	lines := strings.Split(page.String(), "\n")
	for i := range lines {
		lines[i] = printable.Line(lines[i])
	}
	if _, err := io.WriteString(w, strings.Join(lines, "\n")); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}
