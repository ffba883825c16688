//go:build conformance

package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
)

// subsetFiles are the files with the DestinationRules of all Services of a folder.
var subsetFiles = []string{"destinationrules.yaml", "destination-rule-all.yaml"}

// TestSamplesTable verifies each file in the folder that SAMPLES names, and prints the tables of docs/samples.md: the file, its objects, what
// verify says of it.
func TestSamplesTable(t *testing.T) {
	folder := os.Getenv("SAMPLES")
	var table strings.Builder
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".yaml" {
			name, _ := filepath.Rel(folder, path)
			table.WriteString(sampleRow(t, path, name))
		}
		return err
	})
	if err != nil || table.Len() == 0 {
		t.Fatalf("SAMPLES is %q, and must be a folder with YAML files: %v", folder, err)
	}
	fmt.Print("| file | objects | `verify --seed 1` |\n| --- | --- | --- |\n" + table.String())
}

// sampleRow is the line of a file. A file without DestinationRules is verified with the one of its folder that has them.
func sampleRow(t *testing.T, path, name string) string {
	others, err := manifests.LoadOthers([]string{path}, nil)
	if err != nil {
		return fmt.Sprintf("| %s | – | refused: %s |\n", name, strings.ReplaceAll(err.Error(), "\n", "<br>"))
	}
	kinds := make(map[string]int)
	for i := range others.Objects {
		kinds[others.Objects[i].Kind]++
	}
	var objects []string
	for kind, n := range kinds {
		objects = append(objects, fmt.Sprintf("%d %s", n, kind))
	}
	slices.Sort(objects)
	args, beside := []string{"verify", "--seed", "1", "--format", "json", "-f", path}, ""
	for _, file := range subsetFiles {
		beyond := filepath.Join(filepath.Dir(path), file)
		if _, err := os.Stat(beyond); err == nil && kinds["DestinationRule"] == 0 {
			args, beside = append(args, "-f", beyond), ", with "+file
		}
	}
	return fmt.Sprintf("| %s | %s | %s%s |\n", name, cmp.Or(strings.Join(objects, ", "), "none of Istio"), sampleVerified(execute(t, args...)), beside)
}

// sampleVerified says what became of a file: the verdict with the findings of severity error, or why there is none.
func sampleVerified(got ended) string {
	var report struct {
		Verdict, Summary string
		Findings         []struct{ ID, Severity string }
		Phases           []struct {
			Sent int `json:"sent_requests"`
		}
	}
	if err := json.Unmarshal([]byte(got.stdout), &report); err != nil {
		message, _, _ := strings.Cut(strings.TrimPrefix(got.stderr, "hellochaos: verify:\n"), "nothing was started")
		_, message, _ = strings.Cut(strings.Join(strings.Fields(message), " "), ": ")
		message, _, _ = strings.Cut(message, ":")
		return fmt.Sprintf("exit %d: %s", got.code, message)
	}
	sent := 0
	for _, p := range report.Phases {
		sent += p.Sent
	}
	text := fmt.Sprintf("%s, %d requests", strings.ToUpper(report.Verdict), sent)
	for _, f := range report.Findings {
		if f.Severity == "error" {
			text += ", " + f.ID
		}
	}
	return text
}
