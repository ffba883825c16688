package compare

import (
	"fmt"
	"io"
	"strings"

	"github.com/hellochaos/hellochaos/reports/render"
)

// Markdown writes a comparison for a page or a comment on a pull request: all rows, those that are worse first.
func Markdown(w io.Writer, c *Comparison) error {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("## %s: %s\n", strings.ToUpper(string(c.Word)), render.EscapeMarkdown(c.Summary))
	for _, s := range c.sides() {
		line("- %s", render.EscapeMarkdown(s))
	}
	for _, s := range c.changes() {
		line("- differs: %s", render.EscapeMarkdown(s))
	}
	for _, s := range c.warnings() {
		line("- **Warning:** %s", render.EscapeMarkdown(s))
	}
	line("\n| | phase | calls to | metric | old | new | difference | p | needs | |")
	line("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
	for i := range c.Rows {
		r := &c.Rows[i]
		n := r.cells()
		word := string(r.Word)
		if r.Word == Worse {
			word = "**worse**"
		}
		line("| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |", word, render.EscapeMarkdown(r.Phase), render.EscapeMarkdown(r.Call), render.EscapeMarkdown(r.Metric),
			n.Old, n.New, n.Difference, render.EscapeMarkdown(n.P), n.Needed, render.EscapeMarkdown(r.Note))
	}
	line("")
	for _, left := range c.leftOut() {
		line("- not compared: %s", render.EscapeMarkdown(left))
	}
	line("\n%s", render.EscapeMarkdown(c.margins()))
	_, err := io.WriteString(w, b.String())
	return err
}
