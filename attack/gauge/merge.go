package gauge

import "time"

// merge adds the counts of another tally, which began at the same time. Whatever the order in which tallies are merged, the result is the same:
// counts add up, and windows take the width of the wider ones, which is a power of two times the narrower ones'.
func (t *tally) merge(o *tally) {
	for t.width < o.width {
		t.double()
	}
	for i := range o.windows {
		from := &o.windows[i]
		number := int(o.width * time.Duration(i) / t.width)
		for len(t.windows) <= number {
			t.windows = append(t.windows, window{})
		}
		t.windows[number].merge(from)
	}
	t.ok.merge(&o.ok)
	t.failedIn.merge(&o.failedIn)
	t.lag.merge(&o.lag)
	t.failed, t.late = t.failed+o.failed, t.late+o.late
	add(t.statuses, o.statuses)
	add(t.errors, o.errors)
	t.bytesIn, t.bytesOut = t.bytesIn+o.bytesIn, t.bytesOut+o.bytesOut
	t.lastGoodAfter = max(t.lastGoodAfter, o.lastGoodAfter)
	t.byTarget.merge(o.byTarget)
	t.byStatus.merge(o.byStatus)
	for i := range o.phases {
		t.phases[i].merge(&o.phases[i])
	}
}

func (p *phaseTally) merge(o *phaseTally) {
	p.ok, p.failed, p.late = p.ok+o.ok, p.failed+o.failed, p.late+o.late
	p.latency.merge(&o.latency)
}

func (w *window) merge(o *window) {
	w.requests, w.failed = w.requests+o.requests, w.failed+o.failed
	if o.ok == nil {
		return
	}
	if w.ok == nil {
		w.ok = newHistogram()
	}
	w.ok.Merge(o.ok) // all histograms have the same range, so Merge drops no value
}

func (t *times) merge(o *times) {
	t.latency.merge(&o.latency)
	t.service.merge(&o.service)
}

func (d *distribution) merge(o *distribution) {
	d.bins.Merge(o.bins)
	d.most = max(d.most, o.most)
}

func add[K comparable](to, from map[K]int64) {
	for key, n := range from {
		to[key] += n
	}
}
