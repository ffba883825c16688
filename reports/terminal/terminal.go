// Package terminal lays out text for people: for 80 columns, right without colour and in a pipe. It knows lines, paragraphs and
// tables, and nothing of what they say. What it is given may come from anywhere, and a terminal obeys control characters: none
// is passed on.
package terminal

import (
	"fmt"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/tw"

	"github.com/hellochaos/hellochaos/printable"
)

// Width is the terminal width that text is laid out for.
const Width = 80

// Colour is what a word is painted with.
type Colour string

// The colours that a verdict needs; Reset ends them.
const (
	None   Colour = ""
	Green  Colour = "\x1b[32m"
	Red    Colour = "\x1b[31m"
	Yellow Colour = "\x1b[33m"
	Reset  Colour = "\x1b[0m"
)

// Text is a text being written; Coloured: it is for a terminal that shows colours.
type Text struct {
	strings.Builder
	Coloured bool
}

// Blank writes an empty line.
func (t *Text) Blank() { t.put("") }

// Address writes what must not be folded, on a line of its own after lead.
func (t *Text) Address(text, lead string) { t.put(lead + Plain(text)) }

func (t *Text) put(line string) { fmt.Fprintln(t, line) }

// Headline writes a painted word, and beside it text folded to the width that is left.
func (t *Text) Headline(word string, colour Colour, text string) {
	lead := strings.Repeat(" ", len([]rune(word))+2)
	for i, line := range fold(text, Width-len(lead)) {
		if i == 0 {
			t.put(t.paint(word, colour) + "  " + line)
		} else {
			t.put(lead + line)
		}
	}
}

// Title writes a painted line.
func (t *Text) Title(text string, colour Colour) { t.put(t.paint(Plain(text), colour)) }

// Paragraph writes text folded to the width, its first line after lead and the others below it.
func (t *Text) Paragraph(text, lead string) {
	for _, line := range fold(text, Width-len([]rune(lead))) {
		t.put(lead + line)
		lead = strings.Repeat(" ", len([]rune(lead)))
	}
}

// Table writes rows in columns, each as wide as it must be. colours, unless nil, has one for the last cell of each row.
func (t *Text) Table(header []string, rows [][]string, colours []Colour) {
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
	table.Header(header)
	for i, row := range rows {
		cells := make([]string, len(row))
		for j, cell := range row {
			cells[j] = Plain(cell)
		}
		if last := len(cells) - 1; colours != nil && last >= 0 {
			cells[last] = t.paint(cells[last], colours[i])
		}
		// The table is in memory, and its only errors are of rows that it cannot convert; these are strings.
		_ = table.Append(cells)
	}
	_ = table.Render()
	for line := range strings.Lines(out.String()) {
		t.put(strings.TrimRight(strings.TrimPrefix(line, "  "), " \n"))
	}
}

func (t *Text) paint(word string, colour Colour) string {
	if !t.Coloured || colour == None {
		return word
	}
	return string(colour) + word + string(Reset)
}

// fold breaks text at blanks into lines of at most width characters; a longer word has a line of its own.
func fold(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(Plain(text)) {
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

// Plain is text on one line: blanks and line breaks between words become one blank each, and what a terminal would obey is escaped.
func Plain(text string) string { return printable.Line(strings.Join(strings.Fields(text), " ")) }
