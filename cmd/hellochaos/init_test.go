package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What init writes of manifests is run as it is; what is there is left as it is.
func TestInit(t *testing.T) {
	folder := shop(t)
	file := filepath.Join(t.TempDir(), "mine.yaml")
	got := usage(t, "init", "-f", folder, file)
	if got.code != 0 || got.stderr != "" || !strings.HasPrefix(got.stdout, file+": ") || !strings.HasSuffix(got.stdout, "(FILL IN), or run it as it is: hellochaos run "+file+"\n") {
		t.Fatalf("%+v", got)
	}
	report := measure(t, 0, "run", file)
	if p := report.Phases[len(report.Phases)-1]; len(report.Phases) != 1 || p.Name != "rules" || len(p.Calls) < 2 {
		t.Errorf("%d phases, %+v", len(report.Phases), p)
	}
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	again := usage(t, "init", file)
	if after, _ := os.ReadFile(file); again.code != 2 || string(after) != string(before) || !strings.Contains(again.stderr, file+": is there already") {
		t.Errorf("%+v", again)
	}
}

// The example is written without manifests; with - nothing is written but standard output.
func TestInitExample(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a", "example.yaml")
	for args, want := range map[string]string{
		"init " + file:                      "there is no folder",
		"init -f - a.yaml":                  "-f -: a scenario file names the files",
		"init x.txt":                        "x.txt: must be a file whose name ends in .yaml or .yml",
		"init -f /nowhere.yaml x.txt":       "/nowhere.yaml: no such file",
		"init a.yaml b.yaml":                "accepts at most 1 arg",
		"init --filname x " + file + "yaml": `unknown flag: --filname (did you mean "--filename"?)`,
	} {
		if got := usage(t, strings.Fields(args)...); got.code != 2 || got.stdout != "" || !strings.Contains(got.stderr, want) {
			t.Errorf("%s: %+v, want %q", args, got, want)
		}
	}
	if err := os.Mkdir(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	written, printed := usage(t, "init", file), usage(t, "init", "-")
	text, err := os.ReadFile(file)
	if err != nil || written.code != 0 || printed.code != 0 || printed.stdout != string(text) || !strings.Contains(written.stdout, ": example, 1 phase after prod") {
		t.Errorf("%+v, %v", written, err)
	}
}
