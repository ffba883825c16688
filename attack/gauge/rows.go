package gauge

import (
	"maps"
	"slices"
	"strconv"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/reports/load"
)

// mostRows is how many targets, and how many statuses, have latencies of their own, of 28 KB each. The others are counted alone.
const mostRows = 64

// rowTally counts the requests of one target, or those with one status.
type rowTally struct {
	requests, failed int64
	latency          *distribution // of good answers of a target, of all answers with a status; nil: none yet, or one target too many
}

// rows are the tallies by target or by status.
type rows map[int]*rowTally

func (r rows) add(key int, o *attack.Observation, timed bool) {
	row := r[key]
	if row == nil {
		row = &rowTally{}
		r[key] = row
	}
	row.requests++
	if o.Bad() {
		row.failed++
	}
	if !timed {
		return
	}
	if row.latency == nil && len(r) <= mostRows {
		d := newDistribution()
		row.latency = &d
	}
	if row.latency != nil {
		row.latency.add(o.Response())
	}
}

func (r rows) merge(other rows) {
	for key, from := range other {
		to := r[key]
		if to == nil {
			to = &rowTally{}
			r[key] = to
		}
		to.requests, to.failed = to.requests+from.requests, to.failed+from.failed
		if from.latency == nil {
			continue
		}
		if to.latency == nil {
			d := newDistribution()
			to.latency = &d
		}
		to.latency.merge(from.latency)
	}
}

// report has the rows in the order of their keys.
func (r rows) report(name func(key int) string) (all []load.Row) {
	for _, key := range slices.Sorted(maps.Keys(r)) {
		from := r[key]
		row := load.Row{Name: name(key), Requests: from.requests, Failed: from.failed}
		if from.latency != nil {
			row.Latency = from.latency.report()
		}
		all = append(all, row)
	}
	return all
}

// details adds what the report has by target, by status and by time.
func (t *tally) details(r *load.Report) {
	if len(t.byTarget) > 1 {
		r.ByTarget = t.byTarget.report(func(key int) string {
			if key < len(r.Targets) {
				return r.Targets[key].Method + " " + r.Targets[key].URL
			}
			return "the other targets"
		})
	}
	r.ByStatus = t.byStatus.report(strconv.Itoa)
	width := t.width.Seconds()
	for i := range t.windows {
		from := &t.windows[i]
		w := load.Window{At: float64(i) * width, Seconds: width, Requests: from.requests, Failed: from.failed}
		if from.ok != nil {
			w.P50, w.P99, w.Max = float64(from.ok.ValueAtPercentile(50))/1e6, float64(from.ok.ValueAtPercentile(99))/1e6, float64(from.ok.Max())/1e6
		}
		r.Windows = append(r.Windows, w)
	}
	r.Bins = t.ok.latency.coarse()
}

// coarse are the counts between edges of which there are ten in each power of ten.
func (d *distribution) coarse() (all []load.Bin) {
	for _, bar := range d.bins.Distribution() {
		if bar.Count == 0 {
			continue
		}
		edge := load.Edge(float64(bar.To) / 1e6)
		if last := len(all) - 1; last >= 0 && all[last].To == edge {
			all[last].Count += bar.Count
			continue
		}
		all = append(all, load.Bin{To: edge, Count: bar.Count})
	}
	return all
}
