package sweep

import (
	"encoding/xml"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/junit"
	"github.com/hellochaos/hellochaos/reports/reporttest"
)

// gridOf is a grid over fail and a parameter of the reports of its points.
func gridOf(planned int, points ...*reports.Report) *Report {
	s := New([]Axis{{"fail", []string{"0.3", "0.5"}}, {"blue-weight", []string{"10", "20"}}}, planned, []string{"hellochaos", "run", "retry", "--fail", "0.3,0.5"}, reporttest.Started)
	values := [][]string{{"0.3", "10"}, {"0.3", "20"}, {"0.5", "10"}, {"0.5", "20"}}
	for i, r := range points {
		s.Add(values[i], "", r)
	}
	s.Conclude(4 * time.Second)
	return s
}

// expecting is a report with an expectation that has a verdict.
func expecting(r *reports.Report, v reports.Verdict) *reports.Report {
	half := 0.5
	r.Expectations = []reports.Expectation{{Text: "edge fails <= 0.4", Phase: "retry", Unit: reports.UnitShare, Predicted: &half, Measured: &half, Verdict: v, Why: "it is so"}}
	return r
}

// The verdict of a grid is the worst of its points', its exit code the first of 5, 6, 4, 1, 3, 0, and a point that was not run is no pass.
func TestConclude(t *testing.T) {
	ended := func(change func(*reports.Report)) *reports.Report {
		r := reporttest.Retry()
		change(r)
		return r
	}
	pass := reporttest.Retry()
	fail := ended(func(r *reports.Report) { r.Verdict, r.Summary = reports.Fail, "it is wrong" })
	open := ended(func(r *reports.Report) { r.Verdict = reports.Inconclusive })
	aborted := ended(func(r *reports.Report) { r.Verdict, r.Aborted = reports.Inconclusive, true })
	broken := ended(func(r *reports.Report) { r.Verdict, r.Error = reports.Inconclusive, "no mesh" })
	left := ended(func(r *reports.Report) { r.Restored = reports.NotRestored })
	for _, c := range []struct {
		points  []*reports.Report
		planned int
		verdict reports.Verdict
		code    int
		summary string
	}{
		{[]*reports.Report{pass, pass}, 2, reports.Pass, 0, "2 of 2 points pass"},
		{[]*reports.Report{pass, fail, open, fail}, 4, reports.Fail, 1, "2 of 4 points fail, the first at fail 0.3, blue-weight 20: it is wrong"},
		{[]*reports.Report{pass, open}, 2, reports.Inconclusive, 3, "1 of 2 points has no verdict, the first at fail 0.3, blue-weight 20: "},
		{[]*reports.Report{pass}, 2, reports.Inconclusive, 3, "1 of 2 points were run"},
		{[]*reports.Report{fail, aborted}, 3, reports.Fail, 4, "1 of 3 points was aborted"},
		{[]*reports.Report{fail, broken}, 2, reports.Fail, 6, "1 of 2 points could not be ended"},
		{[]*reports.Report{broken, left}, 2, reports.Inconclusive, 5, "1 of 2 points left something that is not put back"},
		{nil, 2, reports.Inconclusive, 3, "0 of 2 points were run"},
	} {
		s := gridOf(c.planned, c.points...)
		if s.Verdict != c.verdict || s.ExitCode() != c.code || !strings.HasPrefix(s.Summary, c.summary) {
			t.Errorf("%d of %d points: %s, exit %d, %q: want %s, %d, %q", len(c.points), c.planned, s.Verdict, s.ExitCode(), s.Summary, c.verdict, c.code, c.summary)
		}
	}
}

// A signal between two points is no error of the mesh.
func TestAbortedBetweenPoints(t *testing.T) {
	s := gridOf(2, reporttest.Retry())
	if s.Error = "fail 0.5: no answer"; s.ExitCode() != reports.ExitInfrastructure {
		t.Errorf("exit code %d", s.ExitCode())
	}
	if s.Aborted = true; s.ExitCode() != reports.ExitAborted {
		t.Errorf("exit code %d after a signal", s.ExitCode())
	}
}

// The text has a row a point, with what each hop was predicted to do and did, and fits 80 columns.
func TestText(t *testing.T) {
	other := reporttest.Retry()
	other.Verdict, other.Summary, other.Settings.Fail = reports.Fail, "it is wrong", 0.3
	other.Phases[1].Verdict = reports.Fail
	other.Phases[1].Mismatches = []reports.Mismatch{{Kind: "not retried", Again: "hellochaos run retry --request retry/3"}}
	other.Remarks = []string{"Grafana did not answer."}
	s := gridOf(4, expecting(reporttest.Retry(), reports.Pass), expecting(other, reports.Fail))
	var out strings.Builder
	if err := Text(&out, s, false); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	for line := range strings.Lines(text) {
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	for _, want := range []string{"FAIL  1 of 4 points fails, the first at fail 0.3, blue-weight 20: it is wrong\n", "absorb, seed 7 at each point",
		"\nFAIL  edge fails <= 0.4\n  FAIL at fail 0.3, blue-weight 20: predicted 0.5, measured 0.5: it is so.\n",
		"\nFAIL  fail 0.3, blue-weight 20: it is wrong\n    again     hellochaos run retry --request retry/3\n",
		"\nshare of failed calls, predicted → measured\nfail  blue-weight  verdict  edge (frontend)  middleware  ", "\n0.3   20           FAIL     0.5 → 0.5        0.0625 → ",
		"\ntries per request, predicted → measured\nfail  blue-weight  middleware ", "Never fails, as predicted: time.jsontest.com.\n", "\n! Grafana did not answer.\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
}

// Many hops stand in several tables, each of which names the points.
func TestTextOfManyHops(t *testing.T) {
	all := reporttest.RunAll()
	var out strings.Builder
	if err := Text(&out, gridOf(1, all), false); err != nil {
		t.Fatal(err)
	}
	for _, p := range all.Phases {
		if p.Base == strings.Contains(out.String(), "\n"+p.Name+": ") {
			t.Errorf("phase %s is a base: %v, and in the text: %v", p.Name, p.Base, !p.Base)
		}
	}
	for line := range strings.Lines(out.String()) {
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if strings.Count(out.String(), "\nfail  blue-weight  verdict") >= strings.Count(out.String(), "\nfail  blue-weight") {
		t.Errorf("no table goes on below:\n%s", out.String())
	}
}

// In JUnit a point is a suite, a hop and an expectation a case; a point that was not run is an error.
func TestJUnit(t *testing.T) {
	var out strings.Builder
	if err := JUnit(&out, gridOf(3, reporttest.Retry(), expecting(reporttest.Retry(), reports.Fail))); err != nil {
		t.Fatal(err)
	}
	var read junit.Suites
	if err := xml.Unmarshal([]byte(out.String()), &read); err != nil {
		t.Fatal(err)
	}
	if len(read.Suites) != 3 || read.Suites[1].Name != "fail 0.3, blue-weight 20" || read.Failures != 1 || read.Errors != 1 {
		t.Fatalf("%+v", read)
	}
	var names []string
	for _, c := range read.Suites[1].Cases {
		names = append(names, c.Name)
	}
	if want := []string{"verdict", "retry: edge (frontend)", "retry: middleware", "retry: backend", "retry: time.jsontest.com", "expectation: edge fails <= 0.4"}; !slices.Equal(names, want) {
		t.Errorf("cases %q, want %q", names, want)
	}
}

// Markdown has the rows of the text, and nothing that a name brings is read as mark-up.
func TestMarkdown(t *testing.T) {
	r := reporttest.Retry()
	r.Phases[1].Title = "a | b"
	var out strings.Builder
	if err := Markdown(&out, gridOf(1, r)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"## PASS: 1 of 1 points passes\n", `### retry: a \| b`, "| fail | blue\\-weight | verdict | edge (frontend) |", "| 0.3 | 10 | PASS | 0.5 → 0.5 | 0.0625 → ", "--fail 0.3,0.5 --seed 7`"} {
		if !strings.Contains(strings.ReplaceAll(out.String(), "blue-weight", `blue\-weight`), want) {
			t.Errorf("the page lacks %q:\n%s", want, out.String())
		}
	}
}
