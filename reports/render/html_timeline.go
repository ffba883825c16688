package render

import (
	"fmt"
	"math"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/page"
)

const (
	timelineWidth               = 1080.0
	timelineLeft                = 64.0
	timelineBetween             = 118.0 // between two phases, where the objects of the second one are applied
	requestsTop, requestsBottom = 38.0, 118.0
	latencyTop, latencyBottom   = 148.0, 248.0
	timelineRows                = 240 // a phase with more seconds has several of them in a row
)

// moment is the requests that were planned for a part of a phase, usually for one second.
type moment struct {
	From, Length float64 // seconds of the phase
	OK, Failed   int64
	Median, P99  float64 // latencies of good answers in seconds; 0 where there was none
}

// Rate returns the number of requests a second.
func (m moment) Rate() float64 { return float64(m.OK+m.Failed) / m.Length }

// stretch is a phase on the timeline.
type stretch struct {
	Phase   string
	class   string // "before" or "now"
	Moments []moment
	at      float64 // when it began, in seconds since the first phase began; 0 where the report does not have that
	length  float64
	applied float64
	scale   page.Scale
}

// timeline is a phase and the one before it by the second.
type timeline struct {
	Stretches []stretch
	// Seconds is the number of seconds in one moment. Clock is true where the report has the times at which the phases began.
	Seconds int
	Clock   bool
	Picture *page.Picture // nil where no phase has seconds
}

func newTimeline(id string, pair []side) timeline {
	t := timeline{Clock: true, Seconds: 1}
	furthest := 0
	var first *reports.Phase
	for _, p := range pair {
		if len(p.Seconds) > 0 {
			if first == nil {
				first = p.Phase
			}
			t.Clock = t.Clock && !p.Started.IsZero()
			furthest = max(furthest, p.Seconds[len(p.Seconds)-1].Number+1)
		}
	}
	if first == nil {
		return t
	}
	t.Seconds = max(1, (furthest+timelineRows-1)/timelineRows)
	for _, p := range pair {
		if len(p.Seconds) > 0 {
			s := stretch{Phase: p.Name, class: p.Class, Moments: moments(p.Phase, t.Seconds), applied: p.Applied}
			if t.Clock {
				s.at = p.Started.Sub(first.Started).Seconds()
			}
			last := s.Moments[len(s.Moments)-1]
			s.length = last.From + last.Length
			t.Stretches = append(t.Stretches, s)
		}
	}
	t.Picture = t.draw(id)
	return t
}

// moments returns the moments of a phase. The last one ends when the last request was due.
func moments(p *reports.Phase, seconds int) []moment {
	var all []moment
	var ok []reports.Bin
	end := p.Elapsed
	if p.PlannedRate > 0 {
		end = float64(p.Sent) / p.PlannedRate
	}
	for i, s := range p.Seconds {
		from := float64(s.Number / seconds * seconds)
		if len(all) == 0 || all[len(all)-1].From != from {
			length := float64(seconds)
			if left := end - from; left > 0 {
				length = min(length, max(left, 0.01))
			}
			all, ok = append(all, moment{From: from, Length: length}), nil
		}
		m := &all[len(all)-1]
		ok = append(ok, s.OK...)
		m.OK += binned(s.OK)
		m.Failed += binned(s.Failed)
		if i+1 == len(p.Seconds) || p.Seconds[i+1].Number/seconds*seconds != int(from) {
			m.Median, m.P99 = binQuantile(ok, 0.5), binQuantile(ok, 0.99)
		}
	}
	return all
}

// draw draws the phases beside each other, on one scale of time: their requests, and below these their latencies.
func (t *timeline) draw(id string) *page.Picture {
	p := &page.Picture{ID: id, Title: "requests and latencies by second, " + t.phases(), Width: timelineWidth, Height: latencyBottom + 26}
	var total, rate float64
	var latencies []float64
	for _, s := range t.Stretches {
		total += s.length
		for _, m := range s.Moments {
			rate = max(rate, m.Rate())
			latencies = append(latencies, m.Median, m.P99)
		}
	}
	second := (timelineWidth - timelineLeft - 12 - timelineBetween*float64(len(t.Stretches)-1)) / total
	requests := page.Scale{Lo: 0, Hi: max(rate, 1e-9) * 1.05, From: requestsBottom, To: requestsTop}
	latency, timed := page.Logarithmic(latencies, latencyBottom, latencyTop)
	p.Text("label", 4, requestsTop-9, "requests a second")
	p.Text("label", 4, latencyTop-9, "latency of good answers")
	p.Side(requests, timelineLeft, timelineWidth-12, 26, significant)
	if timed {
		p.Side(latency, timelineLeft, timelineWidth-12, 26, Duration)
	} else {
		p.Text("note", timelineLeft+8, latencyTop+20, "no good answer was timed")
	}
	x := timelineLeft
	for i := range t.Stretches {
		s := &t.Stretches[i]
		s.scale = page.Scale{Lo: s.at, Hi: s.at + s.length, From: x, To: x + s.length*second}
		drawStretch(p, s, requests, latency, timed)
		x = s.scale.To + timelineBetween
		if i > 0 {
			t.between(p, i)
		}
	}
	p.Desc = t.description()
	return p
}

func (t *timeline) phases() string {
	var names []string
	for _, s := range t.Stretches {
		names = append(names, s.Phase)
	}
	return strings.Join(names, " and ")
}

// drawStretch draws one phase.
func drawStretch(p *page.Picture, s *stretch, requests, latency page.Scale, timed bool) {
	p.Line("frame", s.scale.From, requestsBottom, s.scale.To, requestsBottom)
	p.Line("frame", s.scale.From, latencyBottom, s.scale.To, latencyBottom)
	at := func(v float64) float64 { return s.scale.At(s.at + v) }
	for _, m := range s.Moments {
		left, width := at(m.From), max(1, at(m.From+m.Length)-at(m.From)-2)
		all, bad := requests.At(m.Rate()), requests.At(float64(m.Failed)/m.Length)
		p.Rectangle("requests "+s.class, left, all, width, requestsBottom-all)
		p.Rectangle("failures", left, bad, width, requestsBottom-bad)
	}
	if timed {
		drawQuantiles(p, "median", s, latency, func(m moment) float64 { return m.Median })
		drawQuantiles(p, "p99", s, latency, func(m moment) float64 { return m.P99 })
	}
	ticks := s.scale.Ticks(46)
	if len(ticks) == 0 {
		ticks = []float64{s.at}
	}
	for _, v := range ticks {
		p.Line("frame", s.scale.At(v), latencyBottom, s.scale.At(v), latencyBottom+4)
		p.Text("tick middle", s.scale.At(v), latencyBottom+17, significant(v)+"s")
	}
	p.Text("strong", s.scale.From, 12, page.Cut(s.Phase, 15))
}

// drawQuantiles draws a line through the moments that have a good answer. The line is broken at a moment without one.
func drawQuantiles(p *page.Picture, class string, s *stretch, latency page.Scale, of func(moment) float64) {
	var run []float64
	flush := func() {
		if len(run) > 2 {
			p.Line("quantile "+class, run...)
		}
		for i := 0; i < len(run); i += 2 {
			if len(s.Moments) <= 60 || len(run) == 2 {
				p.Disc("dot "+class, run[i], run[i+1], 2.5)
			}
		}
		run = nil
	}
	for _, m := range s.Moments {
		if of(m) == 0 {
			flush()
			continue
		}
		run = append(run, s.scale.At(s.at+m.From+m.Length/2), latency.At(of(m)))
	}
	flush()
}

// between marks the time between two phases, in which the objects of the second one took effect.
func (t *timeline) between(p *page.Picture, i int) {
	last, next := t.Stretches[i-1], t.Stretches[i]
	left, right := last.scale.To, next.scale.From
	p.Rectangle("between", left+6, requestsTop, right-left-12, requestsBottom-requestsTop) // The text between the plots stays visible.
	p.Rectangle("between", left+6, latencyTop, right-left-12, latencyBottom-latencyTop)
	p.Line("effect", right-6, requestsTop, right-6, latencyBottom)
	words := []string{"objects applied", "in effect", "after " + Duration(next.applied)}
	if t.Clock {
		words = append(words, Duration(next.at-last.at-last.length)+" pass,", "not to scale")
	} else {
		words = append(words, "time between", "not recorded")
	}
	for j, word := range words {
		p.Text("label middle", (left+right)/2, requestsTop+16+page.LineHeight*float64(j), word)
	}
}

// description describes the picture with a sentence for each phase. The table on the page has all numbers.
func (t *timeline) description() string {
	var all []string
	for _, s := range t.Stretches {
		var ok, failed int64
		slowest := 0.0
		for _, m := range s.Moments {
			ok, failed, slowest = ok+m.OK, failed+m.Failed, math.Max(slowest, m.P99)
		}
		words := fmt.Sprintf("%s: %d requests in %s, %d of them failed", s.Phase, ok+failed, Duration(s.length), failed)
		if slowest > 0 {
			words += ", the highest 99th percentile of a second " + Duration(slowest)
		}
		all = append(all, words)
	}
	return strings.Join(all, ". ") + ". The table below has every second."
}
