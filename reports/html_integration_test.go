//go:build integration

package reports

import (
	"context"
	"flag"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/hellochaos/hellochaos/reports/page"
)

var screenshots = flag.String("screenshots", "", "folder for pictures of the page in each theme and width")

// browser is a Chromium of the test's own, with what its pages complained about and asked for.
type browser struct {
	context.Context
	lock              sync.Mutex
	complaints, asked []string
}

// chromium starts one.
func chromium(t *testing.T) *browser {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("this test opens the page in Chromium: apt-get install chromium (%v)", err)
	}
	allocator, stop := chromedp.NewExecAllocator(t.Context(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true))...)
	b := &browser{}
	tab, stopTab := chromedp.NewContext(allocator, chromedp.WithListener(b.hear))
	limited, stopWaiting := context.WithTimeout(tab, 3*time.Minute)
	b.Context = limited
	if err := chromedp.Do(limited); err != nil {
		t.Fatalf("starting %s: %v", program, err)
	}
	t.Cleanup(func() {
		stopWaiting()
		if err := chromedp.Cancel(tab); err != nil { // waits until the program has ended, so that its folder can be removed
			t.Log(err)
		}
		stopTab()
		stop()
	})
	return b
}

// hear gathers the events that tell of something wrong, or of something asked for.
func (b *browser) hear(event any) {
	b.lock.Lock()
	defer b.lock.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		b.complaints = append(b.complaints, string(e.Entry.Level)+": "+e.Entry.Text)
	case *runtime.EventConsoleAPICalled:
		b.complaints = append(b.complaints, fmt.Sprintf("console.%s", e.Type))
	case *runtime.EventExceptionThrown:
		b.complaints = append(b.complaints, e.ExceptionDetails.Text)
	case *network.EventRequestWillBeSent:
		b.asked = append(b.asked, e.Request.URL)
	}
}

// open shows a page as a reader with a theme and a window of that width sees it.
func (b *browser) open(t *testing.T, file, theme string, width int64) {
	t.Helper()
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}}
	if _, err := chromedp.Call(b, emulation.SetEmulatedMedia, media); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(b, chromedp.EmulateViewport(width, 900), chromedp.Navigate("file://"+file)); err != nil {
		t.Fatal(err)
	}
}

// ask evaluates a script in the page.
func ask[T any](t *testing.T, b *browser, script string) T {
	t.Helper()
	answer, err := chromedp.Run(b, chromedp.Evaluate[T](script))
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// script reads one of testdata.
func script(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "html", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

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
	b := chromium(t)
	file := savedPage(t, longNames(t))
	for _, width := range []int64{1280, 390} {
		b.open(t, file, "light", width)
		for _, wrong := range ask[[]string](t, b, script(t, "layout.js")) {
			t.Errorf("at %d px: %s", width, wrong)
		}
		photograph(t, b, fmt.Sprintf("long-names-%d.png", width))
	}
}

// The page is right in a real browser: nothing to complain about, nothing fetched, laid out and readable in both themes and on
// narrow screens.
func TestIntegrationHTML(t *testing.T) {
	file := savedPage(t, realReport(t))
	b := chromium(t)
	layout, contrast := script(t, "layout.js"), script(t, "contrast.js")
	for _, theme := range []string{"light", "dark"} {
		for _, width := range []int64{1280, 390} {
			t.Run(fmt.Sprintf("%s at %d px", theme, width), func(t *testing.T) {
				b.open(t, file, theme, width)
				photograph(t, b, fmt.Sprintf("%s-%d.png", theme, width))
				wrong := append(ask[[]string](t, b, layout), ask[[]string](t, b, contrast)...)
				photograph(t, b, fmt.Sprintf("%s-%d-open.png", theme, width))
				for _, one := range wrong {
					t.Error(one)
				}
			})
		}
	}
	b.lock.Lock()
	defer b.lock.Unlock()
	for _, complaint := range b.complaints {
		t.Errorf("the browser complains: %s", complaint)
	}
	for _, address := range b.asked {
		if address != "file://"+file && !strings.HasPrefix(address, "data:") {
			t.Errorf("the page asked for %s", address)
		}
	}
	if len(b.asked) == 0 {
		t.Error("no request was seen, not even for the page")
	}
}

// photograph keeps a picture of the whole page where -screenshots says.
func photograph(t *testing.T, b *browser, name string) {
	t.Helper()
	if *screenshots == "" {
		return
	}
	picture, err := chromedp.Run(b, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(*screenshots, name), picture, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
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
	b := chromium(t)
	b.open(t, savedPage(t, r), "light", 1280)
	of := map[string]cell{}
	for _, c := range ask[[]cell](t, b, cells) {
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
	b := chromium(t)
	b.open(t, savedPage(t, realReport(t)), "light", 390)
	if err := chromedp.Do(b, chromedp.KeyEvent("\t")); err != nil {
		t.Fatal(err)
	}
	if at := ask[string](t, b, `document.activeElement.className + ", outline " + getComputedStyle(document.activeElement).outlineStyle`); at != "skip, outline solid" {
		t.Errorf("the first key leads to %q", at)
	}
	if err := chromedp.Do(b, chromedp.KeyEvent("\r")); err != nil {
		t.Fatal(err)
	}
	if at := ask[string](t, b, `document.activeElement.id`); at != "main" {
		t.Errorf("the skip link leads to %q", at)
	}
	for _, one := range ask[[]string](t, b, `(document.querySelectorAll('details').forEach(d => d.open = true),
	  [...document.querySelectorAll('.scroll, pre')].filter(e => e.scrollWidth > e.clientWidth && e.tabIndex < 0).map(e => e.textContent.slice(0, 60)))`) {
		t.Errorf("cannot be scrolled by keyboard: %s", one)
	}
}

// The page prints, with all that is folded away on a screen.
func TestIntegrationHTMLPrints(t *testing.T) {
	b := chromium(t)
	file := savedPage(t, realReport(t))
	if _, err := chromedp.Call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"}); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(b, chromedp.EmulateViewport(1280, 900), chromedp.Navigate("file://"+file)); err != nil {
		t.Fatal(err)
	}
	hidden := ask[[]string](t, b, `[...document.querySelectorAll('details > :not(summary)')].filter(e => !e.checkVisibility({contentVisibilityAuto: true})).map(e => e.textContent.slice(0, 60))`)
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
	if *screenshots != "" {
		if err := os.WriteFile(filepath.Join(*screenshots, "printed.pdf"), paper, 0o644); err != nil {
			t.Fatal(err)
		}
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
