package render

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/page"
	"github.com/hellochaos/hellochaos/reports/reporttest"
	"github.com/hellochaos/hellochaos/stats"
)

func TestDuration(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.0000314: "31.4µs", 0.0125: "12.5ms", 0.187345: "187ms", 0.9996: "1s", 2.0131: "2.01s", 0.001: "1ms", 100: "100s", -0.002: "-2ms"} {
		if got := Duration(v); got != want {
			t.Errorf("Duration(%v) = %s, want %s", v, got, want)
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
	spans := []reports.Span{
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

// tree is the rows of spans as text: depth, service, attempt, the row of the try before, and whether it was side by side with another.
func tree(spans []reports.Span) string {
	var all []string
	for _, r := range spanRows(spans) {
		text := fmt.Sprintf("%d %s/%d", r.depth, r.Service, r.Attempt)
		if r.before >= 0 {
			text += fmt.Sprintf(" after %d", r.before)
		}
		if r.beside {
			text += " beside"
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

// A request whose services call others side by side is a tree: what a try called stands below it, and the tries of a call together.
func TestSpanRows(t *testing.T) {
	want := "0 edge/0, 1 web/1, 2 cart/1, 2 cart/2 after 2, 3 payments/1, 4 audit/1, 3 inventory/1, 2 catalog/1 beside, 3 inventory/1, 3 inventory/2 after 8, 3 prices/1 beside, 2 recommendations/1 beside"
	if got := tree(shopSample().Spans); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	try := func(attempt int, start, elapsed float64) reports.Span {
		return reports.Span{Service: "a", Parent: 0, Attempt: attempt, Start: start, Elapsed: elapsed}
	}
	edge := reports.Span{Service: "edge", Parent: -1, Elapsed: 10}
	for _, c := range []struct {
		name  string
		spans []reports.Span
		want  string
	}{
		{"two calls in turn", []reports.Span{edge, try(1, 0, 1), try(2, 2, 1), try(1, 4, 1), try(2, 6, 1)}, "0 edge/0, 1 a/1, 1 a/2 after 1, 1 a/1, 1 a/2 after 3"},
		{"two calls of one service side by side", []reports.Span{edge, try(1, 0, 1), try(1, 0.1, 1), try(2, 3, 1), try(2, 4, 1)}, "0 edge/0, 1 a/1, 1 a/1 beside, 1 a/2, 1 a/2"},
		{"without a proxy", []reports.Span{edge, try(0, 0, 1), try(0, 2, 1)}, "0 edge/0, 1 a/0, 1 a/0"},
		{"a parent that is no caller", []reports.Span{edge, {Service: "a", Parent: 7}}, "0 edge/0, 0 a/0"},
		{"two clocks that differ", []reports.Span{edge, try(0, 0, 1), {Service: "b", Parent: 0, Start: 0.9, Elapsed: 1}}, "0 edge/0, 1 a/0, 1 b/0"},
	} {
		if got := tree(c.spans); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func TestGraph(t *testing.T) {
	before := &reports.Phase{Name: "prod", Edges: []reports.Edge{
		{From: "edge", To: "frontend", Version: "prod", Calls: 1000, Failed: 30, Tries: pointer(int64(1000)), FailedTries: pointer(int64(30))},
		{From: "frontend", To: "middleware", Version: "canary", Calls: 20, Failed: 1, Tries: pointer(int64(25)), FailedTries: pointer(int64(6))},
		{From: "frontend", To: "middleware", Version: "prod", Calls: 50}}}
	now := &reports.Phase{Name: "retry", Edges: []reports.Edge{
		{From: "edge", To: "frontend", Version: "prod", Calls: 100},
		{From: "frontend", To: "middleware", Version: "prod", Calls: 70}}}
	all := newEdges(before, now)
	g := layOut(all)
	if got := layersOf(g); got != "edge|frontend|middleware" {
		t.Errorf("layers %s", got)
	}
	p := g.picture("p", "retry", all)
	for _, want := range []string{"100 calls", "0.03 → 0 of them fail", "no call, 20 before", "70 calls, 71.4 % → 100.0 %", "tries not counted"} {
		if !slices.Contains(words(p), want) {
			t.Errorf("no %q among %q", want, words(p))
		}
	}
	if len(marks(p, "version none")) != 1 || len(marks(p, "call gone")) != 1 || len(marks(p, "head gone")) != 1 {
		t.Errorf("a version that is not called any more is dashed, and so is the arrow to it: %q, %q", marks(p, "version none"), marks(p, "call gone"))
	}
	now.Edges = append(now.Edges, reports.Edge{From: "frontend", To: "middleware", Version: "next", Calls: 30, Failed: 3, Tries: pointer(int64(45))})
	grown := newEdges(before, now)
	if got := grown.label(graphEdge{"frontend", "middleware", "next"}); !slices.Equal(got, []string{"30 calls, none before", "0.1 of them fail", "1.50 tries for a call"}) {
		t.Errorf("a new version: %q", got)
	}
	first := newEdges(nil, before)
	if got := first.label(graphEdge{"frontend", "middleware", "canary"}); !slices.Equal(got, []string{"20 calls, 28.6 %", "0.05 of them fail", "1.25 tries for a call"}) {
		t.Errorf("the first phase: %q", got)
	}
	around := newEdges(nil, &reports.Phase{Edges: []reports.Edge{{From: "a", To: "b"}, {From: "b", To: "a"}, {From: "a", To: "a"}, {From: "edge", To: "b"}}})
	circle := layOut(around)
	if got := layersOf(circle); strings.Count(got, "a") != 1 || circle.picture("c", "c", around).Height <= 0 {
		t.Errorf("two services that call each other: %s", got)
	}
}

// layersOf names the services of each layer.
func layersOf(g *graph) string {
	var all []string
	for _, layer := range g.layers {
		var names []string
		for _, n := range layer {
			if n.service != "" {
				names = append(names, n.service)
			}
		}
		all = append(all, strings.Join(names, " "))
	}
	return strings.Join(all, "|")
}

// In any graph each service stands below its callers, no box touches another one, all is in the picture, and no arrow leads through a box:
// it has a place of its own in each layer that it passes, and turns only between two layers.
func TestGraphLayout(t *testing.T) {
	mesh := &reports.Phase{}
	for from, to := range map[string]string{"edge": "a", "a": "b c d e", "b": "f g", "c": "g h", "d": "h", "e": "z", "f": "z", "g": "z", "h": "z"} {
		for _, service := range strings.Fields(to) {
			for _, version := range []string{"v1", "v2"}[:1+len(from)%2] {
				mesh.Edges = append(mesh.Edges, reports.Edge{From: from, To: service, Version: version, Calls: 10})
			}
		}
	}
	for name, all := range map[string]edges{
		"shop": newEdges(&shop().Phases[0], &shop().Phases[1]), "tutorial": newEdges(&tutorial().Phases[4], &tutorial().Phases[5]),
		"fan": newEdges(nil, &manyServices(20).Phases[1]), "mesh": newEdges(nil, mesh), "nothing": newEdges(nil, &reports.Phase{}),
	} {
		g := layOut(all)
		for e, route := range g.routes {
			if from, to := g.nodes[e.from], g.nodes[e.to]; from.top+from.height > to.top-graphCalls {
				t.Errorf("%s: %s is at %g, %s at %g", name, e.from, from.top, e.to, to.top)
			}
			if path := g.arrow(e, 10, 20); route[0].top+route[0].height < g.bottoms[route[0].layer] && !strings.HasPrefix(path, fmt.Sprintf("M10 %sV%s", page.Pixels(route[0].top+route[0].height), page.Pixels(g.bottoms[route[0].layer]))) {
				t.Errorf("%s: the arrow from %s turns beside its box: %s", name, e.from, path)
			}
			for i := 1; i < len(route); i++ {
				if route[i].layer != route[i-1].layer+1 {
					t.Errorf("%s: the arrow from %s to %s leads over the layers %d and %d without a bend", name, e.from, e.to, route[i-1].layer, route[i].layer)
				}
			}
		}
		for _, layer := range g.layers {
			for i, n := range layer {
				if n.left < 0 || n.left+n.width > g.width || n.top+n.height > g.height {
					t.Errorf("%s: %s lies outside of the picture", name, n.service)
				}
				if i > 0 && n.left < layer[i-1].left+layer[i-1].width+graphGap-0.01 {
					t.Errorf("%s: %q at %g is too near to %q, which ends at %g", name, n.service, n.left, layer[i-1].service, layer[i-1].left+layer[i-1].width)
				}
			}
		}
		if again := layOut(all); again.width != g.width || layersOf(again) != layersOf(g) {
			t.Errorf("%s: another layout for the same calls", name)
		}
	}
	if g := layOut(newEdges(nil, &shop().Phases[1])); g.crossings() != 0 {
		t.Errorf("%d arrows cross in a graph that can do without", g.crossings())
	}
}

// pair is a phase beside the one before.
func pair(before, now reports.Phase) []side { return []side{{&before, "before"}, {&now, "now"}} }

// A second without a good answer has no point, and what happened between the phases is not drawn as if it were measured.
func TestTimeline(t *testing.T) {
	started := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	before := reports.Phase{Name: "prod", Started: started, Elapsed: 3, Sent: 25, PlannedRate: 10, Seconds: []reports.Second{
		{Number: 0, OK: []reports.Bin{{1000, 9}, {5000, 1}}}, {Number: 1, Failed: []reports.Bin{{900, 10}}}, {Number: 2, OK: []reports.Bin{{2000, 5}}}}}
	now := reports.Phase{Name: "retry", Started: started.Add(10 * time.Second), Applied: 0.25, Elapsed: 1, Sent: 10, PlannedRate: 10, Seconds: []reports.Second{{Number: 0, OK: []reports.Bin{{1000, 10}}}}}
	v := newTimeline("x", pair(before, now))
	want := []moment{{0, 1, 10, 0, 0.001, 0.005}, {1, 1, 0, 10, 0, 0}, {2, 0.5, 5, 0, 0.002, 0.002}}
	if got := v.Stretches[0].Moments; !slices.Equal(got, want) {
		t.Errorf("moments %v, want %v", got, want)
	}
	if got := strings.Count(strings.Join(marks(v.Picture, "dot median"), ""), "M"); got != 3 {
		t.Errorf("%d points of medians, want 3: none of the second without a good answer", got)
	}
	if len(marks(v.Picture, "requests before")) == 0 || len(marks(v.Picture, "requests now")) != 1 {
		t.Errorf("requests before %v, now %v", marks(v.Picture, "requests before"), marks(v.Picture, "requests now"))
	}
	if texts := strings.Join(words(v.Picture), "|"); !strings.Contains(texts, "after 250ms|7.5s pass,|not to scale") {
		t.Errorf("between the phases: %s", texts)
	}
	now.Started = time.Time{}
	if v = newTimeline("x", pair(before, now)); v.Clock || !strings.Contains(strings.Join(words(v.Picture), "|"), "time between|not recorded") {
		t.Errorf("without a clock: %q", words(v.Picture))
	}
	long := reports.Phase{Name: "retry", Elapsed: 1000, Sent: 1000, PlannedRate: 1}
	for i := range 1000 {
		long.Seconds = append(long.Seconds, reports.Second{Number: i, OK: []reports.Bin{{int64(i + 1), 1}}})
	}
	if v = newTimeline("x", []side{{&long, "now"}}); v.Seconds != 5 || len(v.Stretches[0].Moments) != 200 || v.Stretches[0].Moments[1] != (moment{5, 5, 5, 0, 8e-6, 10e-6}) {
		t.Errorf("a long phase has %d seconds to a moment, %d moments, the second %v", v.Seconds, len(v.Stretches[0].Moments), v.Stretches[0].Moments[1])
	}
}

func TestDistributions(t *testing.T) {
	rows := distributions(pair(
		reports.Phase{Name: "prod", Distributions: []reports.Distribution{{Outcome: "failed", Tries: 1, Bins: []reports.Bin{{500, 2}}}, {Outcome: "ok", Tries: 1, Bins: []reports.Bin{{1000, 3}, {9000, 1}}}}},
		reports.Phase{Name: "retry", Distributions: []reports.Distribution{{Outcome: "ok", Tries: 2, Bins: []reports.Bin{{40000, 5}}}, {Outcome: "ok", Tries: 1, Bins: []reports.Bin{{2000, 4}}}}},
	))
	var labels []string
	for _, row := range rows {
		labels = append(labels, row.Label())
	}
	if got := strings.Join(labels, "|"); got != "ok, 1 try|ok, 2 tries|failed, 1 try" {
		t.Errorf("rows %s", got)
	}
	p := distributionPicture("x", rows)
	want := "ok, 1 try: before n 4, median 1ms, now n 4, median 2ms; ok, 2 tries: before none, now n 5, median 40ms; failed, 1 try: before n 2, median 500µs, now none."
	if p.Desc != want {
		t.Errorf("got  %s\nwant %s", p.Desc, want)
	}
	if areas := len(marks(p, "area before")) + len(marks(p, "area now")); areas != 4 {
		t.Errorf("%d areas, want 4: none where there is no answer", areas)
	}
}

func TestBinQuantile(t *testing.T) {
	bins := []reports.Bin{{300, 1}, {100, 50}, {200, 49}}
	for q, want := range map[float64]float64{0.5: 100e-6, 0.51: 200e-6, 0.99: 200e-6, 0.995: 300e-6, 1: 300e-6} {
		if got := binQuantile(bins, q); got != want {
			t.Errorf("%v-quantile %v, want %v", q, got, want)
		}
	}
}

// The ledger's picture shows each line, and the one after the limit, which must be empty.
func TestLedgerView(t *testing.T) {
	l := &reports.Ledger{Retries: 90, Failures: 91, Violations: 1, Verdict: reports.Fail, Note: "one is missing", Attempts: []reports.Tries{
		{Attempt: 0}, {Attempt: 1, Received: 1000, Retryable: 60}, {Attempt: 2, Received: 60, Retryable: 30}, {Attempt: 3, Received: 30, Retryable: 12}, {Attempt: 4}, {Attempt: 5}}}
	v := newLedgerView("x", "backend", l)
	want := "90 retries were counted for 91 failures that call for one; 1 try too many or too few; try 1: 1,000, of them to repeat 60; try 2: 60, of them to repeat 30; try 3: 30, of them to repeat 12; try 4: none."
	if v.Picture.Desc != want || v.Verdict != reports.Fail || !slices.Equal(v.Notes, []string{"one is missing"}) {
		t.Errorf("%s, %q\ngot  %s\nwant %s", v.Verdict, v.Notes, v.Picture.Desc, want)
	}
	if v := newLedgerView("x", "backend", &reports.Ledger{Verdict: reports.NotJudged}); v.Picture != nil || v.Text != "0 retries were counted for 0 failures that call for one" {
		t.Errorf("without tries: %q, %v", v.Text, v.Picture)
	}
}

// A share's picture describes prediction and interval in words, and draws nothing where there are no data.
func TestSharePicture(t *testing.T) {
	before := &reports.Share{Predicted: 0.5, Measured: pointer(0.4981), K: 498, N: 1000}
	now := &reports.Share{Predicted: 0.0625, Measured: pointer(0.0611), Interval: &stats.Interval{Lo: 0.0506, Hi: 0.0664}, K: 61, N: 1000}
	p := sharePicture("x", "fails", before, now)
	want := "before: measured 0.498 where 0.5 is predicted. now: measured 0.0611 where 0.0625 is predicted, interval 0.0506 to 0.0664."
	if p.Desc != want || len(marks(p, "point before"))+len(marks(p, "point now")) != 2 {
		t.Errorf("got  %s\nwant %s", p.Desc, want)
	}
	for class, path := range map[string]string{ // of a plot of 0 to 0.6 from 17 to 133 pixels: 0.0625 and 0.5, 0.0506 to 0.0664, 0.4981
		"prediction": "M29.1 19L29.1 33", "interval now": "M26.8 22L26.8 30M26.8 26L29.8 26M29.8 22L29.8 30", "point before": "M109.3 10a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z"} {
		if got := marks(p, class); len(got) == 0 || got[0] != path {
			t.Errorf("%s: %q, want %s", class, got, path)
		}
	}
	p = sharePicture("x", "fails", nil, &reports.Share{Predicted: 0.5})
	if p.Desc != "now: no data." || len(marks(p, "point now"))+len(marks(p, "prediction")) != 0 {
		t.Errorf("without data: %s, %v", p.Desc, p.Marks)
	}
}

// A split's picture has each part with its weight and the range that is tolerated; of versions that a balancer picks among none is predicted.
func TestSplitView(t *testing.T) {
	c := &reports.Call{Split: &reports.Split{Unit: reports.ByRequest, UnitFrom: reports.UnitOfRule, Verdict: reports.Pass, Note: "as planned", Parts: []reports.SplitShare{
		{Share: reports.Share{Name: "v1", Predicted: 0.8, Measured: pointer(0.79), Interval: &stats.Interval{Lo: 0.7, Hi: 0.85}, K: 79, N: 100}},
		{Share: reports.Share{Name: "v2", Predicted: 0.2}}}}}
	settings := reports.Settings{SplitTolerance: stats.Interval{Lo: 0.7, Hi: 1.4}}
	v := newSplitView("x", "catalog", settings, c)
	want := "v1: 0.79: 79 of 100, predicted 0.8, tolerated 0.56 to 1; v2: no data, predicted 0.2, tolerated 0.14 to 0.28."
	if v.Picture.Desc != want || len(marks(v.Picture, "band")) != 2 || len(marks(v.Picture, "point now")) != 1 || !slices.Equal(v.Notes, []string{"as planned", "Drawn by request, as rules for HTTP are."}) {
		t.Errorf("%q\ngot  %s\nwant %s", v.Notes, v.Picture.Desc, want)
	}
	c.Split.Balanced = true
	v = newSplitView("x", "catalog", settings, c)
	if v.Picture.Desc != "v1: 0.79: 79 of 100, a load balancer picks; v2: no data, a load balancer picks." || len(marks(v.Picture, "prediction")) != 0 {
		t.Errorf("balanced: %s", v.Picture.Desc)
	}
}

// Waits show their medians beside the prediction, and say why one is not judged; what is not judged takes no verdict away.
func TestWaitsView(t *testing.T) {
	c := &reports.Call{Waits: []reports.Wait{{Try: 2, N: 170, Predicted: 0.0125, Measured: pointer(0.0123), Distance: 0.01, Limit: 0.09, Verdict: reports.Pass},
		{Try: 3, N: 12, Predicted: 0.0375, Verdict: reports.NotJudged, Note: "too few"}}}
	v := newWaitsView("x", "backend", c)
	want := "before try 2: median 12.3ms, predicted 12.5ms, 170 waits, distance 0.01, limit 0.09, pass; before try 3: 12 waits, predicted 37.5ms, not judged."
	if v.Picture.Desc != want || v.Verdict != reports.Pass || !slices.Equal(v.Notes, []string{"before try 3: too few"}) {
		t.Errorf("%s, %q\ngot  %s\nwant %s", v.Verdict, v.Notes, v.Picture.Desc, want)
	}
	if v = newWaitsView("x", "backend", &reports.Call{Waits: c.Waits[1:]}); v.Verdict != reports.NotJudged {
		t.Errorf("without a judged wait: %s", v.Verdict)
	}
	if got := waitNotes([]reports.Wait{{Try: 2, Note: "late"}, {Try: 3}, {Try: 4, Note: "late"}, {Try: 5, Note: "few"}}); !slices.Equal(got, []string{"before tries 2 and 4: late", "before try 5: few"}) {
		t.Errorf("notes %q", got)
	}
	c.Waits[0].Verdict = reports.Fail
	if v = newWaitsView("x", "backend", c); v.Verdict != reports.Fail {
		t.Errorf("with a wait that fails: %s", v.Verdict)
	}
	if v = newWaitsView("x", "backend", &reports.Call{Waits: []reports.Wait{{Try: 2}}}); v.Picture != nil {
		t.Error("a wait without any time is drawn")
	}
}

// Cases that were not met say why, those of the same reason together.
func TestBranchesView(t *testing.T) {
	c := reporttest.Failed().Phases[1].Calls[2]
	c.Branches = append(c.Branches, reports.Branch{Name: "all 4 tries time out", Wanted: 66, Why: "it takes 8 s", Verdict: reports.NotJudged},
		reports.Branch{Name: "to v2", Met: 1031, Wanted: 1066, Verdict: reports.Inconclusive})
	v := newBranchesView("backend", &c)
	var got []string
	for _, o := range v.Open() {
		got = append(got, fmt.Sprintf("%s: %s: %s", o.Verdict, list(o.Names), o.Text))
	}
	want := []string{"inconclusive: answered at try 4 and all 4 tries fail: not met", "not judged: all 4 tries time out: not met: it takes 8 s", "inconclusive: to v2: 1,031 of 1,066 calls met it"}
	if !slices.Equal(got, want) || len(v.Cases) != 7 {
		t.Errorf("%d cases, %q, want 7 and %q", len(v.Cases), got, want)
	}
}

// A name is broken after its slashes, dots and hyphens, and stays as it is.
func TestParts(t *testing.T) {
	if got := fmt.Sprintf("%q", parts("shop/rules/a-b.yaml:4")); got != `["shop/" "rules/" "a-" "b." "yaml:4"]` {
		t.Error(got)
	}
	if got := strings.Join(parts("..a/"), "|"); got != ".|.|a/" {
		t.Error(got)
	}
}
