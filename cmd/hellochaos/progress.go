package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/hellochaos/hellochaos/printable"
	scenario "github.com/hellochaos/hellochaos/scenarios/run"
)

// progressLine is one line on a terminal that is rewritten at most ten times a second. It prints nothing where there is no
// terminal.
type progressLine struct {
	terminal *os.File
	last     time.Time
	// point says which point of a grid is run; empty for a single run.
	point string
}

func newProgressLine(w io.Writer, off bool) *progressLine {
	if off {
		return &progressLine{}
	}
	return &progressLine{terminal: terminal(w)}
}

// eraseLine moves the cursor to the beginning of the line and clears the line.
const eraseLine = "\r\x1b[K"

// handle shows how far a run has come.
func (l *progressLine) handle(e scenario.Event) {
	if c, ok := e.(scenario.ChangeBegan); ok {
		l.print(c.Change.Title() + ": applied while requests are sent")
		return
	}
	p, ok := e.(scenario.Progress)
	if !ok || l.terminal == nil || time.Since(l.last) < 100*time.Millisecond {
		return
	}
	text := fmt.Sprintf("%s%s: %d/%d requests", l.point, p.Phase.Name, p.Done, p.Phase.Planned)
	if p.Tally.Wrong > 0 {
		text += fmt.Sprintf("; %d met something else than the manifests say", p.Tally.Wrong)
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

// columns returns how wide the terminal is to which w writes; 0 where w writes to none, or where its width is not known.
func columns(w io.Writer) int {
	to := terminal(w)
	if to == nil {
		return 0
	}
	width, _, err := term.GetSize(int(to.Fd()))
	if err != nil {
		return 0
	}
	return width
}
