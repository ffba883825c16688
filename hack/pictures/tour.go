package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/hellochaos/hellochaos/reports"
)

// tour is what is applied, step by step.
var tour = []string{"application", "egress", "prod", "retry", "ingress", "canary"}

const (
	tourWidth = 1180
	// tourRate is the place of the slider at which 150 requests a second are sent: a verdict takes some seconds then.
	tourRate = 12
	// mostPicture is how large a picture of the tour may be, in bytes.
	mostPicture = 150 << 10
)

// hold keeps the numbers of the page as they are when all requests of the plan are counted, until others begin: a picture takes longer to make than the
// next requests. The tries go on.
const hold = `window.EventSource = class extends EventSource {
  held = false;
  set onmessage(take) {
    super.onmessage = (e) => {
      const batch = JSON.parse(e.data);
      if (batch.anew) this.held = false;
      if (this.held) delete batch.numbers;
      this.held ||= Boolean(batch.numbers?.counted);
      take({ data: JSON.stringify(batch) });
    };
  }
}`

// ofTour photographs the page at each step when its verdict is there, and has the shown command count the same.
func ofTour(ctx context.Context, program, out, work string) error {
	end, err := startUp(ctx, program, "egress", "--seed", "1")
	if err != nil {
		return err
	}
	defer end()
	if err := chromedp.Do(ctx); err != nil { // the tab is there from now on
		return err
	}
	if _, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: hold}); err != nil {
		return err
	}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(tourWidth, 900), chromedp.Sleep(time.Second), chromedp.Navigate(upPage), chromedp.Sleep(time.Second)); err != nil {
		return err
	}
	told, err := listen(ctx)
	if err != nil {
		return err
	}
	rate := fmt.Sprintf(`(s => { s.value = %d; s.dispatchEvent(new Event("input", {bubbles: true})); })(document.getElementById("rate"))`, tourRate)
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[chromedp.Void](rate)); err != nil {
		return err
	}
	for i, stage := range tour {
		click := fmt.Sprintf(`document.querySelectorAll("#stages button")[%d].click()`, i)
		if _, err := chromedp.Run(ctx, chromedp.Evaluate[chromedp.Void](click)); err != nil {
			return err
		}
		at, err := told.counted(stage)
		if err != nil {
			return err
		}
		file := filepath.Join(out, fmt.Sprintf("up-%d-%s.png", i+1, stage))
		if err := photograph(ctx, file); err != nil {
			return err
		}
		if err := again(ctx, program, filepath.Join(work, stage), told.command, at); err != nil {
			return fmt.Errorf("%s: %w", told.command, err)
		}
		fmt.Printf("%s\n  %s: %s\n", told.command, stage, counts(at))
	}
	return nil
}

// stream is what the page is told.
type stream struct {
	lines   *bufio.Scanner
	command string
}

// listen opens the stream of the page, as a tab does.
func listen(ctx context.Context) (*stream, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, upPage+"events", nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	s := &stream{lines: bufio.NewScanner(response.Body)} // it ends with the program
	s.lines.Buffer(nil, 16<<20)
	return s, nil
}

// counted waits for the numbers of a stage at the moment at which all requests of its plan are answered and counted: a run ends there.
func (s *stream) counted(stage string) (*reports.Phase, error) {
	for s.lines.Scan() {
		text, ok := bytes.CutPrefix(s.lines.Bytes(), []byte("data: "))
		if !ok {
			continue
		}
		var batch struct {
			State   *struct{ Command string }
			Numbers *struct {
				Phase   *reports.Phase
				Counted bool
			}
		}
		if err := json.Unmarshal(text, &batch); err != nil {
			return nil, err
		}
		if batch.State != nil {
			s.command = batch.State.Command
		}
		if n := batch.Numbers; n != nil && n.Counted && n.Phase.Name == stage && strings.Contains(s.command, "--rate 150 ") {
			return n.Phase, nil
		}
	}
	return nil, errors.Join(errors.New("the page is told nothing any more"), s.lines.Err())
}

// photograph makes a picture of the page down to the end of its table, in few colours.
func photograph(ctx context.Context, file string) error {
	high, err := chromedp.Run(ctx, chromedp.Evaluate[int64](`Math.ceil(document.querySelector("table.numbers").getBoundingClientRect().bottom + scrollY) + 6`))
	if err != nil {
		return err
	}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(tourWidth, high), chromedp.Sleep(300*time.Millisecond)); err != nil {
		return err
	}
	picture, err := seen(ctx)
	if err != nil {
		return err
	}
	var small bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, paletted(picture)); err != nil {
		return err
	}
	if small.Len() > mostPicture {
		return fmt.Errorf("%s has %d KB, and at most %d are kept", file, small.Len()>>10, mostPicture>>10)
	}
	return os.WriteFile(file, small.Bytes(), 0o644)
}

// again runs the command that the page shows, and compares what it counts with what the page was told.
func again(ctx context.Context, program, folder, command string, told *reports.Phase) error {
	run := exec.CommandContext(ctx, program, append(strings.Fields(command)[1:], "--out", folder, "--quiet", "--no-progress")...)
	run.Stderr = os.Stderr
	if err := run.Run(); err != nil {
		return err
	}
	report, err := reports.Load(filepath.Join(folder, "report.json"))
	if err != nil {
		return err
	}
	at := slices.IndexFunc(report.Phases, func(p reports.Phase) bool { return p.Name == told.Name })
	if at < 0 {
		return fmt.Errorf("its report has no phase %s", told.Name)
	}
	if shown, counted := counts(told), counts(&report.Phases[at]); shown != counted {
		return fmt.Errorf("the page counted %s, and the command %s", shown, counted)
	}
	return nil
}

// counts are the requests of a phase, and how many of which calls failed.
func counts(p *reports.Phase) string {
	text := fmt.Sprintf("%d requests and %d probes", p.Natural, p.Probes)
	for _, s := range p.Shares {
		text += fmt.Sprintf("; %s %d of %d", s.Name, s.K, s.N)
	}
	for i := range p.Calls {
		c := &p.Calls[i]
		text += fmt.Sprintf("; %s → %s %d of %d", c.From, c.To, c.Fails.K, c.Fails.N)
	}
	return text
}
