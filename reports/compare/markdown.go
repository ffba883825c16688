package compare

import (
	"fmt"
	"io"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
)

// Markdown writes a comparison for a page or a comment on a pull request: all rows, those that are worse first.
func Markdown(w io.Writer, c *Comparison) error {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("## %s: %s\n", strings.ToUpper(string(c.Word)), reports.EscapeMarkdown(c.Summary))
	for _, s := range c.sides() {
		line("- %s", reports.EscapeMarkdown(s))
	}
	for _, s := range c.changes() {
		line("- differs: %s", reports.EscapeMarkdown(s))
	}
	for _, s := range c.warnings() {
		line("- **Warning:** %s", reports.EscapeMarkdown(s))
	}
	line("\n| | stage | phase | metric | old | new | difference | p | needs | |")
	line("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
	for i := range c.Rows {
		r := &c.Rows[i]
		n := r.cells()
		word := string(r.Word)
		if r.Word == Worse {
			word = "**worse**"
		}
		line("| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |", word, reports.EscapeMarkdown(r.Stage), reports.EscapeMarkdown(r.Phase), reports.EscapeMarkdown(r.Metric),
			n.Old, n.New, n.Difference, reports.EscapeMarkdown(n.P), n.Needed, reports.EscapeMarkdown(r.Note))
	}
	line("")
	for _, left := range c.leftOut() {
		line("- not compared: %s", reports.EscapeMarkdown(left))
	}
	line("\n%s", reports.EscapeMarkdown(c.margins()))
	_, err := io.WriteString(w, b.String())
	return err
}
