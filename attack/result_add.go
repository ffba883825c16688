package attack

import "github.com/HdrHistogram/hdrhistogram-go"

// Add adds the figures of a share of the same attack that another process sent. Rates add up, and so do the requests in flight at the same time,
// at most. How late requests left does not add up: Lags has it.
func (r *Result) Add(from *Result) {
	if r.Began.IsZero() || from.Began.Before(r.Began) {
		r.Began = from.Began
	}
	r.Elapsed = max(r.Elapsed, from.Elapsed)
	r.Planned, r.Sent, r.Observed, r.Unsent = r.Planned+from.Planned, r.Sent+from.Sent, r.Observed+from.Observed, r.Unsent+from.Unsent
	r.AchievedRate += from.AchievedRate
	r.Resends, r.Opened, r.MostInFlight = r.Resends+from.Resends, r.Opened+from.Opened, r.MostInFlight+from.MostInFlight
	r.Stopped = r.Stopped || from.Stopped
	if r.First == nil {
		r.First = map[string]string{}
	}
	for class, text := range from.First {
		if r.First[class] == "" {
			r.First[class] = text
		}
	}
}

// Lags counts how much later than planned requests left.
type Lags struct {
	of   *hdrhistogram.Histogram
	late int
}

// Add counts an observation.
func (l *Lags) Add(o *Observation) {
	if l.of == nil {
		l.of = newHistogram()
	}
	record(l.of, o.Started-o.Planned)
	if o.Late() {
		l.late++
	}
}

// Judge writes what was counted into a result, and judges it.
func (l *Lags) Judge(r *Result) {
	if l.of != nil {
		r.LagMedian, r.LagP99 = quantile(l.of, 0.5), quantile(l.of, 0.99)
		r.LateShare = float64(l.late) / float64(l.of.TotalCount())
	}
	r.Judge()
}
