package page

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hellochaos/hellochaos/printable"
)

// Picture is a picture in SVG: shapes and texts that are styled by class alone, so that they follow the theme of the page. Lengths are
// CSS pixels.
type Picture struct {
	// ID must be unique on the page. Title and Desc describe the picture, with its numbers, to readers who do not see it.
	ID, Title, Desc string
	Width, Height   float64
	Marks           []Mark
}

// Mark is a text, or a path with shapes of one class.
type Mark struct {
	Class string
	Path  string
	Text  string
	X, Y  float64
}

// Character is the width of a character at 11 px, the size of all texts in pictures. Texts are placed before their font is known, so it is
// more than the width in DejaVu Sans, the widest sans-serif font in common use. LineHeight is the distance between two lines of text.
const Character, LineHeight = 6.6, 15.0

// TextWidth returns the largest width that a text may have.
func TextWidth(s string) float64 {
	return Character * float64(utf8.RuneCountInString(printable.Line(s)))
}

// Cut shortens a text to at most n characters, of which those that are obeyed are escaped, as Write does it. The whole text must be
// elsewhere on the page.
func Cut(s string, n int) string {
	s = printable.Line(s)
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:max(0, n-1)]) + "…"
}

// Pixels returns a length as SVG writes it, with at most one decimal.
func Pixels(v float64) string {
	s := strconv.FormatFloat(v, 'f', 1, 64)
	return strings.TrimSuffix(s, ".0")
}

// Draw adds shapes to the picture. Shapes of one class that are drawn one after the other become one path.
func (p *Picture) Draw(class, path string) {
	if last := len(p.Marks) - 1; last >= 0 && p.Marks[last].Class == class && p.Marks[last].Text == "" {
		p.Marks[last].Path += path
		return
	}
	p.Marks = append(p.Marks, Mark{Class: class, Path: path})
}

// Line draws a line through points, which are pairs of x and y.
func (p *Picture) Line(class string, points ...float64) {
	var path strings.Builder
	for i := 0; i+1 < len(points); i += 2 {
		path.WriteString(map[bool]string{true: "M", false: "L"}[i == 0] + Pixels(points[i]) + " " + Pixels(points[i+1]))
	}
	p.Draw(class, path.String())
}

// Rectangle draws a rectangle whose left upper corner is at x and y.
func (p *Picture) Rectangle(class string, x, y, width, height float64) {
	p.Draw(class, "M"+Pixels(x)+" "+Pixels(y)+"h"+Pixels(width)+"v"+Pixels(height)+"h"+Pixels(-width)+"z")
}

// Disc draws a disc around x and y.
func (p *Picture) Disc(class string, x, y, radius float64) {
	r, d := Pixels(radius), Pixels(2*radius)
	p.Draw(class, "M"+Pixels(x-radius)+" "+Pixels(y)+"a"+r+" "+r+" 0 1 0 "+d+" 0a"+r+" "+r+" 0 1 0 -"+d+" 0z")
}

// Bracket draws a line from from to to with a stroke at each end: an interval, or a time that has no bar.
func (p *Picture) Bracket(class string, from, to, y, half float64) {
	p.Line(class, from, y-half, from, y+half)
	p.Line(class, from, y, to, y)
	p.Line(class, to, y-half, to, y+half)
}

// Text writes a text with its baseline at y. x is the middle or the end of the text where the class contains "middle" or "end", and
// otherwise its start.
func (p *Picture) Text(class string, x, y float64, s string) {
	p.Marks = append(p.Marks, Mark{Class: class, X: x, Y: y, Text: s})
}
