package render

import (
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/reporttest"
)

var reportFile = flag.String("report", "", "a saved report whose page is looked at, in place of the one that the tests make")

// wholeReport is one of a run of all stages, with pictures.
func wholeReport(t testing.TB) *reports.Report {
	t.Helper()
	if *reportFile == "" {
		return tutorial()
	}
	r, err := reports.Load(*reportFile)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// parsedPage is a report's page as a browser reads it.
func parsedPage(t *testing.T, r *reports.Report) (*html.Node, string) {
	t.Helper()
	var out strings.Builder
	if err := HTML(&out, r); err != nil {
		t.Fatal(err)
	}
	root, err := html.Parse(strings.NewReader(out.String()))
	if err != nil {
		t.Fatal(err)
	}
	return root, out.String()
}

// all are the elements of a name below a node.
func all(root *html.Node, name string) (found []*html.Node) {
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == name {
			found = append(found, n)
		}
	}
	return found
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// withAttribute are the elements that have an attribute.
func withAttribute(root *html.Node, name string) (found []*html.Node) {
	for n := range root.Descendants() {
		if slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name }) {
			found = append(found, n)
		}
	}
	return found
}

// textOf is what a reader sees of a node, in one line. A place where a line may break is no space.
func textOf(n *html.Node) string {
	var out strings.Builder
	for d := range n.Descendants() {
		switch {
		case d.Type == html.TextNode && d.PrevSibling != nil && d.PrevSibling.Data == "wbr":
			out.WriteString(d.Data)
		case d.Type == html.TextNode:
			out.WriteString(" " + d.Data)
		}
	}
	return strings.Join(strings.Fields(out.String()), " ")
}

// samples are reports of all kinds.
func samples(t testing.TB) map[string]*reports.Report {
	named := reporttest.Named()
	named["whole"], named["failing"], named["shop"] = wholeReport(t), failing(), shop()
	for _, name := range []string{"retry.json", "egress-canary.json"} { // of schema 1
		r, err := reports.Load(filepath.Join("..", "testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		named[name] = r
	}
	return named
}

// Every row of the table in the text report is on the page, in the same words, in every phase that has a section.
func TestHTMLHasTheNumbersOfTheText(t *testing.T) {
	for name, r := range samples(t) {
		if name == "hostile" {
			continue // Its characters are escaped.
		}
		root, _ := parsedPage(t, r)
		rows := withAttribute(root, "data-call")
		i := 0
		for _, phase := range order(r, true) {
			if !hasSection(r, phase) {
				continue
			}
			for call := range r.Phases[phase].Calls {
				if i == len(rows) {
					t.Fatalf("%s: %d rows on the page, too few", name, len(rows))
				}
				want := newRow(r, phase, call)
				shown := append(all(rows[i], "th"), all(rows[i], "td")...)
				for j, text := range []string{want.call, want.policy, want.shares(), "", want.tries, want.waits, verdictWord(want.verdict)} {
					if got := textOf(shown[j]); j != 3 && !strings.Contains(got, text) {
						t.Errorf("%s, %s, column %d: %q, the text report has %q", name, want.call, j, got, text)
					}
				}
				c := &r.Phases[phase].Calls[call]
				for _, text := range append(proofOf(c), c.Note) {
					if got := textOf(shown[6]); !strings.Contains(got, text) {
						t.Errorf("%s, %s: the verdict is %q, without %q", name, want.call, got, text)
					}
				}
				if got := textOf(shown[2]); (c.Fails.N > 0 || c.Fails.Predicted > 0) && !strings.Contains(got, "predicted ") || !strings.Contains(got, Probability(c.Fails.Predicted)) && c.Fails.N > 0 {
					t.Errorf("%s, %s: %q without the prediction %g", name, want.call, got, c.Fails.Predicted)
				}
				if got := textOf(shown[1]); !strings.Contains(got, want.where) {
					t.Errorf("%s, %s: %q does not name %s", name, want.call, got, want.where)
				}
				if len(shown) != 7 || len(all(shown[3], "svg")) != 1 {
					t.Errorf("%s, %s: %d cells, want 7 and a picture", name, want.call, len(shown))
				}
				i++
			}
		}
		if i != len(rows) {
			t.Errorf("%s: %d rows on the page, the report has %d", name, len(rows), i)
		}
	}
}

// Every picture has a description for readers who do not see it. Ids are unique, and the page loads nothing.
func TestHTMLStructure(t *testing.T) {
	for name, r := range samples(t) {
		root, page := parsedPage(t, r)
		ids := map[string]*html.Node{}
		for n := range root.Descendants() {
			if id := attribute(n, "id"); id != "" {
				if ids[id] != nil {
					t.Errorf("%s: two elements have the id %s", name, id)
				}
				ids[id] = n
			}
			checkLoads(t, name, r, n)
		}
		pictures := all(root, "svg")
		for _, svg := range pictures {
			label := strings.Fields(attribute(svg, "aria-labelledby"))
			if attribute(svg, "role") != "img" || len(label) != 2 || ids[label[0]] == nil || ids[label[1]] == nil ||
				textOf(ids[label[0]]) == "" || len(textOf(ids[label[1]])) < 10 {
				t.Errorf("%s: a picture without title and description: %v", name, svg.Attr)
			}
		}
		if len(pictures) < 3 {
			t.Errorf("%s: %d pictures", name, len(pictures))
		}
		if style := textOf(all(root, "style")[0]); strings.Contains(style, "url(") || strings.Contains(style, "@import") {
			t.Errorf("%s: the style loads something", name)
		}
		if strings.Contains(page, "ZgotmplZ") || strings.Contains(page, "NaN") || strings.Contains(page, "Inf") {
			t.Errorf("%s: a value could not be written", name)
		}
	}
}

// checkLoads holds an element to what may be fetched: nothing, without a click.
func checkLoads(t *testing.T, name string, r *reports.Report, n *html.Node) {
	t.Helper()
	if n.Type == html.ElementNode && slices.Contains([]string{"script", "img", "iframe", "object", "embed", "image", "use"}, n.Data) {
		t.Errorf("%s: a %s element", name, n.Data)
	}
	for _, a := range n.Attr {
		link := slices.ContainsFunc(r.Links, func(l reports.Link) bool { return l.Followable() })
		switch {
		case a.Key == "href" && (strings.HasPrefix(a.Val, "#") || a.Val == "data:," || n.Data == "a" && link && strings.HasPrefix(a.Val, "http://")):
		case a.Key == "href", a.Key == "src", a.Key == "srcset", strings.HasPrefix(a.Key, "on"), a.Key == "style":
			t.Errorf("%s: %s=%q of a %s", name, a.Key, a.Val, n.Data)
		}
	}
}

// poison writes a text into every string of a value.
func poison(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			poison(v.Elem(), text)
		}
	case reflect.Slice:
		for i := range v.Len() {
			poison(v.Index(i), text)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			v.SetMapIndex(key, reflect.Value{})
		}
		v.SetMapIndex(reflect.ValueOf(text), reflect.ValueOf(text))
	case reflect.Struct:
		if v.Type() != reflect.TypeFor[time.Time]() {
			for i := range v.NumField() {
				poison(v.Field(i), text)
			}
		}
	case reflect.String:
		v.SetString(text)
	}
}

// Names and manifests come from users: whatever they hold is text, in every place.
func TestHTMLEscapes(t *testing.T) {
	for _, text := range []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</style></title></svg><script>alert(1)</script>`,
		`javascript:alert(1)`, `' onmouseover='alert(1)`} {
		r := drawn(reporttest.Everything())
		poison(reflect.ValueOf(r).Elem(), text)
		root, page := parsedPage(t, r)
		for n := range root.Descendants() {
			if n.Type == html.ElementNode && (n.Data == "script" || n.Data == "img") {
				t.Errorf("%s became a %s element", text, n.Data)
			}
			for _, a := range n.Attr {
				if strings.HasPrefix(a.Key, "on") || a.Key == "href" && strings.HasPrefix(a.Val, "javascript:") {
					t.Errorf("%s became the attribute %s=%q", text, a.Key, a.Val)
				}
			}
		}
		if got := strings.Count(textOf(root), strings.Join(strings.Fields(text), " ")); got < 60 {
			t.Errorf("%s is shown %d times of the many places it is in", text, got)
		}
		if !strings.HasSuffix(strings.TrimSpace(page), "</html>") {
			t.Errorf("%s: the page is not whole", text)
		}
	}
}

// No text turns the writing of what stands behind it around, and none hides in a control character.
func TestHTMLShowsWhatIsObeyed(t *testing.T) {
	_, page := parsedPage(t, reporttest.Hostile())
	for _, c := range []rune{'\u202e', '\x1b', '\t', '\r'} {
		if strings.ContainsRune(page, c) {
			t.Errorf("the page has the character %U", c)
		}
	}
	for _, shown := range []string{`\u202egnp.exe`, `\u001b[31mred`, `b\tc`} {
		if !strings.Contains(page, shown) {
			t.Errorf("the page does not show %s", shown)
		}
	}
}

// The head of the page has in this order: the verdict, what is wrong in the manifests, what was not judged, and the phases.
func TestHTMLHead(t *testing.T) {
	r := reporttest.Findings()
	r.Phases[1].Undecided = "pods were replaced"
	r.Phases[1].Calls[1].Waits = reporttest.Late().Phases[1].Calls[1].Waits
	root, _ := parsedPage(t, r)
	text := textOf(all(root, "main")[0])
	last := -1
	for _, part := range []string{"2 errors in the manifests, first VirtualService middleware", "Wrong in the manifests", "✗ ERROR mine/retry.yaml:20 VirtualService middleware",
		"no DestinationRule of middleware has the subset", "! WARNING VirtualService frontend", "from phase prod on", "Not judged",
		"pods were replaced phase retry", "requests left late middleware: waits; phase retry", "retry: failed calls are sent again"} {
		at := strings.Index(text, part)
		if at <= last {
			t.Errorf("%q is at %d, want it behind the part before, at %d: %.1500s", part, at, last, text)
		}
		last = at
	}
}

// Of many checks without a verdict the head names the first ones; reasons that differ only in their numbers are one.
func TestNotJudged(t *testing.T) {
	if got := (notJudged{What: []string{"a", "b", "c", "d", "e", "f", "g", "h"}}).Names(); got != "a, b, c, d, e, f and 2 more" {
		t.Error(got)
	}
	r := reporttest.Retry()
	p := &r.Phases[1]
	wait := func(try int, v reports.Verdict, note string) reports.Wait {
		return reports.Wait{Try: try, Verdict: v, Note: note}
	}
	p.Calls[1].Waits = []reports.Wait{wait(2, reports.NotJudged, "a try takes 20.2 ms, too long for 12.5 ms"), wait(3, reports.Pass, ""), wait(4, reports.NotJudged, "late")}
	p.Calls[2].Waits = []reports.Wait{wait(2, reports.NotJudged, "a try takes 7 ms, too long for 37.5 ms"), wait(3, reports.NotJudged, "late")}
	p.Calls[2].Branches[0] = reports.Branch{Name: "times out", Verdict: reports.NotJudged, Why: "it takes 8 s"}
	p.Calls[2].Ledger.Verdict, p.Calls[2].Ledger.Note = reports.NotJudged, "the counters were lost"
	p.Calls[3].Requests, p.Calls[3].Note = reports.NotJudged, "a time limit may have decided it"
	p.Undecided = "pods were replaced"
	var got []string
	for _, n := range newNotJudged(r) {
		got = append(got, fmt.Sprintf("%s (%d): %s in %s", n.Why, n.Alike, n.Names(), list(n.Phases)))
	}
	want := []string{"pods were replaced (0):  in retry", "a try takes 20.2 ms, too long for 12.5 ms (1): middleware: waits before try 2 and backend: waits in retry",
		"late (0): middleware: waits before try 4 and backend: waits in retry", "it takes 8 s (0): backend: times out in retry", "the counters were lost (0): backend: ledger in retry",
		"a time limit may have decided it (0): time.jsontest.com in retry"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// withClass are the elements that have a class.
func withClass(root *html.Node, class string) (found []*html.Node) {
	for _, n := range withAttribute(root, "class") {
		if slices.Contains(strings.Fields(attribute(n, "class")), class) {
			found = append(found, n)
		}
	}
	return found
}

// The sections of phases that did not pass come first and are unfolded, whatever the order of the run was; the table at the top keeps it.
func TestHTMLFailuresFirst(t *testing.T) {
	r := reporttest.RunAll()
	r.Phases[3].Verdict, r.Phases[4].Verdict = reports.Inconclusive, reports.Fail
	root, _ := parsedPage(t, r)
	var got []string
	for _, n := range withClass(root, "fold") {
		folded := "folded"
		if len(n.Attr) == 2 {
			folded = "open"
		}
		got = append(got, attribute(n.Parent, "id")+" "+folded)
	}
	if want := "phase-5 open, phase-4 open, phase-2 folded, phase-3 folded, phase-6 folded"; strings.Join(got, ", ") != want {
		t.Errorf("sections %q, want %s", got, want)
	}
	if got := textOf(all(root, "nav")[0]); got != "✓ egress ✓ prod ? retry ✗ ingress ✓ canary reproduce" {
		t.Errorf("contents %q", got)
	}
}

// A phase that another one is only compared with has no section, unless it did not pass or is the last.
func TestHTMLPhases(t *testing.T) {
	failed := reporttest.Retry()
	failed.Phases[0].Verdict = reports.Fail
	for _, c := range []struct {
		r    *reports.Report
		want string
	}{
		{reporttest.Retry(), "✓ PASS retry"},
		{reporttest.RunAll(), "✓ PASS egress, ✓ PASS prod, ✓ PASS retry, ✓ PASS ingress, ✓ PASS canary"},
		{reporttest.Broken(), "? INCONCLUSIVE prod"},
		{failed, "✗ FAIL prod, ✓ PASS retry"},
	} {
		root, page := parsedPage(t, c.r)
		var got []string
		for _, n := range withClass(root, "headlines") {
			for _, head := range all(all(n, "tbody")[0], "th") {
				got = append(got, textOf(head))
			}
		}
		for _, link := range append(all(root, "nav"), withClass(root, "headlines")...) {
			for _, a := range all(link, "a") {
				if id := strings.TrimPrefix(attribute(a, "href"), "#"); !strings.Contains(page, ` id="`+id+`"`) {
					t.Errorf("%s leads nowhere", id)
				}
			}
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("phases %q, want %s", got, c.want)
		}
	}
}

// The shares of all requests stand below the calls, as in the text report: before, now and predicted, without a verdict.
func TestHTMLShares(t *testing.T) {
	root, _ := parsedPage(t, reporttest.Retry())
	rows := withAttribute(root, "data-share")
	if len(rows) != 1 || attribute(rows[0], "data-share") != "any of ours fails" {
		t.Fatalf("%d rows, want one: the share of the edge is that of the frontend's row", len(rows))
	}
	text := textOf(rows[0])
	for _, want := range []string{"0.876 → 0.56", "predicted 0.875 → 0.561", "280 of 500", "shown, not judged"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
}

// The page of an older report does not say that its calls were judged one by one, or that the distributions of its waits were tested.
func TestHTMLOfSchema1(t *testing.T) {
	root, _ := parsedPage(t, samples(t)["retry.json"])
	text := textOf(root)
	for _, words := range []string{"How to read the table", "The whole distribution of the waits is tested", "distance 0", "not judged: "} {
		if strings.Contains(text, words) {
			t.Errorf("the page says %q", words)
		}
	}
	if root, _ := parsedPage(t, reporttest.Retry()); !strings.Contains(textOf(root), "The whole distribution of the waits is tested") || !strings.Contains(textOf(root), "How to read the table") {
		t.Error("the page of a report of schema 2 does not say how it judges")
	}
}

// What made a phase fail is said above its table, and the warnings of a phase without a section stand below the list of phases.
func TestHTMLProblems(t *testing.T) {
	r := reporttest.Failed()
	r.Phases[0].Warnings, r.Phases[0].Incidents = []string{"requests left late"}, []string{"pod backend-1 went away"}
	p := &r.Phases[1]
	p.Calls[1].Split = &reports.Split{Verdict: reports.Fail, Parts: []reports.SplitShare{{Share: reports.Share{Name: "v1", Predicted: 0.8, Measured: pointer(0.5), K: 50, N: 100}, Verdict: reports.Fail}}}
	root, _ := parsedPage(t, r)
	text := textOf(all(root, "main")[0])
	lines := append(baseLines(r), problems(p)...)
	if len(lines) < 4 {
		t.Fatalf("%q, want two warnings and at least two problems", lines)
	}
	for _, line := range lines {
		if at := strings.Index(text, line); at < 0 || at > strings.Index(text, "policy in force") {
			t.Errorf("%q is at %d, want it above the table", line, at)
		}
	}
}

// A call that deviated is on the page with what was expected and met, its rule's line, and the command that sends it again.
func TestHTMLMismatches(t *testing.T) {
	r := reporttest.Failed()
	root, _ := parsedPage(t, r)
	articles := all(root, "article")
	if len(articles) != len(r.Phases[1].Mismatches) {
		t.Fatalf("%d articles, want %d", len(articles), len(r.Phases[1].Mismatches))
	}
	for i, m := range r.Phases[1].Mismatches {
		text := textOf(articles[i])
		kind := "request "
		if m.Probe {
			kind = "probe "
		}
		for _, want := range []string{"✗ " + m.Kind, Count(m.Count) + " calls, " + m.From + " → " + m.To, place(m.File, m.Line), m.Rule, m.Expected, m.Met, kind + m.Request,
			"call " + m.Call, fmt.Sprintf("try %d", m.Try), m.Again} {
			if !strings.Contains(text, want) {
				t.Errorf("%d: no %q in %s", i, want, text)
			}
		}
	}
}

// Where a report does not have some data, the page has a sentence in their place, and no picture.
func TestHTMLSaysWhatIsMissing(t *testing.T) {
	with := func(change func(*reports.Report, *reports.Phase)) *reports.Report {
		r := failing()
		change(r, &r.Phases[1])
		return r
	}
	for _, c := range []struct {
		name     string
		r        *reports.Report
		says     string
		drawn    string // the id that no picture may have
		headline string
	}{
		{"empty", &reports.Report{}, "No phase was run, so nothing was measured.", "phase-1", "?"},
		{"error", with(func(r *reports.Report, _ *reports.Phase) { r.Error, r.Phases = "no answer", nil }), "no answer", "phase-1", "ERROR"},
		{"aborted", with(func(r *reports.Report, _ *reports.Phase) { r.Aborted = true }), "The run was interrupted", "none", "ABORTED"},
		{"not restored", with(func(r *reports.Report, _ *reports.Phase) { r.Restored = reports.NotRestored }), "The target was not put back.", "none", "NOT RESTORED"},
		{"not all restored", reporttest.NotRestored(), "Not all was put back: VirtualService middleware:", "none", "NOT RESTORED"},
		{"no calls", with(func(_ *reports.Report, p *reports.Phase) { p.Calls = nil }), "The phase has no calls in the report.", "phase-2-call", ""},
		{"one phase", with(func(r *reports.Report, _ *reports.Phase) { r.Phases = r.Phases[1:] }), "It is the first phase, so that nothing stands beside it.", "phase-2", ""},
		{"no edges", with(func(r *reports.Report, p *reports.Phase) { p.Edges, r.Phases[0].Edges = nil, nil }), "The report has no calls between services", "phase-2-graph", ""},
		{"too many services", manyServices(40), "The graph has too many services to be drawn.", "phase-2-graph", ""},
		{"no samples", with(func(_ *reports.Report, p *reports.Phase) { p.Samples = nil }), "The report has no sampled requests", "phase-2-phase", ""},
		{"a sample without spans", with(func(_ *reports.Report, p *reports.Phase) { p.Samples[0].Spans = nil }), "No try of this request was recorded.", "phase-2-phase", ""},
		{"missing spans", with(func(_ *reports.Report, p *reports.Phase) { p.Samples[0].Missing = "the clock's" }), "The picture is incomplete: the clock's", "none", ""},
		{"no distributions", with(func(r *reports.Report, p *reports.Phase) { p.Distributions, r.Phases[0].Distributions = nil, nil }), "no latencies by number of tries", "phase-2-distributions", ""},
		{"no seconds", with(func(r *reports.Report, p *reports.Phase) { p.Seconds, r.Phases[0].Seconds = nil, nil }), "no requests by second", "phase-2-timeline", ""},
		{"no clock", with(func(_ *reports.Report, p *reports.Phase) { p.Started = time.Time{} }), "does not have the times at which the phases began", "none", ""},
		{"no manifests", with(func(_ *reports.Report, p *reports.Phase) { p.Manifests = nil }), "The report has no manifests that this phase adds.", "none", ""},
		{"no command", with(func(r *reports.Report, _ *reports.Phase) { r.Command = nil }), "The command was not recorded.", "none", ""},
		{"no data", with(func(_ *reports.Report, p *reports.Phase) { p.Calls[1].Fails.Measured = nil }), "no data", "none", ""},
		{"no call was judged", with(func(_ *reports.Report, p *reports.Phase) {
			p.Calls[1].Judged, p.Calls[1].Verdict = 0, reports.NotJudged
		}), "no call was judged", "none", ""},
		{"shares were judged", with(func(_ *reports.Report, p *reports.Phase) { p.Calls[1].Judged = 0 }), "not judged call by call", "none", ""},
		{"not judged without a reason", with(func(_ *reports.Report, p *reports.Phase) {
			p.Calls[1].Requests, p.Calls[1].Note = reports.NotJudged, ""
		}), "without a reason in the report", "none", ""},
		{"undecided", reporttest.Aborted(), "the phase was interrupted after 120 requests", "none", "ABORTED"},
	} {
		root, _ := parsedPage(t, c.r)
		if text := textOf(all(root, "main")[0]); !strings.Contains(text, c.says) {
			t.Errorf("%s: the page does not say %q", c.name, c.says)
		}
		if headline := textOf(all(root, "h1")[0]); !strings.Contains(headline, c.headline) {
			t.Errorf("%s: the headline is %q", c.name, headline)
		}
		for _, svg := range all(root, "svg") {
			if strings.HasPrefix(attribute(svg, "aria-labelledby"), c.drawn) {
				t.Errorf("%s: %s is drawn", c.name, attribute(svg, "aria-labelledby"))
			}
		}
	}
}

// Nothing but a pass is painted as one.
func TestHTMLVerdictClass(t *testing.T) {
	for _, c := range []struct {
		change func(*reports.Report)
		want   string
	}{
		{func(r *reports.Report) {}, "pass"},
		{func(r *reports.Report) { r.Verdict = reports.Fail }, "fail"},
		{func(r *reports.Report) { r.Verdict = reports.Inconclusive }, "inconclusive"},
		{func(r *reports.Report) { r.Verdict = reports.NotJudged }, "inconclusive"},
		{func(r *reports.Report) { r.Aborted = true }, "inconclusive"},
		{func(r *reports.Report) { r.Error = "no answer" }, "fail"},
		{func(r *reports.Report) { r.Restored = reports.NotRestored }, "fail"},
	} {
		r := reporttest.Retry()
		c.change(r)
		root, _ := parsedPage(t, r)
		if got := attribute(all(root, "body")[0], "class"); got != c.want {
			t.Errorf("%s, aborted %v, error %q, %s: painted as %s, want %s", r.Verdict, r.Aborted, r.Error, r.Restored, got, c.want)
		}
	}
}

// Retries are understood without the documentation.
func TestHTMLExplainsRetries(t *testing.T) {
	root, _ := parsedPage(t, reporttest.Retry())
	text := textOf(root)
	for _, words := range []string{"0.5 × 0.5 × 0.5 × 0.5 = 0.0625", "Retries make failed calls rare, but do not remove them", "must be followed by exactly one more try, up to the policy's limit, and by none beyond it"} {
		if !strings.Contains(text, words) {
			t.Errorf("the page does not say %q", words)
		}
	}
	r := reporttest.Retry()
	c := &r.Phases[1].Calls[2]
	for name, change := range map[string]func(){
		"another prediction": func() { c.Fails.Predicted = 0.07 },
		"a fault":            func() { c.Rule.Aborts = 0.1 },
		"hangs":              func() { r.Settings.Hang = 0.1 },
		"no retry on 500":    func() { c.Rule.Covers500 = false },
		"no rule":            func() { c.Rule = nil },
	} {
		before := *c
		if c.Rule != nil {
			rule := *c.Rule
			before.Rule = &rule
		}
		change()
		if got := product(r, c); got != "" {
			t.Errorf("%s: %s, although the prediction has another reason", name, got)
		}
		*c, r.Settings.Hang = before, 0
	}
}

// The promise is 1.5 MiB for a run of all stages.
func TestHTMLSize(t *testing.T) {
	if _, page := parsedPage(t, wholeReport(t)); len(page) > 3<<19 {
		t.Errorf("%d bytes, want at most 1.5 MiB", len(page))
	}
}

func BenchmarkHTML(b *testing.B) {
	r := wholeReport(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := HTML(io.Discard, r); err != nil {
			b.Fatal(err)
		}
	}
}
