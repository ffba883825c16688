package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/render"
)

// formatFiles are the formats, and their files in a run's folder.
func formatFiles(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, name := range strings.Split(render.FormatNames(), ", ") {
		format, ok := render.FormatNamed(name)
		if !ok {
			t.Fatalf("no format %s", name)
		}
		files[name] = format.File
	}
	return files
}

// The command report prints and writes the same bytes as the run itself did: in every format, from the folder, from the file and
// from standard input.
func TestReportIsWhatTheRunPrinted(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "r1")
	for format, file := range formatFiles(t) {
		ran := execute(t, "run", "egress", "--seed", "1", "--rate", "400", "--duration", "250ms", "--out", folder, "--format", format)
		if ran.code != 0 && ran.code != 3 || ran.stdout == "" {
			t.Fatalf("run --format %s: exit %d\n%s", format, ran.code, ran.stderr)
		}
		if written, err := os.ReadFile(filepath.Join(folder, file)); err != nil || string(written) != ran.stdout {
			t.Errorf("%s (%v) is not what the run printed", file, err)
		}
		source := filepath.Join(folder, reports.FileName)
		for _, name := range []string{folder, source} {
			if got := usage(t, "report", name, "--format", format); got.code != 0 || got.stdout != ran.stdout {
				t.Errorf("report %s --format %s: exit %d, and differs:\n%s\nthe run printed:\n%s", name, format, got.code, got.stdout, ran.stdout)
			}
		}
		data, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		if got := piped(t, data, "report", "-", "--format", format); got.code != 0 || got.stdout != ran.stdout {
			t.Errorf("report - --format %s: exit %d, and differs", format, got.code)
		}
	}
	again := filepath.Join(t.TempDir(), "again")
	if got := usage(t, "report", folder, "--out", again); got.code != 0 {
		t.Fatalf("report --out: exit %d\n%s", got.code, got.stderr)
	}
	for _, file := range formatFiles(t) {
		was, err := os.ReadFile(filepath.Join(folder, file))
		is, problem := os.ReadFile(filepath.Join(again, file))
		if err != nil || problem != nil || !bytes.Equal(was, is) {
			t.Errorf("%s of report --out differs (%v, %v)", file, err, problem)
		}
	}
}

// piped runs the program in this process with something on standard input.
func piped(t *testing.T, stdin []byte, args ...string) ended {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	old := os.Stdin
	os.Stdin = reader
	defer func() { os.Stdin = old; reader.Close() }()
	go func() {
		_, _ = writer.Write(stdin)
		writer.Close()
	}()
	return usage(t, args...)
}

// saved is the report of a real run with the verdict that the test chooses.
func reportIn(t *testing.T, replace ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "reports", "testdata", "retry.json"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), reports.FileName)
	if err := os.WriteFile(file, []byte(strings.NewReplacer(replace...).Replace(string(data))), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestReportUsage(t *testing.T) {
	empty := t.TempDir()
	bad := reportIn(t, `"verdict":"pass"`, `"verdict":"maybe"`)
	for _, c := range []struct {
		name string
		args []string
		want []string
	}{
		{"nothing", []string{"report"}, []string{"name one report"}},
		{"two", []string{"report", "a", "b"}, []string{"name one report"}},
		{"nothing there", []string{"report", filepath.Join(empty, "none")}, []string{filepath.Join(empty, "none") + ": no such file"}},
		{"folder without", []string{"report", empty}, []string{empty + ": there is no report.json"}},
		{"bad, and a bad flag", []string{"report", bad, "--format", "xml"}, []string{bad + ": ", `verdict: "maybe": must be pass, fail or inconclusive`, "--format xml: must be one of json, text, markdown, junit, html, prometheus, benchmark"}},
		{"no folder named", []string{"report", reportIn(t), "--out="}, []string{`--out "": the value is empty: give a folder`}},
		{"out is a file", []string{"report", bad, "--out", bad}, []string{bad}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := usage(t, c.args...)
			if got.code != 2 || got.stdout != "" {
				t.Errorf("exit %d and %q on stdout, want 2 and nothing", got.code, got.stdout)
			}
			for _, want := range c.want {
				if !strings.Contains(got.stderr, want) {
					t.Errorf("stderr lacks %q:\n%s", want, got.stderr)
				}
			}
		})
	}
	if got := piped(t, []byte("PASS"), "report", "-"); got.code != 2 || !strings.Contains(got.stderr, "standard input: line 1, column 1: not JSON") {
		t.Errorf("exit %d: %s", got.code, got.stderr)
	}
}

// The exit code of report does not depend on the verdict. A file that a newer minor version has written is not overwritten.
func TestReportOfAnotherVerdict(t *testing.T) {
	failed := reportIn(t, `"verdict":"pass","summary"`, `"verdict":"fail","summary"`)
	if got := usage(t, "report", failed); got.code != 0 || !strings.HasPrefix(got.stdout, "FAIL  ") {
		t.Errorf("exit %d: %.80s", got.code, got.stdout)
	}
	newer := reportIn(t, `"schema":"1.2"`, `"schema":"1.7","mood":"fair"`)
	before, _ := os.ReadFile(newer)
	got := usage(t, "report", filepath.Dir(newer), "--out", filepath.Dir(newer))
	if after, _ := os.ReadFile(newer); got.code != 0 || !bytes.Equal(before, after) || !strings.Contains(got.stdout, "schema 1.7") {
		t.Errorf("exit %d, changed: %v\n%s", got.code, !bytes.Equal(before, after), got.stdout)
	}
}

// A run appends its report to the step summary; when it cannot, it prints a warning.
func TestStepSummary(t *testing.T) {
	file := reportIn(t)
	summary := filepath.Join(t.TempDir(), "summary.md")
	if err := os.WriteFile(summary, []byte("before\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GITHUB_STEP_SUMMARY", summary)
	page := usage(t, "report", file, "--format", "markdown").stdout
	if got := execute(t, "run", "egress", "--seed", "1", "--format", "markdown"); got.code == 0 || got.code == 3 {
		page += "\n" + got.stdout
	}
	if got, err := os.ReadFile(summary); err != nil || string(got) != "before\n"+page+"\n" {
		t.Errorf("the summary (%v) is\n%s\nwant before and\n%s", err, got, page)
	}
	t.Setenv("GITHUB_STEP_SUMMARY", filepath.Join(summary, "none"))
	got := usage(t, "report", file)
	if got.code != 0 || !strings.HasPrefix(got.stderr, "warning: the step summary ($GITHUB_STEP_SUMMARY) was not written") || strings.Count(got.stderr, "\n") != 1 || !strings.HasPrefix(got.stdout, "PASS") {
		t.Errorf("exit %d: %s\n%s", got.code, got.stderr, got.stdout)
	}
}

func TestQuiet(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "r")
	got := execute(t, "run", "egress", "--seed", "1", "--quiet", "--out", folder)
	if got.code != 0 || !regexp.MustCompile(`^PASS  each of [\d,]+ requests met what the manifests say\n$`).MatchString(got.stdout) || got.stderr != "" {
		t.Errorf("exit %d, %q on stdout, %q on stderr", got.code, got.stdout, got.stderr)
	}
	if _, err := reports.Load(folder); err != nil {
		t.Error(err)
	}
	got = execute(t, "run", "egress", "--seed", "1", "--quiet", "--format", "json")
	if got.code != 0 || !strings.HasPrefix(got.stdout, "{") || got.stderr != "" {
		t.Errorf("with a format: exit %d, %.80q on stdout, %q on stderr", got.code, got.stdout, got.stderr)
	}
	if got := usage(t, "run", "egress", "--quiet", "--rate", "-3"); got.code != 2 || !strings.Contains(got.stderr, "--rate -3") {
		t.Errorf("exit %d: the problem must be printed: %q", got.code, got.stderr)
	}
}

// --allow-inconclusive changes one exit code, and nothing that is printed.
func TestAllowInconclusive(t *testing.T) {
	limited := []string{"run", "retry", "--max-requests", "50"}
	if got := execute(t, append(limited, "--allow-inconclusive")...); got.code != 0 || !strings.HasPrefix(got.stdout, "INCONCLUSIVE") {
		t.Errorf("exit %d: %.200s", got.code, got.stdout)
	}
	for _, c := range []struct {
		report *reports.Report
		want   error
	}{
		{&reports.Report{Verdict: reports.Inconclusive}, nil},
		{&reports.Report{Verdict: reports.Pass}, nil},
		{&reports.Report{Verdict: reports.Fail}, exit(1)},
		{&reports.Report{Verdict: reports.Inconclusive, Aborted: true}, exit(4)},
		{&reports.Report{Verdict: reports.Inconclusive, Restored: reports.NotRestored}, exit(5)},
		{&reports.Report{Verdict: reports.Inconclusive, Error: "x"}, exit(6)},
	} {
		if got := exitOf(c.report, true, os.Stderr, nil); got != c.want {
			t.Errorf("%+v: %v, want %v", c.report, got, c.want)
		}
	}
	if got := exitOf(&reports.Report{Verdict: reports.Inconclusive}, false, os.Stderr, nil); got != exit(3) {
		t.Errorf("without the flag: %v, want exit 3", got)
	}
}

// quoted are the arguments of a command line, some of which stand in single quotes.
func quoted(line string) (all []string) {
	for _, word := range regexp.MustCompile(`'[^']*'|[^\s']+`).FindAllString(line, -1) {
		all = append(all, strings.Trim(word, "'"))
	}
	return all
}

// The workflows of docs/ci.md are YAML, and every command of hellochaos in them is one that this program takes.
func TestWorkflowsToPaste(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "ci.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(page, -1)
	if len(blocks) < 2 {
		t.Fatalf("%d blocks of YAML, want GitHub's and GitLab's", len(blocks))
	}
	commands := 0
	for _, block := range blocks {
		var document map[string]any
		if err := yaml.Unmarshal(block[1], &document); err != nil || len(document) == 0 {
			t.Errorf("%v in\n%s", err, block[1])
		}
		for _, line := range regexp.MustCompile(`hellochaos ((?:run|report|verify) [^\n]*)`).FindAllStringSubmatch(string(block[1]), -1) {
			commands++
			// An unknown flag would be reported. --seed x is wrong on purpose, so that nothing is started.
			got := usage(t, append(quoted(line[1]), "--seed", "x")...)
			if got.code != 2 || strings.Contains(strings.ReplaceAll(got.stderr, "--seed", ""), "unknown flag") || strings.Contains(got.stderr, "must be one of") || strings.Contains(got.stderr, "no stage") {
				t.Errorf("hellochaos %s: %s", line[1], got.stderr)
			}
		}
	}
	if commands < 2 {
		t.Errorf("%d commands, want at least 2", commands)
	}
}
