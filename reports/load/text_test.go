package load

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/stats"
)

// example is a report that has everything.
func example() *Report {
	measured, share := 0.262, 0.012
	distribution := func(n int64, by float64) Distribution {
		return Distribution{N: n, Max: 0.3 * by, Quantiles: []Quantile{{0.5, 0.0012 * by, &stats.Interval{Lo: 0.0011 * by, Hi: 0.0013 * by}}, {0.9, 0.02 * by, nil}, {0.99, 0.262 * by, nil}, {0.999, 0.3 * by, nil}}}
	}
	return &Report{Schema: Schema, Version: "v1", Command: []string{"hellochaos", "attack"}, Began: time.Unix(1e9, 0).UTC(), Targets: []Target{{"GET", "http://a/\x1b[31m", 1}, {"POST", "http://b/", 2}},
		Verdict: reports.Fail, Expectations: []Expectation{
			{Text: "p99 <= 250ms", Verdict: reports.Fail, Unit: Seconds, Measured: &measured, Interval: &stats.Interval{Lo: 0.255, Hi: 0.271}, Confidence: 0.999, Why: "what was measured excludes it"},
			{Text: "errors <= 5%", Verdict: reports.Pass, Unit: Share, Measured: &share, Interval: &stats.Interval{Lo: 0.01, Hi: 0.02}, Why: "the measured interval lies within it"},
			{Text: "rate >= 990/s", Verdict: reports.Inconclusive, Unit: PerSecond, Why: "there are no data"}},
		Limited: true, Warnings: []string{"some requests left late"},
		Requests: Requests{Planned: 12_345, Sent: 12_300, Skipped: 40, OK: 12_152, Failed: 147, GivenUp: 1, FailedShare: &stats.Interval{Lo: 0.01, Hi: 0.014}},
		Rate:     Rate{Planned: 2000, Sent: 1999.6, OK: 1975.25}, Latency: Outcomes{distribution(12_152, 1), distribution(147, 2)}, Service: Outcomes{distribution(12_152, 0.9), distribution(147, 1)},
		Statuses: map[int]int64{200: 12_152, 503: 100}, Errors: []Error{{"connection reset", 40, "read: connection reset by peer"}, {"timeout", 7, ""}}, BytesIn: 1_000_000, BytesOut: 7,
		Phases:   []Phase{{Name: "warm-up", Warmup: true, Seconds: 1, Planned: 10, OK: 10, Latency: distribution(10, 1)}, {Name: "100..200", Seconds: 2, Planned: 300, OK: 200, Skipped: 100, Limited: true}},
		ByTarget: []Row{{"GET http://a/", 12_000, 47, distribution(11_953, 1)}, {"POST http://b/", 300, 100, Distribution{}}}, ByStatus: []Row{{"200", 12_152, 0, distribution(12_152, 1)}, {"503", 100, 100, distribution(100, 2)}},
		Windows: []Window{{0, 0.5, 6000, 0, 0.001, 0.01, 0.02}, {0.5, 0.5, 0, 0, 0, 0, 0}, {1, 0.5, 6300, 147, 0.002, 0.3, 0.3}}, Bins: []Bin{{0.001, 7000}, {0.01, 5000}, {0.3162, 152}},
		Connections: &Connections{Opened: 64, MostInFlight: 12, Most: 1000}, Schedule: Schedule{0.0003, 0.005, 0.002}}
}

func printed(t *testing.T, r *Report) string {
	t.Helper()
	var text bytes.Buffer
	if err := Text(&text, r, false); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(text.String()) {
		if n := len([]rune(line)); n > 81 {
			t.Errorf("%d columns: %s", n-1, line)
		}
	}
	return text.String()
}

func TestText(t *testing.T) {
	got := strings.Join(strings.Fields(printed(t, example())), " ")
	for _, want := range []string{"FAIL 1 of 3 expectations is not met: p99 <= 250ms 12,345 requests in 2 phases, 1,999.6/s in the mean: 2 targets, the first one GET http://a/\\u001b[31m",
		"! some requests left late.", "FAIL p99 <= 250ms: measured 262ms (255ms to 271ms) What was measured excludes it.", "PASS errors <= 5%: measured 1.2 % (1 % to 2 %) INCONCLUSIVE rate >= 990/s: no data",
		"p50 1.2ms 1.1ms to 1.3ms 1.08ms 2.4ms", "p99 262ms - 236ms 524ms", "max 300ms 270ms 600ms", "12,345 planned, 12,300 sent, 40 skipped, 1 given up in flight",
		"12,152 good (1,975.2/s), 147 failed: 1.2 % (1 % to 1.4 %)", "200: 12,152, 503: 100", "errors connection reset: 40, first: read: connection reset by peer timeout: 7",
		"1,000,000 in, 7 out", "64 opened; at most 12 requests in flight, of 1,000", "requests left 300µs (p50) to 5ms (p99) late, and 0.2 % of them more than 20ms", "from the planned start", "Expectations are judged by intervals of 99.9 %; all others are of 95 %."} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q:\n%s", want, got)
		}
	}
}

// The first word says what became of the attack, and the exit code the same.
func TestHeadline(t *testing.T) {
	for want, change := range map[string]func(*Report){
		"4 INTERRUPTED  a signal after 12,300 of 12,345 requests": func(r *Report) { r.Interrupted = "a signal" },
		"1 FAIL  1 of 3 expectations is not met":                  func(*Report) {},
		"1 FAIL  2 of 3 expectations are not met, the first of":   func(r *Report) { r.Expectations[1].Verdict = reports.Fail },
		"0 PASS  the expectation is met: 12,300 requests sent":    func(r *Report) { r.Verdict, r.Expectations = reports.Pass, r.Expectations[1:2] },
		"3 INCONCLUSIVE  1 of 1 expectation cannot be judged":     func(r *Report) { r.Verdict, r.Expectations = reports.Inconclusive, r.Expectations[2:] },
		"0 GENERATOR-LIMITED  12,300 requests sent, 12,152 good":  func(r *Report) { r.Verdict, r.Expectations = "", nil },
		"0 DONE  12,300 requests sent, 12,152 good, 147 failed":   func(r *Report) { r.Verdict, r.Expectations, r.Limited = "", nil, false },
		"6 DONE  0 requests sent":                                 func(r *Report) { *r = Report{Errors: []Error{}} },
	} {
		r := example()
		change(r)
		if got := fmt.Sprint(r.ExitCode(), " ", printed(t, r)); !strings.HasPrefix(got, want) {
			t.Errorf("got %.100q, want %q", got, want)
		}
	}
	r := example()
	r.FromStart, r.Recording, r.Phases = true, "v.bin", nil
	if got := printed(t, r); !strings.Contains(got, "v.bin: 12,300 requests at 1,999.6/s") || !strings.Contains(got, "The file does not say") || strings.Contains(got, "skipped") {
		t.Errorf("a recording:\n%s", got)
	}
}

// What was saved is read as it was; other files are none of ours.
func TestSaveAndLoad(t *testing.T) {
	folder := t.TempDir()
	want := example()
	if written, err := Save(folder, want); err != nil || fmt.Sprint(written) != "[report.txt report.json report.html report.xml report.prom]" {
		t.Fatal(written, err)
	}
	for _, name := range []string{folder, filepath.Join(folder, FileName)} {
		if got, ok, err := Load(name); !ok || err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %v, %+v", name, ok, err, got)
		}
	}
	for name, c := range map[string]struct {
		text string
		ok   bool
	}{"run.json": {`{"schema": 3}`, false}, "text": {"no JSON", false}, "newer.json": {`{"schema": "` + Schema + `", "color": 1}`, true}} {
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, ok, err := Load(file); ok != c.ok || ok == (err == nil) {
			t.Errorf("%s: %v, %v", name, ok, err)
		}
	}
}

// Every format has the headline, the figures and what is void.
func TestFormats(t *testing.T) {
	for name, wants := range map[string][]string{
		"text":       {"warm-up", "void", "POST http://b/", "503"},
		"html":       {"<h1", "FAIL", "Latency over time", "distribution-desc", "The highest 99th percentile is 300ms", "12,300 requests were sent, and 147 failed", "warm-up", "void", "GET http://a/\\u001b[31m"},
		"junit":      {`tests="3" failures="1" errors="1"`, `name="p99 &lt;= 250ms"`, "what was measured excludes it"},
		"prometheus": {`hellochaos_attack_latency_seconds{outcome="ok",quantile="0.99"} 0.262`, `hellochaos_attack_requests{outcome="skipped"} 40`, "hellochaos_attack_exit_code 1", `hellochaos_attack_expectation{expectation="errors <= 5%",verdict="pass"} 1`},
	} {
		var text bytes.Buffer
		for _, format := range Formats {
			if format.Name == name {
				if err := format.Write(&text, example()); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, want := range wants {
			if !strings.Contains(text.String(), want) {
				t.Errorf("%s: want %q in\n%s", name, want, text.String())
			}
		}
	}
}
