package reports

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// picture is one SVG of the HTML page: shapes and texts that are styled by class alone, so that the page's theme holds for
// them too. Lengths are CSS pixels.
type picture struct {
	// ID is the picture's own on its page. Title and Desc tell someone who does not see it what it shows, numbers and all.
	ID, Title, Desc string
	Width, Height   float64
	Marks           []mark
}

// mark is a text, or shapes of one class as a path.
type mark struct {
	Class string
	Path  string
	Text  string
	X, Y  float64
}

// The widths of one character, over the widest sans-serif in use (DejaVu Sans): texts are placed before their font is known.
const (
	character = 6.6 // at 11 px, the size of all texts in pictures
	lineOf    = 15.0
)

// textWidth is how wide a text may become.
func textWidth(s string) float64 { return character * float64(utf8.RuneCountInString(s)) }

// cut shortens a text to at most n characters; what is cut off is told beside the picture.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:max(0, n-1)]) + "…"
}

// px is a length as SVG has it.
func px(v float64) string {
	s := strconv.FormatFloat(v, 'f', 1, 64)
	return strings.TrimSuffix(s, ".0")
}

// draw adds shapes to the picture; neighbours of one class become one path.
func (p *picture) draw(class, path string) {
	if last := len(p.Marks) - 1; last >= 0 && p.Marks[last].Class == class && p.Marks[last].Text == "" {
		p.Marks[last].Path += path
		return
	}
	p.Marks = append(p.Marks, mark{Class: class, Path: path})
}

func (p *picture) line(class string, points ...float64) {
	var path strings.Builder
	for i := 0; i+1 < len(points); i += 2 {
		path.WriteString(map[bool]string{true: "M", false: "L"}[i == 0] + px(points[i]) + " " + px(points[i+1]))
	}
	p.draw(class, path.String())
}

func (p *picture) rectangle(class string, x, y, width, height float64) {
	p.draw(class, "M"+px(x)+" "+px(y)+"h"+px(width)+"v"+px(height)+"h"+px(-width)+"z")
}

func (p *picture) disc(class string, x, y, radius float64) {
	r, d := px(radius), px(2*radius)
	p.draw(class, "M"+px(x-radius)+" "+px(y)+"a"+r+" "+r+" 0 1 0 "+d+" 0a"+r+" "+r+" 0 1 0 -"+d+" 0z")
}

// bracket is a length between two points with an end stroke at each: an interval, or a time that no bar stands for.
func (p *picture) bracket(class string, from, to, y, half float64) {
	p.line(class, from, y-half, from, y+half)
	p.line(class, from, y, to, y)
	p.line(class, to, y-half, to, y+half)
}

// text writes with its baseline at y. The class says how it is anchored: "middle" and "end", and otherwise at its start.
func (p *picture) text(class string, x, y float64, s string) {
	p.Marks = append(p.Marks, mark{Class: class, X: x, Y: y, Text: s})
}
