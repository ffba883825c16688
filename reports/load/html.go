package load

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/page"
	"github.com/hellochaos/hellochaos/reports/render"
)

//go:embed page.html
var pageHTML string

var pages = template.Must(page.Shell().Parse(pageHTML))

// loadPage is the data of the page. Its texts are those of the other formats.
type loadPage struct {
	Title, Class, Word, Summary, About, Legend, Command string
	Warnings                                            []string
	Expected                                            []expectedLine
	Times, Facts                                        table
	Pictures                                            []*page.Picture
	Tables                                              []table
}

type expectedLine struct{ Class, Word, Text, Why string }

type table struct {
	Title string
	Heads []string
	Rows  [][]string
}

// HTML writes the report as one page that needs no other file, no network and no script: the headline first.
func HTML(w io.Writer, r *Report) error {
	word, _, summary := r.headline()
	p := &loadPage{Title: "hellochaos " + word + ": " + summary, Class: r.class(), Word: word, Summary: summary, About: r.about(), Legend: r.legend(), Warnings: r.Warnings,
		Command: strings.Join(r.Command, " "), Times: table{"Latency", timesHeads, r.times()}}
	for i := range r.Incomplete {
		p.Warnings = append([]string{strings.TrimSuffix(r.Incomplete[i].text(), ".")}, p.Warnings...)
	}
	if r.Aborted != "" {
		p.Warnings = append([]string{strings.TrimSuffix(r.abortedEarly(), ".")}, p.Warnings...)
	}
	for i := range r.Expectations {
		e := &r.Expectations[i]
		p.Expected = append(p.Expected, expectedLine{string(e.Verdict), strings.ToUpper(string(e.Verdict)), e.measured(), e.Why})
	}
	p.Pictures = r.pictures()
	for _, t := range r.tables() {
		if len(t.Rows) > 0 {
			p.Tables = append(p.Tables, t)
		}
	}
	p.Facts.Title = "All figures"
	for _, f := range r.facts() {
		p.Facts.Rows = append(p.Facts.Rows, f[:])
	}
	return page.Write(w, pages, "load.html", p)
}

// class selects the colour of the headline. An attack that is void or has failures never has that of a pass.
func (r *Report) class() string {
	switch {
	case r.Interrupted != "" || r.Limited || len(r.Incomplete) > 0:
		return string(reports.Inconclusive)
	case r.Verdict != "":
		return string(r.Verdict)
	}
	return "same"
}

// The size of a picture, and where its plot lies in it, in CSS pixels.
const (
	pictureWidth, pictureHeight = 500.0, 232.0
	plotLeft, plotRight         = 62.0, 484.0
	plotTop, plotBottom         = 12.0, 188.0
)

// pictures are those of latencies and requests over time, and of the distribution.
func (r *Report) pictures() (all []*page.Picture) {
	for _, p := range []*page.Picture{r.latencyPicture(), r.requestsPicture(), r.distributionPicture()} {
		if p != nil {
			all = append(all, p)
		}
	}
	return all
}

// overTime is a picture with an axis of time.
func (r *Report) overTime(id, title string) (*page.Picture, page.Scale) {
	p := &page.Picture{ID: id, Title: title, Width: pictureWidth, Height: pictureHeight}
	last := r.Windows[len(r.Windows)-1]
	x := page.Scale{Lo: 0, Hi: last.At + last.Seconds, From: plotLeft, To: plotRight}
	p.Axis(x, plotTop, plotBottom, 60, render.Duration)
	return p, x
}

// latencyPicture draws the median and the 99th percentile of each window.
func (r *Report) latencyPicture() *page.Picture {
	var values []float64
	for _, w := range r.Windows {
		values = append(values, w.P50, w.P99)
	}
	y, timed := page.Logarithmic(values, plotBottom, plotTop)
	if !timed {
		return nil
	}
	p, x := r.overTime("latency-over-time", "Latency over time: the line is the median, the dots are the 99th percentile")
	p.Side(y, plotLeft, plotRight, 30, render.Duration)
	var median []float64
	worst := r.Windows[0]
	for _, w := range r.Windows {
		if w.P50 == 0 {
			continue
		}
		at := x.At(w.At + w.Seconds/2)
		median = append(median, at, y.At(w.P50))
		p.Disc("dot p99", at, y.At(w.P99), 2)
		if w.P99 > worst.P99 {
			worst = w
		}
	}
	p.Line("quantile", median...)
	p.Desc = fmt.Sprintf("The highest 99th percentile is %s, in the %s from %s on.", render.Duration(worst.P99), render.Duration(worst.Seconds), render.Duration(worst.At))
	return p
}

// requestsPicture draws the requests of each window, and those that failed.
func (r *Report) requestsPicture() *page.Picture {
	if len(r.Windows) == 0 {
		return nil
	}
	p, x := r.overTime("requests-over-time", "Requests a second over time, and with a frame those that failed")
	y := page.Scale{From: plotBottom, To: plotTop}
	failed := int64(0)
	for _, w := range r.Windows {
		y.Hi = max(y.Hi, 1.05*float64(w.Requests)/w.Seconds)
		failed += w.Failed
	}
	p.Side(y, plotLeft, plotRight, 30, perSecond)
	for _, kind := range []struct {
		class string
		count func(*Window) int64
	}{{"received", func(w *Window) int64 { return w.Requests }}, {"failures", func(w *Window) int64 { return w.Failed }}} {
		for i := range r.Windows {
			w := &r.Windows[i]
			if n := kind.count(w); n > 0 {
				top := y.At(float64(n) / w.Seconds)
				p.Rectangle(kind.class, x.At(w.At), top, max(0.5, x.At(w.At+w.Seconds)-x.At(w.At)-0.5), plotBottom-top)
			}
		}
	}
	p.Desc = fmt.Sprintf("%s were sent, and %s failed.", requests(r.Requests.Sent), render.Count(failed))
	return p
}

// distributionPicture draws how many good answers took how long.
func (r *Report) distributionPicture() *page.Picture {
	if len(r.Bins) == 0 {
		return nil
	}
	p := &page.Picture{ID: "distribution", Title: "How many good answers took how long", Width: pictureWidth, Height: pictureHeight}
	const step = 1.2589254117941673 // the tenth root of ten, which is between two edges
	x := page.Scale{Lo: r.Bins[0].To / step, Hi: r.Bins[len(r.Bins)-1].To, From: plotLeft, To: plotRight, Logarithmic: true}
	y := page.Scale{From: plotBottom, To: plotTop}
	most := r.Bins[0]
	for _, b := range r.Bins {
		if y.Hi = max(y.Hi, 1.05*float64(b.Count)); b.Count > most.Count {
			most = b
		}
	}
	p.Axis(x, plotTop, plotBottom, 60, render.Duration)
	p.Side(y, plotLeft, plotRight, 30, func(v float64) string { return render.Count(int64(v)) })
	for _, b := range r.Bins {
		left, top := x.At(b.To/step), y.At(float64(b.Count))
		p.Rectangle("received", left, top, max(0.5, x.At(b.To)-left-1), plotBottom-top)
	}
	p.Desc = fmt.Sprintf("Most, %s of them, took %s to %s.", render.Count(most.Count), render.Duration(most.To/step), render.Duration(most.To))
	return p
}
