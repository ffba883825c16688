package compare

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/hellochaos/hellochaos/reports/page"
	"github.com/hellochaos/hellochaos/reports/terminal"
)

// few is the largest number of rows of a word that are listed without --all, where these rows do not decide the exit code.
const few = 6

// Text writes a comparison for people: its word and summary first, then the rows that are worse, better and unclear. Rows that are the
// same, and unclear rows that do not count, are only summed up where there are more than a few, unless all is true. The text is laid
// out for 80 columns, and says the same without colour.
func Text(w io.Writer, c *Comparison, all, colour bool) error {
	t := &text{terminal.Text{Coloured: colour}, all}
	t.Headline(strings.ToUpper(string(c.Word)), colours[c.Word], c.Summary)
	for _, side := range c.sides() {
		t.Paragraph(side, "")
	}
	for _, change := range c.changes() {
		t.Paragraph(change, "  ≠ ")
	}
	for _, warning := range c.warnings() {
		t.Paragraph(warning, "  ! ")
	}
	t.rows(c)
	if left := c.leftOut(); len(left) > 0 {
		t.Blank()
		for _, one := range left {
			t.Paragraph("not compared: "+one, "  ! ")
		}
	}
	t.Blank()
	t.Paragraph(c.margins(), "")
	_, err := io.WriteString(w, t.String())
	return err
}

// text is a comparison that is being written.
type text struct {
	terminal.Text
	all bool
}

// rows writes a table for each rank.
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
		t.Blank()
		title := string(rows[0].Word)
		if rank == 3 {
			title = "unclear, not counted"
		}
		if rank >= 3 && !t.all && len(rows) > few {
			t.Paragraph(fmt.Sprintf("%s: %s; --all lists them", title, sumUp(rows)), "")
			continue
		}
		t.Title(title, colours[rows[0].Word])
		t.table(rows)
	}
}

// sumUp returns how many rows there are of each kind.
func sumUp(rows []*Row) string {
	names := map[Kind][2]string{Outcomes: {"series of requests", "series of requests"}, Verdict: {"verdict", "verdicts"}, Share: {"share", "shares"},
		Violations: {"count of violations", "counts of violations"}, Coverage: {"coverage", "coverages"}, Tries: {"number of tries", "numbers of tries"},
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

// widest is the widest name of a metric in a table. The names of the program itself are shorter.
const widest = 24

// table writes rows of one rank below their phase and calls, and the notes of all of them at the end. Columns of these would
// make the table wider than a terminal where shares of violations are compared.
func (t *text) table(rows []*Row) {
	last := "p"
	if rows[0].Word == Unclear {
		last = "needs"
	}
	var groups []terminal.Group
	for _, r := range rows {
		c := r.cells()
		if last == "needs" {
			c.P = c.Needed
		}
		title := r.Phase
		if r.Call != "" {
			title += ": " + r.Call
		}
		if title = page.Cut(terminal.Plain(title), terminal.Width); len(groups) == 0 || groups[len(groups)-1].Title != title {
			groups = append(groups, terminal.Group{Title: title})
		}
		group := &groups[len(groups)-1]
		group.Rows = append(group.Rows, []string{page.Cut(terminal.Plain(r.Metric), widest), c.Old, c.New, c.Difference, c.P})
	}
	t.Table([]string{"metric", "old", "new", "difference", last}, groups...)
	for _, note := range notes(rows) {
		t.Paragraph(note, "  ! ")
	}
}

// notes returns the notes of rows, each once, after the names of the metrics that have it.
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
		if !slices.Contains(about[r.Note], strconv.Quote(r.of())) {
			about[r.Note] = append(about[r.Note], strconv.Quote(r.of()))
		}
	}
	for i, note := range order {
		order[i] = strings.Join(about[note], ", ") + ": " + note
	}
	return order
}

// colours has the colour of each word.
var colours = map[Word]terminal.Colour{Worse: terminal.Red, Better: terminal.Green, Same: terminal.Green, Unclear: terminal.Yellow}
