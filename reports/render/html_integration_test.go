//go:build integration

package render

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/page/pagetest"
	"github.com/hellochaos/hellochaos/reports/reporttest"
)

// longNames is a report whose names and words fit nowhere.
func longNames() *reports.Report {
	r := failing()
	const name = "a-name-of-sixty-three-characters-the-most-that-a-label-may-have"
	for i := range r.Phases {
		p := &r.Phases[i]
		p.Name, p.Title = fmt.Sprint(name, i), name
		for j := range p.Calls {
			c := &p.Calls[j]
			c.From, c.To = fmt.Sprint(name, j), fmt.Sprint(name, j+1)
			if c.Rule != nil {
				poison(reflect.ValueOf(c.Rule), name)
			}
			for k := range c.Branches {
				c.Branches[k].Name = name
			}
		}
		for j := range p.Edges {
			e := &p.Edges[j]
			e.From, e.To, e.Version, e.Calls, e.Failed = fmt.Sprint(name, j), fmt.Sprint(name, j+1), e.Version+name, 1e9*e.Calls, 1e9*e.Failed
		}
		poison(reflect.ValueOf(p.Manifests), name)
		poison(reflect.ValueOf(p.Samples), name)
		poison(reflect.ValueOf(p.Mismatches), name)
		p.Warnings = append(p.Warnings, name+name+name)
	}
	r.Phases[1].Calls[1].Split = &reports.Split{Verdict: reports.Pass, Parts: []reports.SplitShare{{Share: reports.Share{Name: name, Predicted: 0.5}}, {Share: reports.Share{Name: name + "2", Predicted: 0.5}}}}
	poison(reflect.ValueOf(r.Findings), name)
	r.Summary, r.Target.Detail, r.Command = name+name, name+name, []string{name + name + name}
	return r
}

// The page is right in a real browser: nothing to complain about, nothing fetched, laid out and readable in both themes and on
// narrow screens, whatever the report is like.
func TestIntegrationHTML(t *testing.T) {
	for _, c := range []struct {
		name string
		r    *reports.Report
	}{{"whole", wholeReport(t)}, {"failing", failing()}, {"shop", shop()}, {"long-names", longNames()}, {"hostile", drawn(reporttest.Hostile())}, {"everything", reporttest.Everything()}} {
		t.Run(c.name, func(t *testing.T) { pagetest.Looks(t, savedPage(t, c.r), c.name) })
	}
}

// cells are the numbers of the tables of calls, as a reader sees them.
const cells = `[...document.querySelectorAll('tr[data-call]')].map(tr => {
  const cell = label => tr.querySelector('td[data-label="' + label + '"]'), data = label => { const d = cell(label).querySelector('data'); return d ? d.value : ''; };
  return {Phase: tr.closest('section').id, Call: +tr.dataset.call, Fails: data('fails'), Text: cell('fails').innerText, Tries: data('tries'),
    TriesText: cell('tries').innerText, Verdict: cell('verdict').querySelector('.mark').innerText}; })`

type cell struct {
	Phase                                  string
	Call                                   int
	Fails, Text, Tries, TriesText, Verdict string
}

// What the tables show is what the report has, read by a browser and compared number by number.
func TestIntegrationHTMLNumbers(t *testing.T) {
	r := wholeReport(t)
	b := pagetest.Chromium(t)
	b.Open(t, savedPage(t, r), "light", 1280)
	compared := 0
	for _, shown := range pagetest.Ask[[]cell](t, b, cells) {
		phase, err := strconv.Atoi(strings.TrimPrefix(shown.Phase, "phase-"))
		if err != nil {
			t.Fatal(err)
		}
		p := &r.Phases[phase-1]
		c := &p.Calls[shown.Call]
		what := fmt.Sprintf("%s, %s", p.Name, c.To)
		compareShown(t, what+", fails", c.Fails.Measured, shown.Fails, shown.Text)
		var tries *float64
		if c.Tries != nil {
			tries = &c.Tries.Measured
		}
		compareShown(t, what+", tries", tries, shown.Tries, shown.TriesText)
		if !strings.Contains(shown.Verdict, strings.ToUpper(string(c.Verdict))) {
			t.Errorf("%s: verdict %q, the report has %s", what, shown.Verdict, c.Verdict)
		}
		compared++
	}
	want := 0
	for i := range r.Phases {
		if hasSection(r, i) {
			want += len(r.Phases[i].Calls)
		}
	}
	if compared < 4 || compared != want {
		t.Errorf("%d rows compared, want %d", compared, want)
	}
}

// compareShown holds a cell against its measurement: the exact value, and the text to the digits that it has.
func compareShown(t *testing.T, what string, measured *float64, value, text string) {
	t.Helper()
	text, _, _ = strings.Cut(text, "\n")
	if measured == nil {
		if value != "" || text != "" && !strings.Contains(text, "no data") {
			t.Errorf("%s: %q where the report has no data", what, text)
		}
		return
	}
	if exact, err := strconv.ParseFloat(value, 64); err != nil || exact != *measured {
		t.Errorf("%s: %s, the report has %v", what, value, *measured)
	}
	now := text[strings.LastIndex(text, " ")+1:]
	if read, err := strconv.ParseFloat(now, 64); err != nil || math.Abs(read-*measured) > 0.0051 {
		t.Errorf("%s: %s, the report has %v", what, text, *measured)
	}
}

// Without a mouse: the first key leads to the skip link, that one to the verdict, and all that scrolls sideways can be reached.
func TestIntegrationHTMLByKeyboard(t *testing.T) {
	b := pagetest.Chromium(t)
	b.Open(t, savedPage(t, shop()), "light", 390)
	if err := chromedp.Do(b, chromedp.KeyEvent("\t")); err != nil {
		t.Fatal(err)
	}
	if at := pagetest.Ask[string](t, b, `document.activeElement.className + ", outline " + getComputedStyle(document.activeElement).outlineStyle`); at != "skip, outline solid" {
		t.Errorf("the first key leads to %q", at)
	}
	if err := chromedp.Do(b, chromedp.KeyEvent("\r")); err != nil {
		t.Fatal(err)
	}
	if at := pagetest.Ask[string](t, b, `document.activeElement.id`); at != "main" {
		t.Errorf("the skip link leads to %q", at)
	}
	for _, one := range pagetest.Ask[[]string](t, b, `(document.querySelectorAll('details').forEach(d => d.open = true),
	  [...document.querySelectorAll('.scroll, pre')].filter(e => e.scrollWidth > e.clientWidth && e.tabIndex < 0).map(e => e.textContent.slice(0, 60)))`) {
		t.Errorf("cannot be scrolled by keyboard: %s", one)
	}
}

// The page prints, with all that is folded away on a screen, and nothing is wider than the paper.
func TestIntegrationHTMLPrints(t *testing.T) {
	b := pagetest.Chromium(t)
	file := savedPage(t, wholeReport(t))
	if _, err := chromedp.Call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"}); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(b, chromedp.EmulateViewport(720, 900), chromedp.Navigate("file://"+file)); err != nil { // 7.5 inches between margins
		t.Fatal(err)
	}
	hidden := pagetest.Ask[[]string](t, b, `[...document.querySelectorAll('details > :not(summary)')].filter(e => !e.checkVisibility({contentVisibilityAuto: true})).map(e => e.textContent.slice(0, 60))`)
	for _, one := range hidden {
		t.Errorf("not printed: %s", one)
	}
	for _, one := range pagetest.Ask[[]string](t, b, `[...document.querySelectorAll('table, pre, svg, p, h2')].filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.tagName + ': ' + e.textContent.slice(0, 60))`) {
		t.Errorf("cut off at the edge of the paper: %s", one)
	}
	paper, err := chromedp.Run(b, chromedp.PrintToPDF(chromedp.PDFPrintBackground()))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(paper), "%PDF-") || len(paper) < 50_000 {
		t.Errorf("%d bytes of paper, beginning %q", len(paper), paper[:min(20, len(paper))])
	}
}

// savedPage writes a report's page where a browser can open it.
func savedPage(t *testing.T, r *reports.Report) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.html")
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := HTML(out, r); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return file
}
