package attack

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Overflow stands for the latency of a request that timed out. The true latency is not known, but it is longer than all known ones.
// A quantile at or above Overflow means that there was no answer in time.
const Overflow = 100 * time.Second

// digits is the number of significant digits of a histogram: its values are exact to better than 1 %.
const digits = 2

// newHistogram returns an empty histogram of microseconds up to Overflow; 2,688 counters, 21.5 KB.
func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, int64(Overflow/time.Microsecond), digits)
}

// record counts d; below 0 it counts as 0, and above Overflow as Overflow.
func record(h *hdrhistogram.Histogram, d time.Duration) {
	// The only error of RecordValue is for a value out of range, and the limits above prevent it.
	_ = h.RecordValue(int64(min(max(d, 0), Overflow) / time.Microsecond))
}

// quantile is the q-quantile of h, with q in [0,1]. It is 0 if h is empty.
func quantile(h *hdrhistogram.Histogram, q float64) time.Duration {
	return time.Duration(h.ValueAtPercentile(100*q)) * time.Microsecond
}

// Bin is a bin of a histogram that counted at least one value.
type Bin struct {
	Micros uint32 // the bin's lowest value, microseconds
	Count  uint32
}

// Second has the latencies of the requests that were planned for one second of the attack, in ascending bins.
type Second struct {
	Number     int // from 0
	OK, Failed []Bin
}

// outcomes are the latencies of answered and of failed requests.
type outcomes[T any] struct{ ok, failed T }

func (o *outcomes[T]) choose(ok bool) *T {
	if ok {
		return &o.ok
	}
	return &o.failed
}

// latencies keeps the latencies of an attack: histograms by outcome and number of tries, of at most 21.5 KB each, and the filled
// bins of every second, of 8 bytes each.
type latencies struct {
	tries    outcomes[map[int]*hdrhistogram.Histogram]
	current  outcomes[*hdrhistogram.Histogram] // of the current second
	second   int
	finished []Second
}

func newLatencies() latencies {
	return latencies{
		tries:   outcomes[map[int]*hdrhistogram.Histogram]{map[int]*hdrhistogram.Histogram{}, map[int]*hdrhistogram.Histogram{}},
		current: outcomes[*hdrhistogram.Histogram]{newHistogram(), newHistogram()},
	}
}

// add counts one observation. Observations come in planned order, so a second is complete when an observation of a later one comes.
func (l *latencies) add(o *Observation, tries int) {
	if second := int(o.Planned / time.Second); second > l.second {
		l.finished = append(l.finished, l.ongoing()...)
		l.current.ok.Reset()
		l.current.failed.Reset()
		l.second = second
	}
	latency := o.Latency
	if o.Error == Timeout {
		latency = Overflow
	}
	ok := !o.EdgeFailure()
	record(histogramAt(*l.tries.choose(ok), tries), latency)
	record(*l.current.choose(ok), latency)
}

// ongoing is the current second, or nothing if no request was counted in it.
func (l *latencies) ongoing() []Second {
	current := Second{Number: l.second, OK: Bins(l.current.ok), Failed: Bins(l.current.failed)}
	if len(current.OK)+len(current.Failed) == 0 {
		return nil
	}
	return []Second{current}
}

func histogramAt(m map[int]*hdrhistogram.Histogram, key int) *hdrhistogram.Histogram {
	h := m[key]
	if h == nil {
		h = newHistogram()
		m[key] = h
	}
	return h
}

// copyOf is a copy of h, or nil if h is nil.
func copyOf(h *hdrhistogram.Histogram) *hdrhistogram.Histogram {
	if h == nil {
		return nil
	}
	all := newHistogram()
	all.Merge(h) // both have the same range, so Merge drops no value
	return all
}

// Bins are the filled bins of h, a histogram of a tally, in ascending order. A nil h has none.
func Bins(h *hdrhistogram.Histogram) []Bin {
	if h == nil || h.TotalCount() == 0 {
		return nil
	}
	var filled []Bin
	for _, bar := range h.Distribution() {
		if bar.Count > 0 {
			filled = append(filled, Bin{Micros: uint32(bar.From), Count: uint32(bar.Count)})
		}
	}
	return filled
}
