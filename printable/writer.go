package printable

import (
	"bytes"
	"io"
	"regexp"
	"strings"
	"sync"
)

// Writer passes on what is written to it, line by line, with every character that is obeyed escaped but line breaks and tabs, and with
// no line that a continuous integration system would take for a command. It is the last place before the terminal or the log: whatever
// a message was made of, its characters are shown. In JSON that was written to it an escaped character still means the same. It may be
// used by several goroutines.
type Writer struct {
	mutex sync.Mutex
	to    io.Writer
	line  []byte // what was written since the last line break
}

// NewWriter returns a Writer that passes on to another one. Flush must be called at the end.
func NewWriter(to io.Writer) *Writer { return &Writer{to: to} }

// Unwrap is the writer that lines are passed on to.
func (w *Writer) Unwrap() io.Writer { return w.to }

// Write passes on all lines that are complete, and keeps the rest; its error is that of the writer behind it.
func (w *Writer) Write(p []byte) (int, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	end := bytes.LastIndexByte(p, '\n') + 1
	if end == 0 {
		w.line = append(w.line, p...)
		return len(p), nil
	}
	lines := string(w.line) + string(p[:end])
	w.line = append(w.line[:0], p[end:]...)
	if err := w.pass(lines); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush passes on what was written after the last line break.
func (w *Writer) Flush() error {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	rest := string(w.line)
	w.line = nil
	if rest == "" {
		return nil
	}
	return w.pass(rest)
}

var (
	// leading is a command of GitHub's runner: "::error::", at the beginning of a line, blanks before it or not.
	leading = regexp.MustCompile(`^(\s*):(:.*::)`)
	// anywhere is one of GitHub's older commands, "##[error]", or one of Azure's, "##vso[task.setvariable]", which may stand anywhere.
	anywhere = regexp.MustCompile(`#(#(?:vso)?\[)`)
)

func (w *Writer) pass(lines string) error {
	var b strings.Builder
	for line := range strings.Lines(lines) {
		line = escape(line, "\n\t")
		line = leading.ReplaceAllString(line, `$1\u003a$2`)
		b.WriteString(anywhere.ReplaceAllString(line, `\u0023$1`))
	}
	_, err := io.WriteString(w.to, b.String())
	return err
}
