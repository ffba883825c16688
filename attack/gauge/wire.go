package gauge

import (
	"errors"
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/hellochaos/hellochaos/attack"
)

// TallyForm is the version of what a worker has counted, in the lines that it writes (share.Line): each has all since the beginning
// (docs/attack.md). Times are nanoseconds; histograms are pairs of a value in microseconds and a count.
const TallyForm = "hellochaos tally 1"

// wireTally is what a worker has counted, as it writes it.
type wireTally struct {
	Form          string           `json:"form"`
	Width         time.Duration    `json:"width"`
	Windows       []wireWindow     `json:"windows"`
	OK            wireTimes        `json:"ok"`
	FailedTimes   wireTimes        `json:"failedTimes"`
	Failed        int64            `json:"failed"`
	Late          int64            `json:"late"`
	Lag           wireBins         `json:"lag"`
	Statuses      map[int]int64    `json:"statuses"`
	Errors        map[string]int64 `json:"errors"`
	BytesIn       int64            `json:"bytesIn"`
	BytesOut      int64            `json:"bytesOut"`
	ByTarget      map[int]wireRow  `json:"byTarget"`
	ByStatus      map[int]wireRow  `json:"byStatus"`
	Phases        []wirePhase      `json:"phases,omitempty"`
	LastGoodAfter time.Duration    `json:"lastGoodAfter"`
}

type wireWindow struct {
	Requests int64      `json:"requests"`
	Failed   int64      `json:"failed"`
	OK       [][2]int64 `json:"ok,omitempty"`
}

type wireTimes struct {
	Latency wireBins `json:"latency"`
	Service wireBins `json:"service"`
}

type wireBins struct {
	Bins [][2]int64    `json:"bins,omitempty"`
	Most time.Duration `json:"most"`
}

type wireRow struct {
	Requests int64     `json:"requests"`
	Failed   int64     `json:"failed"`
	Latency  *wireBins `json:"latency,omitempty"`
}

type wirePhase struct {
	OK      int64    `json:"ok"`
	Failed  int64    `json:"failed"`
	Late    int64    `json:"late"`
	Latency wireBins `json:"latency"`
}

// pairs are the bins of a histogram that have counts, each by a value that lies in it.
func pairs(h *hdrhistogram.Histogram) (all [][2]int64) {
	if h == nil {
		return nil
	}
	for _, bar := range h.Distribution() {
		if bar.Count > 0 {
			all = append(all, [2]int64{bar.From, bar.Count})
		}
	}
	return all
}

// histogram is the inverse of pairs.
func histogram(all [][2]int64) (*hdrhistogram.Histogram, error) {
	h := newHistogram()
	for _, p := range all {
		if p[1] <= 0 {
			return nil, errors.New("a histogram has a count that is not above 0")
		}
		if err := h.RecordValues(p[0], p[1]); err != nil {
			return nil, fmt.Errorf("a histogram has the value %d µs: %w", p[0], err)
		}
	}
	return h, nil
}

func (d *distribution) wire() wireBins { return wireBins{pairs(d.bins), d.most} }

func (t *times) wire() wireTimes { return wireTimes{t.latency.wire(), t.service.wire()} }

func (r rows) wire() map[int]wireRow {
	all := map[int]wireRow{}
	for key, row := range r {
		one := wireRow{Requests: row.requests, Failed: row.failed}
		if row.latency != nil {
			bins := row.latency.wire()
			one.Latency = &bins
		}
		all[key] = one
	}
	return all
}

// wire is the tally as a worker writes it.
func (t *tally) wire() wireTally {
	w := wireTally{Form: TallyForm, Width: t.width, OK: t.ok.wire(), FailedTimes: t.failedIn.wire(), Failed: t.failed, Late: t.late, Lag: t.lag.wire(), Statuses: t.statuses, Errors: t.errors,
		BytesIn: t.bytesIn, BytesOut: t.bytesOut, ByTarget: t.byTarget.wire(), ByStatus: t.byStatus.wire(), LastGoodAfter: t.lastGoodAfter}
	for i := range t.windows {
		from := &t.windows[i]
		w.Windows = append(w.Windows, wireWindow{from.requests, from.failed, pairs(from.ok)})
	}
	for i := range t.phases {
		p := &t.phases[i]
		w.Phases = append(w.Phases, wirePhase{p.ok, p.failed, p.late, p.latency.wire()})
	}
	return w
}

// read makes the tally of a plan with these phases from what a worker wrote.
func (w *wireTally) read(phases []attack.Phase) (*tally, error) {
	if w.Form != TallyForm {
		return nil, errForm
	}
	t := newTally()
	t.phases = newPhaseTallies(phases)
	if len(w.Phases) != len(t.phases) || w.Width < firstWidth || len(w.Windows) > mostWindows {
		return nil, errors.New("the tally is not of this plan")
	}
	var problems []error
	bins := func(from wireBins) distribution {
		h, err := histogram(from.Bins)
		problems = append(problems, err)
		return distribution{h, from.Most}
	}
	table := func(from map[int]wireRow) rows {
		all := rows{}
		for key, row := range from {
			one := &rowTally{requests: row.Requests, failed: row.Failed}
			if row.Latency != nil {
				d := bins(*row.Latency)
				one.latency = &d
			}
			all[key] = one
		}
		return all
	}
	t.width, t.failed, t.late, t.lag = w.Width, w.Failed, w.Late, bins(w.Lag)
	t.ok, t.failedIn = times{bins(w.OK.Latency), bins(w.OK.Service)}, times{bins(w.FailedTimes.Latency), bins(w.FailedTimes.Service)}
	t.bytesIn, t.bytesOut, t.lastGoodAfter = w.BytesIn, w.BytesOut, w.LastGoodAfter
	add(t.statuses, w.Statuses)
	add(t.errors, w.Errors)
	t.byTarget, t.byStatus = table(w.ByTarget), table(w.ByStatus)
	for _, from := range w.Windows {
		one := window{requests: from.Requests, failed: from.Failed}
		if len(from.OK) > 0 {
			h, err := histogram(from.OK)
			problems = append(problems, err)
			one.ok = h
		}
		t.windows = append(t.windows, one)
	}
	for i, from := range w.Phases {
		p := &t.phases[i]
		p.ok, p.failed, p.late, p.latency = from.OK, from.Failed, from.Late, bins(from.Latency)
	}
	return t, errors.Join(problems...)
}
