package reports

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Format is one way to write a report.
type Format struct {
	// Name is what --format calls it, File its name in a run's folder.
	Name, File string
	Write      func(io.Writer, *Report) error
}

// formats are all of them, in the order in which they are written into a folder. The report itself is first: whatever
// befalls another format, it can be rendered anew.
var formats = []Format{
	{"json", FileName, JSON},
	{"text", "report.txt", func(w io.Writer, r *Report) error { return Text(w, r, false) }},
	{"markdown", "report.md", Markdown},
	{"junit", "junit.xml", JUnit},
	{"html", "report.html", HTML},
	{"prometheus", "metrics.prom", Prometheus},
	{"benchmark", "benchmark.txt", Benchmark},
}

// FormatNames are the names of all formats, as a flag's help and its errors have them.
func FormatNames() string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.Name
	}
	return strings.Join(names, ", ")
}

// FormatNamed returns the format of a name, and whether there is one.
func FormatNamed(name string) (Format, bool) {
	for _, f := range formats {
		if f.Name == name {
			return f, true
		}
	}
	return Format{}, false
}

// Save writes a report in all formats into a folder, each file at once or not at all: an earlier one stays whole until the
// new one is. A format that cannot be written keeps none of the others from it; the error has all of them. The file that is
// the same as keep, which the report was read from, is left as it is; "" is none. It returns the files written.
func Save(folder string, r *Report, keep string) (written []string, err error) {
	var problems []error
	for _, f := range formats {
		if same(filepath.Join(folder, f.File), keep) {
			continue
		}
		if err := WriteFile(filepath.Join(folder, f.File), func(w io.Writer) error { return f.Write(w, r) }); err != nil {
			problems = append(problems, fmt.Errorf("saving %s into %s: %w", f.File, folder, err))
			continue
		}
		written = append(written, f.File)
	}
	return written, errors.Join(problems...)
}

// CanWrite returns why Save could not write into a folder, nil where it could: the folder is on a read-only file system, is
// another user's, or has a folder in the place of one of a report's files.
func CanWrite(folder string) error {
	probe, err := os.CreateTemp(folder, FileName+".*")
	if err != nil {
		return fmt.Errorf("no file can be written into the folder: %w", cause(err))
	}
	problems := []error{probe.Close(), os.Remove(probe.Name())}
	for _, f := range formats {
		if info, err := os.Stat(filepath.Join(folder, f.File)); err == nil && info.IsDir() {
			problems = append(problems, fmt.Errorf("%s in the folder is itself a folder, so that the report cannot be written there", f.File))
		}
	}
	return errors.Join(problems...)
}

// same says whether two paths lead to one file that is there.
func same(a, b string) bool {
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	other, err := os.Stat(b)
	return err == nil && os.SameFile(one, other)
}

// WriteFile writes a file beside its place, and moves it there when it is whole.
func WriteFile(path string, write func(io.Writer) error) error {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // gone already when all went well
	err = errors.Join(write(file), file.Chmod(0o644), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	return err
}
