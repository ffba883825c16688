package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/target/mesh"
)

// usage runs the program in this process: nothing is started when the command line is wrong.
func usage(t *testing.T, args ...string) ended {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), args, &stdout, &stderr)
	return ended{stdout.String(), stderr.String(), code}
}

func TestUsage(t *testing.T) {
	empty := t.TempDir()
	for _, c := range []struct {
		name, args string
		want       []string // all of them, on stderr
	}{
		{"nothing", "", []string{"no command given", "run", "up", "list", "manifests", "version"}},
		{"no such command", "rum", []string{`no command "rum"`, "run"}},
		{"no such flag", "run retry --fial 0.5", []string{"unknown flag: --fial"}},
		{"no such flag among others", "run retry --fial 0.5 --rate -3 --hagn=1", []string{"unknown flag: --fial\n", "unknown flag: --hagn=1\n", "--rate -3"}},
		{"no stage", "run", []string{"no stage given", "egress, prod, retry, ingress, canary"}},
		{"no such stage", "run retyr ingres", []string{"no stage retyr, ingres", "egress, prod, retry, ingress, canary"}},
		{"all beside others", "run all retry", []string{"no stage all"}},
		{"three at once", "run retry --fail 1.5 --rate -3 --cascade maybe",
			[]string{"--fail 1.5: must be a probability from 0 to 1", "--rate -3", "--cascade maybe: must be absorb or propagate"}},
		{"not numbers", "run retry --fail x --hang NaN --seed -1 --canary-weight 20.5 --tolerance 0",
			[]string{"--fail x", "--hang NaN", "--seed -1", "--canary-weight 20.5", "--tolerance 0"}},
		{"stage and flags", "run retyr --format xml --break no-retry",
			[]string{"no stage retyr", "--format xml: must be one of json, text, markdown, junit, html, prometheus, benchmark", "--break no-retry: must be one of", "no-retries"}},
		{"a deviation that the stage does not show", "run egress --break split-70-30", []string{"--break split-70-30: shows on stage prod"}},
		{"a deviation of no stage, misspelt", "run egress --break slow-backends", []string{"--break slow-backends: must be one of", "slow-backend"}},
		{"no folder given", "run egress --out=", []string{`--out "": must name a folder`}},
		{"manifests of nothing", "manifests", []string{"name one stage: egress, prod, retry, ingress, canary"}},
		{"attack's flags", "run retry --duration 0 --max-requests 1.5 --connections 0 --timeout soon",
			[]string{"--duration 0", "--max-requests 1.5", "--connections 0", "--timeout soon"}},
		{"empty folder", "run retry --manifests " + empty, []string{empty, "retry.yaml"}},
		{"no folder", "run retry --manifests " + filepath.Join(empty, "none"), []string{filepath.Join(empty, "none")}},
		{"no such manifest", "manifests nothing", []string{"nothing", "retry"}},
		{"up no such stage", "up retyr", []string{"no stage retyr"}},
		{"list of what there is not", "list retry", []string{"list retry: must be one of stages, breaks"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := usage(t, strings.Fields(c.args)...)
			if got.code != 2 || got.stdout != "" {
				t.Errorf("exit %d and %q on stdout, want 2 and nothing", got.code, got.stdout)
			}
			for _, want := range append(c.want, "nothing was started") {
				if !strings.Contains(got.stderr, want) {
					t.Errorf("stderr lacks %q:\n%s", want, got.stderr)
				}
			}
		})
	}
}

// A stage file of the user's with what we do not know or do not support is refused with file, line, object and field.
func TestUsageManifests(t *testing.T) {
	text, err := manifests.StageYAML("retry")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, old, new string
		want           []string
	}{
		{"misspelt", "retryOn:", "retryOnn:", []string{"retry.yaml:", "VirtualService frontend: spec.http[0].retries.retryOnn", "retryOn"}},
		{"unsupported", "      retries:", "      mirror: {host: backend}\n      retries:", []string{"retry.yaml:", "VirtualService frontend: spec.http[0].mirror", "not supported"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := t.TempDir()
			changed := strings.ReplaceAll(string(text), c.old, c.new)
			if changed == string(text) {
				t.Fatalf("the bundled retry.yaml has no %q to replace", c.old)
			}
			if err := os.WriteFile(filepath.Join(folder, "retry.yaml"), []byte(changed), 0o644); err != nil {
				t.Fatal(err)
			}
			for _, command := range []string{"run", "up"} {
				got := usage(t, command, "retry", "--manifests", folder)
				if got.code != 2 {
					t.Errorf("%s: exit %d, want 2", command, got.code)
				}
				for _, want := range c.want {
					if !strings.Contains(got.stderr, want) {
						t.Errorf("%s: stderr lacks %q:\n%s", command, want, got.stderr)
					}
				}
			}
		})
	}
}

func TestListAndManifests(t *testing.T) {
	got := usage(t, "list")
	if lines := strings.Count(got.stdout, "\n"); got.code != 0 || lines != 5 {
		t.Errorf("list: exit %d with %d lines, want 0 with 5:\n%s", got.code, lines, got.stdout)
	}
	breaks := usage(t, "list", "breaks")
	for _, b := range mesh.Breaks() {
		if !regexp.MustCompile(`(?m)^` + b.Name + ` .* ` + b.Text + `$`).MatchString(breaks.stdout) {
			t.Errorf("list breaks does not tell of %s:\n%s", b.Name, breaks.stdout)
		}
	}
	for line := range strings.Lines(breaks.stdout) {
		if len(line) > 81 {
			t.Errorf("%d columns: %s", len(line)-1, line)
		}
	}
	if wrong := usage(t, "list", "braeks"); wrong.code != 2 || !strings.Contains(wrong.stderr, "list braeks: must be one of stages, breaks") {
		t.Errorf("list braeks: exit %d, %q", wrong.code, wrong.stderr)
	}
	for _, stage := range manifests.StageNames() {
		if !strings.Contains(got.stdout, stage+" ") {
			t.Errorf("list does not name %s", stage)
		}
		text, _ := manifests.StageYAML(stage)
		if printed := usage(t, "manifests", stage); printed.stdout != string(text) || printed.code != 0 {
			t.Errorf("manifests %s: exit %d, and not the bundled file", stage, printed.code)
		}
	}
}

// Help fits a terminal of 80 columns.
func TestHelp(t *testing.T) {
	for _, args := range []string{"--help", "help run", "up --help", "manifests --help", "list --help", "report --help", "compare-reports --help"} {
		got := usage(t, strings.Fields(args)...)
		if got.code != 0 || !strings.Contains(got.stdout, "Usage:") {
			t.Errorf("%s: exit %d, want 0 and the usage", args, got.code)
		}
		for line := range strings.Lines(got.stdout) {
			if n := len([]rune(strings.TrimRight(line, "\n"))); n > 80 {
				t.Errorf("%s: %d columns: %s", args, n, line)
			}
		}
	}
}
