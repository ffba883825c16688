// Command pictures makes the pictures of the README from a real run and from the real page of up, in a Chromium: what a run prints
// (docs/run.png), the top of its report (docs/report.png), a recording of the page while stages are applied one after another (docs/up.gif), and the
// tour of docs/up.md, stage by stage (docs/up-1-application.png and so on), whose numbers it holds against those of the commands shown. It knows the program as a user does, by its command line, its files and its page.
//
//	make pictures
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/render"
)

func main() {
	program := flag.String("program", "bin/hellochaos", "the `file` of hellochaos")
	out := flag.String("out", "docs", "`folder` of the pictures")
	only := flag.String("only", "", "`which` pictures to make: run, page or tour (default: all)")
	flag.Parse()
	if err := pictures(context.Background(), *program, *out, *only); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

func pictures(ctx context.Context, program, out, only string) error {
	work, err := os.MkdirTemp("", "pictures")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	browser, err := exec.LookPath("chromium")
	if err != nil {
		return fmt.Errorf("apt-get install chromium: %w", err)
	}
	ctx, stop := context.WithTimeout(ctx, 15*time.Minute)
	defer stop()
	ctx, stopBrowser := chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser),
		chromedp.UserDataDir(filepath.Join(work, "chromium")), chromedp.NoSandbox, chromedp.Flag("hide-scrollbars", true))...)
	defer stopBrowser()
	ctx, stopTab := chromedp.NewContext(ctx)
	defer stopTab()
	for _, some := range []struct {
		name, what string
		make       func(ctx context.Context, program, out, work string) error
	}{
		{"run", "the pictures of a run", ofRun},
		{"page", "the recording of the page", ofPage},
		{"tour", "the tour", ofTour},
	} {
		if only != "" && only != some.name {
			continue
		}
		if err := some.make(ctx, program, out, work); err != nil {
			return fmt.Errorf("%s: %w", some.what, err)
		}
	}
	return nil
}

// ofRun makes the pictures of what a run prints and of the top of its report.
func ofRun(ctx context.Context, program, out, work string) error {
	folder := filepath.Join(work, "report")
	args := []string{"run", "retry", "--fail", "0.5", "--seed", "1"}
	run := exec.CommandContext(ctx, program, append(args, "--out", folder, "--quiet")...)
	run.Stdout, run.Stderr = os.Stdout, os.Stderr
	if err := run.Run(); err != nil {
		return fmt.Errorf("%s: %w", run, err)
	}
	report, err := reports.Load(filepath.Join(folder, "report.json"))
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := render.Text(&text, report, render.TextOptions{Colour: true}); err != nil {
		return err
	}
	page := filepath.Join(work, "terminal.html")
	if err := os.WriteFile(page, []byte(terminalPage("$ hellochaos "+strings.Join(args, " ")+"\n"+text.String())), 0o600); err != nil {
		return err
	}
	if err := shoot(ctx, "file://"+page, 760, "pre", filepath.Join(out, "run.png")); err != nil {
		return err
	}
	return shoot(ctx, "file://"+filepath.Join(folder, "report.html"), 1180, "body", filepath.Join(out, "report.png"))
}

// painted is a text in a colour of a terminal: 31 is red, 32 green, 33 yellow.
var painted = regexp.MustCompile("\x1b\\[(3[1-3])m(.*?)\x1b\\[0m")

// terminalPage is a text with colours of a terminal as a page.
func terminalPage(text string) string {
	text = strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(text)
	text = painted.ReplaceAllString(text, `<b class="c$1">$2</b>`)
	return `<!DOCTYPE html><meta charset="utf-8"><style>
body { margin: 0; background: #11151a; } pre { margin: 0; padding: 18px 22px; color: #e7eaee; background: #11151a; font: 14px/1.45 "DejaVu Sans Mono", monospace; }
.c31 { color: #ff9388 } .c32 { color: #63cb83 } .c33 { color: #e8b95a }</style><pre>` + text + `</pre>`
}

// mostHigh is where a picture of a long page ends, in pixels.
const mostHigh = 1000

// shoot makes a picture of an element of a page in a window of some width.
func shoot(ctx context.Context, url string, width int64, element, file string) error {
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, mostHigh), chromedp.Navigate(url)); err != nil {
		return err
	}
	high, err := chromedp.Run(ctx, chromedp.Evaluate[int64](`Math.ceil(document.querySelector('`+element+`').getBoundingClientRect().height)`))
	if err != nil {
		return err
	}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, min(high, mostHigh))); err != nil {
		return err
	}
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		return err
	}
	return os.WriteFile(file, picture, 0o644)
}

// The recording of the page: a picture of so many pixels every tenth of a second.
const (
	recordedWidth, recordedHeight = 1000, 640
	apart                         = 125 * time.Millisecond
)

// ofPage records the page while the user goes from one stage to the next.
func ofPage(ctx context.Context, program, out, _ string) error {
	end, err := startUp(ctx, program, "prod")
	if err != nil {
		return err
	}
	defer end()
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(recordedWidth, recordedHeight), chromedp.Sleep(time.Second), chromedp.Navigate(upPage), chromedp.Sleep(2*time.Second)); err != nil {
		return err
	}
	frames := &gif.GIF{}
	for _, stage := range []string{"", "retry", "ingress"} {
		click := `document.querySelector('main')`
		if stage != "" {
			click = `[...document.querySelectorAll('button')].find(b => b.textContent.includes('` + stage + `')).click()`
		}
		if _, err := chromedp.Run(ctx, chromedp.Evaluate[chromedp.Void](click)); err != nil {
			return fmt.Errorf("the button of stage %s: %w", stage, err)
		}
		for range 24 {
			next := time.Now().Add(apart)
			frame, err := seen(ctx)
			if err != nil {
				return err
			}
			frames.Image, frames.Delay = append(frames.Image, paletted(frame)), append(frames.Delay, int(apart/(10*time.Millisecond)))
			time.Sleep(time.Until(next))
		}
	}
	differences(frames.Image)
	file, err := os.Create(filepath.Join(out, "up.gif"))
	if err != nil {
		return err
	}
	if err := gif.EncodeAll(file, frames); err != nil {
		return err
	}
	return file.Close()
}

// paletted returns a picture in 255 of its colours (most), each of them exact, with the others in the nearest one. Colour 255 is transparent.
func paletted(from image.Image) *image.Paletted {
	bounds := from.Bounds()
	counts := map[color.RGBA]int{}
	rgba := image.NewRGBA(bounds)
	draw.Draw(rgba, bounds, from, bounds.Min, draw.Src)
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			counts[rgba.RGBAAt(x, y)]++
		}
	}
	palette := make(color.Palette, 0, 256)
	for _, c := range most(counts, 255) {
		palette = append(palette, c)
	}
	for len(palette) < 255 {
		palette = append(palette, color.RGBA{A: 255})
	}
	to := image.NewPaletted(bounds, palette)
	draw.Draw(to, bounds, rgba, bounds.Min, draw.Src)
	to.Palette = append(to.Palette, color.RGBA{})
	return to
}

// differences makes each picture but the first transparent where it is as the one before, so that the file is small.
func differences(frames []*image.Paletted) {
	for i := len(frames) - 1; i > 0; i-- {
		now, before := frames[i], frames[i-1]
		for k := range now.Pix {
			if now.Palette[now.Pix[k]] == before.Palette[before.Pix[k]] {
				now.Pix[k] = 255
			}
		}
	}
}
