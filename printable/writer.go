package printable

import (
	"bytes"
	"io"
	"regexp"
	"strings"
	"sync"
)

// Writer writes text to another writer line by line. It escapes every character that is obeyed, except line breaks and tabs, and changes
// lines that a continuous integration system would read as commands. It is the last step before the terminal or the log, so no message
// needs to be escaped before. JSON keeps its meaning. Several goroutines may use a Writer.
type Writer struct {
	mutex sync.Mutex
	to    io.Writer
	line  []byte // the text since the last line break
}

// NewWriter returns a Writer that writes to another writer. The caller must call Flush at the end.
func NewWriter(to io.Writer) *Writer { return &Writer{to: to} }

// Unwrap returns the writer to which lines are written.
func (w *Writer) Unwrap() io.Writer { return w.to }

// Write writes all complete lines to the other writer, and keeps the rest. The error is that of the other writer.
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

// Flush writes the text after the last line break to the other writer.
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
	// leading matches a command of GitHub's runner, "::error::", which must be at the beginning of a line, after any blanks.
	leading = regexp.MustCompile(`^(\s*):(:.*::)`)
	// anywhere matches one of GitHub's older commands, "##[error]", or one of Azure's, "##vso[task.setvariable]", anywhere in a line.
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
