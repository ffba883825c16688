package reports

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var reportFile = flag.String("report", filepath.Join("testdata", "html", "report.json"), "the report whose page is looked at")

// realReport is one of a run of all stages.
func realReport(t testing.TB) *Report {
	t.Helper()
	data, err := os.ReadFile(*reportFile)
	if err != nil {
		t.Fatal(err)
	}
	var r Report
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	return &r
}
