package page

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Picture is one SVG of the HTML page: shapes and texts that are styled by class alone, so that the page's theme holds for
// them too. Lengths are CSS pixels.
type Picture struct {
	// ID is the picture's own on its page. Title and Desc tell someone who does not see it what it shows, numbers and all.
	ID, Title, Desc string
	Width, Height   float64
	Marks           []Mark
}

// Mark is a text, or shapes of one class as a path.
type Mark struct {
	Class string
	Path  string
	Text  string
	X, Y  float64
}

// Character is the width of one at 11 px, the size of all texts in pictures, over the widest sans-serif in use (DejaVu Sans): texts
// are placed before their font is known. LineHeight is from one line of text to the next.
const Character, LineHeight = 6.6, 15.0

// TextWidth is how wide a text may become.
func TextWidth(s string) float64 { return Character * float64(utf8.RuneCountInString(s)) }

// Cut shortens a text to at most n characters; what is cut off is told beside the picture.
func Cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:max(0, n-1)]) + "…"
}

// Pixels is a length as SVG has it.
func Pixels(v float64) string {
	s := strconv.FormatFloat(v, 'f', 1, 64)
	return strings.TrimSuffix(s, ".0")
}

// Draw adds shapes to the picture; neighbours of one class become one path.
func (p *Picture) Draw(class, path string) {
	if last := len(p.Marks) - 1; last >= 0 && p.Marks[last].Class == class && p.Marks[last].Text == "" {
		p.Marks[last].Path += path
		return
	}
	p.Marks = append(p.Marks, Mark{Class: class, Path: path})
}

func (p *Picture) Line(class string, points ...float64) {
	var path strings.Builder
	for i := 0; i+1 < len(points); i += 2 {
		path.WriteString(map[bool]string{true: "M", false: "L"}[i == 0] + Pixels(points[i]) + " " + Pixels(points[i+1]))
	}
	p.Draw(class, path.String())
}

func (p *Picture) Rectangle(class string, x, y, width, height float64) {
	p.Draw(class, "M"+Pixels(x)+" "+Pixels(y)+"h"+Pixels(width)+"v"+Pixels(height)+"h"+Pixels(-width)+"z")
}

func (p *Picture) Disc(class string, x, y, radius float64) {
	r, d := Pixels(radius), Pixels(2*radius)
	p.Draw(class, "M"+Pixels(x-radius)+" "+Pixels(y)+"a"+r+" "+r+" 0 1 0 "+d+" 0a"+r+" "+r+" 0 1 0 -"+d+" 0z")
}

// Bracket is a length between two points with an end stroke at each: an interval, or a time that no bar stands for.
func (p *Picture) Bracket(class string, from, to, y, half float64) {
	p.Line(class, from, y-half, from, y+half)
	p.Line(class, from, y, to, y)
	p.Line(class, to, y-half, to, y+half)
}

// Text writes with its baseline at y. The class says how it is anchored: "middle" and "end", and otherwise at its start.
func (p *Picture) Text(class string, x, y float64, s string) {
	p.Marks = append(p.Marks, Mark{Class: class, X: x, Y: y, Text: s})
}
