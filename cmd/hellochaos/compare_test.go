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
	"github.com/hellochaos/hellochaos/stats"
)

// saved writes a report with two checks into a new folder.
func saved(t *testing.T, change func(*reports.Report)) string {
	t.Helper()
	check := func(name string, k int64) reports.Check {
		measured := float64(k) / 4000
		return reports.Check{Name: name, Kind: reports.Proportion, Unit: "share", Verdict: reports.Pass,
			After: &reports.Measurement{Band: stats.Interval{Lo: 0.2, Hi: 0.6}, K: k, N: 4000, Measured: &measured, Verdict: reports.Pass}}
	}
	r := &reports.Report{Schema: reports.SchemaVersion, Verdict: reports.Pass, Restored: reports.Restored, Target: reports.Target{Kind: "mesh"},
		Stages: []reports.Stage{{Name: "retry", Verdict: reports.Pass, Phases: []reports.Phase{{Name: "before", Observed: 1}, {Name: "after", Sent: 4000, Observed: 4000}},
			Checks: []reports.Check{check("edge fails", 1200), check("any hop fails", 2000)}}}}
	if change != nil {
		change(r)
	}
	folder := t.TempDir()
	if _, err := reports.Save(folder, r, ""); err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestCompareReports(t *testing.T) {
	good := saved(t, nil)
	more := saved(t, func(r *reports.Report) {
		r.Stages[0].Checks[0] = r.Stages[0].Checks[1]
		r.Stages[0].Checks[0].Name = "edge fails"
	})
	void := saved(t, func(r *reports.Report) { r.Stages[0].Phases[1].GeneratorLimited = true })
	other := saved(t, func(r *reports.Report) { r.Settings.Fail, r.Settings.Cascade, r.Settings.Seed = 0.5, "absorb", 3 })
	broken := filepath.Join(t.TempDir(), "broken.json")
	if err := os.WriteFile(broken, []byte(`{"schema": "1.2", `), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, args string
		code       int
		stdout     []string // stdout must contain all of these
		stderr     []string
	}{
		{"itself", good + " " + good, 0, []string{"SAME  NEW is the same as OLD in all 2 metrics"}, nil},
		{"its file", filepath.Join(good, reports.FileName) + " " + good, 0, []string{"SAME"}, nil},
		{"worse", good + " " + more, 1, []string{"WORSE  NEW is worse than OLD in 1 of 2 metrics; the first is \"edge fails\" of\n       stage retry, phase after", "+0.2"}, nil},
		{"better", more + " " + good, 0, []string{"BETTER  NEW is better than OLD"}, nil},
		{"unclear", good + " " + void, 3, []string{"UNCLEAR", "NEW: the load generator could not keep its schedule"}, nil},
		{"margin", good + " " + more + " --margin 0.5", 0, []string{"SAME"}, nil},
		{"all", good + " " + good + " --all", 0, []string{"edge fails", "any hop fails"}, nil},
		{"json", good + " " + more + " --format json", 1, []string{`"word": "worse"`, `"schema": "` + compare.SchemaVersion + `"`}, nil},
		{"other scenario", good + " " + other, 2, nil, []string{"not comparable", "fail probability: OLD 0, NEW 0.5\n", "cascade: OLD none, NEW absorb\n", "--force"}},
		{"by force", good + " " + other + " --force", 0, []string{"SAME", "! the scenarios differ, and are compared because of --force: fail", "OLD 0, NEW 0.5", "--force: cascade"}, nil},
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
