package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/hellochaos/hellochaos/printable"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios"
)

// progressLine is one line on a terminal that is written anew at most ten times a second; on anything else it is nothing.
type progressLine struct {
	terminal *os.File
	last     time.Time
}

func newProgressLine(w io.Writer, off bool) *progressLine {
	if off {
		return &progressLine{}
	}
	return &progressLine{terminal: terminal(w)}
}

// eraseLine goes to the line's beginning and clears it.
const eraseLine = "\r\x1b[K"

func (l *progressLine) show(p scenarios.Progress) {
	if l.terminal == nil || time.Since(l.last) < 100*time.Millisecond {
		return
	}
	text := fmt.Sprintf("%s %s %d/%d", p.Stage, p.Phase, p.Done, p.Planned)
	if m := p.Estimate; m.Measured != nil {
		share := reports.Probability
		text += fmt.Sprintf("  %s %s [%s, %s] predicted %s", p.Check, share(*m.Measured), share(m.Interval.Lo), share(m.Interval.Hi), share(m.Predicted))
	}
	l.print(text)
}

// print writes the line anew.
func (l *progressLine) print(text string) {
	if l.terminal == nil {
		return
	}
	l.last = time.Now()
	width, _, err := term.GetSize(int(l.terminal.Fd()))
	if err != nil || width <= 1 {
		width = 80
	}
	if shown := []rune(printable.Line(text)); len(shown) >= width {
		text = string(shown[:width-1])
	} else {
		text = string(shown)
	}
	fmt.Fprint(l.terminal, eraseLine+text)
}

func (l *progressLine) clear() {
	if l.terminal != nil && !l.last.IsZero() {
		fmt.Fprint(l.terminal, eraseLine)
	}
}

// painted is the terminal that w leads to, if it wants colours (see no-color.org), else w: and whether it does. What is written
// to the terminal directly, as colours are, is not escaped.
func painted(w io.Writer, noColour bool) (io.Writer, bool) {
	to := terminal(w)
	if to == nil || noColour || os.Getenv("NO_COLOR") != "" {
		return w, false
	}
	return to, true
}
