//go:build integration

// Package pagetest looks at HTML pages in a real Chromium, for tests: whether they are laid out and readable in both themes and on
// narrow screens, and whether the browser has anything to complain about. It knows what is wrong with any page, and must not know
// what one shows.
package pagetest

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

var screenshots = flag.String("screenshots", "", "folder for pictures of each page, in each theme and width")

// layout and contrast list what is wrong with the page that is open.
var (
	//go:embed layout.js
	layout string
	//go:embed contrast.js
	contrast string
)

// Browser is a Chromium of the test's own, with what its pages complained about and asked for.
type Browser struct {
	context.Context
	lock              sync.Mutex
	complaints, asked []string
}

// Chromium starts one, for three minutes at most; the test fails where the program is missing.
func Chromium(t *testing.T) *Browser {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("this test opens the page in Chromium: apt-get install chromium (%v)", err)
	}
	allocator, stop := chromedp.NewExecAllocator(t.Context(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true))...)
	b := &Browser{}
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
func (b *Browser) hear(event any) {
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

// Open shows a file as a reader with a theme, "light" or "dark", and a window of a width in CSS pixels sees it.
func (b *Browser) Open(t *testing.T, file, theme string, width int64) {
	t.Helper()
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}}
	if _, err := chromedp.Call(b, emulation.SetEmulatedMedia, media); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(b, chromedp.EmulateViewport(width, 900), chromedp.Navigate("file://"+file)); err != nil {
		t.Fatal(err)
	}
}

// See has the page that is open seen with a theme and a window of a width in CSS pixels.
func (b *Browser) See(t *testing.T, theme string, width int64) {
	t.Helper()
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}}
	if _, err := chromedp.Call(b, emulation.SetEmulatedMedia, media); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(b, chromedp.EmulateViewport(width, 900)); err != nil {
		t.Fatal(err)
	}
}

// Complaints are what the browser complained about until now: what was written to its console, and exceptions.
func (b *Browser) Complaints() []string {
	b.lock.Lock()
	defer b.lock.Unlock()
	return slices.Clone(b.complaints)
}

// Ask evaluates a script in the page that is open.
func Ask[T any](t *testing.T, b *Browser, script string) T {
	t.Helper()
	answer, err := chromedp.Run(b, chromedp.Evaluate[T](script))
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// Looks holds a page to what every page must be, in both themes and at 1280 and 390 px: it does not scroll sideways, no text of a
// picture is cut off or overlaps, none has less contrast than 4.5, the browser complains of nothing and fetches nothing.
func Looks(t *testing.T, file, name string) {
	t.Helper()
	b := Chromium(t)
	for _, theme := range []string{"light", "dark"} {
		for _, width := range []int64{1280, 390} {
			t.Run(fmt.Sprintf("%s at %d px", theme, width), func(t *testing.T) {
				b.Open(t, file, theme, width)
				b.Photograph(t, fmt.Sprintf("%s-%s-%d.png", name, theme, width))
				wrong := append(Ask[[]string](t, b, layout), Ask[[]string](t, b, contrast)...)
				b.Photograph(t, fmt.Sprintf("%s-%s-%d-open.png", name, theme, width))
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

// Photograph keeps a picture of the whole page where -screenshots says.
func (b *Browser) Photograph(t *testing.T, name string) {
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
