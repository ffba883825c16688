package compare

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Format is one format in which a comparison can be written.
type Format struct {
	Name  string // the value of --format
	Write func(io.Writer, *Comparison) error
}

var formats = []Format{
	{"text", func(w io.Writer, c *Comparison) error { return Text(w, c, false, false) }},
	{"json", JSON},
	{"markdown", Markdown},
	{"html", HTML},
	{"junit", JUnit},
	{"prometheus", Prometheus},
}

// FormatNames returns the names of all formats, joined by ", ", for the help of a flag.
func FormatNames() string {
	var names []string
	for _, f := range formats {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

// FormatNamed returns the format with a name. It returns false where no format has the name.
func FormatNamed(name string) (Format, bool) {
	for _, f := range formats {
		if f.Name == name {
			return f, true
		}
	}
	return Format{}, false
}

// JSON writes a comparison in the form of docs/comparison.schema.json.
func JSON(w io.Writer, c *Comparison) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(c); err != nil {
		return fmt.Errorf("writing the comparison as JSON: %w", err)
	}
	return nil
}
