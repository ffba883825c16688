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

// progressLine is one line on a terminal that is rewritten at most ten times a second. It prints nothing where there is no
// terminal.
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

// eraseLine moves the cursor to the beginning of the line and clears the line.
const eraseLine = "\r\x1b[K"

func (l *progressLine) show(p scenarios.Progress) {
	if l.terminal == nil || time.Since(l.last) < 100*time.Millisecond {
		return
	}
	text := fmt.Sprintf("%s %s: %d/%d requests", p.Stage, p.Phase, p.Done, p.Planned)
	if m := p.Estimate; m.Measured != nil {
		share := reports.Probability
		text += fmt.Sprintf("; %s %s [%s, %s], predicted %s", p.Check, share(*m.Measured), share(m.Interval.Lo), share(m.Interval.Hi), share(m.Predicted))
	}
	l.print(text)
}

// print replaces the text of the line.
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

// painted returns the terminal to which w writes, and true, if colours may be printed there (see no-color.org); otherwise it
// returns w and false. Text with colours goes to the terminal directly, because w would escape the codes of the colours.
func painted(w io.Writer, noColour bool) (io.Writer, bool) {
	to := terminal(w)
	if to == nil || noColour || os.Getenv("NO_COLOR") != "" {
		return w, false
	}
	return to, true
}
