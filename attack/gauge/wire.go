package gauge

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/hellochaos/hellochaos/attack"
)

// TallyForm is the version of what a worker has counted, in the lines that it writes (share.Line): each has all since the beginning
// (docs/attack.md). Times are nanoseconds. A histogram is a list of unsigned varints (encoding/binary), which JSON has as base64: for each bin with
// counts, in ascending order, how many microseconds its lowest value is above the one before, and its count.
const TallyForm = "hellochaos tally 2"

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
	Requests int64  `json:"requests"`
	Failed   int64  `json:"failed"`
	OK       []byte `json:"ok,omitempty"`
}

type wireTimes struct {
	Latency wireBins `json:"latency"`
	Service wireBins `json:"service"`
}

type wireBins struct {
	Bins []byte        `json:"bins,omitempty"`
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

// pairs are the bins of a histogram that have counts.
func pairs(h *hdrhistogram.Histogram) (all []byte) {
	if h == nil {
		return nil
	}
	before := int64(0)
	for _, bar := range h.Distribution() {
		if bar.Count > 0 {
			all = binary.AppendUvarint(binary.AppendUvarint(all, uint64(bar.From-before)), uint64(bar.Count))
			before = bar.From
		}
	}
	return all
}

// eachPair reads what pairs has written.
func eachPair(all []byte, do func(value, count int64) error) error {
	value := uint64(0)
	for len(all) > 0 {
		above, n := binary.Uvarint(all)
		if n <= 0 {
			return errBins
		}
		count, m := binary.Uvarint(all[n:])
		if value += above; m <= 0 || value > math.MaxInt64 || count == 0 || count > math.MaxInt64 {
			return errBins
		}
		all = all[n+m:]
		if err := do(int64(value), int64(count)); err != nil {
			return err
		}
	}
	return nil
}

// errBins is the error of a histogram that pairs has not written.
var errBins = errors.New("a histogram cannot be read")

// addPairs adds what pairs has written to a histogram.
func addPairs(h *hdrhistogram.Histogram, all []byte) error {
	return eachPair(all, func(value, count int64) error {
		if err := h.RecordValues(value, count); err != nil {
			return fmt.Errorf("a histogram has the value %d µs: %w", value, err)
		}
		return nil
	})
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

// check refuses a tally of another form or plan.
func (w *wireTally) check(phases []attack.Phase) error {
	switch {
	case w.Form != TallyForm:
		return errForm
	case len(w.Phases) != len(phases) || w.Width < firstWidth || len(w.Windows) > mostWindows:
		return errors.New("the tally is not of this plan")
	}
	return nil
}

// requests is how many requests a worker has counted, without those of a warm-up.
func (w *wireTally) requests() int64 {
	all := w.Failed
	_ = eachPair(w.OK.Latency.Bins, func(_, count int64) error { all += count; return nil }) // what is wrong shows when it is merged
	return all
}

// warmup is how many requests were answered in the warm-up of these phases.
func (w *wireTally) warmup(phases []attack.Phase) int64 {
	if len(phases) == 0 || !phases[0].Warmup {
		return 0
	}
	return w.Phases[0].OK + w.Phases[0].Failed
}

// mergeWire adds what a worker has counted. Its windows, which are most of it, are added bin by bin, without a histogram of their own for each: a
// hundred tallies of an hour would need 1.7 GB at once.
func (t *tally) mergeWire(w *wireTally, phases []attack.Phase) error {
	if err := w.check(phases); err != nil {
		return err
	}
	whole, err := w.whole(phases)
	if err != nil {
		return err
	}
	t.merge(whole)
	for i := range w.Windows {
		from := &w.Windows[i]
		number := int(w.Width * time.Duration(i) / t.width)
		for len(t.windows) <= number {
			t.windows = append(t.windows, window{})
		}
		at := &t.windows[number]
		at.requests, at.failed = at.requests+from.Requests, at.failed+from.Failed
		if len(from.OK) == 0 {
			continue
		}
		if at.ok == nil {
			at.ok = newHistogram()
		}
		if err := addPairs(at.ok, from.OK); err != nil {
			return err
		}
	}
	return nil
}

// whole is the tally of a plan with these phases that a worker wrote, without its windows.
func (w *wireTally) whole(phases []attack.Phase) (*tally, error) {
	t := newTally()
	t.phases = newPhaseTallies(phases)
	var problems []error
	bins := func(from wireBins) distribution {
		d := distribution{newHistogram(), from.Most}
		problems = append(problems, addPairs(d.bins, from.Bins))
		return d
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
	for i, from := range w.Phases {
		p := &t.phases[i]
		p.ok, p.failed, p.late, p.latency = from.OK, from.Failed, from.Late, bins(from.Latency)
	}
	return t, errors.Join(problems...)
}
