package reports

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hellochaos/hellochaos/stats"

	"github.com/hellochaos/hellochaos/reports/terminal"
)

func pointer[T any](v T) *T { return &v }

// example is a report with a row of each kind and each verdict.
func example() *Report {
	share := func(predicted, measured, half float64, k, n int64, v Verdict) *Measurement {
		return &Measurement{Predicted: predicted, Band: stats.Band(predicted, 0.05), Measured: &measured,
			Interval: &stats.Interval{Lo: measured - half, Hi: measured + half/2}, K: k, N: n, Detects: pointer(0.0812), Verdict: v}
	}
	return &Report{
		Schema: SchemaVersion, Target: Target{Kind: "mesh", Detail: "embedded mesh", Deviation: "slow-backoff"}, Elapsed: 5.25,
		Settings: Settings{Seed: 7, Fail: 0.5, Cascade: "absorb"}, Verdict: Fail, Restored: Restored,
		Summary: "1 of 4 checks contradict the manifests, first middleware wait, try 2",
		Stages: []Stage{{
			Name: "retry", Title: "failed calls are sent again", Verdict: Fail,
			Phases: []Phase{{Name: "before", Sent: 1000}, {Name: "after", Sent: 2000, Warnings: []string{"requests left late"},
				Compared: []string{"Envoy's statistics: middleware 3760 of 3760"}}},
			Checks: []Check{
				{Name: "middleware call fails", Kind: Proportion, Unit: "share", Verdict: Pass,
					Before: share(0.5, 0.4981, 0.0213, 498, 1000, Pass), After: share(0.0625, 0.0611, 0.0105, 61, 1000, Pass)},
				{Name: "canary share", Kind: Exact, Unit: "share", Verdict: Pass,
					After: &Measurement{Predicted: 0, Measured: pointer(0.0), K: 0, N: 2531, Verdict: Pass}},
				{Name: "backend ledger", Kind: Ledger, Unit: "retries", Verdict: Inconclusive,
					Before: &Measurement{Measured: pointer(0.0), Verdict: Pass},
					After:  &Measurement{Measured: pointer(12.0), K: 12, N: 12, Verdict: Inconclusive, Note: "the limit was not reached"}},
				{Name: "middleware wait, try 2", Kind: Median, Unit: "seconds", Verdict: Fail,
					After: &Measurement{Predicted: 0.0125, Band: stats.Interval{Lo: 0.00625, Hi: 0.025}, Measured: pointer(0.0501), Interval: &stats.Interval{Lo: 0.048, Hi: 0.052}, N: 100, Verdict: Fail}},
			},
			Amplification: []Amplification{{Hop: "middleware", After: &Factor{Predicted: 1.875, Measured: 1.88}}},
			Words:         []string{"Retries of middleware wait 4.0 times as long as Envoy's back-off for this policy predicts."},
		}},
	}
}

const exampleText = `FAIL  1 of 4 checks contradict the manifests, first middleware wait, try 2
embedded mesh: 3000 requests in 5.2 s; fail 0.5, absorb, seed 7
The mesh is wrong on purpose: --break slow-backoff.

FAIL  retry: failed calls are sent again
  check                   predicted   before         after           catches
FAIL
  middleware wait, try 2  12.5ms                     50.1ms ±2.1ms
INCONCLUSIVE
  backend ledger          exact       no retries     12 of 12        1 try
PASS
  middleware call fails   0.5→0.0625  0.498 ±0.0213  0.0611 ±0.0105  0.0812
  canary share            0                          0 of 2531

  ! after: requests left late
  = after: Envoy's statistics: middleware 3760 of 3760.
  Retries of middleware wait 4.0 times as long as Envoy's back-off for this
  policy predicts.
  Tries per request, measured (predicted): middleware 1.88 (1.88).
`

func TestText(t *testing.T) {
	var plain, coloured strings.Builder
	if err := Text(&plain, example(), false); err != nil {
		t.Fatal(err)
	}
	if plain.String() != exampleText {
		t.Errorf("got:\n%s\nwant:\n%s", plain.String(), exampleText)
	}
	if err := Text(&coloured, example(), true); err != nil {
		t.Fatal(err)
	}
	bare := uncoloured.Replace(coloured.String())
	if bare != exampleText || !strings.Contains(coloured.String(), string(terminal.Red)+"FAIL"+string(terminal.Reset)) {
		t.Errorf("colours change more than colours:\n%s", coloured.String())
	}
}

func TestHeadlineAndExitCode(t *testing.T) {
	for _, c := range []struct {
		change func(*Report)
		word   string
		code   int
	}{
		{func(r *Report) { r.Verdict = Pass }, "PASS", 0},
		{func(r *Report) {}, "FAIL", 1},
		{func(r *Report) { r.Verdict = Inconclusive }, "INCONCLUSIVE", 3},
		{func(r *Report) { r.Aborted = true }, "ABORTED", 4},
		{func(r *Report) { r.Restored = NotRestored; r.Error = "x"; r.Aborted = true }, "NOT RESTORED", 5},
		{func(r *Report) { r.Error = "no answer"; r.Aborted = true }, "ERROR", 6},
	} {
		r := example()
		c.change(r)
		var out strings.Builder
		if err := Text(&out, r, false); err != nil {
			t.Fatal(err)
		}
		if word, _, _ := strings.Cut(out.String(), "  "); word != c.word || r.ExitCode() != c.code {
			t.Errorf("%q and exit %d, want %q and %d", word, r.ExitCode(), c.word, c.code)
		}
	}
}

func TestWorst(t *testing.T) {
	for _, c := range []struct {
		of   []Verdict
		want Verdict
	}{
		{nil, Inconclusive}, {[]Verdict{Pass}, Pass}, {[]Verdict{Pass, Inconclusive}, Inconclusive},
		{[]Verdict{Inconclusive, Fail, Pass}, Fail}, {[]Verdict{Pass, ""}, Inconclusive},
	} {
		if got := Worst(c.of...); got != c.want {
			t.Errorf("Worst(%v) = %s, want %s", c.of, got, c.want)
		}
	}
}

func TestNumbersForPeople(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 1: "1", 0.5: "0.5", 0.4981: "0.498", 0.0625: "0.0625", 0.00812: "0.0081", 6.31e-6: "6.3e-06", -1e-9: "0"} {
		if got := Probability(v); got != want {
			t.Errorf("Probability(%v) = %s, want %s", v, got, want)
		}
	}
	seconds := &Check{Unit: "seconds"}
	for v, want := range map[float64]string{0.0125: "12.5ms", 2.0131: "2.01s", 0.0875: "87.5ms"} {
		if got := value(seconds, v); got != want {
			t.Errorf("value(%v) = %s, want %s", v, got, want)
		}
	}
	for v, want := range map[float64]string{0.25: "+0.25", -0.25: "−0.25", 0.001: "0.00", -0.001: "0.00"} {
		if got := Signed(v, strconv.FormatFloat(math.Abs(v), 'f', 2, 64)); got != want {
			t.Errorf("Signed(%v) = %s, want %s", v, got, want)
		}
	}
}

// A stage's table fits a terminal whatever the verdicts are.
func TestTextIsNotWiderThanATerminal(t *testing.T) {
	widest := &Measurement{Predicted: 0.0625, Band: stats.Band(0.0625, 0.05), Measured: pointer(0.0611), Interval: &stats.Interval{Lo: 0.0401, Hi: 0.0812},
		K: 61, N: 1000, Detects: pointer(0.0812)}
	before := *widest
	before.Predicted = 0.8751
	for _, v := range []Verdict{Pass, Fail, Inconclusive} {
		r := example()
		r.Stages[0].Checks = append(r.Stages[0].Checks, Check{Name: "middleware call fails", Kind: Proportion, Unit: "share", Verdict: v, Before: &before, After: widest})
		var out strings.Builder
		if err := Text(&out, r, false); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > terminal.Width {
				t.Errorf("%s: %d columns: %s", v, n, line)
			}
		}
		if title := "\n" + strings.ToUpper(string(v)) + "\n"; !strings.Contains(out.String(), title) {
			t.Errorf("no line with the verdict %s alone:\n%s", v, out.String())
		}
	}
}

// Links and remarks come last; an address is not broken.
func TestTextOfLinks(t *testing.T) {
	r := example()
	address := "http://127.0.0.1:3000/d/hellochaos-run/a?from=1767323045600&to=1767323055100&var-stage=egress&var-stage=retry"
	r.Links = []Link{{Title: "Grafana: hellochaos: a run", URL: address}}
	r.Remarks = []string{"Grafana at http://127.0.0.1:3000: writing annotations: 403 Forbidden: the token needs the role Editor"}
	var out strings.Builder
	if err := Text(&out, r, false); err != nil {
		t.Fatal(err)
	}
	want := exampleText + "\nGrafana: hellochaos: a run\n  " + address + "\n" +
		"! Grafana at http://127.0.0.1:3000: writing annotations: 403 Forbidden: the\n  token needs the role Editor\n"
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
	}
}

// An incident is reported once: in the words of its stage, or by itself where the stage has no words.
func TestIncidents(t *testing.T) {
	r := example()
	r.Stages[0].Phases[0].Incidents = []string{"pod backend-1 went away"}
	for _, words := range [][]string{nil, {"While before was measured, pod backend-1 went away."}} {
		r.Stages[0].Words = words
		for _, write := range []func(*strings.Builder) error{
			func(out *strings.Builder) error { return Text(out, r, false) },
			func(out *strings.Builder) error { return Markdown(out, r) },
			func(out *strings.Builder) error { return HTML(out, r) },
		} {
			var out strings.Builder
			if err := write(&out); err != nil || strings.Count(out.String(), "backend-1") != 1 {
				t.Errorf("%v: told %d times, want once:\n%.2000s", err, strings.Count(out.String(), "backend-1"), out.String())
			}
		}
	}
}

// uncoloured takes colours out of a text.
var uncoloured = strings.NewReplacer(string(terminal.Green), "", string(terminal.Red), "", string(terminal.Yellow), "", string(terminal.Reset), "")
