package render

import (
	"bytes"
	"encoding/xml"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/junit"
	"github.com/hellochaos/hellochaos/reports/reporttest"
)

func TestExpectation(t *testing.T) {
	r := reporttest.Expected()
	for i, want := range []string{"edge fails <= 0.01: predicted 0.5, measured 0.49 (0.39 to 0.58)", "worst case tries <= 16: predicted 16, at backend", "p99 <= 250ms: measured 41 ms"} {
		if got := expectation(r, &r.Expectations[i]); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	e := reports.Expectation{Text: "any fails < 0.1", Phase: "prod", Unit: reports.UnitShare}
	if got, want := expectation(r, &e), "any fails < 0.1: no data, in phase prod"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Each format that lists checks lists expectations, with their verdicts.
func TestExpectationsAreShown(t *testing.T) {
	r := reporttest.Expected()
	var text, markdown, html bytes.Buffer
	if err := Text(&text, r, TextOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := Markdown(&markdown, r); err != nil {
		t.Fatal(err)
	}
	if err := HTML(&html, r); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		got  string
		want []string
	}{
		"text": {text.String(), []string{"\nFAIL  edge fails <= 0.01: predicted 0.5, measured 0.49 (0.39 to 0.58)\n  The manifests do not achieve it, whatever is measured.\n",
			"\nPASS  worst case tries <= 16: predicted 16, at backend\nINCONCLUSIVE  p99 <= 250ms: measured 41 ms\n"}},
		"Markdown": {markdown.String(), []string{"- **FAIL** edge fails ", "- **PASS** worst case tries", "- **INCONCLUSIVE** p99 "}},
		"HTML":     {html.String(), []string{`✗ FAIL</span> <b>edge fails &lt;= 0.01</b>`, "✓ PASS</span> <b>worst case tries", "? INCONCLUSIVE</span> <b>p99 ", "measured 41 ms. 153 good answers are too few"}},
	} {
		for _, want := range c.want {
			if !strings.Contains(c.got, want) {
				t.Errorf("%s has no %q:\n%s", name, want, c.got[:min(len(c.got), 3000)])
			}
		}
	}
}

func TestExpectationsInJUnit(t *testing.T) {
	r := reporttest.Expected()
	r.Expectations = append(r.Expectations, reports.Expectation{Text: "later: edge fails <= 0.1", Phase: "later", Unit: reports.UnitShare, Verdict: reports.Inconclusive, Why: "phase later was not run"})
	var out bytes.Buffer
	if err := JUnit(&out, r); err != nil {
		t.Fatal(err)
	}
	var all junit.Suites
	if err := xml.Unmarshal(out.Bytes(), &all); err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, suite := range all.Suites {
		for _, c := range suite.Cases {
			if name, ok := strings.CutPrefix(c.Name, "expectation: "); ok {
				found[suite.Name+": "+name] = map[bool]string{true: "failure"}[c.Failure != nil] + map[bool]string{true: "error"}[c.Error != nil]
			}
		}
	}
	want := map[string]string{"retry: edge fails <= 0.01": "failure", "retry: worst case tries <= 16": "", "retry: p99 <= 250ms": "error", "run: later: edge fails <= 0.1": "error"}
	for name, problem := range want {
		if got, ok := found[name]; !ok || got != problem {
			t.Errorf("%s: %q, %v, want %q", name, got, ok, problem)
		}
	}
	if len(found) != len(want) {
		t.Errorf("%v, want %v", found, want)
	}
}
