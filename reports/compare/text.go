package compare

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/tw"
)

// width is the terminal width that text is laid out for.
const width = 80

// few is how many rows are shown where it is not asked for all of them.
const few = 6

// Text writes a comparison for people: its word and sentence first, then what is worse, better and unclear. What is the same,
// or unclear and does not count, is summed up where there is much of it, unless all is asked for. It is laid out for 80 columns
// and right without colour.
func Text(w io.Writer, c *Comparison, all, colour bool) error {
	t := &text{all: all, colour: colour}
	word := strings.ToUpper(string(c.Word))
	lead := strings.Repeat(" ", len(word)+2)
	for i, line := range fold(c.Summary, width-len(lead)) {
		if i == 0 {
			t.line("%s  %s", t.paint(word, c.Word), line)
		} else {
			t.line("%s%s", lead, line)
		}
	}
	for _, side := range c.sides() {
		t.paragraph(side, "")
	}
	for _, change := range c.changes() {
		t.paragraph(change, "  ≠ ")
	}
	for _, warning := range c.warnings() {
		t.paragraph(warning, "  ! ")
	}
	t.rows(c)
	if left := c.leftOut(); len(left) > 0 {
		t.line("")
		for _, one := range left {
			t.paragraph("not compared: "+one, "  ! ")
		}
	}
	t.line("")
	t.paragraph(c.margins(), "")
	_, err := io.WriteString(w, t.String())
	return err
}

// text is a comparison being written.
type text struct {
	strings.Builder
	all, colour bool
}

func (t *text) line(format string, args ...any) { fmt.Fprintf(t, format+"\n", args...) }

// paragraph writes text folded to the width, its first line after lead and the others below it.
func (t *text) paragraph(text, lead string) {
	for _, line := range fold(text, width-len([]rune(lead))) {
		t.line("%s%s", lead, line)
		lead = strings.Repeat(" ", len([]rune(lead)))
	}
}

// rows writes a table for each word, by rank.
func (t *text) rows(c *Comparison) {
	for rank := range 5 {
		var rows []*Row
		for i := range c.Rows {
			if c.Rows[i].rank() == rank {
				rows = append(rows, &c.Rows[i])
			}
		}
		if len(rows) == 0 {
			continue
		}
		t.line("")
		title := string(rows[0].Word)
		if rank == 3 {
			title = "unclear, and not counted without --strict"
		}
		if rank >= 3 && !t.all && len(rows) > few {
			t.paragraph(fmt.Sprintf("%s: %s, which --all lists", title, sumUp(rows)), "")
			continue
		}
		t.line("%s", t.paint(title, rows[0].Word))
		t.table(rows)
	}
}

// sumUp says how many rows there are of each kind.
func sumUp(rows []*Row) string {
	names := map[Kind][2]string{Share: {"share", "shares"}, Violations: {"exact check", "exact checks"}, Tries: {"amplification", "amplifications"},
		Latency: {"latency", "latencies"}, Wait: {"wait", "waits"}}
	var order []Kind
	count := map[Kind]int{}
	for _, r := range rows {
		if !slices.Contains(order, r.Kind) {
			order = append(order, r.Kind)
		}
		count[r.Kind]++
	}
	var parts []string
	for _, kind := range order {
		name := names[kind][1]
		if count[kind] == 1 {
			name = names[kind][0]
		}
		parts = append(parts, fmt.Sprintf("%d %s", count[kind], name))
	}
	return strings.Join(parts, ", ")
}

// table writes rows of one rank, and below them what must be known beside the numbers.
func (t *text) table(rows []*Row) {
	var out strings.Builder
	table := tablewriter.NewTable(&out,
		tablewriter.WithRendition(tw.Rendition{
			Borders:  tw.BorderNone,
			Settings: tw.Settings{Separators: tw.SeparatorsNone, Lines: tw.LinesNone},
		}),
		tablewriter.WithPadding(tw.Padding{Left: "  ", Overwrite: true}),
		tablewriter.WithHeaderAlignment(tw.AlignLeft),
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithHeaderAutoWrap(tw.WrapNone),
		tablewriter.WithRowAutoWrap(tw.WrapNone),
		tablewriter.WithRowAlignment(tw.AlignLeft),
	)
	last := "p"
	if rows[0].Word == Unclear {
		last = "needs"
	}
	table.Header("phase", "metric", "old", "new", "difference", last)
	for _, r := range rows {
		c := r.cells()
		if last == "needs" {
			c.p = c.needed
		}
		// The table is in memory, and its only errors are of rows that it cannot convert; these are strings.
		_ = table.Append([]string{r.Stage + " " + r.Phase, r.Metric, c.old, c.new, c.difference, c.p})
	}
	_ = table.Render()
	for line := range strings.Lines(out.String()) {
		t.line("%s", strings.TrimRight(strings.TrimPrefix(line, "  "), " \n"))
	}
	for _, note := range notes(rows) {
		t.paragraph(note, "  ! ")
	}
}

// notes are what must be known beside the numbers, each once, after the metrics that it is about.
func notes(rows []*Row) []string {
	var order []string
	about := map[string][]string{}
	for _, r := range rows {
		if r.Note == "" {
			continue
		}
		if about[r.Note] == nil {
			order = append(order, r.Note)
		}
		if !slices.Contains(about[r.Note], r.Metric) {
			about[r.Note] = append(about[r.Note], r.Metric)
		}
	}
	for i, note := range order {
		order[i] = strings.Join(about[note], ", ") + ": " + note
	}
	return order
}

const green, red, yellow, reset = "\x1b[32m", "\x1b[31m", "\x1b[33m", "\x1b[0m"

func (t *text) paint(word string, as Word) string {
	if !t.colour {
		return word
	}
	return map[Word]string{Worse: red, Better: green, Same: green, Unclear: yellow}[as] + word + reset
}

// fold breaks text at blanks into lines of at most width characters; a longer word has a line of its own.
func fold(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len([]rune(line))+1+len([]rune(word)) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
