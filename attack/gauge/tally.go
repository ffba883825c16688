package gauge

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/reports/load"
	"github.com/hellochaos/hellochaos/stats"
)

const (
	// mostWindows is how many windows of time a tally has. An attack that is longer has windows of twice the width.
	mostWindows = 600
	// firstWidth is the width of windows at the beginning: an attack of two seconds has the twenty that intervals need to see that a slow window
	// follows another one.
	firstWidth = 100 * time.Millisecond
	// mostLatency is the longest latency that is told apart; the wait for the planned start of a request counts, too.
	mostLatency = time.Hour
	// digits is the number of significant digits of histograms: their values are exact to better than 1 %.
	digits = 2
	// binWidth is how wide a bin is at most, as a share of its value.
	binWidth = 1.0 / 128
)

// tally counts observations, in any order. Its size does not depend on their number: a window has a histogram of 28 KB.
type tally struct {
	width         time.Duration
	windows       []window
	ok, failedIn  times
	failed, late  int64        // late: left more than 20 ms after their planned start
	lag           distribution // how much later than planned requests left
	statuses      map[int]int64
	errors        map[string]int64
	bytesIn       int64
	bytesOut      int64
	byTarget      rows
	byStatus      rows
	targetOf      []int // the target of each cohort; nil: the cohort itself
	phases        []phaseTally
	scoped        []*scoped     // of the expectations; nil for one that is about all requests
	mostWindows   int           // how many windows there may be
	begin         time.Duration // of what is measured: the end of the warm-up
	lastGoodAfter time.Duration // when the last good answer was read, since the beginning
}

// window has the requests that were planned for a time of the attack, and the latencies of those with good answers.
type window struct {
	requests, failed int64
	ok               *hdrhistogram.Histogram // nil: none had a good answer
}

// times are the latencies and the service times of one outcome.
type times struct{ latency, service distribution }

// distribution are times, the largest of which is exact.
type distribution struct {
	bins *hdrhistogram.Histogram // microseconds
	most time.Duration
}

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, int64(mostLatency/time.Microsecond), digits)
}

func newDistribution() distribution { return distribution{bins: newHistogram()} }

func newTally() *tally {
	return &tally{width: firstWidth, mostWindows: mostWindows, byTarget: rows{}, byStatus: rows{}, statuses: map[int]int64{}, errors: map[string]int64{},
		lag: newDistribution(), ok: times{newDistribution(), newDistribution()}, failedIn: times{newDistribution(), newDistribution()}}
}

// record counts d, rounded up to a microsecond.
func record(h *hdrhistogram.Histogram, d time.Duration) {
	// The only error is for a value out of range, and the limits prevent it.
	_ = h.RecordValue(int64((min(max(d, 0), mostLatency) + time.Microsecond - 1) / time.Microsecond))
}

func (d *distribution) add(v time.Duration) {
	record(d.bins, v)
	d.most = max(d.most, v)
}

// requests is how many observations were added.
func (t *tally) requests() int64 { return t.ok.latency.bins.TotalCount() + t.failed }

// add counts one observation.
func (t *tally) add(o *attack.Observation) {
	phase, warmup := t.count(o)
	target := o.Cohort
	if t.targetOf != nil {
		target = t.targetOf[o.Cohort]
	}
	for _, s := range t.scoped {
		if s != nil {
			s.add(o, target, phase, warmup)
		}
	}
	if warmup {
		return
	}
	at := t.window(o.Planned - t.begin)
	at.requests++
	if o.Late() {
		t.late++
	}
	t.lag.add(o.Started - o.Planned)
	if o.Status == 0 {
		t.errors[o.Error]++
	} else {
		t.statuses[o.Status]++
		t.byStatus.add(o.Status, o, true)
	}
	t.byTarget.add(target, o, !o.Bad())
	t.bytesIn, t.bytesOut = t.bytesIn+o.BytesIn, t.bytesOut+o.BytesOut
	of := &t.ok
	if o.Bad() {
		at.failed++
		t.failed++
		of = &t.failedIn
	} else {
		if at.ok == nil {
			at.ok = newHistogram()
		}
		record(at.ok, o.Response())
		t.lastGoodAfter = max(t.lastGoodAfter, o.Started+o.Latency)
	}
	of.latency.add(o.Response())
	of.service.add(o.Latency)
}

// window is that of a planned time, for which all windows double in width where it needs more than there may be.
func (t *tally) window(planned time.Duration) *window {
	for planned/t.width >= time.Duration(t.mostWindows) {
		t.double()
	}
	number := int(max(0, planned) / t.width)
	for len(t.windows) <= number {
		t.windows = append(t.windows, window{})
	}
	return &t.windows[number]
}

// double makes one window of each two.
func (t *tally) double() {
	t.width *= 2
	for i := range t.windows {
		w := t.windows[i]
		if i%2 == 0 {
			t.windows[i/2] = w
			continue
		}
		if into := &t.windows[i/2]; into.ok == nil {
			into.requests, into.failed, into.ok = into.requests+w.requests, into.failed+w.failed, w.ok
		} else {
			into.merge(&w)
		}
	}
	t.windows = slices.Delete(t.windows, (len(t.windows)+1)/2, len(t.windows))
}

// blocks are the latencies of good answers by window, in seconds: each at the upper end of its bin, so that no interval flatters.
func (t *tally) blocks() *stats.Blocks {
	var all [][]stats.Bin
	for i := range t.windows {
		if t.windows[i].ok == nil {
			continue
		}
		var bins []stats.Bin
		for _, bar := range t.windows[i].ok.Distribution() {
			if bar.Count > 0 {
				bins = append(bins, stats.Bin{Value: float64(bar.To) / 1e6, Count: bar.Count})
			}
		}
		all = append(all, bins)
	}
	return stats.NewBlocks(all)
}

// within is where a quantile of blocks lies. The lower end is that of its bin, and 0 where there is none; the upper end is infinite where the data
// are too few for one.
func within(blocks *stats.Blocks, q, alpha float64) stats.Interval {
	interval := blocks.QuantileByShares(q, alpha)
	interval.Lo = max(0, interval.Lo*(1-binWidth))
	return interval
}

// finite is an interval for a report, which has none without an end.
func finite(i stats.Interval) *stats.Interval {
	if math.IsInf(i.Hi, 0) {
		return nil
	}
	return &i
}

// shares are the failed requests by window.
func (t *tally) shares() (all []stats.Share) {
	for i := range t.windows {
		all = append(all, stats.Share{K: t.windows[i].failed, N: t.windows[i].requests})
	}
	return all
}

// at is the q-quantile as stats.Blocks has it: the smallest value with at least the share q at or below it, here the upper end of its bin.
func (d *distribution) at(q float64) float64 {
	rank := int64(math.Ceil(q * float64(d.bins.TotalCount())))
	for _, bar := range d.bins.Distribution() {
		if rank -= bar.Count; rank <= 0 {
			return float64(bar.To) / 1e6
		}
	}
	return d.most.Seconds()
}

// quantiles are those that a report has.
var quantiles = []float64{0.5, 0.9, 0.99, 0.999}

// alpha is the error probability of the intervals that a report shows.
const alpha = 0.05

// report has the figures of the distribution.
func (d *distribution) report() load.Distribution {
	r := load.Distribution{N: d.bins.TotalCount(), Max: d.most.Seconds()}
	for _, q := range quantiles {
		if r.N > 0 {
			r.Quantiles = append(r.Quantiles, load.Quantile{Q: q, Seconds: min(r.Max, d.at(q))})
		}
	}
	return r
}

// report has the figures of an attack that was sent as result says.
func (t *tally) report(result *attack.Result) *load.Report {
	lasts, planned, answered := t.warmup()
	planned, answered = int64(result.Planned)-planned, int64(result.Sent)-answered
	skipped := min(int64(result.Unsent), max(0, planned-answered))
	r := &load.Report{Schema: load.Schema, Began: result.Began.UTC().Round(0), Limited: result.Limited || result.Late, Warnings: result.Warnings(),
		Requests: load.Requests{Planned: planned, Sent: answered, Skipped: skipped, OK: t.requests() - t.failed,
			Failed: t.failed, GivenUp: int64(result.Sent - result.Observed)},
		Rate:    load.Rate{Planned: result.PlannedRate, Sent: result.AchievedRate},
		Latency: load.Outcomes{OK: t.ok.latency.report(), Failed: t.failedIn.latency.report()},
		Service: load.Outcomes{OK: t.ok.service.report(), Failed: t.failedIn.service.report()},
		BytesIn: t.bytesIn, BytesOut: t.bytesOut, Statuses: t.statuses, Errors: []load.Error{},
		Schedule: load.Schedule{LagMedian: result.LagMedian.Seconds(), LagP99: result.LagP99.Seconds(), LateShare: result.LateShare}}
	took := t.lastGoodAfter
	if result.PlannedRate > 0 {
		took = max(took, time.Duration(float64(result.Sent+result.Unsent)/result.PlannedRate*float64(time.Second)))
	}
	if took := (took - lasts).Seconds(); r.Requests.OK > 0 && took > 0 {
		r.Rate.OK = float64(r.Requests.OK) / took
	}
	if t.requests() > 0 {
		share := stats.ClusteredProportion(t.shares(), alpha)
		r.Requests.FailedShare = &share
	}
	blocks := t.blocks()
	for i := range r.Latency.OK.Quantiles {
		q := &r.Latency.OK.Quantiles[i]
		q.Seconds = min(blocks.Quantile(q.Q), r.Latency.OK.Max) // of the same bins as its interval
		q.Interval = finite(within(blocks, q.Q, alpha))
	}
	for class, count := range t.errors {
		r.Errors = append(r.Errors, load.Error{Class: class, Count: count, First: result.First[class]})
	}
	slices.SortFunc(r.Errors, func(a, b load.Error) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Class, b.Class)) })
	return r
}
