package main

import (
	"io"
	"strings"

	layout "github.com/hellochaos/hellochaos/reports/terminal"
)

// folded writes messages to a terminal, folded for people. Each Write has whole lines, as a printable.Writer writes them.
type folded struct{ to io.Writer }

// messages returns the writer for messages: one that folds them where w is a terminal. In a file or in the log of a CI job each message
// stays on one line, for which programs can search.
func messages(w io.Writer) io.Writer {
	if terminal(w) == nil {
		return w
	}
	return folded{w}
}

// Write writes lines, each folded.
func (f folded) Write(p []byte) (int, error) {
	var b strings.Builder
	for line := range strings.Lines(string(p)) {
		text, ended := strings.CutSuffix(line, "\n")
		b.WriteString(strings.Join(layout.Message(text), "\n"))
		if ended {
			b.WriteByte('\n')
		}
	}
	if _, err := io.WriteString(f.to, b.String()); err != nil {
		return 0, err
	}
	return len(p), nil
}
