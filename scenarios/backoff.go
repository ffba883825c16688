package scenarios

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/stats"
)

// backoff is the time that retries added to the calls of a hop that succeeded with one attempt count: the caller's
// elapsed time minus the callee's own, beyond what a call with a single try takes, as a median, against what the policy's
// back-off and per-try timeout predict.
type backoff struct {
	hop     string
	attempt int
	// predicted is the median in seconds; reach the expected number of such calls per request; least how many are wanted.
	predicted, reach, least float64
}

// fewTimed is the fewest values that any median is planned with.
const fewTimed = 30

// leastTimed is how many values a median is planned with, given the quantiles of what is waited: its interval must not reach
// below half of the median by chance, but for one time in 2,000. Of a wait uniform from 0 a quarter lies there, and of 100
// values the interval's lower end is the 40th; what spreads less wants fewer.
func leastTimed(quantile func(float64) float64) float64 {
	switch half := quantile(0.5) / 2; {
	case quantile(0.05) >= half:
		return fewTimed
	case quantile(0.15) >= half:
		return 50
	}
	return 100
}

// backoffs are the checks of a hop's retries that a phase of this many requests sees often enough to time. The second
// result says what is left out, and why. Waits shorter than timed are not looked at.
func backoffs(f *forecast, i, requests int, timed time.Duration) (checks []check, left string) {
	h := f.hops[i]
	again := f.again(i)
	if again == 0 {
		return nil, ""
	}
	okay := f.shown[i] - f.failed[i]
	for attempt := 2; attempt <= min(h.tries(), attack.MaxTries-1); attempt++ { // beyond, a tally does not tell them apart
		rare := fmt.Sprintf("try %d and later ones are too rare to be timed", attempt)
		b := &backoff{hop: h.name, attempt: attempt, reach: okay * math.Pow(again, float64(attempt-1)) / geometric(again, h.tries())}
		if requestsFor(fewTimed, b.reach) > float64(requests) {
			return checks, rare
		}
		quantile := waited(f, i, attempt)
		b.predicted, b.least = quantile(0.5), leastTimed(quantile)
		switch {
		case b.demand() > float64(requests):
			return checks, rare
		case b.predicted < timed.Seconds():
			left = fmt.Sprintf("waits below %v are too short to be timed there", timed)
		case quantile(0.55) > 2*quantile(0.45): // the median falls between two humps
			left = fmt.Sprintf("failed and hung tries add such different times that the median before try %d says nothing", attempt)
		default:
			checks = append(checks, b)
		}
	}
	return checks, left
}

// waited is the predicted distribution of the time before a try, by its quantiles in seconds: earlier tries, each with one of
// the durations that lost tries of this hop have, and full-jitter back-offs between them.
func waited(f *forecast, i, attempt int) (quantile func(float64) float64) {
	retry := f.hops[i].rule.Retry
	var total float64
	for _, p := range f.lost[i] {
		total += p
	}
	sums := map[time.Duration]float64{0: 1}
	var widths []float64
	for n := 1; n < attempt; n++ {
		next := map[time.Duration]float64{}
		for sum, p := range sums {
			for d, q := range f.lost[i] {
				next[(sum + d).Round(time.Millisecond)] += p * q / total // so that sums that are nearly equal are one
			}
		}
		sums = next
		widths = append(widths, retry.BackOff(n).Seconds())
	}
	var mixture []stats.Component
	for sum, p := range sums {
		mixture = append(mixture, stats.Component{Weight: p, Shift: sum.Seconds(), Widths: widths})
	}
	// In a fixed order, so that equal forecasts give equal numbers.
	slices.SortFunc(mixture, func(a, b stats.Component) int { return cmp.Compare(a.Shift, b.Shift) })
	return func(q float64) float64 { return stats.MixtureQuantile(mixture, q) }
}

// added is, in microseconds, what the way and the waits added to the successful calls of a hop that had this attempt
// count; nil when there were none.
func added(t *attack.Tally, hop string, attempt int) *hdrhistogram.Histogram {
	if h := t.Cohorts[0].Hops[hop]; h != nil && h.Added[attempt] != nil && h.Added[attempt].TotalCount() > 0 {
		return h.Added[attempt]
	}
	return nil
}

func (b *backoff) row() reports.Check {
	return reports.Check{Name: fmt.Sprintf("%s wait, try %d", b.hop, b.attempt), Kind: reports.Median, Unit: "seconds", Hop: b.hop}
}

func (b *backoff) demand() float64 { return requestsFor(b.least, b.reach) }

func (b *backoff) measure(e *evidence) *reports.Measurement {
	m := &reports.Measurement{Predicted: b.predicted, Band: stats.Interval{Lo: b.predicted / 2, Hi: b.predicted * 2}, Verdict: reports.Inconclusive}
	single, values := added(e.tally, b.hop, 1), added(e.tally, b.hop, b.attempt)
	if single == nil || values == nil {
		m.Note = "no data: no call succeeded with this attempt count"
		return m
	}
	// What a call with a single try takes is the way itself, and every try goes it.
	one := middle(single, (single.TotalCount()+1)/2)
	way := float64(b.attempt) * one
	m.N = values.TotalCount()
	m.Measured = pointer(max(0, middle(values, (m.N+1)/2)-way))
	lo, hi, ok := stats.QuantileRanks(m.N, 0.5, alphaEarly+alphaFinal)
	if !ok {
		m.Note = fmt.Sprintf("%d values are too few for an interval: about %.0f requests would do", m.N, math.Ceil(b.demand()))
		return m
	}
	m.Interval = between(values, lo, hi)
	m.Interval.Lo, m.Interval.Hi = max(0, m.Interval.Lo-way), max(0, m.Interval.Hi-way)
	switch {
	case e.result.Late:
		m.Note = "void: requests were sent late, as is reported with the phase, so that waits mean nothing"
	case one > b.predicted/2:
		m.Note = fmt.Sprintf("a try's way itself takes %.1f ms: this machine or network is too busy to time a wait of %.1f ms", 1000*one, 1000*b.predicted)
	default:
		m.Verdict = judge(*m.Interval, m.Band)
	}
	return m
}

// bin is the lowest and highest value, in seconds, of the bin that holds a rank (1 is the smallest) of a histogram in
// microseconds.
func bin(h *hdrhistogram.Histogram, rank int64) (from, to float64) {
	var below int64
	for _, bar := range h.Distribution() {
		if below += bar.Count; below >= rank {
			return float64(bar.From) / 1e6, float64(bar.To) / 1e6
		}
	}
	return float64(h.Max()) / 1e6, float64(h.Max()) / 1e6
}

// middle is the middle of a rank's bin, in seconds.
func middle(h *hdrhistogram.Histogram, rank int64) float64 {
	from, to := bin(h, rank)
	return (from + to) / 2
}

// between is the interval that two ranks span, their bins included.
func between(h *hdrhistogram.Histogram, lo, hi int64) *stats.Interval {
	from, _ := bin(h, lo)
	_, to := bin(h, hi)
	return &stats.Interval{Lo: from, Hi: to}
}
