package compare

import (
	"encoding/xml"
	"fmt"
	"html"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/junit"
	"github.com/hellochaos/hellochaos/reports/terminal"
	"github.com/hellochaos/hellochaos/stats"
)

// example has a row of each word, an exclusion, a mismatch, a change and something unknown.
func example() *Comparison {
	slower := former
	slower.latency, slower.missing, slower.call, slower.edge = 0.012, 12, 0, 0.345
	a, b := former.draw(1), slower.draw(2)
	b.Phases[0].Late = true
	b.Settings.Rate, b.Settings.ManifestsHash, b.Target.Deviation = 300, "", "one-retry-less"
	c := Of(a, b, defaults)
	c.Old.Name, c.New.Name, c.Forced = "r1", "r2", true
	return c
}

const exampleText = `WORSE  NEW is worse than OLD in 4 of 18 metrics; the first is "backend: ledger"
       of phase retry
OLD r1: pass, 6000 requests, seed 1, 2026-05-04 03:02:01 UTC
NEW r2: fail, 6000 requests, seed 2, 2026-05-04 03:02:01 UTC
  ≠ --break: OLD none, NEW one-retry-less
  ! the scenarios differ, and are compared because of --force: rate: OLD as
    planned, NEW 300 a second
  ! the manifests' hash could not be compared: NEW does not have it
  ! requests were not compared one by one: a report of schema 1 does not have
    the outcome of each

worse
  metric   old      new       difference  p
retry: backend
  ledger   0 wrong  12 wrong  +12         exact
retry
  verdict  pass     fail
  ok p50   1.88ms   12.2ms    +549% ±83%  <0.001
  ok p90   3.23ms   20.7ms    +542% ±78%  <0.001
  ! "backend: ledger": it passed in OLD and fails in NEW

better
  metric  old     new  difference       p
prod: backend
  fails   0.0687  0    −0.0687 ±0.0117  <0.001
retry: backend
  fails   0.0675  0    −0.0675 ±0.0114  <0.001

unclear
  metric      old    new    difference      needs
prod
  edge fails  0.311  0.364  +0.053 ±0.0239  190000
retry
  edge fails  0.284  0.352  +0.068 ±0.0236  5200

unclear, not counted
  metric         old     new     difference   needs
prod: backend
  tries/request  1.41    1.39    −0.02 ±0.10  9600
retry: backend
  tries/request  1.42    1.39    −0.03 ±0.10
retry
  ok p99         4.91ms  33.9ms  +589% ±173%  3100
  ! "backend: tries/request": it is not worse by more than the margin

same: 4 shares, 1 verdict, 1 count of violations, 1 wait; --all lists them

  ! not compared: prod: latencies: requests were sent late in NEW

The number before "wrong" counts the calls, or the tries of a ledger, that
contradict the manifests. A metric is the same where the whole interval of its
difference is within the margin: 0.05 for shares, 5 % for tries per request,
from 20 % less to 25 % more (1ms at least) for times. It is worse or better
where the whole interval lies beyond the margin and p is at most 0.01; p is
adjusted by Holm's procedure for 14 tests. Intervals have a confidence of 0.95.
The column "needs" has about how many requests a phase needs so that a metric is
no longer unclear.
`

// paired is a comparison of requests one by one, of which some differ.
func paired() *Comparison {
	a, b := usual.again(1, 1), usual.again(1, 2)
	for _, n := range []int{17, 1044, 2000} {
		b.Phases[1].Outcomes[n] |= edgeBit | anyBit
	}
	c := Of(a, b, defaults)
	c.Old.Name, c.New.Name = "r1", "r2"
	return c
}

const pairedText = `WORSE  NEW is worse than OLD in 1 of 27 metrics; the first is "requests, one by
       one" of phase retry
OLD r1: pass, 6000 requests, seed 1, 2026-05-04 03:02:01 UTC
NEW r2: pass, 6000 requests, seed 1, 2026-05-04 03:02:01 UTC
Both sent the same requests: 6,000 of them were compared one by one.

worse
  metric                old         new       difference  p
retry
  requests, one by one  3,000 sent  2 differ              exact
  ! "requests, one by one": 2 of 3000 requests met something else, first
    1/retry/17, 1/retry/2000; 2 fail at the edge only in NEW, 0 only in OLD

unclear, not counted
  metric         old     new     difference   needs
retry: backend
  tries/request  1.42    1.39    −0.03 ±0.10
retry
  ok p99         4.91ms  5.65ms  +15% ±29%    19000
  ! "backend: tries/request": it is not worse by more than the margin

same: 1 series of requests, 8 shares, 5 counts of violations, 1 number of tries,
2 verdicts, 5 latencies, 1 coverage, 1 wait; --all lists them

The number before "wrong" counts the calls, or the tries of a ledger, that
contradict the manifests. A metric is the same where the whole interval of its
difference is within the margin: 0.05 for shares, 5 % for tries per request,
from 20 % less to 25 % more (1ms at least) for times. It is worse or better
where the whole interval lies beyond the margin and p is at most 0.01; p is
adjusted by Holm's procedure for 15 tests. Intervals have a confidence of 0.95.
The column "needs" has about how many requests a phase needs so that a metric is
no longer unclear.
`

func TestText(t *testing.T) {
	c := example()
	var plain, all, coloured strings.Builder
	for out, write := range map[*strings.Builder]func() error{
		&plain: func() error { return Text(&plain, c, false, false) }, &all: func() error { return Text(&all, c, true, false) },
		&coloured: func() error { return Text(&coloured, c, false, true) },
	} {
		if err := write(); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(uncoloured.Replace(out.String())) {
			if n := len([]rune(strings.TrimRight(line, "\n"))); n > terminal.Width {
				t.Errorf("%d columns: %s", n, line)
			}
		}
	}
	if plain.String() != exampleText {
		t.Errorf("got:\n%s\nwant:\n%s", plain.String(), exampleText)
	}
	var one strings.Builder
	if err := Text(&one, paired(), false, false); err != nil || one.String() != pairedText {
		t.Errorf("%v:\n%s\nwant:\n%s", err, one.String(), pairedText)
	}
	if bare := uncoloured.Replace(coloured.String()); bare != plain.String() || bare == coloured.String() {
		t.Errorf("colours change more than colours:\n%s", coloured.String())
	}
	for i := range c.Rows {
		if r := &c.Rows[i]; !strings.Contains(all.String(), r.Metric) {
			t.Errorf("--all does not list %s", r.name())
		}
	}
}

// The widest numbers, shares of violations, fit a terminal beside the longest name of a check.
func TestTextIsNotWiderThanATerminal(t *testing.T) {
	r := Row{Phase: "ingress", Call: "middleware from frontend by VirtualService middleware, http[0], which is long", Metric: "waits before try 4, wide", Kind: Share, Word: Worse,
		Old: Value{Value: value(0.0563)}, New: Value{Value: value(0.0865)}, Difference: value(0.0302), Interval: &stats.Interval{Lo: 0.0199, Hi: 0.0401},
		PHolm: value(0.0001), measured: measured{ofViolations: true}}
	var out strings.Builder
	if err := Text(&out, &Comparison{Word: Worse, Rows: []Row{r}}, true, false); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > terminal.Width {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if !strings.Contains(out.String(), "0.0563 wrong  0.0865 wrong  +0.0302 ±0.0103") {
		t.Errorf("the shares are not there:\n%s", out.String())
	}
}

// Of a time that has grown more than tenfold the ratio is printed, and a difference that is rounded to zero has no sign.
func TestDifferences(t *testing.T) {
	for _, c := range []struct {
		kind               Kind
		lo, difference, hi float64
		want               string
	}{
		{Latency, 8, 10, 13, "×11 ±3"}, {Latency, -0.3, -0.25, -0.2, "−25% ±5%"}, {Latency, -0.05, -0.001, 0.05, "0% ±5%"},
		{Tries, -0.18, -0.001, 0.17, "0.00 ±0.18"}, {Tries, -2, -1.5, -1, "−1.50 ±0.50"}, {Share, -0.02, -0.01, 0, "−0.01 ±0.01"},
	} {
		r := Row{Kind: c.kind, Difference: &c.difference, Interval: &stats.Interval{Lo: c.lo, Hi: c.hi}}
		if got := r.cells().Difference; got != c.want {
			t.Errorf("%g of a %s is printed as %s, want %s", c.difference, c.kind, got, c.want)
		}
	}
}

// Every format has every row, the differences that --force passed over, and what was left out.
func TestFormatsTellAll(t *testing.T) {
	c := example()
	for _, format := range formats {
		if format.Name == "text" {
			continue // sums up
		}
		var out strings.Builder
		if err := format.Write(&out, c); err != nil {
			t.Fatal(err)
		}
		text := html.UnescapeString(strings.ReplaceAll(out.String(), `\_`, "_"))
		for i := range c.Rows {
			if !strings.Contains(text, c.Rows[i].Metric) {
				t.Errorf("%s does not tell of %s", format.Name, c.Rows[i].name())
			}
		}
		if format.Name == "prometheus" {
			continue // numbers alone
		}
		for _, want := range []string{"requests were sent late in NEW", "worse"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not say %q", format.Name, want)
			}
		}
		if format.Name != "junit" && !(strings.Contains(text, "as planned") && strings.Contains(text, "could not be compared") && strings.Contains(text, "one-retry-less")) {
			t.Errorf("%s does not tell what differs:\n%s", format.Name, text)
		}
	}
	if names := FormatNames(); names != "text, json, markdown, html, junit, prometheus" {
		t.Errorf("formats: %s", names)
	}
	if _, ok := FormatNamed("xml"); ok {
		t.Error("there is a format xml")
	}
}

func TestJUnit(t *testing.T) {
	c := example()
	var out strings.Builder
	if err := JUnit(&out, c); err != nil {
		t.Fatal(err)
	}
	var got junit.Suites
	if err := xml.Unmarshal([]byte(out.String()), &got); err != nil {
		t.Fatal(err)
	}
	count := c.Counts()
	gating := len(c.open())
	if got.Tests != len(c.Rows)+len(c.Excluded) || got.Failures != count[Worse] || got.Errors != gating || len(got.Suites) != 2 || count[Worse] == 0 || gating == 0 {
		t.Errorf("got %d tests, %d failures, %d errors in %d suites; want %d, %d, %d in 2", got.Tests, got.Failures, got.Errors, len(got.Suites),
			len(c.Rows)+len(c.Excluded), count[Worse], gating)
	}
	if skipped := got.Suites[0].Skipped + got.Suites[1].Skipped; skipped != count[Unclear]-gating+len(c.Excluded) {
		t.Errorf("%d skipped, want %d", skipped, count[Unclear]-gating+len(c.Excluded))
	}
}

func TestPrometheus(t *testing.T) {
	c := example()
	var out strings.Builder
	if err := Prometheus(&out, c); err != nil {
		t.Fatal(err)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(out.String()))
	if err != nil {
		t.Fatal(err)
	}
	if code := families["hellochaos_comparison_exit_code"].Metric[0].Gauge.GetValue(); code != 1 {
		t.Errorf("exit code: %g, want 1", code)
	}
	got := map[string]float64{}
	for _, m := range families["hellochaos_comparison_difference"].Metric {
		name := ""
		for _, l := range m.Label {
			name += l.GetValue() + "/" // in alphabetical order: call, kind, metric, phase
		}
		got[name] = m.Gauge.GetValue()
	}
	for i := range c.Rows {
		r := &c.Rows[i]
		if value := got[fmt.Sprintf("%s/%s/%s/%s/", r.Call, r.Kind, r.Metric, r.Phase)]; r.Difference != nil && value != *r.Difference {
			t.Errorf("%s: %g, want %g", r.name(), value, *r.Difference)
		}
	}
}

// What a report calls its phases and services is text, in every format.
func TestMarkupIsText(t *testing.T) {
	a, b := usual.draw(1), usual.draw(2)
	for _, r := range []*reports.Report{a, b} {
		r.Phases[0].Shares[0].Name = `<script>alert("x")</script> | **a** fails`
	}
	c := Of(a, b, defaults)
	c.Old.Name = "<img src=x onerror=alert(1)>"
	for _, format := range []string{"html", "markdown", "junit"} {
		f, _ := FormatNamed(format)
		var out strings.Builder
		if err := f.Write(&out, c); err != nil {
			t.Fatal(err)
		}
		written := strings.ReplaceAll(out.String(), `\<`, "") // as Markdown escapes it
		if strings.Contains(written, "<script>") || strings.Contains(written, "<img") || format == "markdown" && strings.Contains(out.String(), " | **a** ") {
			t.Errorf("%s has markup of the report's:\n%s", format, out.String())
		}
	}
}

func TestOptions(t *testing.T) {
	for text, want := range map[string][2]float64{"25%,1ms": {0.25, 0.001}, "10%": {0.1, 0}, " 5% , 2s ": {0.05, 2}} {
		if share, floor, ok := latencyMargin(text); !ok || share != want[0] || floor != want[1] {
			t.Errorf("%q: %g, %g, %v", text, share, floor, ok)
		}
	}
	for _, text := range []string{"", "10", "0%", "-5%", "NaN%", "10%,", "10%,-1ms", "10%,2h", "x%", "1001%"} {
		if _, _, ok := latencyMargin(text); ok {
			t.Errorf("%q is accepted", text)
		}
	}
	for _, bad := range []Flags{{margin: "0", latencyMargin: "x"}, {margin: "NaN", latencyMargin: ""}} {
		if _, err := bad.Options(); err == nil || !strings.Contains(err.Error(), "--margin "+bad.margin) || !strings.Contains(err.Error(), "--latency-margin "+bad.latencyMargin+":") {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func TestCells(t *testing.T) {
	for seconds, want := range map[float64]string{0.00026: "0.26ms", 0.0011: "1.10ms", 0.0115: "11.5ms", 0.123: "123ms", 1.234: "1.23s", 99.61472: "timeout"} {
		if got := latency(seconds); got != want {
			t.Errorf("%g s: %s, want %s", seconds, got, want)
		}
	}
	for n, want := range map[int64]string{7: "7", 99: "99", 101: "110", 12345: "13000"} {
		if got := rounded(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

// uncoloured takes colours out of a text.
var uncoloured = strings.NewReplacer(string(terminal.Green), "", string(terminal.Red), "", string(terminal.Yellow), "", string(terminal.Reset), "")

// A phase of the page has the word of a comparison of this phase alone. Data that should have been compared and are missing make it unclear.
func TestPhasesOfThePage(t *testing.T) {
	row := func(phase string, word Word, gates bool) Row { return Row{Phase: phase, Word: word, Gates: gates} }
	gone := func(phase string, gates bool) Exclusion { return Exclusion{phase, "everything", "why", gates} }
	for _, test := range []struct {
		c    Comparison
		want []string
	}{
		{Comparison{Rows: []Row{row("a", Worse, true), row("b", Same, true), row("a", Unclear, true), row("b", Better, true)}}, []string{"a worse: 1 worse, 1 unclear", "b better: 1 better, 1 same"}},
		{Comparison{Rows: []Row{row("a", Same, true), row("a", Unclear, false)}}, []string{"a same: 1 unclear, 1 same"}},
		{Comparison{Rows: []Row{row("a", Same, true), row("a", Unclear, true)}}, []string{"a unclear: 1 unclear, 1 same"}},
		{Comparison{Rows: []Row{row("a", Same, true)}, Excluded: []Exclusion{gone("a", true)}}, []string{"a unclear: 1 same, 1 not compared"}},
		{Comparison{Rows: []Row{row("a", Same, true)}, Excluded: []Exclusion{gone("a", false), gone("b", false), gone("c", true)}}, []string{"a same: 1 same", "c unclear: 1 not compared"}},
	} {
		var got []string
		for _, s := range test.c.phases() {
			got = append(got, fmt.Sprintf("%s %s: %s", s.Name, s.Word, s.Counts))
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}
