package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/compare"
	"github.com/hellochaos/hellochaos/reports/render"
	"github.com/hellochaos/hellochaos/reports/reporttest"
)

// saved writes a report of two phases into a new folder.
func saved(t *testing.T, change func(*reports.Report)) string {
	t.Helper()
	r := reporttest.Retry()
	if change != nil {
		change(r)
	}
	folder := t.TempDir()
	if _, err := render.Save(folder, r, ""); err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestCompareReports(t *testing.T) {
	good := saved(t, nil)
	more := saved(t, func(r *reports.Report) { // two requests fail at the edge that did not
		r.Phases[1].Outcomes[2] |= 3
		r.Phases[1].Outcomes[4] |= 3
	})
	void := saved(t, func(r *reports.Report) { r.Phases[1].Undecided = "pods were replaced" })
	seed := saved(t, func(r *reports.Report) { r.Settings.Seed = 3 })
	other := saved(t, func(r *reports.Report) { r.Settings.Fail, r.Settings.Cascade = 0.3, "propagate" })
	old := filepath.Join("..", "..", "reports", "testdata", "retry.json")
	broken := filepath.Join(t.TempDir(), "broken.json")
	if err := os.WriteFile(broken, []byte(`{"schema": "2.0", `), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, args string
		code       int
		stdout     []string // stdout must contain all of these
		stderr     []string
	}{
		{"itself", good + " " + good, 0, []string{"SAME  NEW is the same as OLD in all ", "Both sent the same requests: 1,000 of them were compared one by one."}, nil},
		{"its file", filepath.Join(good, reports.FileName) + " " + good, 0, []string{"SAME"}, nil},
		{"worse", good + " " + more, 1, []string{"WORSE  NEW is worse than OLD in 1 of ", "2 of 500 requests met something else, first\n    7/retry/2, 7/retry/4"}, nil},
		{"better", more + " " + good, 0, []string{"BETTER  NEW is better than OLD"}, nil},
		{"unclear", good + " " + void, 3, []string{"UNCLEAR", "NEW: pods were replaced"}, nil},
		{"another seed", good + " " + seed, 0, []string{"SAME", "requests were not compared one by one: the runs have different seeds"}, nil},
		{"schema 1", old + " " + old, 0, []string{"SAME", "a report of schema 1 does not have"}, nil},
		{"all", good + " " + good + " --all", 0, []string{"edge fails", "any of ours fails", "branches met"}, nil},
		{"json", good + " " + more + " --format json", 1, []string{`"word": "worse"`, `"schema": "` + compare.SchemaVersion + `"`}, nil},
		{"other scenario", good + " " + other, 2, nil, []string{"not comparable", "fail probability: OLD 0.5, NEW 0.3\n", "cascade: OLD absorb, NEW propagate\n", "--force"}},
		{"by force", good + " " + other + " --force", 0, []string{"SAME", "! the scenarios differ, and are compared because of --force: fail", "OLD 0.5, NEW 0.3", "--force: cascade"}, nil},
		{"one", good, 2, nil, []string{"name two reports, OLD and NEW"}},
		{"all that is wrong", good + " nowhere --format xml --margin 2 --latency-margin slow", 2, nil,
			[]string{"nowhere", "--format xml: must be one of text, json, markdown, html, junit, prometheus", "--margin 2: must be", "--latency-margin slow: must be"}},
		{"broken", good + " " + broken, 2, nil, []string{broken}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := usage(t, append([]string{"compare-reports"}, strings.Fields(test.args)...)...)
			if got.code != test.code || test.stdout == nil && got.stdout != "" {
				t.Errorf("exit %d, want %d:\n%s%s", got.code, test.code, got.stdout, got.stderr)
			}
			for _, want := range test.stdout {
				if !strings.Contains(got.stdout, want) {
					t.Errorf("stdout lacks %q:\n%s", want, got.stdout)
				}
			}
			for _, want := range test.stderr {
				if !strings.Contains(got.stderr, want) {
					t.Errorf("stderr lacks %q:\n%s", want, got.stderr)
				}
			}
		})
	}
}

// compare is an alias of compare-reports, and reads one of the two reports from standard input, which - names.
func TestCompareStandardInput(t *testing.T) {
	good := saved(t, nil)
	data, err := os.ReadFile(filepath.Join(good, reports.FileName))
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"compare", "-", good}, {"compare-reports", good, "-"}} {
		cmd := exec.CommandContext(t.Context(), program, args...)
		cmd.Stdin = bytes.NewReader(data)
		out, err := cmd.CombinedOutput()
		if err != nil || !bytes.HasPrefix(out, []byte("SAME  ")) || !bytes.Contains(out, []byte(" standard input: pass")) {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
}
