package reports

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
)

var reportFile = flag.String("report", filepath.Join("testdata", "html", "report.json"), "the report whose page is looked at")

// realReport is one of a run of all stages.
func realReport(t testing.TB) *Report {
	t.Helper()
	r, err := Load(*reportFile)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// parsedPage is a report's page as a browser reads it.
func parsedPage(t *testing.T, r *Report) (*html.Node, string) {
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

// textOf is what a reader sees of a node, in one line.
func textOf(n *html.Node) string {
	var out strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			out.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.Fields(out.String()), " ")
}

// Every number of the text report is on the page, in the same words.
func TestHTMLHasTheNumbersOfTheText(t *testing.T) {
	for name, r := range map[string]*Report{"everything": everything(), "real": realReport(t)} {
		root, _ := parsedPage(t, r)
		var rows []*html.Node
		for _, tr := range all(root, "tr") {
			if attribute(tr, "data-check") != "" {
				rows = append(rows, tr)
			}
		}
		i := 0
		for _, s := range r.Stages {
			for _, c := range s.Checks {
				if i == len(rows) {
					t.Fatalf("%s: %d rows on the page, too few", name, len(rows))
				}
				cells := all(rows[i], "td")
				want := []string{predicted(&c), measured(&c, c.Before), measured(&c, c.After), "", catches(&c), strings.ToUpper(string(c.Verdict))}
				for j, cell := range cells {
					if got := textOf(cell); j != 3 && !strings.Contains(got, want[j]) {
						t.Errorf("%s, %s, column %d: %q, the text report has %q", name, c.Name, j, got, want[j])
					}
				}
				if len(cells) != len(want) || len(all(cells[3], "svg")) != 1 {
					t.Errorf("%s, %s: %d cells, want %d and a picture", name, c.Name, len(cells), len(want))
				}
				i++
			}
		}
		if i != len(rows) || i == 0 {
			t.Errorf("%s: %d rows on the page, the report has %d checks", name, len(rows), i)
		}
	}
}

// Every picture has a description for readers who do not see it. Ids are unique, and the page loads nothing.
func TestHTMLStructure(t *testing.T) {
	for name, r := range map[string]*Report{"everything": everything(), "real": realReport(t)} {
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
		if len(pictures) < 6 {
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
func checkLoads(t *testing.T, name string, r *Report, n *html.Node) {
	t.Helper()
	if n.Type == html.ElementNode && slices.Contains([]string{"script", "img", "iframe", "object", "embed", "image", "use"}, n.Data) {
		t.Errorf("%s: a %s element", name, n.Data)
	}
	for _, a := range n.Attr {
		link := slices.ContainsFunc(r.Links, func(l Link) bool { return l.URL == a.Val })
		switch {
		case a.Key == "href" && (strings.HasPrefix(a.Val, "#") || a.Val == "data:," || n.Data == "a" && link):
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
		r := everything()
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
		if got := strings.Count(textOf(root), strings.Join(strings.Fields(text), " ")); got < 20 {
			t.Errorf("%s is shown %d times of the many places it is in", text, got)
		}
		if !strings.HasSuffix(strings.TrimSpace(page), "</html>") {
			t.Errorf("%s: the page is not whole", text)
		}
	}
}

// Where a report does not have some data, the page has a sentence in their place, and no picture.
func TestHTMLSaysWhatIsMissing(t *testing.T) {
	none := func(change func(*Report)) *Report {
		r := everything()
		change(r)
		return r
	}
	after := func(r *Report) *Phase { return &r.Stages[0].Phases[1] }
	for _, c := range []struct {
		name     string
		r        *Report
		says     string
		drawn    string // the id that no picture may have
		headline string
	}{
		{"empty", &Report{}, "No stage was run, so nothing was measured.", "stage-1", "?"},
		{"error", none(func(r *Report) { r.Restored, r.Stages = Restored, nil }), "no answer", "stage-1", "ERROR"},
		{"aborted", none(func(r *Report) { r.Restored, r.Error = Restored, "" }), "The run was interrupted", "none", "ABORTED"},
		{"not restored", none(func(r *Report) { r.Restoration = nil }), "The target was not put back.", "none", "NOT RESTORED"},
		{"no checks", none(func(r *Report) { r.Stages[0].Checks = nil }), "No check was made.", "stage-1-check", ""},
		{"no phases", none(func(r *Report) { r.Stages[0].Phases = nil }), "No phase was measured.", "stage-1-graph", ""},
		{"no edges", none(func(r *Report) { after(r).Edges = nil }), "The report has no calls between services", "stage-1-graph", ""},
		{"no edges before", everything(), "This phase has no calls in the report.", "stage-1-graph-1", ""},
		{"no samples", none(func(r *Report) { after(r).Samples = nil }), "The report has no sampled requests", "stage-1-phase", ""},
		{"a sample without spans", none(func(r *Report) { after(r).Samples[0].Spans = nil }), "No try of this request was recorded.", "stage-1-phase", ""},
		{"missing spans", everything(), "The picture is incomplete: the clock's", "none", ""},
		{"no distributions", none(func(r *Report) { after(r).Distributions = nil }), "no latencies by number of tries", "stage-1-distributions", ""},
		{"no seconds", none(func(r *Report) { after(r).Seconds = nil }), "no requests by second", "stage-1-timeline", ""},
		{"no clock", none(func(r *Report) { after(r).Started = time.Time{} }), "does not have the times at which the phases began", "none", ""},
		{"no manifests", none(func(r *Report) { r.Stages[0].Manifests = nil }), "The report has no manifests of this stage.", "none", ""},
		{"no policies", none(func(r *Report) { r.Stages[0].Policies = nil }), "The report has no retry policies of this stage.", "none", ""},
		{"no command", none(func(r *Report) { r.Command = nil }), "The command was not recorded.", "none", ""},
		{"no data", none(func(r *Report) { r.Stages[0].Checks[0].After.Measured = nil }), "no data", "none", ""},
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
		change func(*Report)
		want   string
	}{
		{func(r *Report) { r.Verdict = Pass }, "pass"},
		{func(r *Report) {}, "fail"},
		{func(r *Report) { r.Verdict = Inconclusive }, "inconclusive"},
		{func(r *Report) { r.Verdict, r.Aborted = Pass, true }, "inconclusive"},
		{func(r *Report) { r.Verdict, r.Error = Pass, "no answer" }, "fail"},
		{func(r *Report) { r.Verdict, r.Restored = Pass, NotRestored }, "fail"},
	} {
		r := example()
		c.change(r)
		root, _ := parsedPage(t, r)
		if got := attribute(all(root, "body")[0], "class"); got != c.want {
			t.Errorf("%s, aborted %v, error %q, %s: painted as %s, want %s", r.Verdict, r.Aborted, r.Error, r.Restored, got, c.want)
		}
	}
}

// The retry stage is understood without the documentation.
func TestHTMLExplainsRetries(t *testing.T) {
	real := realReport(t)
	root, _ := parsedPage(t, real)
	text, fail := textOf(root), Probability(real.Settings.Fail)
	for _, words := range []string{fmt.Sprintf("%[1]s × %[1]s × %[1]s × %[1]s = ", fail), "Retries make failed calls rare, but do not remove them", "must be followed by exactly one more try, up to the policy's limit, and by none beyond it"} {
		if !strings.Contains(text, words) {
			t.Errorf("the page does not say %q", words)
		}
	}
	s := Stage{Policies: []Policy{{Hop: "backend", Retries: 3, Covers500: true}}}
	c := Check{Kind: Proportion, Hop: "backend", After: &Measurement{Predicted: 0.0625}}
	r := &Report{Settings: Settings{Fail: 0.5}}
	if got := product(r, &s, &c); got != "0.5 × 0.5 × 0.5 × 0.5 = 0.0625" {
		t.Errorf("product %q", got)
	}
	c.After.Predicted = 0.07
	if got := product(r, &s, &c); got != "" {
		t.Errorf("%s for a prediction that has another reason", got)
	}
}

// The promise is 1.5 MiB for a run of all stages.
func TestHTMLSize(t *testing.T) {
	if _, page := parsedPage(t, realReport(t)); len(page) > 3<<19 {
		t.Errorf("%d bytes, want at most 1.5 MiB", len(page))
	}
}

func BenchmarkHTML(b *testing.B) {
	r := realReport(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := HTML(io.Discard, r); err != nil {
			b.Fatal(err)
		}
	}
}
