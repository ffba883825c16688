package sweep

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
)

// Format is one format in which a grid can be written.
type Format struct {
	// Name is the value of --format, and File the name of its file in the folder of the grid.
	Name, File string
	Write      func(io.Writer, *Report) error
}

// formats are all formats, in the order in which they are written into a folder.
var formats = []Format{
	{"json", "sweep.json", JSON},
	{"text", "sweep.txt", func(w io.Writer, s *Report) error { return Text(w, s, false) }},
	{"markdown", "sweep.md", Markdown},
	{"junit", "junit.xml", JUnit},
	{"html", "sweep.html", HTML},
}

// FormatNames returns the names of all formats, joined by ", ".
func FormatNames() string {
	var names []string
	for _, f := range formats {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

// Files returns the names of the files that Save writes.
func Files() (names []string) {
	for _, f := range formats {
		names = append(names, f.File)
	}
	return names
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

// JSON writes a grid in the form of docs/sweep.schema.json.
func JSON(w io.Writer, s *Report) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(s); err != nil {
		return fmt.Errorf("writing the grid as JSON: %w", err)
	}
	return nil
}

// Save writes a grid in all formats into a folder, and returns the names of the files that it wrote. Where a format cannot be written the
// others still are; the error joins one for each that failed.
func Save(folder string, s *Report) (written []string, err error) {
	var problems []error
	for _, f := range formats {
		if err := reports.WriteFile(filepath.Join(folder, f.File), func(w io.Writer) error { return f.Write(w, s) }); err != nil {
			problems = append(problems, fmt.Errorf("saving %s into %s: %w", f.File, folder, err))
			continue
		}
		written = append(written, f.File)
	}
	return written, errors.Join(problems...)
}

// IsFolder reports whether a folder is one into which Save wrote a grid.
func IsFolder(folder string) bool {
	_, err := os.Stat(filepath.Join(folder, formats[0].File))
	return err == nil
}
