package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	layout "github.com/hellochaos/hellochaos/reports/terminal"
)

// Each flag of another tool is told of with what to type; all of them at once, and together with what else is wrong.
func TestOtherTools(t *testing.T) {
	const url = "http://127.0.0.1:9/"
	for _, c := range []struct {
		typed []string
		want  []string
	}{
		{strings.Fields("attack -t12 -c400 -d30s --latency " + url), []string{"-t: hellochaos has no threads", "-c: hellochaos has --rate max --workers 400", "-d: hellochaos has --duration 30s\n", "--latency: hellochaos has nothing to add"}},
		{strings.Fields("attack -z 5s -n 200 -q 10 -timeout 5x " + url), []string{"-z: hellochaos has --duration 5s\n", "-n 200: is the namespace of --workers-on-cluster; the number of requests is --requests 200\n", "-q: hellochaos has --rate 10,", "--timeout 5x: must be a time"}},
		{strings.Fields("attack -q -d 10 -qps=30 --fial 3 " + url), []string{"-q: hellochaos has --no-progress\n", "-d: hellochaos has --duration 10s\n", "-qps: hellochaos has --rate 30\n", "unknown flag: --fial"}},
		{strings.Fields(`attack -d {"a":1} -T=text/html --h2c -output=stdout -out=json=a.json ` + url), []string{"-d: hellochaos has --body FILE", "-T: hellochaos has --header 'Content-Type: text/html'\n", "--h2c: hellochaos has --http2", "--output stdout: must be a file", "--out json=a.json: is a folder"}},
		{strings.Fields("attack --vus 10 --iterations 7 script.js"), []string{"--vus: hellochaos has --rate max --workers 10", "--iterations: hellochaos has --requests 7\n", "script.js: hellochaos runs no scripts"}},
		{strings.Fields("attack --format http --targets nowhere"), []string{"--format http: the report of an attack is printed as text", "that of --targets is found by reading the file"}},
		{[]string{"attack", url, "--body", `{"a":1}`}, []string{"the flag names a file with the body, and not the body itself"}},
		{[]string{"attack", url, "--expect", "http_req_duration p(95)<200"}, []string{"--expect http_req_duration p(95)<200: is written as 'p95 < 200ms'\n"}},
		{strings.Fields("run --vus 10 script.js"), []string{"script.js: hellochaos runs no scripts"}},
		{strings.Fields("run " + url), []string{url + ": load on an address is sent by: hellochaos attack " + url}},
		{[]string{url}, []string{"load on an address is sent by: hellochaos attack " + url}},
		{strings.Fields("-t2 -c100 -d2s " + url), []string{"load on an address is sent by: hellochaos attack " + url}},
		{strings.Fields("plot r.bin"), []string{`no command "plot": 'hellochaos report r.bin --format html'`}},
		{strings.Fields("report -type=json nowhere"), []string{"nowhere: no such file", "-type: hellochaos has --format"}},
	} {
		got := usage(t, c.typed...)
		for line := range strings.Lines(got.stderr) {
			for _, folded := range layout.Message(strings.TrimSuffix(line, "\n")) {
				if utf8.RuneCountInString(folded) > layout.Width {
					t.Errorf("%q: a line does not fit a terminal: %s", c.typed, folded)
				}
			}
		}
		for _, want := range c.want {
			if got.code != 2 || got.stdout != "" || !strings.Contains(got.stderr, want) {
				t.Errorf("%q: exit %d, want %q in:\n%s", c.typed, got.code, want, got.stderr)
			}
		}
		if more := strings.Count(got.stderr, "\n  ") - len(c.want); more > 0 {
			t.Errorf("%q: %d further lines:\n%s", c.typed, more, got.stderr)
		}
	}
}

// The table names no flag that the command has, and proposes only flags that it has.
func TestOtherFlags(t *testing.T) {
	set := attackCommand().Flags()
	seen := map[string]bool{}
	for _, other := range otherFlags {
		for name := range strings.FieldsSeq(other.names) {
			if bare := strings.TrimLeft(name, "-"); seen[name] || set.Lookup(bare) != nil || len(bare) == 1 && set.ShorthandLookup(bare) != nil {
				t.Errorf("%s: is there twice, or is a flag of attack", name)
			}
			seen[name] = true
		}
		for _, flag := range regexp.MustCompile(`--[a-z0-9-]+`).FindAllString(other.here+" "+other.number+" "+other.time, -1) {
			if set.Lookup(flag[2:]) == nil {
				t.Errorf("%s: attack has no %s", other.names, flag)
			}
		}
		if text := other.saying("7"); strings.Contains(" "+text+" ", " V ") || strings.Contains(text, " V") {
			t.Errorf("%s: %s", other.names, text)
		}
	}
}

// The commands of the table "Coming from vegeta, wrk and k6" do what the page says: what is typed there gives a result, or the answer names each
// flag of the command beside it, and that one works.
func TestComingFrom(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	page, err := os.ReadFile("../../docs/attack.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "## Coming from vegeta, wrk and k6\n")
	section, _, _ = strings.Cut(section, "\n## ")
	folder := t.TempDir()
	for name, text := range map[string]string{"t.txt": "GET " + server.URL + "\n", "order.json": "{}"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	bin := t.TempDir()
	if err := os.Symlink(program, filepath.Join(bin, "hellochaos")); err != nil {
		t.Fatal(err)
	}
	shell := func(command string) ended {
		command = strings.NewReplacer(`\|`, "|", "http://localhost:8080/", server.URL, "30s", "200ms", "10s", "200ms", "5s", "200ms").Replace(command)
		cmd := exec.CommandContext(t.Context(), "sh", "-c", command)
		cmd.Dir, cmd.Env = folder, append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
		var stdout, stderr strings.Builder
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		_ = cmd.Run() // the code is looked at
		return ended{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
	}
	rows := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (?:`([^`]+)`|the same) \\|$").FindAllStringSubmatch(section, -1)
	if len(rows) < 12 {
		t.Fatalf("the page has %d rows", len(rows))
	}
	for _, row := range rows {
		typed, here := row[1], row[2]
		got := shell(typed)
		if here == "" {
			if got.code != 0 || got.stdout == "" {
				t.Errorf("%s: %+v", typed, got)
			}
			continue
		}
		if got.code != 2 || !strings.Contains(got.stderr, "nothing was started") {
			t.Errorf("%s: exit %d, want a refusal:\n%s", typed, got.code, got.stderr)
		}
		for _, flag := range regexp.MustCompile(`--[a-z0-9-]+`).FindAllString(here, -1) {
			if !strings.Contains(got.stderr, flag) && !strings.Contains(typed, flag[1:]) {
				t.Errorf("%s: the answer does not name %s:\n%s", typed, flag, got.stderr)
			}
		}
		if got := shell(here); got.code == 2 || got.code == 6 || got.stdout == "" {
			t.Errorf("%s: %+v", here, got)
		}
	}
}
