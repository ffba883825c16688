package render

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/reporttest"
	"github.com/hellochaos/hellochaos/reports/terminal"
)

// written returns a report as text without colours.
func written(t *testing.T, r *reports.Report, verbose bool) string {
	t.Helper()
	var out strings.Builder
	if err := Text(&out, r, TextOptions{Verbose: verbose}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

const retryText = `PASS  each of 1,380 requests met what the manifests say
embedded mesh: 1,880 requests in 2.0 s; fail 0.5, absorb, seed 7
Had 1 % of the calls under a new rule deviated, 1 run in 1,000 would miss it.

PASS  retry: failed calls are sent again by the caller's proxy, up to 3 times
call            fails            tries/req  waits (ms)  policy in force
frontend        0.5    → 0.5     1.00                   none: entered directly
middleware      0.5    → 0.064   0.94       12, 37, 87  3 retries on 5xx, to
                                                        prod (retry.yaml:32)
backend         0.504  → 0.0641  0.88       12, 37, 87  3 retries on 5xx
                                                        (retry.yaml:47)
time.jsontest.  0      → 0                              leads outside
com                                                     (egress.yaml:9)
any of ours     0.876  → 0.56                           branches met: 10 of 10
  A call is sent again when it fails with 5xx, so that it fails for good when
  all of its 4 tries do. The rule for frontend (retry.yaml:17) has no effect
  yet, since no proxy of the mesh sends the requests that enter directly.
`

const failedText = `FAIL  12 calls of 1,380 requests met something else than the manifests say,
      first backend: not retried (retry.yaml:47)
embedded mesh: 1,880 requests in 2.0 s; fail 0.5, absorb, seed 7
The mesh is wrong on purpose: --break one-retry-less.

FAIL  retry: failed calls are sent again by the caller's proxy, up to 3 times
  ! backend: not retried, 10 calls; the first is call 0.1.2 of request
    7/retry/p31, a probe
    rule      VirtualService backend, http[0], retry.yaml:47
    expected  try 4 is sent, since try 3 answered 500, which
              "5xx,connect-failure,refused-stream" covers, and 4 tries are
              allowed
    met       try 3 was delivered
    again     hellochaos send 7/retry/p31 --pins 0.1=fail,0.2=fail,0.3=fail --cascade absorb -H 'x-dev-user: super-secret'
  ! backend: wrong status, 2 calls; the first is call 0.1 of request 7/retry/88
    rule      VirtualService backend, http[0], retry.yaml:47
    expected  the service answers 200
    met       status 503 came after 2ms without a trail
    again     hellochaos send 7/retry/88
  ! backend: ledger: the service counted 152 fewer retries than failures that
    call for one
  The proxy of middleware sends a failed call to backend at most 3 times, where
  retry.yaml:47 allows 4 tries.
  Predicted shares that are outside of the measured 95 % intervals: backend
  0.0625.
  call            fails           tries/req  waits (ms)  policy in force
FAIL
  backend         0.504  → 0.124  0.88       12, 37, -   3 retries on 5xx
                                                         (retry.yaml:47)
PASS
  frontend        0.5    → 0.5    1.00                   none: entered directly
  middleware      0.5    → 0.064  0.94       12, 37, 87  3 retries on 5xx, to
                                                         prod (retry.yaml:32)
  time.jsontest.  0      → 0                             leads outside
  com                                                    (egress.yaml:9)
all requests
  any of ours     0.876  → 0.56                          branches met: 8 of 10
`

func TestText(t *testing.T) {
	for _, c := range []struct {
		report *reports.Report
		want   string
	}{{reporttest.Retry(), retryText}, {reporttest.Failed(), failedText}} {
		if got := written(t, c.report, false); got != c.want {
			t.Errorf("got:\n%s\nwant:\n%s", got, c.want)
		}
	}
}

// Colours change nothing but colours.
func TestTextInColours(t *testing.T) {
	for name, r := range reporttest.Named() {
		var coloured strings.Builder
		if err := Text(&coloured, r, TextOptions{Colour: true}); err != nil {
			t.Fatal(err)
		}
		if got, want := uncoloured.Replace(coloured.String()), written(t, r, false); got != want {
			t.Errorf("%s: without its colours the text is\n%s\nwant\n%s", name, got, want)
		}
		if name == "failed" && !strings.Contains(coloured.String(), string(terminal.Red)+"FAIL"+string(terminal.Reset)) {
			t.Errorf("FAIL is not red:\n%s", coloured.String())
		}
	}
}

// uncoloured takes colours out of a text.
var uncoloured = strings.NewReplacer(string(terminal.Green), "", string(terminal.Red), "", string(terminal.Yellow), "", string(terminal.Reset), "")

func TestHeadlineAndExitCode(t *testing.T) {
	for name, want := range map[string]struct {
		word string
		code int
	}{"retry": {"PASS", 0}, "failed": {"FAIL", 1}, "inconclusive": {"INCONCLUSIVE", 3}, "aborted": {"ABORTED", 4}, "not restored": {"NOT RESTORED", 5}, "broken": {"ERROR", 6},
		"everything": {"NOT RESTORED", 5}} {
		r := reporttest.Named()[name]
		if word, _, _ := strings.Cut(written(t, r, false), "  "); word != want.word || r.ExitCode() != want.code {
			t.Errorf("%s: %q and exit %d, want %q and %d", name, word, r.ExitCode(), want.word, want.code)
		}
	}
}

// six phases fit on a page: a row that is as in the table before is only named.
func TestTextOfSixPhasesIsShort(t *testing.T) {
	text := written(t, reporttest.RunAll(), false)
	if n := strings.Count(text, "\n"); n > 64 {
		t.Errorf("%d lines, want at most 64:\n%s", n, text)
	}
	for _, want := range []string{"as before: frontend, backend, time.jsontest.com\n", "middleware (exact header) ", "middleware (no header, 2 more) "} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "application:") {
		t.Errorf("the phase that the first one is compared with has a headline:\n%s", text)
	}
	if all := written(t, reporttest.RunAll(), true); strings.Contains(all, "as before") || !strings.Contains(all, "PASS  application: ") {
		t.Errorf("with details, rows or the first phase are left out:\n%s", all)
	}
}

// Nothing is wider than a terminal, whatever the verdicts are, but words that cannot be broken: addresses, commands and names in sentences.
func TestTextIsNotWiderThanATerminal(t *testing.T) {
	for name, r := range reporttest.Named() {
		for _, verbose := range []bool{false, true} {
			for line := range strings.Lines(written(t, r, verbose)) {
				line = strings.TrimRight(line, "\n")
				single := len(strings.Fields(strings.ReplaceAll(line, "! ", ""))) == 1 || strings.HasPrefix(line, "    again") || strings.HasPrefix(line, "  http") || strings.HasPrefix(line, "  javascript")
				if n := utf8.RuneCountInString(line); n > terminal.Width && !single {
					t.Errorf("%s: %d columns: %s", name, n, line)
				}
			}
		}
	}
}

// Names from elsewhere are shown and not obeyed, and a number never begins with its point.
func TestTextOfOddNames(t *testing.T) {
	bare := regexp.MustCompile(`(^|[^0-9a-z])\.[0-9]`)
	for name, r := range reporttest.Named() {
		for _, verbose := range []bool{false, true} {
			text := written(t, r, verbose)
			if i := strings.IndexFunc(text, func(c rune) bool { return c != '\n' && unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c) }); i >= 0 {
				t.Errorf("%s: a terminal obeys %q", name, text[max(0, i-20):i+5])
			}
			if number := bare.FindString(text); number != "" {
				t.Errorf("%s: the number %q has no leading zero", name, number)
			}
		}
	}
	if text := written(t, reporttest.Hostile(), false); strings.Count(text, reporttest.Odd[len(reporttest.Odd)-1]) < 3 {
		t.Errorf("a long name is lost:\n%s", text)
	}
}

// What is wrong comes before what is right.
func TestFailuresFirst(t *testing.T) {
	r := reporttest.RunAll()
	r.Findings = reporttest.Findings().Findings
	r.Phases[2].Verdict, r.Phases[4].Verdict = reports.Inconclusive, reports.Fail
	r.Phases[0].Warnings = []string{"requests left late"}
	order := []string{"ERROR  mine/retry.yaml:20: VirtualService middleware: ", "ERROR  mine/retry.yaml:44: ", "! application: requests left late\n", "FAIL  ingress: ", "INCONCLUSIVE  prod: ",
		"PASS  egress: ", "PASS  retry: ", "PASS  canary: ", "WARNING  VirtualService frontend: "}
	text := written(t, r, false)
	last := -1
	for _, want := range order {
		at := strings.Index(text, want)
		if at <= last {
			t.Fatalf("%q is at %d, and what is to be before it at %d:\n%s", want, at, last, text)
		}
		last = at
	}
}

// Times that were not judged are in the first lines, whatever the verdict is, and once.
func TestNotJudgedTimesFirst(t *testing.T) {
	text := written(t, reporttest.Late(), false)
	lines := strings.SplitN(text, "\n", 3)
	if want := "NOT JUDGED  the times of retries (middleware and backend, in retry): requests"; lines[0] != "PASS  each of 1,380 requests met what the manifests say" || lines[1] != want {
		t.Errorf("the first lines are\n%s\n%s\nwant PASS and\n%s", lines[0], lines[1], want)
	}
	if n := strings.Count(text, "NOT JUDGED"); n != 1 || strings.Contains(text, "! not judged") {
		t.Errorf("NOT JUDGED is there %d times:\n%s", n, text)
	}
	if n := strings.Count(text, "  not judged  "); n != 2 || strings.Contains(text, "12, 37, 87") {
		t.Errorf("the waits of %d calls are marked as not judged, want 2, and no medians:\n%s", n, text)
	}
	// Where requests left in time, the reason is another one, and it is a problem of the phase if the rule is new.
	r := reporttest.Late()
	r.Phases[1].Late, r.Phases[1].Calls[1].Branches = false, nil
	text = written(t, r, false)
	if strings.Contains(text, "NOT JUDGED") || !strings.Contains(text, "  ! not judged: backend: waits before try 2: ") || strings.Contains(text, "not judged: middleware") {
		t.Errorf("not a problem of backend alone:\n%s", text)
	}
}

// What is excluded is stated of rules that are new in a phase, for the one that is known least of.
func TestExcluded(t *testing.T) {
	r := reporttest.RunAll()
	const begin, end = "Had ", " of the calls under a new rule deviated, 1 run in 1,000 would miss it."
	if got := excluded(r); got != begin+"1 %"+end {
		t.Errorf("got %q", got)
	}
	r.Phases[0].Calls[2].Excludes = pointer(0.3) // the phase is compared with alone
	r.Phases[2].Calls[2].Excludes = pointer(0.2) // the rule is that of the phase before
	if got := excluded(r); got != begin+"1 %"+end {
		t.Errorf("of other rules: %q", got)
	}
	r.Phases[4].Calls[0].Excludes = pointer(0.025)
	if got := excluded(r); got != begin+"2.5 %"+end {
		t.Errorf("got %q", got)
	}
	r.Phases[4].Verdict = reports.Fail
	if got := excluded(r); got != begin+"1 %"+end {
		t.Errorf("of a phase that fails: %q", got)
	}
	r.Phases[4].Verdict, r.Phases[4].Calls[0].Excludes = reports.Pass, pointer(0.9)
	if got := excluded(r); got != "" {
		t.Errorf("of a single request: %q", got)
	}
	r.Phases[4].Calls[0].Excludes = pointer(0.01)
	r.Verdict = reports.Fail
	if got := excluded(r); got != "" {
		t.Errorf("of a run that fails: %q", got)
	}
	if got := excluded(&reports.Report{Verdict: reports.Pass}); got != "" {
		t.Errorf("of nothing: %q", got)
	}
}

// The share of the edge has a row of its own where several calls enter.
func TestShareOfTheEdge(t *testing.T) {
	r := reporttest.Retry()
	if text := written(t, r, false); strings.Contains(text, "\nedge ") {
		t.Errorf("the edge is there twice:\n%s", text)
	}
	second := r.Phases[1].Calls[0]
	second.To = "backend"
	r.Phases[1].Calls = append(r.Phases[1].Calls, second)
	if text := written(t, r, false); !strings.Contains(text, "\nedge ") {
		t.Errorf("lacks the edge:\n%s", text)
	}
}

// An undecided phase names what was met too rarely and why.
func TestTextOfUndecidedChecks(t *testing.T) {
	text := written(t, reporttest.Inconclusive(), false)
	for _, want := range []string{
		"INCONCLUSIVE  retry: failed calls", "  ! backend: a time limit may have decided 301 of 1,630 calls,", "branches that were met too rarely: answered at try 1 (20 of 66)",
		"  None of 1,380 requests met something else than the manifests say.\n", "\nINCONCLUSIVE\n  backend ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
	r := reporttest.Inconclusive()
	for i := range 9 {
		r.Phases[1].Mismatches = append(r.Phases[1].Mismatches, reports.Mismatch{Kind: fmt.Sprintf("kind %d", i), To: "backend", Count: 1, Request: "7/retry/1"})
	}
	if text := written(t, r, false); strings.Count(text, "kind ") != 4 || !strings.Contains(text, "  ! 5 kinds more, which --verbose prints\n") {
		t.Errorf("of nine kinds not four are printed:\n%s", text)
	}
	if text := written(t, r, true); strings.Count(text, "backend: kind ") != 9 {
		t.Errorf("of nine kinds not all are printed with --verbose:\n%s", text)
	}
}

// Details have what the table leaves out.
func TestVerbose(t *testing.T) {
	text := written(t, reporttest.Retry(), true)
	for _, want := range []string{
		"  middleware, called by frontend: PASS\n",
		"    rule      VirtualService middleware, http[0], retry.yaml:32: 3 retries on\n              5xx, to prod; a try may take 2s\n",
		"    fails     0.064 (16 of 250, 95 % interval 0.037 to 0.102), predicted 0.0625\n",
		"    tries     0.94 for each request (469 tries of 500 requests), predicted 0.94\n",
		"    calls     PASS: 1,630 calls met what they must; 690 of them would have shown\n              a deviation, which excludes that 1 % deviate\n",
		"    branches  PASS: answered at try 1: met by 170 calls\n",
		"    try 2     PASS: 170 waits with a median of 12.3ms, predicted 12.5ms; the\n              distributions differ by 0.011, where 0.09 are allowed\n",
		"              attempt 2: 830 tries, of which the policy sends 375 again\n",
		"  = Envoy's statistics: backend 1357 of 1357\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
	if short := written(t, reporttest.Retry(), false); strings.Contains(short, "predicted") || strings.Contains(short, "Envoy's statistics") {
		t.Errorf("the table has details:\n%s", short)
	}
	if graph := written(t, reporttest.Graph(), false); !strings.Contains(graph, "  Split of catalog: v1 0.791 (633 of 800, predicted 0.8), v2 0.209 (167 of 800,\n") {
		t.Errorf("lacks the split:\n%s", graph)
	}
}

// The name of a file stands for its path unless two files have it.
func TestFilesOfOneName(t *testing.T) {
	r := reporttest.Graph()
	if text := written(t, r, false); !strings.Contains(text, "(resilience.yaml:4)") || strings.Contains(text, "shop/rules") {
		t.Errorf("not the file's name alone:\n%s", text)
	}
	r.Phases[1].Calls[1].Rule.File = "other/resilience.yaml"
	if text := written(t, r, false); !strings.Contains(text, "(other/") || strings.Contains(text, "(resilience.yaml") {
		t.Errorf("two files are mixed up:\n%s", text)
	}
}

// Shares that chance alone explains badly are named with their prediction.
func TestContradictions(t *testing.T) {
	p := &reporttest.Retry().Phases[1]
	if got := contradictions(p); got != nil {
		t.Errorf("got %q", got)
	}
	p.Shares[1].Predicted, p.Calls[0].Fails.Predicted, p.Shares[0].Predicted = 0.8, 0.9, 0.9
	want := "Predicted shares that are outside of the measured 95 % intervals: frontend 0.9, any of ours 0.8."
	if got := contradictions(p); len(got) != 1 || got[0] != want {
		t.Errorf("got %q, want %q", got, want)
	}
	p.Shares[1].PredictedError, p.Calls[0].Fails.Predicted, p.Shares[0].Predicted = 0.2, 0.5, 0.5
	if got := contradictions(p); got != nil {
		t.Errorf("a prediction is not known better than that: %q", got)
	}
}

func TestNumbersForPeople(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 1: "1", 0.5: "0.5", 0.4981: "0.498", 0.0625: "0.0625", 0.00812: "0.0081", 6.31e-6: "6.3e-06", -1e-9: "0"} {
		if got := Probability(v); got != want {
			t.Errorf("Probability(%v) = %s, want %s", v, got, want)
		}
	}
	for v, want := range map[float64]string{0: "0 %", 0.01: "1 %", 0.0025: "0.25 %", 0.00996: "1 %", 0.5: "50 %", 1: "100 %", 0.123: "12 %"} {
		if got := Percent(v); got != want {
			t.Errorf("Percent(%v) = %s, want %s", v, got, want)
		}
	}
	for v, want := range map[int64]string{0: "0", 999: "999", 1380: "1,380", 1234567: "1,234,567", -1380: "-1,380", -380: "-380"} {
		if got := Count(v); got != want {
			t.Errorf("Count(%v) = %s, want %s", v, got, want)
		}
	}
	for v, want := range map[float64]string{0: "0", 0.0004: "0.4", 0.0125: "12", 0.0375: "38", 0.0096: "9.6", 2.5: "2500"} {
		if got := milliseconds(v); got != want {
			t.Errorf("milliseconds(%v) = %s, want %s", v, got, want)
		}
	}
	for v, want := range map[float64]string{0.25: "+0.25", -0.25: "−0.25", 0.001: "0.00", -0.001: "0.00"} {
		if got := Signed(v, strconv.FormatFloat(math.Abs(v), 'f', 2, 64)); got != want {
			t.Errorf("Signed(%v) = %s, want %s", v, got, want)
		}
	}
	if got := counted(1, "try") + ", " + counted(2, "try") + ", " + counted(0, "call"); got != "1 try, 2 tries, 0 calls" {
		t.Errorf("got %s", got)
	}
}

// Links and remarks come last; an address is not broken.
func TestTextOfLinks(t *testing.T) {
	r := reporttest.Retry()
	address := "http://127.0.0.1:3000/d/hellochaos-run/a?from=1767323045600&to=1767323055100&var-phase=egress&var-phase=retry"
	r.Links = []reports.Link{{Title: "Grafana: hellochaos: a run", URL: address}}
	r.Remarks = []string{"Grafana at http://127.0.0.1:3000: writing annotations: 403 Forbidden: the token needs the role Editor"}
	want := retryText + "\nGrafana: hellochaos: a run\n  " + address + "\n" +
		"! Grafana at http://127.0.0.1:3000: writing annotations: 403 Forbidden: the\n  token needs the role Editor\n"
	if got := written(t, r, false); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// An incident is reported once: in the words of its phase, or by itself where they do not have it; also that of a phase in the background.
func TestIncidents(t *testing.T) {
	for phase := range 2 {
		for _, words := range [][]string{nil, {"Meanwhile pod backend-1 went away."}} {
			r := reporttest.Retry()
			r.Phases[phase].Incidents, r.Phases[phase].Words = []string{"pod backend-1 went away"}, words
			for _, write := range []func(*strings.Builder) error{
				func(out *strings.Builder) error { return Text(out, r, TextOptions{}) },
				func(out *strings.Builder) error { return Markdown(out, r) },
			} {
				var out strings.Builder
				if err := write(&out); err != nil || strings.Count(out.String(), "backend-1") != 1 {
					t.Errorf("%v: told %d times, want once:\n%.2000s", err, strings.Count(out.String(), "backend-1"), out.String())
				}
			}
		}
	}
}

// A text is as wide as the terminal is, from 80 to 140 columns, and says the same in any width.
func TestTextTakesTheWidthOfTheTerminal(t *testing.T) {
	words := map[int]string{}
	for _, columns := range []int{0, 60, 80, 120, 200} {
		var out strings.Builder
		if err := Text(&out, reporttest.RunAll(), TextOptions{Columns: columns}); err != nil {
			t.Fatal(err)
		}
		longest := 0
		for line := range strings.Lines(out.String()) {
			longest = max(longest, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")))
		}
		if most := min(max(columns, 80), 140); longest > most || longest <= most-25 {
			t.Errorf("for a terminal of %d columns the longest line has %d", columns, longest)
		}
		words[columns] = strings.Join(strings.Fields(out.String()), " ")
	}
	if words[0] != words[60] || words[0] != words[80] {
		t.Errorf("at least 80 columns: the text differs")
	}
}
