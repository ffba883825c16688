package compare

import (
	"fmt"
	"io"
	"strings"
)

// escaper keeps what tables and markup would take for their own.
var escaper = strings.NewReplacer("|", `\|`, "<", "&lt;", ">", "&gt;", "*", `\*`, "_", `\_`, "`", "\\`", "\n", " ")

// Markdown writes a comparison for a page or a pull request's comment: all rows, what is worse first.
func Markdown(w io.Writer, c *Comparison) error {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("## %s: %s\n", strings.ToUpper(string(c.Word)), escaper.Replace(c.Summary))
	for _, s := range c.sides() {
		line("- %s", escaper.Replace(s))
	}
	for _, s := range c.changes() {
		line("- differs: %s", escaper.Replace(s))
	}
	for _, s := range c.warnings() {
		line("- **Warning:** %s", escaper.Replace(s))
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
		line("| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |", word, escaper.Replace(r.Stage), escaper.Replace(r.Phase), escaper.Replace(r.Metric),
			n.old, n.new, n.difference, escaper.Replace(n.p), n.needed, escaper.Replace(r.Note))
	}
	line("")
	for _, left := range c.leftOut() {
		line("- not compared: %s", escaper.Replace(left))
	}
	line("\n%s", escaper.Replace(c.margins()))
	_, err := io.WriteString(w, b.String())
	return err
}
