package attack

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Overflow stands for the latency of a request that timed out, which is not known but longer than all that are: a
// quantile at or above it is "no answer in time".
const Overflow = 100 * time.Second

// digits of a histogram: values are kept to better than 1 %.
const digits = 2

// newHistogram returns an empty histogram of microseconds up to Overflow; 2,688 counters, 21.5 KB.
func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, int64(Overflow/time.Microsecond), digits)
}

// record counts d, held to 0 and Overflow.
func record(h *hdrhistogram.Histogram, d time.Duration) {
	// RecordValue's only error is a value out of range, and these are in it.
	_ = h.RecordValue(int64(min(max(d, 0), Overflow) / time.Microsecond))
}

// quantile is the q-quantile of h, q in [0,1]; 0 when h is empty.
func quantile(h *hdrhistogram.Histogram, q float64) time.Duration {
	return time.Duration(h.ValueAtPercentile(100*q)) * time.Microsecond
}

// Bin is one filled bin of a histogram.
type Bin struct {
	Micros uint32 // the bin's lowest value, microseconds
	Count  uint32
}

// Second is the latencies of the requests that were planned for one second of the attack, bins in ascending order.
type Second struct {
	Number     int // from 0
	OK, Failed []Bin
}

// outcomes are the latencies of answered and of failed requests.
type outcomes[T any] struct{ ok, failed T }

func (o *outcomes[T]) of(ok bool) *T {
	if ok {
		return &o.ok
	}
	return &o.failed
}

// latencies keeps the latencies of an attack: whole histograms by outcome and number of tries, of at most 21.5 KB each,
// and the bins of every second, 8 bytes for each bin that is filled.
type latencies struct {
	tries    outcomes[map[int]*hdrhistogram.Histogram]
	current  outcomes[*hdrhistogram.Histogram] // of the second that is going on
	second   int
	finished []Second
}

func newLatencies() latencies {
	return latencies{
		tries:   outcomes[map[int]*hdrhistogram.Histogram]{map[int]*hdrhistogram.Histogram{}, map[int]*hdrhistogram.Histogram{}},
		current: outcomes[*hdrhistogram.Histogram]{newHistogram(), newHistogram()},
	}
}

// add counts one observation. Observations come in planned order, so a second is finished when the next has begun.
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
	record(histogramAt(*l.tries.of(ok), tries), latency)
	record(*l.current.of(ok), latency)
}

// ongoing is the current second, if anything happened in it.
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

// copyOf is a copy of h, nil when h is.
func copyOf(h *hdrhistogram.Histogram) *hdrhistogram.Histogram {
	if h == nil {
		return nil
	}
	all := newHistogram()
	all.Merge(h) // of the same size, so nothing is dropped
	return all
}

// Bins are the filled bins of h, a histogram of a tally, in ascending order; none when h is nil.
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
