package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/reports"
)

// graphFiles are a topology, and rules by which the retries of two calls multiply, by the name of their file.
var graphFiles = map[string]string{
	"shop.yaml": `defaults:
  responseSize: 1 KB
services:
- name: front
  isEntrypoint: true
  numReplicas: 10
  script:
  - - call: cart
    - call: stock
- name: cart
  script:
  - call: stock
- name: stock
`,
	"rules.yaml": `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: cart}
spec: {hosts: [cart], http: [{route: [{destination: {host: cart}}], retries: {attempts: 2, retryOn: 5xx}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: stock}
spec: {hosts: [stock], http: [{route: [{destination: {host: stock}}], retries: {attempts: 3, retryOn: 5xx}}]}
`,
}

// graphShop writes the topology and the rules, changed by pairs of texts, and returns their paths.
func graphShop(t *testing.T, changes ...string) (graph, rules string) {
	t.Helper()
	folder := t.TempDir()
	for name, text := range graphFiles {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(strings.NewReplacer(changes...).Replace(text)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(folder, "shop.yaml"), filepath.Join(folder, "rules.yaml")
}

// The calls of a topology meet Istio's defaults where no file has a rule.
func TestVerifyGraph(t *testing.T) {
	graph, _ := graphShop(t)
	got := execute(t, "verify", "--graph", graph, "--seed", "1")
	text := oneBlank(regexp.MustCompile(`(past every proxy|to cart|to stock) 0\.05 0[.\d]*`).ReplaceAllString(oneBlank(got.stdout), "$1 0.05 M"))
	for _, part := range []string{
		"front\n requests enter here past every proxy 0.05 M \ncart\n no rule is for it to cart 0.05 M 0.95/req\n called by front \nstock\n",
		" no rule is for it to stock 0.05 M \n called by cart \n no rule is for it to stock 0.05 M \n called by front \n",
		"8 of 8 cases were met", "! requestSize, responseSize and size", "! numReplicas: the file asks for 12 pods, and 5 run",
	} {
		if got.code != 0 || !strings.HasPrefix(text, "PASS") || !strings.Contains(trailing(text), trailing(part)) {
			t.Errorf("exit code %d, %q is not in\n%s%s", got.code, part, text, got.stderr)
		}
	}
	for _, part := range []string{"services: 3, pods: 5, calls that follow each request: 3 ", "requests enter at front\n", "note: numReplicas: the file asks for 12 pods"} {
		if !strings.Contains(got.stderr, part) {
			t.Errorf("%q is not said before the start: %s", part, got.stderr)
		}
	}
}

// trailing is a text without blanks at the ends of its lines.
func trailing(text string) string { return regexp.MustCompile(`(?m) +$`).ReplaceAllString(text, "") }

// With rules the table has a row for each caller, and retries that multiply along the graph are a finding.
func TestVerifyGraphWithRules(t *testing.T) {
	graph, rules := graphShop(t)
	got := execute(t, "verify", "--graph", graph, "-f", rules, "--seed", "1")
	text := strings.Join(strings.Fields(got.stdout), " ")
	for _, part := range []string{
		"rules.yaml:4 2 retries on 5xx called by front", "rules.yaml:9 3 retries on 5xx called by cart", "rules.yaml:9 3 retries on 5xx called by front",
		"up to 3 × 4 = 12 tries at stock", "(HC204)",
	} {
		if got.code != 0 || !strings.HasPrefix(text, "PASS") || !strings.Contains(text, part) {
			t.Errorf("exit code %d, %q is not in\n%s%s", got.code, part, got.stdout, got.stderr)
		}
	}
}

// What the mesh does wrong between two services is found, and the command that is printed finds it again.
func TestVerifyGraphFindsADeviation(t *testing.T) {
	graph, rules := graphShop(t)
	got := execute(t, "verify", "--graph", graph, "-f", rules, "--seed", "1", "--fail", "0.2", "--break", "one-retry-less", "--format", "json")
	var report reports.Report
	if err := json.Unmarshal([]byte(got.stdout), &report); err != nil {
		t.Fatalf("%v: %s%s", err, got.stdout, got.stderr)
	}
	found := map[string]string{}
	for _, m := range report.Phases[0].Mismatches {
		found[m.From+" > "+m.To] = m.Again
	}
	if got.code != 1 || found["front > cart"] == "" || found["cart > stock"] == "" {
		t.Fatalf("exit code %d, found %v", got.code, found)
	}
	again := strings.Fields(found["cart > stock"])
	if got := execute(t, again[1:]...); got.code != 1 || !strings.Contains(got.stdout, "not retried") {
		t.Errorf("%q: exit code %d\n%s%s", again, got.code, got.stdout, got.stderr)
	}
}

// Nothing is started where the topology is wrong, where a file has one of its services, or where it would take too long.
func TestVerifyGraphUsage(t *testing.T) {
	graph, rules := graphShop(t)
	wrong, wrongRules := graphShop(t, "call: stock", "call: stok", "attempts: 2", "attempts: two")
	large := filepath.Join(t.TempDir(), "large.yaml")
	calls := func(of string) string { return "script: [[" + strings.Repeat("{call: "+of+"},", 60) + "]]" }
	if err := os.WriteFile(large, []byte("services: [{name: a, "+calls("b")+"}, {name: b, "+calls("c")+"}, {name: c}]"), 0o644); err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(t.TempDir(), "own.yaml")
	if err := os.WriteFile(own, []byte("apiVersion: v1\nkind: Service\nmetadata: {name: cart}\nspec: {selector: {app: cart}, ports: [{port: 8080}]}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"--graph", wrong, "-f", wrongRules}, []string{"shop.yaml:9: service front: services[0].script[0][1].call: is \"stok\"", `did you mean "stock"?`, "shop.yaml:12: service cart", "rules.yaml:4", "attempts"}},
		{[]string{"--graph", graph + "s"}, []string{"no such file"}},
		{[]string{"--graph", rules}, []string{"rules.yaml:3: metadata: unknown field", "services: is missing"}},
		{[]string{"--graph", graph, "-f", own}, []string{"own.yaml:1: Service cart: is a service of the graph, too (" + graph + ":10)"}},
		{[]string{"--graph", large}, []string{"large.yaml: at least 300 requests enter, and each leads to 3660 calls: that takes 137 s or more", "not begun unasked: --duration "}},
	} {
		got := execute(t, append([]string{"verify", "--seed", "1"}, c.args...)...)
		for _, part := range c.want {
			if got.code != 2 || got.stdout != "" || !strings.Contains(got.stderr, part) {
				t.Errorf("%q: exit code %d, %q is not in\n%s%s", c.args, got.code, part, got.stdout, got.stderr)
			}
		}
	}
}
