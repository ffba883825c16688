package render

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
)

// Format is one format in which a report can be written.
type Format struct {
	// Name is the value of --format. File is the name of its file in a run's folder.
	Name, File string
	Write      func(io.Writer, *reports.Report) error
}

// formats are all formats, in the order in which they are written into a folder. JSON is first: from it all others can be written
// again if writing one of them fails.
var formats = []Format{
	{"json", reports.FileName, reports.JSON},
	{"text", "report.txt", func(w io.Writer, r *reports.Report) error { return Text(w, r, TextOptions{}) }},
	{"markdown", "report.md", Markdown},
	{"junit", "junit.xml", JUnit},
	{"html", "report.html", HTML},
	{"prometheus", "metrics.prom", Prometheus},
	{"benchmark", "benchmark.txt", Benchmark},
}

// FormatNames returns the names of all formats, joined by ", ", for the help and the errors of a flag.
func FormatNames() string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.Name
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

// Save writes a report in all formats into a folder and returns the names of the files that it wrote. A file with the same name is
// replaced only when the new one is complete. Where a format cannot be written the others still are; the error joins one for each
// that failed. The file keep, from which the report was read, is not written; keep is "" where there is none.
func Save(folder string, r *reports.Report, keep string) (written []string, err error) {
	var problems []error
	for _, f := range formats {
		if same(filepath.Join(folder, f.File), keep) {
			continue
		}
		if err := reports.WriteFile(filepath.Join(folder, f.File), func(w io.Writer) error { return f.Write(w, r) }); err != nil {
			problems = append(problems, fmt.Errorf("saving %s into %s: %w", f.File, folder, err))
			continue
		}
		written = append(written, f.File)
	}
	return written, errors.Join(problems...)
}

// CanWrite returns nil where Save can write into a folder, and else the reason.
func CanWrite(folder string) error {
	var names []string
	for _, f := range formats {
		names = append(names, f.File)
	}
	return reports.CanWrite(folder, names)
}

// same reports whether two paths lead to the same existing file.
func same(a, b string) bool {
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	other, err := os.Stat(b)
	return err == nil && os.SameFile(one, other)
}
