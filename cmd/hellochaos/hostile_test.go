package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/hellochaos/hellochaos/printable"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/compare"
	"github.com/hellochaos/hellochaos/reports/render"
	"github.com/hellochaos/hellochaos/reports/reporttest"
	"github.com/hellochaos/hellochaos/target/cluster"
)

// hostileNames are names that, printed without escapes, give commands to a terminal, to the log of a job or to a shell.
var hostileNames = []string{
	"x\n::error file=a::b\n", "x ::error::b", "\n  ::add-mask::b", "##[error]b", "##vso[task.complete]b", "\x1b[2J\x1b]0;title\a", "\x7f\u009b2J", "\r\u202elive",
	"x\u2028::error::b", "'; touch evil; '", "$(touch evil)",
}

// workflow matches a line, or a part of one, that a continuous integration system takes for a command.
var workflow = regexp.MustCompile(`(?m)^\s*::.*::|##\[|##vso\[`)

// harmless fails the test if text contains such a command.
func harmless(t *testing.T, what, text string) {
	t.Helper()
	for _, c := range text {
		if c != '\n' && c != '\t' && (unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c) || c == '\u2028' || c == '\u2029') {
			t.Errorf("%s prints %U:\n%q", what, c, text)
			return
		}
	}
	if command := workflow.FindString(text); command != "" {
		t.Errorf("%s prints the command %q:\n%s", what, command, text)
	}
}

// hostileReport is a real report in which every text that can be arbitrary ends in a hostile name; the names take turns, beginning
// with the one at index from.
func hostileReport(t *testing.T, from int) string {
	t.Helper()
	r := reporttest.Everything()
	r.Settings.Seed = 7 // what follows decodes numbers as floating-point ones
	r.Links, r.Remarks = []reports.Link{{Title: "a", URL: "http://a/"}, {Title: "b", URL: "javascript:alert(1)"}}, []string{"a"}
	r.Restoration = &reports.Restoration{Detail: "a", Problem: "b"}
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		t.Fatal(err)
	}
	fixed := regexp.MustCompile(`^(schema|verdict|requests_verdict|severity|outcomes|cascade|entry|kind|outcome|restored|started|trace|unit|unit_from)$`)
	named := 0
	var edit func(key string, value any) any
	edit = func(key string, value any) any {
		switch v := value.(type) {
		case map[string]any:
			for k := range v {
				v[k] = edit(k, v[k])
			}
		case []any:
			for i := range v {
				v[i] = edit(key, v[i])
			}
		case string:
			if !fixed.MatchString(key) && v != "before" && v != "after" {
				named++
				return v + hostileNames[(from+named)%len(hostileNames)]
			}
		}
		return value
	}
	if data, err = json.Marshal(edit("", value)); err != nil || named < 50 {
		t.Fatalf("%d names: %v", named, err)
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, reports.FileName), data, 0o644); err != nil {
		t.Fatal(err)
	}
	return folder
}

// In every format, no text of a report can give a command to the program that displays it.
func TestHostileReports(t *testing.T) {
	summary := filepath.Join(t.TempDir(), "summary.md")
	t.Setenv("GITHUB_STEP_SUMMARY", summary)
	for from := range 3 {
		folder := hostileReport(t, from)
		for _, format := range strings.Split(render.FormatNames(), ", ") {
			got := usage(t, "report", folder, "--format", format, "--out", t.TempDir())
			if got.code != 0 || len(got.stdout) < 1000 {
				t.Fatalf("report --format %s: exit %d\n%s", format, got.code, got.stderr)
			}
			harmless(t, "report --format "+format, got.stdout+got.stderr)
			if format == "html" && strings.Contains(got.stdout, `href="javascript:`) {
				t.Error("the page has a link that runs a script")
			}
			if format == "markdown" && strings.Contains(got.stdout, "(<javascript:") {
				t.Error("Markdown has a link that runs a script")
			}
		}
		for _, format := range strings.Split(compare.FormatNames(), ", ") {
			got := usage(t, "compare-reports", folder, filepath.Join("..", "..", "reports", "testdata", "retry.json"), "--force", "--all", "--format", format)
			if len(got.stdout) < 100 {
				t.Fatalf("compare-reports --format %s: exit %d\n%s", format, got.code, got.stderr)
			}
			harmless(t, "compare-reports --format "+format, got.stdout+got.stderr)
		}
		harmless(t, "compare-reports", usage(t, "compare-reports", folder, filepath.Join("..", "..", "reports", "testdata", "retry.json")).stderr)
	}
	for _, name := range hostileNames {
		schema, err := json.Marshal(name)
		if err != nil {
			t.Fatal(err)
		}
		got := piped(t, []byte(`{"schema": `+string(schema)+`}`), "report", "-")
		if got.code != 2 {
			t.Errorf("schema %s: exit %d", schema, got.code)
		}
		harmless(t, "report of another schema", got.stderr)
	}
	text, err := os.ReadFile(summary)
	if err != nil {
		t.Fatal(err)
	}
	harmless(t, "the step summary", workflow.ReplaceAllString(string(text), "")) // GitHub looks for commands in logs, and the summary is a file
}

// No name in a manifest, of its file, or on the command line can give a command to the program that displays the errors. Each problem
// has one line.
func TestHostileManifests(t *testing.T) {
	for _, name := range hostileNames {
		quoted, err := json.Marshal(name) // JSON is YAML, too
		if err != nil {
			t.Fatal(err)
		}
		q := string(quoted)
		for _, text := range []string{
			"apiVersion: v1\nkind: Service\nmetadata: {name: " + q + "}\nspec: {}\n",
			"apiVersion: v1\nkind: " + q + "\nmetadata: {name: " + q + "}\n",
			"apiVersion: " + q + "\nkind: Service\nmetadata: {name: a}\n",
			"apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: " + q + ", namespace: " + q + "}\nspec: {" + q + ": 1, hosts: [" + q + "]}\n",
			"apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\nspec: {hosts: [" + q + "], http: [{match: [{headers: {" + q + ": {exact: a}}}], route: [{destination: {host: " + q + "}}]}]}\n",
			q + ": [\n",
		} {
			folder := t.TempDir()
			if err := os.WriteFile(filepath.Join(folder, "retry.yaml"), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			for _, args := range [][]string{{"run", "retry", "--manifests", folder}, {"up", "retry", "--manifests", folder}} {
				got := usage(t, args...)
				if got.code != 2 {
					t.Fatalf("%v with %q: exit %d\n%s", args, text, got.code, got.stderr)
				}
				harmless(t, strings.Join(args, " "), got.stdout+got.stderr)
				for _, line := range strings.Split(strings.TrimSpace(got.stderr), "\n")[1:] {
					if !strings.HasPrefix(line, "  "+folder) && !strings.HasPrefix(line, "nothing was started") {
						t.Errorf("%v with %q: the line %q is of no problem", args, text, line)
					}
				}
			}
		}
		for _, args := range [][]string{{name}, {"run", name}, {"run", "retry", "--break", name}, {"run", "retry", "--manifests", name}, {"run", "retry", "--format", name},
			{"report", name}, {"compare-reports", name, name}, {"up", name}, {"list", name}, {"manifests", name}, {"manifests", "rbac", "-n", name}, {"dashboard", name},
			{"deploy", "--image", name}, {"status", "-n", name}, {"restore", "a", "--edited", name, "-n", name}, {"doctor", "--kubeconfig", name}} {
			got := usage(t, args...)
			if got.code != 2 && args[0] != "doctor" {
				t.Errorf("%q: exit %d\n%s", args, got.code, got.stdout+got.stderr)
			}
			harmless(t, strings.Join(args[:1], " "), got.stdout+got.stderr)
		}
	}
}

// A name from a journal or from a cluster stays on its line.
func TestHostileCluster(t *testing.T) {
	for _, name := range hostileNames {
		var out bytes.Buffer
		w := printable.NewWriter(&out)
		leftover := cluster.Leftover{Name: name, Command: name, Host: name, Started: time.Unix(0, 0), Changed: []string{name}, Edited: []string{name}}
		_ = printLeftovers(w, new(cluster.Cluster), []cluster.Leftover{leftover})
		print(w, cluster.Finding{State: cluster.Fail, Name: name, Meaning: name, Type: name})
		_ = w.Flush()
		harmless(t, "status", out.String())
		if lines := strings.Count(out.String(), "\n"); lines != 7 {
			t.Errorf("%q makes %d lines, want 7:\n%s", name, lines, out.String())
		}
		if command := regexp.MustCompile(`> (hellochaos restore .*)`).FindStringSubmatch(out.String()); command == nil || command[1] != "hellochaos restore "+printable.Word(name)+" -n ''" {
			t.Errorf("%q: the command to copy is %q", name, command)
		}
	}
}
