//go:build integration

package reports

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

	"github.com/hellochaos/hellochaos/reports/page/pagetest"
)

// longNames is a report whose names and words fit nowhere.
func longNames(t *testing.T) *Report {
	r := realReport(t)
	const name = "a-name-of-sixty-three-characters-the-most-that-a-label-may-have"
	for i := range r.Stages {
		s := &r.Stages[i]
		s.Name, s.Title = name, name
		poison(reflect.ValueOf(s.Manifests), name)
		poison(reflect.ValueOf(s.Policies), name)
		for j := range s.Checks {
			s.Checks[j].Name = fmt.Sprint(name, j)
		}
		for j := range s.Phases {
			p := &s.Phases[j]
			for k := range p.Edges {
				e := &p.Edges[k]
				e.Version, e.Calls, e.Failed = e.Version+name, 1e9*e.Calls, 1e9*e.Failed
			}
			poison(reflect.ValueOf(p.Samples), name)
			p.Warnings = append(p.Warnings, name+name+name)
		}
	}
	r.Summary, r.Target.Detail, r.Command = name+name, name+name, []string{name + name + name}
	return r
}

// Long names break nothing.
func TestIntegrationHTMLOfLongNames(t *testing.T) {
	pagetest.Looks(t, savedPage(t, longNames(t)), "long-names")
}

// The page is right in a real browser: nothing to complain about, nothing fetched, laid out and readable in both themes and on
// narrow screens.
func TestIntegrationHTML(t *testing.T) {
	pagetest.Looks(t, savedPage(t, realReport(t)), "report")
}

// cells are the measured ones of all tables of checks, as a reader sees them.
const cells = `[...document.querySelectorAll('tr[data-check] td[data-label=before], tr[data-check] td[data-label=after]')].map(td => {
  const data = td.querySelector('data'), row = td.parentElement;
  return {Stage: td.closest('section').id, Check: row.dataset.check, Label: td.dataset.label, Value: data ? data.value : '',
    Text: data ? data.innerText : td.innerText, Verdict: row.querySelector('.mark').innerText}; })`

type cell struct{ Stage, Check, Label, Value, Text, Verdict string }

// What the tables show is what the report has, read by a browser and compared number by number.
func TestIntegrationHTMLNumbers(t *testing.T) {
	r := realReport(t)
	b := pagetest.Chromium(t)
	b.Open(t, savedPage(t, r), "light", 1280)
	of := map[string]cell{}
	for _, c := range pagetest.Ask[[]cell](t, b, cells) {
		of[c.Stage+c.Check+c.Label] = c
	}
	compared := 0
	for i, s := range r.Stages {
		for _, c := range s.Checks {
			for label, m := range map[string]*Measurement{"before": c.Before, "after": c.After} {
				what := s.Name + ", " + c.Name + ", " + label
				shown, found := of["stage-"+strconv.Itoa(i+1)+c.Name+label]
				if !found {
					t.Errorf("%s is not on the page", what)
					continue
				}
				compareShown(t, what, m, shown.Value, shown.Text)
				if !strings.Contains(shown.Verdict, strings.ToUpper(string(c.Verdict))) {
					t.Errorf("%s: verdict %q, the report has %s", what, shown.Verdict, c.Verdict)
				}
				compared++
			}
		}
	}
	if compared < 10 || compared != len(of) {
		t.Errorf("%d cells compared of %d on the page", compared, len(of))
	}
}

// compareShown holds a cell against its measurement: the exact value, and the text to the digits that it has.
func compareShown(t *testing.T, what string, m *Measurement, value, text string) {
	t.Helper()
	if m == nil || m.Measured == nil {
		if value != "" || !strings.Contains(text, "not checked") && !strings.Contains(text, "no data") {
			t.Errorf("%s: %q where the report has no data", what, text)
		}
		return
	}
	if exact, err := strconv.ParseFloat(value, 64); err != nil || exact != *m.Measured {
		t.Errorf("%s: %s, the report has %v", what, value, *m.Measured)
	}
	first, _, _ := strings.Cut(text, " ")
	switch {
	case text == "no retries":
		if m.K != 0 || m.N != 0 {
			t.Errorf("%s: no retries where the report has %d of %d", what, m.K, m.N)
		}
	case strings.Contains(text, " of "):
		if text != fmt.Sprintf("%d of %d", m.K, m.N) {
			t.Errorf("%s: %s, the report has %d of %d", what, text, m.K, m.N)
		}
	default:
		unit := 1.0
		if number, in := strings.CutSuffix(first, "ms"); in {
			first, unit = number, 1e-3
		}
		read, err := strconv.ParseFloat(strings.TrimSuffix(first, "s"), 64)
		if err != nil || math.Abs(read*unit-*m.Measured) > max(0.005**m.Measured, 6e-5) {
			t.Errorf("%s: %s, the report has %v", what, text, *m.Measured)
		}
	}
}

// Without a mouse: the first key leads to the skip link, that one to the verdict, and all that scrolls sideways can be reached.
func TestIntegrationHTMLByKeyboard(t *testing.T) {
	b := pagetest.Chromium(t)
	b.Open(t, savedPage(t, realReport(t)), "light", 390)
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

// The page prints, with all that is folded away on a screen.
func TestIntegrationHTMLPrints(t *testing.T) {
	b := pagetest.Chromium(t)
	file := savedPage(t, realReport(t))
	if _, err := chromedp.Call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"}); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(b, chromedp.EmulateViewport(1280, 900), chromedp.Navigate("file://"+file)); err != nil {
		t.Fatal(err)
	}
	hidden := pagetest.Ask[[]string](t, b, `[...document.querySelectorAll('details > :not(summary)')].filter(e => !e.checkVisibility({contentVisibilityAuto: true})).map(e => e.textContent.slice(0, 60))`)
	for _, one := range hidden {
		t.Errorf("not printed: %s", one)
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
func savedPage(t *testing.T, r *Report) string {
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
