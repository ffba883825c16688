package reports_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/reporttest"
)

func everythingAsJSON(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := reports.JSON(&out, reporttest.Everything()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// FuzzRead holds Read to its promise: a report or an error, and whatever it accepts, of today's form or of an older one, can be written
// and read again as the same. Package render does the same with all formats.
func FuzzRead(f *testing.F) {
	seeds, err := filepath.Glob(filepath.Join("testdata", "*.json"))
	if err != nil || len(seeds) == 0 {
		f.Fatalf("no reports in testdata (%v)", err)
	}
	for _, seed := range seeds {
		data, err := os.ReadFile(seed)
		if err != nil {
			f.Fatal(err)
		}
		for _, edits := range []string{"", "40 \"retry\"\n41 -1", "17 1e15\n99 null"} {
			f.Add(data, edits)
		}
	}
	full := everythingAsJSON(f)
	for _, edits := range []string{"", "1 \"2.3\"", "17 -1\n99 null", "30 \"\\u001b[31m\\n|<`\"", "200 1e15", "120 []\n121 {}", "77 \"verdict\"", "300 \"\"", "1 \"1.2\""} {
		f.Add(full, edits)
	}
	f.Fuzz(func(t *testing.T, data []byte, edits string) {
		if len(data) > 1<<16 || strings.Count(edits, "\n") > 10 {
			return
		}
		r, err := reports.Read(bytes.NewReader(reporttest.Edited(data, edits)))
		if err != nil {
			if r != nil || len(err.Error()) > 8000 {
				t.Fatalf("report %v with an error of %d bytes", r, len(err.Error()))
			}
			return
		}
		if r.Schema != reports.SchemaVersion {
			t.Fatalf("schema %s", r.Schema)
		}
		var first, again bytes.Buffer
		if err := reports.JSON(&first, r); err != nil {
			t.Fatal(err)
		}
		back, err := reports.Read(bytes.NewReader(first.Bytes()))
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if err := reports.JSON(&again, back); err != nil || again.String() != first.String() {
			t.Fatalf("what was written, read and written again (%v) differs", err)
		}
		for i := range r.Phases {
			r.Phases[i].Checks() // whatever was read, no fact that is derived from it fails
			r.Phases[i].Coverage()
			for j := range r.Phases[i].Calls {
				r.Before(i, &r.Phases[i].Calls[j])
			}
		}
		r.Services()
		r.ExitCode()
	})
}
