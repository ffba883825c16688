package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/reports"
)

// shopCases are test cases of the shop, in the form of istio-config-validator.
const shopCases = `testCases:
  - description: jason gets the second version
    wantMatch: true
    request:
      authority: [reviews]
      method: [GET, DELETE]
      uri: [/1, /2]
      headers:
        end-user: jason
    route:
      - destination: {host: reviews, subset: v2}
  - description: nobody else does
    wantMatch: false
    request: {authority: [reviews], method: [GET], uri: [/1]}
    route:
      - destination: {host: reviews, subset: v2}
---
testCases:
  - description: to pay is rewritten
    wantMatch: true
    request: {authority: [shop.example.com], method: [POST], uri: [/pay/17]}
    route: [{destination: {host: checkout}}]
    rewrite: {uri: /}
  - description: a host that nobody has
    wantMatch: false
    request: {authority: [nowhere.example.org], method: [GET], uri: [/]}
    route: [{destination: {host: checkout}}]
`

// tests writes test cases, changed by pairs of texts, into a folder.
func tests(t *testing.T, changes ...string) (folder string) {
	t.Helper()
	folder = t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "shop_test.yml"), []byte(strings.NewReplacer(changes...).Replace(shopCases)), 0o644); err != nil {
		t.Fatal(err)
	}
	return folder
}

// unbroken is a text without its line breaks.
func unbroken(text string) string { return strings.Join(strings.Fields(text), " ") }

// Each case is held against the rules, and its requests are sent and judged.
func TestVerifyCases(t *testing.T) {
	folder := shop(t)
	got := execute(t, "verify", "-f", folder, "--cases", tests(t), "--seed", "1", "--format", "json")
	var report reports.Report
	if err := json.Unmarshal([]byte(got.stdout), &report); err != nil {
		t.Fatalf("%v: %s%s", err, got.stdout, got.stderr)
	}
	if got.code != 0 || report.Cases == nil || *report.Cases != (reports.Cases{Held: 4, All: 4}) || len(report.Findings) > 0 || !strings.HasSuffix(report.Summary, "met what the manifests say, and 4 of 4 test cases hold") {
		t.Errorf("exit code %d, cases %+v, findings %+v, %q", got.code, report.Cases, report.Findings, report.Summary)
	}
	var cohorts []string
	for _, call := range report.Phases[0].Calls {
		if call.Fails.N > 0 {
			cohorts = append(cohorts, call.Cohorts...)
		}
	}
	for _, sent := range []string{"reviews /2 end-user: jason", "DELETE reviews /1 end-user: jason", "reviews /1", "POST shop.example.com /pay/17, by gateway door"} {
		if !slices.Contains(cohorts, sent) {
			t.Errorf("%q is not among the measured requests %q", sent, cohorts)
		}
	}
}

// A case that does not hold fails the command, and names the rule that its request meets and where that leads. It can be allowed.
func TestVerifyCasesNotMet(t *testing.T) {
	folder := shop(t)
	cases := tests(t, "{host: reviews, subset: v2}\n  - d", "{host: reviews, subset: v3}\n  - d")
	got := execute(t, "verify", "-f", folder, "--cases", cases, "--seed", "1")
	for _, part := range []string{
		`FAIL 3 of 4 test cases hold, the first that does not is "jason gets the second version" (`,
		`shop_test.yml:2: test case "jason gets the second version": reviews /1 end-user: jason meets VirtualService reviews, http[0] (`,
		"reviews.yaml:12): it goes to reviews.default, subset v2. It must have the route [{destination: {host: reviews, subset: v3}}], and has [{destination: {host: reviews, subset: v2}}]. The case does not hold for 4 of its 4 requests. (HC301)",
	} {
		if got.code != 1 || !strings.Contains(unbroken(got.stdout), part) {
			t.Errorf("exit code %d, %q is not in\n%s%s", got.code, part, got.stdout, got.stderr)
		}
	}
	if got := execute(t, "verify", "-f", folder, "--cases", cases, "--seed", "1", "--allow-findings", "HC301"); got.code != 0 || !strings.Contains(unbroken(got.stdout), "and 3 of 4 test cases hold") {
		t.Errorf("allowed: exit code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	if got := execute(t, "verify", "-f", folder, "--cases", tests(t), "--seed", "1", "--break", "header-ignored"); got.code != 1 || !strings.Contains(unbroken(got.stdout), "met something else than the manifests say") || !strings.Contains(unbroken(got.stdout), "; 4 of 4 test cases hold") {
		t.Errorf("--break: exit code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
}

// The request that met something wrong can be sent again, with the cases among the requests.
func TestVerifyCasesAgain(t *testing.T) {
	got := execute(t, "verify", "-f", shop(t), "--cases", tests(t), "--seed", "1", "--fail", "0.3", "--break", "no-retries", "--format", "json")
	var report reports.Report
	if err := json.Unmarshal([]byte(got.stdout), &report); err != nil {
		t.Fatalf("%v: %s", err, got.stderr)
	}
	if len(report.Phases[0].Mismatches) == 0 {
		t.Fatalf("no mismatch: %s", report.Summary)
	}
	for _, m := range report.Phases[0].Mismatches {
		again := strings.Fields(m.Again)
		if len(again) < 3 || !strings.Contains(m.Again, "--cases=") {
			t.Fatalf("again: %q", again)
		}
		if got := execute(t, again[1:]...); got.code != 1 || !strings.Contains(got.stdout, m.Kind) {
			t.Errorf("%q: exit code %d\n%s", again, got.code, got.stdout)
		}
	}
}

// Bad test files are one message with all that is wrong, and exit code 2.
func TestVerifyCasesUsage(t *testing.T) {
	folder := shop(t)
	bad := tests(t, "wantMatch: true", "wantsMatch: true", "uri: [/1]", "uri: []", "subset: v2", "subst: v2")
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"--cases", bad}, []string{`shop_test.yml:3: testCases[0].wantsMatch: unknown field (did you mean "wantMatch"?)`, "shop_test.yml:14: testCases[1].request.uri: must be a list with at least one item, not an empty list", `testCases[1].route[0].destination.subst: unknown field (did you mean "subset"?)`, "shop_test.yml:20: testCases[0].wantsMatch"}},
		{[]string{"--cases", filepath.Join(bad, "nothing")}, []string{"nothing: no such file or directory"}},
		{[]string{"--cases", folder}, []string{folder + ": no file has testCases"}},
		{[]string{"--cases", filepath.Join(folder, "reviews.yaml")}, []string{"reviews.yaml: has no testCases"}},
		{[]string{"--cases", bad, "--cases", bad}, []string{"is named more than once"}},
	} {
		got := execute(t, append([]string{"verify", "-f", folder}, c.args...)...)
		for _, part := range c.want {
			if got.code != 2 || got.stdout != "" || !strings.Contains(got.stderr, part) {
				t.Errorf("%q: exit code %d, %q is not in\n%s%s", c.args, got.code, part, got.stdout, got.stderr)
			}
		}
	}
}
