package render

import (
	"bytes"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/reporttest"
)

// Each format that lists checks lists changes, with their verdicts.
func TestChangesAreShown(t *testing.T) {
	r := reporttest.Changed()
	var text, markdown, html, junit, prometheus bytes.Buffer
	for name, err := range map[string]error{"text": Text(&text, r, TextOptions{}), "Markdown": Markdown(&markdown, r), "HTML": HTML(&html, r), "JUnit": JUnit(&junit, r), "Prometheus": Prometheus(&prometheus, r)} {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	for name, c := range map[string]struct {
		got  string
		want []string
	}{
		"text": {text.String(), []string{"\nFAIL  prod → retry: 1,458 calls, 19 lost, 2 old after new, 2 at a wrong time\n  evidence: 602 calls; mixed requests: 13; a gap below 9 ms may go unseen\n  last old answers: frontend 60 ms, middleware 82 ms; applied in 165 ms\n  19 calls were lost:",
			"\nINCONCLUSIVE  retry → prod (put back): 1,440 calls, 0 lost, 0 old after new\n", "There is no verdict: 12 calls tell"}},
		"Markdown":   {markdown.String(), []string{"- **FAIL** prod → retry: 1,458 calls, 19 lost", "- **INCONCLUSIVE** retry → prod (put back)"}},
		"HTML":       {html.String(), []string{`✗ FAIL</span> <b>prod → retry: 1,458 calls, 19 lost, 2 old after new, 2 at a wrong time</b>`, "<p>There is no verdict: 12 calls"}},
		"JUnit":      {junit.String(), []string{`<testcase name="change: prod → retry" classname="hellochaos.retry"`, `<testcase name="change: retry → prod (put back)" classname="hellochaos.retry"`}},
		"Prometheus": {prometheus.String(), []string{`hellochaos_change_verdict{from="prod",to="retry",verdict="fail"} 1`, `hellochaos_change_wrong_calls_total{from="prod",kind="lost",to="retry"} 19`, `hellochaos_change_last_old_answer_seconds{from="prod",proxy="frontend",to="retry"} 0.0604`}},
	} {
		for _, want := range c.want {
			if !strings.Contains(c.got, want) {
				t.Errorf("%s has no %q:\n%s", name, want, c.got[:min(len(c.got), 3000)])
			}
		}
	}
}

// On a cluster, where each connection takes up rules by itself, the facts say how far apart those of one proxy were.
func TestConnectionsApartAreShown(t *testing.T) {
	var text bytes.Buffer
	if err := Text(&text, reporttest.OnPods(), TextOptions{}); err != nil {
		t.Fatal(err)
	}
	got := strings.Join(strings.Fields(text.String()), " ")
	if want := "last old answers: frontend-prod-54fff9dccc-qz2fh 60 ms, middleware 82 ms; applied in 165 ms; connections to one proxy at least 12 ms apart"; !strings.Contains(got, want) {
		t.Errorf("no %q in:\n%s", want, text.String())
	}
}

// A change that passed is two lines, and one that could not be looked at is its reason.
func TestChangesInFewLines(t *testing.T) {
	r := reporttest.Changed()
	r.Changes[0].Verdict = reports.Pass
	r.Changes[1] = reports.Change{From: "retry", To: "prod", PutBack: true, Verdict: reports.Inconclusive, Why: "nothing can be sent", Words: []string{"There is no verdict: nothing can be sent."}}
	var text bytes.Buffer
	if err := Text(&text, r, TextOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := text.String(); strings.Contains(got, "19 calls were lost:") || !strings.Contains(got, "\nINCONCLUSIVE  retry → prod (put back): nothing can be sent\n\n") {
		t.Error(got)
	}
}
