package render

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/reporttest"
)

// namesIn are the names of a folder's files.
func namesIn(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// allFiles are the files of all formats, in the order of a folder.
func allFiles() []string {
	var names []string
	for _, f := range formats {
		names = append(names, f.File)
	}
	slices.Sort(names)
	return names
}

// Saving writes each format as its renderer does, replaces what there was as a whole, and touches nothing else.
func TestSave(t *testing.T) {
	folder := t.TempDir()
	mine := filepath.Join(folder, "mine.txt")
	if err := os.WriteFile(mine, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		written, err := Save(folder, reporttest.Retry(), "")
		if err != nil || len(written) != len(formats) || written[0] != reports.FileName {
			t.Fatalf("wrote %v (%v), want %s first and all formats", written, err, reports.FileName)
		}
	}
	for _, f := range formats {
		var want bytes.Buffer
		if err := f.Write(&want, reporttest.Retry()); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(folder, f.File)); err != nil || !bytes.Equal(got, want.Bytes()) || len(got) == 0 {
			t.Errorf("%s (%v) is not what the format writes:\n%s", f.File, err, got)
		}
	}
	if got, want := namesIn(t, folder), append(allFiles(), "mine.txt"); len(got) != len(want) {
		t.Errorf("the folder holds %v, want %v", got, want)
	}
	if kept, err := os.ReadFile(mine); string(kept) != "mine" {
		t.Errorf("another file now holds %q (%v)", kept, err)
	}
	if _, err := Save(filepath.Join(folder, "none"), reporttest.Retry(), ""); err == nil {
		t.Error("saving into a folder that is not there succeeds")
	}
}

// A format that fails takes nothing from the others, and leaves the file that was there before.
func TestSaveWithoutOne(t *testing.T) {
	broken := Format{"broken", "broken.txt", func(w io.Writer, _ *reports.Report) error {
		_, _ = io.WriteString(w, "half of it")
		return errors.New("no ink")
	}}
	old := formats
	formats = append([]Format{broken}, old...)
	t.Cleanup(func() { formats = old })
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "broken.txt"), []byte("before"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Save(folder, reporttest.Retry(), "")
	if err == nil || !strings.Contains(err.Error(), "broken.txt") || !strings.Contains(err.Error(), "no ink") {
		t.Errorf("error %v, want one that names broken.txt and why", err)
	}
	if got, want := namesIn(t, folder), allFiles(); !slices.Equal(got, want) {
		t.Errorf("the folder holds %v, want %v", got, want)
	}
	if kept, _ := os.ReadFile(filepath.Join(folder, "broken.txt")); string(kept) != "before" {
		t.Errorf("the earlier file now holds %q", kept)
	}
}

// The file that a report was read from is not written, by whichever path it was named.
func TestSaveKeepsItsSource(t *testing.T) {
	folder := t.TempDir()
	source := filepath.Join(folder, reports.FileName)
	if err := os.WriteFile(source, []byte("source"), 0o644); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link.json")
	if err := os.Symlink(source, link); err != nil {
		t.Fatal(err)
	}
	written, err := Save(folder, reporttest.Retry(), link)
	if kept, _ := os.ReadFile(source); err != nil || string(kept) != "source" || slices.Contains(written, reports.FileName) || len(written) != len(formats)-1 {
		t.Errorf("wrote %v (%v), and the source holds %q", written, err, kept)
	}
}

// The report itself must be there whatever befalls another format.
func TestJSONIsFirst(t *testing.T) {
	if f := formats[0]; f.Name != "json" || f.File != reports.FileName {
		t.Errorf("the first format is %s, want json", f.Name)
	}
	seen := map[string]bool{}
	for _, f := range formats {
		if seen[f.Name] || seen[f.File] {
			t.Errorf("%s or %s is there twice", f.Name, f.File)
		}
		seen[f.Name], seen[f.File] = true, true
		if got, ok := FormatNamed(f.Name); !ok || got.File != f.File {
			t.Errorf("FormatNamed(%s) is %v, %v", f.Name, got.File, ok)
		}
	}
	if _, ok := FormatNamed("xml"); ok {
		t.Error("there is a format xml")
	}
}

// A report that was saved and read is the same, and so is all that is written of it.
func TestRoundTrip(t *testing.T) {
	for _, r := range reporttest.Named() {
		var once bytes.Buffer
		if err := reports.JSON(&once, r); err != nil {
			t.Fatal(err)
		}
		back, err := reports.Read(bytes.NewReader(once.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range formats {
			var want, got bytes.Buffer
			if err := errors.Join(f.Write(&want, r), f.Write(&got, back)); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(want.Bytes(), got.Bytes()) {
				t.Errorf("%s of a report that was read differs:\n%s\nwant:\n%s", f.Name, got.Bytes(), want.Bytes())
			}
		}
		if !json.Valid(once.Bytes()) {
			t.Error("not JSON")
		}
	}
}
