// Package terminal lays out text for people, in 80 columns or in as many as a terminal has. The text says the same without colour, so it can be piped into a
// file. The package knows lines, paragraphs and tables; it must not know what they are about. A text may come from a file that
// anybody wrote, and a terminal obeys control characters, so the package escapes them all.
package terminal

import (
	"fmt"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/tw"

	"github.com/hellochaos/hellochaos/printable"
)

// Width is the width that text is laid out for where no terminal has told its own: that of a file, a pipe, and the smallest terminal.
// Widest is the width beyond which lines are too long to be read.
const Width, Widest = 80, 140

// Colour is the escape sequence that paints the text after it.
type Colour string

// The colours of verdicts. Reset ends a colour.
const (
	None   Colour = ""
	Green  Colour = "\x1b[32m"
	Red    Colour = "\x1b[31m"
	Yellow Colour = "\x1b[33m"
	Reset  Colour = "\x1b[0m"
)

// Text is a text that is being written.
type Text struct {
	strings.Builder
	// Coloured is true for a terminal that shows colours.
	Coloured bool
	// Wide is the width of the terminal in columns, 0 where there is none.
	Wide int
}

// Columns returns how wide the text is laid out: as wide as the terminal is, from Width to Widest.
func (t *Text) Columns() int { return min(max(t.Wide, Width), Widest) }

// Blank writes an empty line.
func (t *Text) Blank() { t.put("") }

// Address writes an address or a command on a line of its own after lead, without folding it: a folded one could not be copied. Its blanks
// stay as they are.
func (t *Text) Address(text, lead string) { t.put(lead + printable.Line(text)) }

func (t *Text) put(line string) { fmt.Fprintln(t, line) }

// Headline writes a painted word, and beside it the text, folded to the width that the word leaves.
func (t *Text) Headline(word string, colour Colour, text string) {
	lead := strings.Repeat(" ", len([]rune(word))+2)
	for i, line := range fold(text, t.Columns()-len(lead)) {
		if i == 0 {
			t.put(t.paint(word, colour) + "  " + line)
		} else {
			t.put(lead + line)
		}
	}
}

// Title writes a painted text, folded to the width.
func (t *Text) Title(text string, colour Colour) {
	for _, line := range fold(text, t.Columns()) {
		t.put(t.paint(line, colour))
	}
}

// Paragraph writes text folded to the width. Its first line stands after lead, the others are indented as far as lead is long.
func (t *Text) Paragraph(text, lead string) {
	for _, line := range fold(text, t.Columns()-len([]rune(lead))) {
		t.put(lead + line)
		lead = strings.Repeat(" ", len([]rune(lead)))
	}
}

// Group is rows of a table that stand together, indented below a title. Without a title they are not indented.
type Group struct {
	Title  string
	Colour Colour // of the title
	Rows   [][]string
}

// Table writes rows in columns. A column is as wide as its widest cell in any group, so the groups are aligned with each other.
func (t *Text) Table(header []string, groups ...Group) {
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
	indent := ""
	for _, group := range groups {
		if group.Title != "" {
			indent = "  "
		}
		for _, row := range group.Rows {
			cells := make([]string, len(row))
			for j, cell := range row {
				cells[j] = Plain(cell)
			}
			// The table is in memory. Append fails only for rows that it cannot convert to strings, and these are strings.
			_ = table.Append(cells)
		}
	}
	_ = table.Render()
	lines := strings.Split(out.String(), "\n")
	next := func() { // No cell has a line break, so each row is one line.
		t.put(strings.TrimRight(indent+strings.TrimPrefix(lines[0], "  "), " "))
		lines = lines[1:]
	}
	next() // the header
	for _, group := range groups {
		if group.Title != "" {
			t.Title(group.Title, group.Colour)
		}
		for range group.Rows {
			next()
		}
	}
}

func (t *Text) paint(word string, colour Colour) string {
	if !t.Coloured || colour == None {
		return word
	}
	return string(colour) + word + string(Reset)
}

// fold breaks text at blanks into lines of at most width characters. A word that is longer has a line of its own.
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

// breakAfter are the characters within a word after which a cell may be broken.
const breakAfter = ".-/_:,"

// Cell returns text as lines of at most width characters for a cell of a table. A word that is longer is broken, after a punctuation mark
// where it has one.
func Cell(text string, width int) (lines []string) {
	for _, line := range fold(text, width) {
		for rest := []rune(line); ; {
			if len(rest) <= width {
				lines = append(lines, string(rest))
				break
			}
			cut := width
			for i := width - 1; i > width/3; i-- {
				if strings.ContainsRune(breakAfter, rest[i]) {
					cut = i + 1
					break
				}
			}
			lines, rest = append(lines, string(rest[:cut])), rest[cut:]
		}
	}
	return lines
}

// Plain returns text on one line: blanks and line breaks between two words become one blank, and control characters, which a
// terminal would obey, are escaped.
func Plain(text string) string { return printable.Line(strings.Join(strings.Fields(text), " ")) }
