package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios"
)

// written writes files into a temporary folder, and returns the folder.
func written(t *testing.T, texts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range texts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// retryFile is the scenario file of stage retry.
func retryFile(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "scenarios", "retry.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A run of a copy of a stage's file is the run of the stage: the same requests with the same draws. What a time limit may have decided on
// a busy machine is told by both reports, and not compared.
func TestRunOfACopy(t *testing.T) {
	dir := written(t, map[string]string{"copy-of-retry.yaml": retryFile(t)})
	stage := retried(t)
	file := measure(t, 0, "run", filepath.Join(dir, "copy-of-retry.yaml"), "--fail", "0.5")
	if stage.Scenario.Name != file.Scenario.Name || stage.Settings.ManifestsHash != file.Settings.ManifestsHash || len(stage.Phases) != len(file.Phases) {
		t.Fatalf("%+v and %+v", stage.Scenario, file.Scenario)
	}
	for i := range stage.Phases {
		a, b := &stage.Phases[i], &file.Phases[i]
		if a.Name != b.Name || a.Title != b.Title || a.Base != b.Base || a.Sent != b.Sent || a.Natural != b.Natural || a.Probes != b.Probes || len(a.Outcomes) != len(b.Outcomes) {
			t.Fatalf("phase %s sent %d requests (%d probes), and phase %s %d (%d)", a.Name, a.Sent, a.Probes, b.Name, b.Sent, b.Probes)
		}
		compared := 0
		for n := range a.Outcomes {
			x, y := a.Outcomes[n], b.Outcomes[n]
			if x>>2 == 0 || y>>2 == 0 {
				continue
			}
			if compared++; x != y {
				t.Errorf("phase %s, request %d: outcome %d, and of the copy %d", a.Name, n, x, y)
			}
		}
		if compared < a.Natural/2 {
			t.Errorf("phase %s: %d of %d outcomes could be compared", a.Name, compared, a.Natural)
		}
		open := int64(0)
		for j := range a.Calls {
			open += a.Calls[j].Open + b.Calls[j].Open
		}
		for j := range a.Calls {
			x, y := &a.Calls[j], &b.Calls[j]
			if x.From != y.From || x.To != y.To || x.Mismatched != y.Mismatched || x.Fails.Predicted != y.Fails.Predicted || open == 0 && x.Judged != y.Judged {
				t.Errorf("phase %s: %+v, and of the copy %+v", a.Name, x, y)
			}
		}
	}
}

// alone is a scenario file with services and a rule of its own.
func alone(t *testing.T, retries string) map[string]string {
	t.Helper()
	services, err := manifests.BundledYAML("application.yaml")
	if err != nil {
		t.Fatal(err)
	}
	external, err := manifests.BundledYAML("clock.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"services.yaml": string(services), "outside.yaml": string(external),
		"rule.yaml": "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: backend}\nspec:\n  hosts: [backend]\n  http: [{route: [{destination: {host: backend}}], retries: {attempts: " + retries + ", retryOn: 5xx}}]\n",
		"mine.yaml": "apiVersion: hellochaos/v1\nkind: Scenario\nname: mine\ntitle: the backend is retried\napply: [services.yaml, outside.yaml]\nentry: {service: frontend}\n" +
			"phases:\n- {name: retried, title: the backend is retried, apply: ['rule*.yaml']}\n",
	}
}

// A file with services of its own is run, and what a mesh does wrong is found; the command that sends the request again names the file.
func TestRunOfAFile(t *testing.T) {
	file := filepath.Join(written(t, alone(t, "2")), "mine.yaml")
	report := measure(t, 0, "run", file)
	if p := report.Phases[len(report.Phases)-1]; len(report.Phases) != 2 || p.Name != "retried" || !report.Phases[0].Base {
		t.Errorf("%d phases, at last %s", len(report.Phases), p.Name)
	}
	broken := measure(t, 1, "run", file, "--break", "one-retry-less")
	found := broken.Phases[1].Mismatches
	if len(found) == 0 || found[0].To != "backend" || !strings.HasSuffix(found[0].File, "rule.yaml") || !strings.Contains(found[0].Again, "hellochaos run "+file+" --break=one-retry-less --seed 7 --request retried/") {
		t.Errorf("%+v", found)
	}
}

// What is wrong with scenario files, and with the command line beside them, is told at once, before anything is started.
func TestUsageOfFiles(t *testing.T) {
	dir := written(t, map[string]string{
		"wrong.yaml": "apiVersion: hellochaos/v1\nkind: Scenario\nname: wrong\ntitle: t\nafter: prdo\napply: [none.yaml]\nentry: {service: frontend}\nlesson: [a]\n",
		"entry.yaml": "apiVersion: hellochaos/v1\nkind: Scenario\nname: entry\ntitle: t\nafter: prod\napply: [retry.yaml]\nentry: {gateway: door}\n",
		"wants.yaml": retryFile(t) + "expect: ['retry: edge fails <= 0.9', bakend fails <= 0.1]\n",
		"right.yaml": strings.Replace(retryFile(t), "accepted:", "parameters: [{name: blue, title: t, split: {host: backend, from: a, to: b}}]\naccepted:", 1),
	})
	for name, text := range alone(t, "x") {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	lines := strconv.Itoa(strings.Count(retryFile(t), "\n") + 1)
	wrong := []string{dir + "/wrong.yaml:8: Scenario wrong: lesson: unknown field (did you mean \"lessons\"?)", dir + "/wrong.yaml:5: Scenario wrong: after: there is no bundled stage \"prdo\" (did you mean \"prod\"?)",
		dir + "/wrong.yaml:6: Scenario wrong: apply[0]: there is no file none.yaml"}
	for args, want := range map[string][]string{
		"run DIR/wrong.yaml --fail 2":           append([]string{"--fail 2: must be a probability"}, wrong...),
		"validate DIR/wrong.yaml DIR/mine.yaml": append([]string{dir + "/rule.yaml:6: VirtualService backend: spec.http[0].retries.attempts"}, wrong...),
		"plan DIR/wrong.yaml DIR/mine.yaml":     append([]string{dir + "/rule.yaml:6: VirtualService backend: spec.http[0].retries.attempts"}, wrong...),
		"run DIR/none.yaml":                     {dir + "/none.yaml: no such file or directory"},
		"validate DIR/none.yaml":                {dir + "/none.yaml: no such file or directory"},
		"validate":                              {"validate: name one or more scenario files"},
		"validate DIR/wants.yaml":               {dir + "/wants.yaml:" + lines + ": Scenario retry: expect[1]: bakend fails <= 0.1: no calls of phase retry lead to \"bakend\" (did you mean \"backend\"?)"},
		"validate DIR/entry.yaml":               {dir + "/entry.yaml: phase entry: no Gateway default/door in the objects"},
		"run DIR/right.yaml retry":              {"a scenario file is run by itself"},
		"plan DIR/right.yaml retry --fial 1":    {"a scenario file is run by itself", `unknown flag: --fial (did you mean "--fail"?)`},
		"plan":                                  {"no stage given"},
		"plan rety":                             {`no stage rety (did you mean "retry"?)`},
		"schema x":                              {`unknown command "x"`},
		"run DIR/right.yaml --set blu=1 --set green --set blue=200":            {`no stage has a parameter blu (did you mean "blue"?)`, "--set green: must be NAME=PERCENT", "--set blue=200: must be a whole number of percent from 0 to 100"},
		"run DIR/right.yaml --set blue=1 --set blue=2":                         {"--set blue=2: parameter blue is given more than once"},
		"run DIR/right.yaml --set blue=1":                                      {"--set blue=1: in stage retry no rule of a VirtualService for backend sends all calls"},
		"run prod --canary-weight 1 --set canary-weight=2 --break split-70-30": {"--set canary-weight=2: parameter canary-weight is given more than once"},
		"run DIR/right.yaml --manifests DIR":                                   {dir + "/mine.yaml: is not the file of a stage", "egress.yaml, prod.yaml, retry.yaml;"},
	} {
		got := usage(t, strings.Fields(strings.ReplaceAll(args, "DIR", dir))...)
		if got.code != 2 || got.stdout != "" {
			t.Errorf("%s: exit %d and %q on stdout, want 2 and nothing", args, got.code, got.stdout)
		}
		for _, text := range append(want, "nothing was started") {
			if !strings.Contains(got.stderr, text) {
				t.Errorf("%s: stderr lacks %q:\n%s", args, text, got.stderr)
			}
		}
	}
}

// Services of one's own are not on the cluster that hellochaos deploy prepares.
func TestFileOfItsOwnOnACluster(t *testing.T) {
	file := filepath.Join(written(t, alone(t, "2")), "mine.yaml")
	got := usage(t, "run", file, "--target", "cluster")
	if want := "--target cluster: " + file + " has no after"; got.code != 2 || !strings.Contains(got.stderr, want) {
		t.Errorf("exit %d, %q, want 2 and %q", got.code, got.stderr, want)
	}
}

// validate says of a file that is right what it has, in a line.
func TestValidate(t *testing.T) {
	dir := written(t, alone(t, "2"))
	for name, want := range map[string]string{"mine.yaml": "mine, 1 phase, 12 objects, 1 kind of requests", "retry.yaml": "retry, 1 phase after prod, 3 objects, 1 kind of requests"} {
		if name == "retry.yaml" {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(retryFile(t)), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		file := filepath.Join(dir, name)
		if got := usage(t, "validate", file); got.code != 0 || got.stderr != "" || got.stdout != file+": valid: "+want+"\n" {
			t.Errorf("%+v, want %s", got, want)
		}
	}
}

// plan says the same of a stage and of a copy of its file; with an error among the findings it ends with 1.
func TestPlan(t *testing.T) {
	dir := written(t, map[string]string{"copy.yaml": retryFile(t), "lost.yaml": "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: backend}\nspec: {hosts: [backend], http: [{route: [{destination: {host: nobody}}]}]}\n"})
	stage, file := usage(t, "plan", "retry", "--fail", "0.5"), usage(t, "plan", filepath.Join(dir, "copy.yaml"), "--fail", "0.5")
	if stage != file || stage.code != 0 || !strings.HasPrefix(stage.stdout, "PLAN  retry: 1,434 requests, with --fail 0.5, in about ") {
		t.Errorf("%+v\n%+v", stage, file)
	}
	for _, text := range []string{"  - all 4 tries fail", "3 retries on 5xx (retry.yaml:47)", "edge fails 0.5, any of ours fails 0.561"} {
		if !strings.Contains(stage.stdout, text) {
			t.Errorf("plan retry lacks %q:\n%s", text, stage.stdout)
		}
	}
	both := usage(t, "plan", filepath.Join(dir, "copy.yaml"), filepath.Join(dir, "copy.yaml"))
	if strings.Count(both.stdout, "PLAN ") != 2 {
		t.Errorf("two files: %+v", both)
	}
	all := usage(t, "plan", "all")
	for line := range strings.Lines(all.stdout + both.stdout) {
		if n := len([]rune(strings.TrimRight(line, "\n"))); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	lost := usage(t, "plan", "retry", "-f", filepath.Join(dir, "lost.yaml"))
	if lost.code != reports.ExitFail || !strings.Contains(lost.stdout, "ERROR  ") || !strings.Contains(lost.stdout, "nobody") {
		t.Errorf("a route to nobody: %+v", lost)
	}
}

// schema prints the published one.
func TestSchema(t *testing.T) {
	want, err := os.ReadFile(filepath.Join("..", "..", "docs", "scenario.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	if got := usage(t, "schema"); got.code != 0 || !bytes.Equal([]byte(got.stdout), want) || !bytes.Equal(want, scenarios.Schema()) {
		t.Errorf("exit %d, and %d bytes, want the %d of docs/scenario.schema.json", got.code, len(got.stdout), len(want))
	}
}
