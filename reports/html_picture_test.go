package reports

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/reports/page"
)

func TestDuration(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.0000314: "31.4µs", 0.0125: "12.5ms", 0.187345: "187ms", 0.9996: "1s", 2.0131: "2.01s", 0.001: "1ms", 100: "100s", -0.002: "-2ms"} {
		if got := duration(v); got != want {
			t.Errorf("duration(%v) = %s, want %s", v, got, want)
		}
	}
}

// words are the texts of a picture.
func words(p *page.Picture) (all []string) {
	for _, m := range p.Marks {
		if m.Text != "" {
			all = append(all, m.Text)
		}
	}
	return all
}

// marks are the paths of a class.
func marks(p *page.Picture, class string) (all []string) {
	for _, m := range p.Marks {
		if m.Class == class && m.Path != "" {
			all = append(all, m.Path)
		}
	}
	return all
}

// A bar is a span, nothing else; the wait between two tries is a bracket with the length that their two ends give.
func TestWaterfallDrawsWhatWasRecorded(t *testing.T) {
	spans := []Span{
		{Service: "edge", Parent: -1, Elapsed: 0.2, Status: 200},
		{Service: "backend", Version: "prod", Parent: 0, Attempt: 1, Start: 0.010, Elapsed: 0.005, Status: 500},
		{Service: "backend", Version: "prod", Parent: 0, Attempt: 2, Start: 0.095, Elapsed: 0.1, Status: 200, CallStart: pointer(0.1), CallElapsed: pointer(0.08)},
		{Service: "backend", Version: "prod", Parent: 0, Attempt: 4, Start: 0.196, Elapsed: 0.001, Status: 503}, // 3 was not recorded
	}
	p := waterfallPicture("x", "title", spans)
	bars := 0
	for _, class := range []string{"span", "span bad"} {
		bars += strings.Count(strings.Join(marks(p, class), ""), "M")
	}
	if bars != len(spans) || strings.Count(strings.Join(marks(p, "wait"), ""), "M") != 1 {
		t.Errorf("%d bars of %d spans: %v", bars, len(spans), p.Marks)
	}
	if got := strings.Count(strings.Join(marks(p, "backoff"), ""), "M"); got != 3 || !slices.Contains(words(p), "80ms") {
		t.Errorf("the wait of 80ms is drawn with %d strokes, texts %q", got, words(p))
	}
	if !strings.Contains(p.Desc, "backend prod, try 2 at 95ms: 200 in 100ms, own 20ms, 80ms after the previous try") || strings.Count(p.Desc, "after the previous try") != 1 {
		t.Error(p.Desc)
	}
	spans[2].Start = 0.001 // its clock is behind that of the try before
	p = waterfallPicture("x", "title", spans)
	if len(marks(p, "backoff")) != 0 || !strings.Contains(strings.Join(words(p), "|"), "clocks differ") || strings.Contains(p.Desc, "after the previous try") || !strings.Contains(p.Desc, "clocks") {
		t.Errorf("a wait of negative length is drawn: %q, %s", words(p), p.Desc)
	}
}

func TestGraph(t *testing.T) {
	phases := []Phase{
		{Name: "before", Edges: []Edge{
			{From: "edge", To: "frontend", Version: "prod", Calls: 100, Failed: 30, Tries: pointer(int64(100)), FailedTries: pointer(int64(30))},
			{From: "frontend", To: "middleware", Version: "canary", Calls: 20, Failed: 1, Tries: pointer(int64(25)), FailedTries: pointer(int64(6))},
			{From: "frontend", To: "middleware", Version: "prod", Calls: 50}}},
		{Name: "after", Edges: []Edge{
			{From: "edge", To: "frontend", Version: "prod", Calls: 100},
			{From: "frontend", To: "middleware", Version: "prod", Calls: 70}}},
	}
	g := layOut(phases)
	if got := fmt.Sprint(g.layers); got != "[[edge] [frontend] [middleware]]" {
		t.Errorf("layers %s", got)
	}
	before, after := g.picture("b", &phases[0]), g.picture("a", &phases[1])
	for _, want := range []string{"20 calls, 28.6 %", "1 failed, 0.05", "25 tries, 6 with 5xx", "50 calls, 71.4 %", "tries not counted"} {
		if !slices.Contains(words(before), want) {
			t.Errorf("before: no %q among %q", want, words(before))
		}
	}
	if !slices.Contains(words(after), "canary: no call") || before.Width != after.Width || before.Height != after.Height {
		t.Errorf("after: %q, %v and %v", words(after), before, after)
	}
	circle := layOut([]Phase{{Edges: []Edge{{From: "a", To: "b"}, {From: "b", To: "a"}, {From: "a", To: "a"}}}})
	if n := len(slices.Concat(circle.layers...)); n != 2 {
		t.Errorf("a circle of two services has %d: %v", n, circle.layers)
	}
}

// A second without a good answer has no point, and what happened between the phases is not drawn as if it were measured.
func TestTimeline(t *testing.T) {
	started := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	phases := []Phase{
		{Name: "before", Started: started, Elapsed: 3, Sent: 25, PlannedRate: 10, Seconds: []Second{
			{Number: 0, OK: []Bin{{1000, 9}, {5000, 1}}}, {Number: 1, Failed: []Bin{{900, 10}}}, {Number: 2, OK: []Bin{{2000, 5}}}}},
		{Name: "after", Started: started.Add(10 * time.Second), Applied: 0.25, Elapsed: 1, Sent: 10, PlannedRate: 10, Seconds: []Second{{Number: 0, OK: []Bin{{1000, 10}}}}},
	}
	v := newTimeline("x", phases)
	want := []moment{{0, 1, 10, 0, 0.001, 0.005}, {1, 1, 0, 10, 0, 0}, {2, 0.5, 5, 0, 0.002, 0.002}}
	if got := v.Stretches[0].Moments; !slices.Equal(got, want) {
		t.Errorf("moments %v, want %v", got, want)
	}
	if got := strings.Count(strings.Join(marks(v.Picture, "dot median"), ""), "M"); got != 3 {
		t.Errorf("%d points of medians, want 3: none of the second without a good answer", got)
	}
	if texts := strings.Join(words(v.Picture), "|"); !strings.Contains(texts, "after 250ms|7.5s pass,|not to scale") {
		t.Errorf("between the phases: %s", texts)
	}
	phases[1].Started = time.Time{}
	if v = newTimeline("x", phases); v.Clock || !strings.Contains(strings.Join(words(v.Picture), "|"), "time between|not recorded") {
		t.Errorf("without a clock: %q", words(v.Picture))
	}
	long := Phase{Name: "after", Elapsed: 1000, Sent: 1000, PlannedRate: 1}
	for i := range 1000 {
		long.Seconds = append(long.Seconds, Second{Number: i, OK: []Bin{{int64(i + 1), 1}}})
	}
	if v = newTimeline("x", []Phase{long}); v.Seconds != 5 || len(v.Stretches[0].Moments) != 200 || v.Stretches[0].Moments[1] != (moment{5, 5, 5, 0, 8e-6, 10e-6}) {
		t.Errorf("a long phase has %d seconds to a moment, %d moments, the second %v", v.Seconds, len(v.Stretches[0].Moments), v.Stretches[0].Moments[1])
	}
}

func TestDistributions(t *testing.T) {
	rows := distributions([]Phase{
		{Name: "before", Distributions: []Distribution{{Outcome: "failed", Tries: 1, Bins: []Bin{{500, 2}}}, {Outcome: "ok", Tries: 1, Bins: []Bin{{1000, 3}, {9000, 1}}}}},
		{Name: "after", Distributions: []Distribution{{Outcome: "ok", Tries: 2, Bins: []Bin{{40000, 5}}}, {Outcome: "ok", Tries: 1, Bins: []Bin{{2000, 4}}}}},
	})
	var labels []string
	for _, row := range rows {
		labels = append(labels, row.Label())
	}
	if got := strings.Join(labels, "|"); got != "ok, 1 try|ok, 2 tries|failed, 1 try" {
		t.Errorf("rows %s", got)
	}
	p := distributionPicture("x", rows)
	want := "ok, 1 try: before n 4, median 1ms, after n 4, median 2ms; ok, 2 tries: before none, after n 5, median 40ms; failed, 1 try: before n 2, median 500µs, after none."
	if p.Desc != want {
		t.Errorf("got  %s\nwant %s", p.Desc, want)
	}
	if areas := len(marks(p, "area before")) + len(marks(p, "area after")); areas != 4 {
		t.Errorf("%d areas, want 4: none where there is no answer", areas)
	}
}

func TestBinQuantile(t *testing.T) {
	bins := []Bin{{300, 1}, {100, 50}, {200, 49}}
	for q, want := range map[float64]float64{0.5: 100e-6, 0.51: 200e-6, 0.99: 200e-6, 0.995: 300e-6, 1: 300e-6} {
		if got := binQuantile(bins, q); got != want {
			t.Errorf("%v-quantile %v, want %v", q, got, want)
		}
	}
}

// The ledger's picture shows each line, and the one after the limit, which must be empty.
func TestLedgerPicture(t *testing.T) {
	c := &Check{Name: "backend ledger", Kind: Ledger, Before: &Measurement{Measured: pointer(0.0)}, After: &Measurement{Measured: pointer(90.0), K: 90, N: 90,
		Attempts: []Tries{{0, 0, 0}, {1, 100, 60}, {2, 60, 30}, {3, 30, 12}, {4, 0, 0}, {5, 0, 0}}}}
	p := checkPicture("x", c)
	want := "before: no retries. after: 90 of 90 retries that the failures call for were received; try 1: 100, to repeat 60; try 2: 60, to repeat 30; try 3: 30, to repeat 12; try 4: none."
	if p.Desc != want {
		t.Errorf("got  %s\nwant %s", p.Desc, want)
	}
}

// A check's picture describes prediction, band and interval in words, and draws nothing where there are no data.
func TestCheckPicture(t *testing.T) {
	c := &example().Stages[0].Checks[0]
	p := checkPicture("x", c)
	want := "before: predicted 0.5, tolerated 0.45 to 0.55, measured 0.498, interval 0.477 to 0.509. after: predicted 0.0625, tolerated 0.0125 to 0.113, measured 0.0611, interval 0.0506 to 0.0664."
	if p.Desc != want || len(marks(p, "point before"))+len(marks(p, "point after")) != 2 {
		t.Errorf("got  %s\nwant %s", p.Desc, want)
	}
	for class, path := range map[string]string{ // of a plot from 52 to 336 pixels: .45 to .55, .5, and .498
		"band": "M179.8 7h28.4v18h-28.4z", "prediction": "M194 7L194 25", "point before": "M189.5 16a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z",
		"interval before": "M187.4 12L187.4 20M187.4 16L196.5 16M196.5 12L196.5 20"} {
		if got := marks(p, class); len(got) == 0 || got[0] != path {
			t.Errorf("%s: %q, want %s", class, got, path)
		}
	}
	c.After.Measured, c.After.Interval, c.After.N, c.Before = nil, nil, 0, nil
	if p = checkPicture("x", c); p.Desc != "before: not checked. after: no data." || len(marks(p, "point after"))+len(marks(p, "band")) != 0 {
		t.Errorf("without data: %s, %v", p.Desc, p.Marks)
	}
}
