package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/reports"
)

// shopFiles are the manifests of a small shop, by the name of their file.
var shopFiles = map[string]string{
	"reviews.yaml": `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews}
spec: {host: reviews, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}, {name: v3, labels: {version: v3}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews}
spec:
  hosts: [reviews]
  http:
    - match: [{headers: {end-user: {exact: jason}}}]
      route: [{destination: {host: reviews, subset: v2}}]
      retries: {attempts: 3, retryOn: 5xx}
    - route: [{destination: {host: reviews, subset: v1}, weight: 80}, {destination: {host: reviews, subset: v3}, weight: 20}]
      retries: {attempts: 3, retryOn: 5xx}
`,
	"checkout.yaml": `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: door}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [shop.example.com]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: checkout}
spec:
  hosts: [shop.example.com]
  gateways: [door]
  http:
    - match: [{uri: {prefix: /pay/}}]
      rewrite: {uri: /}
      route: [{destination: {host: checkout}}]
    - match: [{uri: {prefix: /old}}]
      directResponse: {status: 410}
`,
	"pods.yaml": `apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: nobody}
spec: {}
`,
}

// shop writes the files of the shop, changed by pairs of texts, into a folder.
func shop(t *testing.T, changes ...string) (folder string) {
	t.Helper()
	folder = t.TempDir()
	for name, text := range shopFiles {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(strings.NewReplacer(changes...).Replace(text)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// oneBlank is a text with one blank in place of several: columns are as wide as the numbers in them.
func oneBlank(text string) string { return regexp.MustCompile(` +`).ReplaceAllString(text, " ") }

// numbers are those of a text that a run may change.
var numbers = regexp.MustCompile(`\d[\d,]* requests in \d+\.\d s|measured \d+\.\d %, \d+\.\d %|each of [\d,]+ requests|Had [\d.]+ %`)

// A folder of somebody's manifests is verified without anything else, and a table tells what each rule does.
func TestVerify(t *testing.T) {
	got := execute(t, "verify", "-f", shop(t), "--seed", "1", "--fail", "0.5")
	want := `PASS  EACH
embedded mesh, Istio's defaults as of 1.31: NUMBER; fail 0.5,
absorb, seed 1
HAD of the calls under a new rule deviated, 1 run in 1,000 would miss it.

  match                what becomes of it     fails   measured  tries
reviews
  end-user: jason      to v2                  0.0625  M         1.88 of 4
  reviews.yaml:12      3 retries on 5xx
  every other request  to v1 80 %, v3 20 %    0.0625  M         1.88 of 4
  reviews.yaml:15      SPLIT
                       drawn by request
                       3 retries on 5xx
shop.example.com
  /pay/…               to checkout            0.5     M         1
  checkout.yaml:13     as /
  by gateway door
  /old…                the proxy answers 410  0       0
  checkout.yaml:16
  by gateway door
  no rule is for it    the proxy answers 404  0       0
  by gateway door
`
	text := numbers.ReplaceAllStringFunc(got.stdout, func(found string) string {
		switch {
		case strings.HasPrefix(found, "each of"):
			return "EACH"
		case strings.HasPrefix(found, "Had"):
			return "HAD"
		case strings.HasPrefix(found, "measured"):
			return "SPLIT"
		}
		return "NUMBER"
	})
	text = strings.Replace(text, "EACH met what the manifests say", "EACH", 1)
	text = regexp.MustCompile(`(?m)  (0\.0625|0\.5) +0\.\d+ `).ReplaceAllString(text, "  ${1}  M ")
	if table, rest, ok := strings.Cut(text, "\n\n16 of 16 cases"); got.code != 0 || !ok || oneBlank(table) != oneBlank(strings.TrimSpace(want)) {
		t.Errorf("exit code %d, printed\n%s\n\nwant\n%s\n\nrest %q, stderr %s", got.code, text, want, rest, got.stderr)
	}
	for _, part := range []string{"! NOT EXECUTED: 1 AuthorizationPolicy (first ", "Passed over, since no mesh looks at them for a request: 1 ConfigMap."} {
		if !strings.Contains(strings.Join(strings.Fields(got.stdout), " "), part) {
			t.Errorf("%q is not in\n%s", part, got.stdout)
		}
	}
}

// Whatever the mesh does wrong with the user's own rules is found, and the request can be sent again.
func TestVerifyFindsADeviation(t *testing.T) {
	folder := shop(t)
	deviations := []string{"one-retry-less", "header-ignored", "no-retries", "header-case-insensitive", "split-70-30"}
	if testing.Short() {
		t.Log("the short form has two of five deviations")
		deviations = deviations[:2]
	}
	for _, deviation := range deviations {
		got := execute(t, "verify", "-f", folder, "--seed", "1", "--fail", "0.3", "--break", deviation)
		if got.code != 1 || !strings.HasPrefix(got.stdout, "FAIL") || !strings.Contains(got.stdout, "reviews") {
			t.Errorf("--break %s: exit code %d\n%s", deviation, got.code, got.stdout)
		}
	}
	got := execute(t, "verify", "-f", folder, "--seed", "1", "--break", "no-retries", "--format", "json")
	var report reports.Report
	if err := json.Unmarshal([]byte(got.stdout), &report); err != nil {
		t.Fatal(err)
	}
	again := strings.Fields(report.Phases[0].Mismatches[0].Again)
	if len(again) < 3 || again[1] != "verify" {
		t.Fatalf("again: %q", again)
	}
	if got := execute(t, again[1:]...); got.code != 1 || !strings.Contains(got.stdout, "not retried") {
		t.Errorf("%q: exit code %d\n%s", again, got.code, got.stdout)
	}
}

// What is wrong with the files fails them, and says what it does to requests; it can be allowed.
func TestVerifyFindings(t *testing.T) {
	folder := shop(t, "subset: v2}", "subset: v4}")
	got := execute(t, "verify", "-f", folder, "--seed", "1")
	if got.code != 1 || !strings.Contains(got.stdout, "(HC103)") || !strings.Contains(got.stdout, "nobody: 503") {
		t.Errorf("exit code %d\n%s", got.code, got.stdout)
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"verify", "-f", folder, "--seed", "1", "--allow-findings", "HC103"}, 0, "It is allowed."},
		{[]string{"explain", "-f", folder}, 1, "FAIL  1 error in 4 rules"},
		{[]string{"explain", "-f", folder, "--allow-findings", "HC103"}, 0, "PASS  0 errors in 4 rules and 1 warning"},
		{[]string{"explain", "-f", shop(t)}, 0, "PASS  0 errors in 4 rules\n"},
		{[]string{"explain", "-f", shop(t, "gateways: [door]", "gateways: [window]")}, 1, "(HC104)"},
	} {
		if got := execute(t, c.args...); got.code != c.code || !strings.Contains(got.stdout, c.want) {
			t.Errorf("%q: exit code %d, want %d and %q\n%s%s", c.args, got.code, c.code, c.want, got.stdout, got.stderr)
		}
	}
}

// Bad input is one message with all that is wrong, and exit code 2.
func TestVerifyUsage(t *testing.T) {
	folder := shop(t)
	other := filepath.Join(folder, "other.yaml")
	if err := os.WriteFile(other, []byte(shopFiles["reviews.yaml"]), 0o644); err != nil {
		t.Fatal(err)
	}
	empty := t.TempDir()
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"verify"}, []string{"name files or folders with -f"}},
		{[]string{"verify", "-f", folder, "--fail", "2", "--format", "pdf", "--break", "x"}, []string{"--fail 2", "--format pdf", "--break x"}},
		{[]string{"verify", "-f", folder}, []string{"are alternatives", "VirtualService reviews in namespace default", "hellochaos verify -f " + other}},
		{[]string{"verify", "-f", empty}, []string{"is a folder without a .yaml, .yml or .json file"}},
		{[]string{"verify", "-f", filepath.Join(empty, "nothing.yaml")}, []string{"nothing.yaml"}},
		{[]string{"verify", "-f", shop(t, "attempts: 3", "attempts: three")}, []string{"reviews.yaml:14", "spec.http[0].retries.attempts", "reviews.yaml:16"}},
		{[]string{"explain"}, []string{"name files or folders with -f"}},
	} {
		got := execute(t, c.args...)
		for _, part := range c.want {
			if got.code != 2 || got.stdout != "" || !strings.Contains(got.stderr, part) {
				t.Errorf("%q: exit code %d, %q is not in\n%s%s", c.args, got.code, part, got.stdout, got.stderr)
			}
		}
	}
}

// Manifests come on standard input, too.
func TestVerifyStandardInput(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), program, "verify", "-f", "-", "--seed", "1", "--quiet")
	cmd.Stdin = strings.NewReader(shopFiles["reviews.yaml"])
	if out, err := cmd.Output(); err != nil || !strings.HasPrefix(string(out), "PASS  each of ") {
		t.Errorf("%v: %s", err, out)
	}
}
