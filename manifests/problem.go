package manifests

import (
	"fmt"
	"strings"

	"github.com/hellochaos/hellochaos/printable"
)

// Problem is one thing that is wrong with a manifest.
type Problem struct {
	File   string
	Line   int    // 1 is the first; 0 when the whole file is meant
	Object string // "VirtualService middleware", or "document 2" when the object has no name
	Field  string // "spec.http[0].retries.retryOnn"; empty when the whole object is meant
	Text   string // says of the field what is wrong and what is accepted: "must be at least 0, not -1"
}

// Error is "file:line: object: field: text" on one line; parts that are not known are left out. Control characters and line breaks
// are escaped, since the author of a manifest chooses the names in it.
func (p Problem) Error() string {
	var b strings.Builder
	b.WriteString(printable.Line(p.File))
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	for _, part := range []string{p.Object, p.Field, p.Text} {
		if part != "" {
			b.WriteString(": " + printable.Line(part))
		}
	}
	return strings.TrimPrefix(b.String(), ": ")
}

// Problems are all problems that were found. Error has one line for each.
type Problems []Problem

func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].Error()
	}
	return strings.Join(lines, "\n")
}
