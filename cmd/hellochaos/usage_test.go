package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/target/mesh"
)

// usage runs the program in this process, with command lines that start nothing.
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
		want       []string // stderr must contain all of these
	}{
		{"nothing", "", []string{"no command given", "run", "up", "list", "manifests", "version"}},
		{"no such command", "rum", []string{`no command "rum"`, "run"}},
		{"no such flag", "run retry --fial 0.5", []string{"unknown flag: --fial"}},
		{"no such flag among others", "run retry --fial 0.5 --rate -3 --hagn=1", []string{"unknown flag: --fial (did you mean \"--fail\"?)\n", "unknown flag: --hagn=1 (did you mean \"--hang\"?)\n", "--rate -3"}},
		{"no stage", "run", []string{"no stage given", "egress, prod, retry, ingress, canary"}},
		{"no such stage", "run retyr ingres", []string{`no stage retyr (did you mean "retry"?), ingres (did you mean "ingress"?): the stages are `, "egress, prod, retry, ingress, canary"}},
		{"all beside others", "run all retry", []string{"no stage all"}},
		{"three at once", "run retry --fail 1.5 --rate -3 --cascade maybe",
			[]string{"--fail 1.5: must be a probability from 0 to 1", "--rate -3", "--cascade maybe: must be absorb or propagate"}},
		{"a grid with bad values", "run retry --fail 0.1,x,0.10,2 --canary-weight 5,5,200 --format prometheus --request retry/3 --seed 1",
			[]string{`--fail 0.1,x,0.10,2: "x" must be a probability`, "--fail 0.1,x,0.10,2: 0.10 is there twice", `"2" must be a probability`, "--canary-weight 5,5,200: 5 is there twice",
				"--canary-weight 200: must be a whole number of percent", "--format prometheus: a grid is written as json, text, markdown, junit, html", "--request: is sent at one point"}},
		{"a grid that is too large", "run canary --fail 0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,0.95,0.99 --set canary-weight=1,2,3,4,5,6,7,8,9,10", []string{"the grid has 110 points (11 × 10), and at most 100 are run"}},
		{"a grid of what has none", "plan retry --fail 0.1,0.2", []string{"--fail 0.1,0.2: must be one probability"}},
		{"an attack on nothing", "attack", []string{"name what to attack: a URL such as http://localhost:8080/, or --targets with a file"}},
		{"an attack of bad values", "attack localhost:80 --rate -3 --duration x --requests 0 --method get -H x --body " + filepath.Join(empty, "none") + " --cacert none --weights 1,x --format xml --expect erors<=1%",
			[]string{`"localhost:80" must begin with http:// or https:// (did you mean "http://localhost:80"?)`, "--rate -3: must be", "--duration x: must be", "--requests 0: must be", "--method get: must be",
				`--header "x": must be`, "none: no such file or directory", "--cacert none: no such file", "--weights 1,x: must be whole numbers", "--format xml: the report of an attack is printed as text, json, html, junit, prometheus", `(did you mean "errors"?)`}},
		{"an attack of what is too much", "attack http://localhost/ --rate 100000 --duration 1h --weights 1,2", []string{"are 360000000 requests", "--weights: has 2 numbers, and there are 1 targets"}},
		{"an attack of what does not go together", "attack http://localhost/ --fresh-connections --http2 --abort-on-fail --workers 3 --workers-local 1 --output r.bin --capacity 9..3 --resolve a --key k --workers-on-cluster 0",
			[]string{"--fresh-connections and --http2", "--abort-on-fail: needs an expectation", "--workers: is for the closed loop", "--workers-local 1: must be", "--workers-on-cluster 0: must be a number from 1 to 1000", "--capacity: is not possible with --workers-on-cluster", "--key: is not possible with --workers-on-cluster", "--workers-local: is not possible with --workers-on-cluster",
				"--capacity 9..3: must be two rates", "--capacity: needs an expectation", "--output: has no meaning with --capacity", "--resolve a: must be HOST:PORT:ADDRESS", "--cert and --key: give both"}},
		{"an attack on both", "attack http://localhost/ --targets " + filepath.Join(empty, "none"), []string{"http://localhost/: name a URL or --targets, and not both", "--targets " + filepath.Join(empty, "none") + ": no such file"}},
		{"a long name with one dash", "run retry -rate=50", []string{"unknown flag: -rate=50: a flag with a long name has two dashes, --rate"}},
		{"not numbers", "run retry --fail x --hang NaN --seed -1 --canary-weight 20.5 --exclude 0 --split-tolerance 0.7 --require time",
			[]string{"--fail x", "--hang NaN", "--seed -1", "--canary-weight 20.5", "--exclude 0: must be a share from 0.0005 to 0.5", "--split-tolerance 0.7: must be two factors", "--require time: must be times (did you mean \"times\"?)"}},
		{"stage and flags", "run retyr --format xml --break no-retry",
			[]string{"no stage retyr", "--format xml: must be one of json, text, markdown, junit, html, prometheus, benchmark", "--break no-retry: must be one of", "no-retries"}},
		{"a deviation that the stage does not show", "run egress --break split-70-30", []string{"--break split-70-30: only stage prod shows this deviation"}},
		{"a deviation that only a change shows", "run retry --break routes-dropped", []string{"--break routes-dropped: only 'hellochaos run --through-change' shows this deviation"}},
		{"a page of a grid", "run retry --page --fail 0.1,0.3", []string{"--page: shows one run, and several values of a flag are a grid of runs"}},
		{"a change of one request", "run retry --through-change --seed 1 --request retry/1", []string{"--through-change: a change is not measured by the one request of --request"}},
		{"a deviation of no stage, misspelt", "run egress --break slow-backends", []string{"--break slow-backends: must be one of", "slow-backend"}},
		{"no folder given", "run egress --out=", []string{`--out "": the value is empty: give a folder, or leave the flag out`}},
		{"nothing given", "run egress --manifests= --break= --filename= --namespace= --rate= --seed= --kubeconfig=", []string{`--manifests "": the value is empty: give a folder`,
			`--break "": the value is empty: give a deviation`, `--filename "": the value is empty: give a file`, `--namespace "": the value is empty`,
			`--rate "": the value is empty`, `--seed "": the value is empty`, `--kubeconfig "": the value is empty`}},
		{"given twice", "run egress --fail 0.1 --fail 0.1 --quiet --quiet -n a --namespace b", []string{"--fail: given more than once", "--quiet: given more than once", "--namespace: given more than once"}},
		{"given twice elsewhere", "report r1 --format json --format text", []string{"report:", "--format: given more than once"}},
		{"too small to mean anything", "run egress --exclude 1e-12 --fail 1e-12 --hang 0.9999999999 --rate 1e-300 --duration 1ns --timeout 1ns",
			[]string{"--exclude 1e-12: must be a share from 0.0005 to 0.5", "--fail 1e-12: must be a probability", "--hang 0.9999999999: must be a probability",
				"--rate 1e-300: must be a number of requests a second from 0.01", "--duration 1ns: must be a time from 1ms", "--timeout 1ns: must be a time from 1ms"}},
		{"a rate that would take days", "run prod --rate 0.011", []string{"--rate 0.011: the ", "may send for 24: choose a higher --rate"}},
		{"margins too small to mean anything", "compare a b --margin 1e-12 --latency-margin 1e-12%", []string{"--margin 1e-12: must be a share from 0.0001", "--latency-margin 1e-12%: must be a percentage from 0.01%"}},
		{"a misspelt stage", "run rety", []string{`no stage rety (did you mean "retry"?)`}},
		{"a misspelt command", "runn", []string{`no command "runn" (did you mean "run"?)`}},
		{"a misspelt flag", "--hepl", []string{`unknown flag: --hepl (did you mean "--help"?)`}},
		{"a misspelt flag of run", "run retry --hepl", []string{`unknown flag: --hepl (did you mean "--help"?)`}},
		{"a misspelt flag of report", "report r1 --fromat json", []string{`unknown flag: --fromat (did you mean "--format"?)`}},
		{"a misspelt value", "run retry --format jsn --break no-retris --cascade absorbe --target clutser", []string{`(did you mean "json"?)`, `(did you mean "no-retries"?)`, `(did you mean "absorb"?)`, `(did you mean "cluster"?)`}},
		{"help about what there is not", "help nope", []string{`help: no command "nope": the commands are`}},
		{"help about what is misspelt", "help reprot", []string{`no command "reprot" (did you mean "report"?)`}},
		{"help about too much", "help run retry", []string{`no command "run retry"`}},
		{"completion of no shell", "completion x", []string{`completion: no shell "x": the shells are bash, fish, powershell, zsh`}},
		{"completion of nothing", "completion", []string{"completion: name one shell: bash, fish, powershell, zsh"}},
		{"a dashboard that is misspelt", "dashboard msh", []string{`no dashboard "msh" (did you mean "mesh"?)`}},
		{"two reports of one input", "compare - -", []string{"standard input can be read only once"}},
		{"manifests of nothing", "manifests", []string{"name one of the stages egress, prod, retry, ingress, canary"}},
		{"attack's flags", "run retry --duration 0 --max-requests 1.5 --connections 0 --timeout soon",
			[]string{"--duration 0", "--max-requests 1.5", "--connections 0", "--timeout soon"}},
		{"files that are none", "run retry -f " + filepath.Join(empty, "none.yaml") + " -f https://a/b.yaml -f " + empty + " -f k/kustomization.yaml -f - -f -",
			[]string{filepath.Join(empty, "none.yaml") + ": no such file or directory", "https://a/b.yaml: is a URL, but -f takes files",
				empty + ": is a folder without a .yaml, .yml or .json file", "'kubectl kustomize k'", "standard input: is named more than once"}},
		{"empty folder", "run retry --manifests " + empty, []string{empty, "retry.yaml"}},
		{"no folder", "run retry --manifests " + filepath.Join(empty, "none"), []string{filepath.Join(empty, "none")}},
		{"no such manifest", "manifests nothing", []string{"nothing", "retry"}},
		{"up no such stage", "up retyr", []string{"no stage retyr"}},
		{"a seed of up that is no number", "up --seed x --port 0", []string{"--seed x: must be a whole number from 1", "--port 0: must be a whole number from 1 to 65534"}},
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

// A field in a user's stage file that is unknown or not supported is refused with the file, the line, the object and the field.
func TestUsageManifests(t *testing.T) {
	text, err := scenarios.YAMLIn(scenarios.IstioAPI, "retry")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, old, new string
		want           []string
	}{
		{"misspelt", "retryOn:", "retryOnn:", []string{"retry.yaml:", "VirtualService frontend: spec.http[0].retries.retryOnn", "retryOn"}},
		{"unsupported", "      retries:", "      corsPolicy: {maxAge: 1s}\n      retries:", []string{"retry.yaml:", "VirtualService frontend: spec.http[0].corsPolicy", "not supported"}},
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
		if !regexp.MustCompile(`(?m)^` + b.Name + ` .* ` + regexp.QuoteMeta(b.Text) + `$`).MatchString(breaks.stdout) {
			t.Errorf("list breaks lacks %s:\n%s", b.Name, breaks.stdout)
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
	for _, stage := range scenarios.Names() {
		if !strings.Contains(got.stdout, stage+" ") {
			t.Errorf("list does not name %s", stage)
		}
		text, _ := scenarios.YAMLIn(scenarios.IstioAPI, stage)
		if printed := usage(t, "manifests", stage); printed.stdout != string(text) || printed.code != 0 {
			t.Errorf("manifests %s: exit %d, and not the bundled file", stage, printed.code)
		}
	}
}

// Help fits a terminal of 80 columns.
func TestHelp(t *testing.T) {
	for _, args := range []string{"--help", "help run", "attack --help", "up --help", "manifests --help", "list --help", "report --help", "compare-reports --help", "compare --help",
		"dashboard --help", "version --help", "plan --help", "validate --help", "init --help", "schema --help", "verify --help", "explain --help", "deploy --help", "undeploy --help", "doctor --help", "status --help", "restore --help", "completion --help"} {
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

// From the first stage on, objects of the user replace bundled ones: objects from a file of any name, from a folder, and from what
// 'kubectl get -o yaml' prints, on standard input.
func TestOwnFiles(t *testing.T) {
	bundled, err := scenarios.YAMLIn(scenarios.IstioAPI, "retry")
	if err != nil {
		t.Fatal(err)
	}
	weak := strings.ReplaceAll(string(bundled), "attempts: 3", "attempts: 1")
	if weak == string(bundled) {
		t.Fatal("the bundled retry.yaml has no attempts: 3 to replace")
	}
	folder := t.TempDir()
	file := filepath.Join(folder, "reviews.yaml")
	for name, text := range map[string]string{"reviews.yaml": weak, "kustomization.yaml": "resources: [reviews.yaml]\n"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	list := "apiVersion: v1\nitems:\n"
	for document := range strings.SplitSeq(weak, "\n---\n") {
		indented := "  " + strings.ReplaceAll(strings.TrimSpace(document), "\n", "\n  ")
		list += "- " + strings.TrimPrefix(regexp.MustCompile(`(?m)^ *#.*\n`).ReplaceAllString(indented+"\n", ""), "  ")
	}
	list += "kind: List\nmetadata:\n  resourceVersion: \"\"\n"
	for name, c := range map[string]struct{ flag, stdin, note string }{
		"file": {file, "", ""}, "folder": {folder, "", "kustomization.yaml was passed over"}, "standard input": {"-", weak, ""}, "a List": {"-", list, ""},
	} {
		t.Run(name, func(t *testing.T) {
			overrides, printed, err := loaded(c.flag, c.stdin)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(printed, c.note) || c.note == "" && printed != "" {
				t.Errorf("printed %q, want %q", printed, c.note)
			}
			for _, stage := range []string{"retry", "ingress", "canary"} {
				for _, o := range overrides[stage] {
					v, ok := o.Istio.(*networking.VirtualService)
					if ok && v.Http[0].Retries.GetAttempts() != 1 {
						t.Errorf("stage %s: %s has %d attempts, want the file's 1", stage, o.Name(), v.Http[0].Retries.GetAttempts())
					}
				}
			}
			if overrides["prod"] != nil || len(overrides["canary"]) < 3 {
				t.Errorf("prod has %d objects of the file and canary %d, want none and all", len(overrides["prod"]), len(overrides["canary"]))
			}
		})
	}
}

// loaded is what -f reads for stage retry and the stages after it.
func loaded(name, stdin string) (overrides map[string][]manifests.Object, printed string, err error) {
	var stderr bytes.Buffer
	flags := &manifestFlags{files: []string{name}}
	retry, err := scenarios.Open([]string{"retry"})
	if err != nil {
		return nil, "", err
	}
	overrides, err = flags.load(retry, strings.NewReader(stdin), &stderr)
	return overrides, stderr.String(), err
}

// A folder that cannot be written into is found before anything is started.
func TestOutCannotBeWritten(t *testing.T) {
	readOnly := "/proc/self" // not even root can make a file there
	if _, err := os.Stat(readOnly); err != nil {
		t.Skipf("this system has no %s: %v", readOnly, err)
	}
	taken := t.TempDir()
	if err := os.Mkdir(filepath.Join(taken, "report.html"), 0o755); err != nil {
		t.Fatal(err)
	}
	for folder, want := range map[string]string{
		readOnly: "--out /proc/self: no file can be written into the folder", taken: "report.html in the folder is itself a folder",
	} {
		for _, command := range []string{"run egress", "report " + saved(t, nil)} {
			got := usage(t, append(strings.Fields(command), "--out", folder)...)
			if got.code != 2 || got.stdout != "" || !strings.Contains(got.stderr, want) {
				t.Errorf("%s --out %s: exit %d, %q, want 2 and %q", command, folder, got.code, got.stderr, want)
			}
		}
		if left, _ := filepath.Glob(filepath.Join(taken, "*")); len(left) != 1 {
			t.Errorf("%v is left in the folder, want what was there", left)
		}
	}
}

// A run that needs more open files than the process may have is refused; with the --connections that the message names, it runs.
func TestTooFewOpenFiles(t *testing.T) {
	limited := func(limit, args string) ended {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", "ulimit -n "+limit+" && exec \"$0\" "+args, program)
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		_ = cmd.Run()
		return ended{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
	}
	got := limited("128", "run egress")
	if got.code != reports.ExitInfrastructure || got.stdout != "" || !strings.Contains(got.stderr, "may have 128 files and sockets open at once, and needs up to 1152: type 'ulimit -n 1152' before the command; nothing was started") {
		t.Errorf("with 128 files: %+v", got)
	}
	got = limited("200", "run egress --max-requests 100")
	few := regexp.MustCompile(`needs up to 1152: .*--connections (\d+); nothing was started`).FindStringSubmatch(got.stderr)
	if got.code != reports.ExitInfrastructure || few == nil {
		t.Fatalf("with 200 files: %+v", got)
	}
	got = limited("200", "run egress --max-requests 100 --connections "+few[1])
	if got.code == reports.ExitInfrastructure || got.code == reports.ExitUsage || strings.Contains(got.stderr, "accept") {
		t.Errorf("with 200 files and --connections %s: %+v", few[1], got)
	}
}
