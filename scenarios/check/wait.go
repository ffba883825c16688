package check

import (
	"fmt"
	"net/http"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios/observe"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
	"github.com/hellochaos/hellochaos/stats"
)

const (
	// TimedWaits is how many waits before each try are to be judged. So many before the last of three retries find an interval that is
	// half as long again in 99 of 100 runs (stats.FitTest.TrialsToTell), if all ways take the same time. Waits before earlier tries are
	// shorter beside what the machine is allowed, and ways that differ from each other hide more: these need larger numbers.
	TimedWaits = 175
	// waitRisk is how often waits that are as predicted are rejected.
	waitRisk = 1.0 / 20_000
	// leastWaits is how many waits are tested.
	leastWaits = 50
	// strays is the share of tries whose way may take as long as it likes, since the machine paused: as many of those that were not
	// sent again lie above the time that is allowed for a way.
	strays = 0.02
	// lateness is by how much a wait may be longer for each try, beyond the time that a call with one try takes.
	lateness = 3 * time.Millisecond
)

// waits judges the time that retries added before each try of a row's calls, of natural requests and probes alike: how long is
// waited before a try does not depend on why the tries before failed. Only calls whose tries failed at once tell it.
func (e *Evidence) waits(i int) (all []reports.Wait) {
	row, seen := &e.Ways.Rows[i], &e.Tally.Rows[i]
	n := Retries(row)
	for failures := 1; failures <= min(n, observe.MaxTries-1); failures++ { // in the last histogram are later tries too
		w := reports.Wait{Try: failures + 1}
		predicted := waited(&row.Rule.Retry, failures)
		w.Predicted = predicted.Quantile(0.5)
		single, values := seen.Added[0], seen.Added[failures]
		if values != nil {
			w.N = values.TotalCount()
		}
		switch few := w.N < leastWaits; {
		case e.Untimed, few && e.Wants[i].Timed == 0:
			continue // the back-off is that of another rule or of a phase before, where it is judged
		case row.Rule.Fault != nil && row.Rule.Fault.Delay > 0 && row.Rule.Fault.DelayShare > 0:
			w.Verdict, w.Note = e.untimed(), "a fault holds such calls back, and the answers do not say for how long"
		case few || single == nil:
			w.Verdict, w.Note = e.untimed(), fmt.Sprintf("%d waits are too few to be judged", w.N)
		default:
			e.judgeWait(&w, predicted, failures, single, values)
		}
		all = append(all, w)
	}
	return all
}

// judgeWait tests the whole distribution of waits.
func (e *Evidence) judgeWait(w *reports.Wait, predicted *stats.Mixture, failures int, single, values *hdrhistogram.Histogram) {
	tries := float64(failures + 1)
	least, most := float64(single.ValueAtPercentile(5))/1e6, float64(single.ValueAtPercentile(100*(1-strays)))/1e6
	way := tries * float64(single.ValueAtPercentile(50)) / 1e6
	added := func(percentile float64) float64 { return max(0, float64(values.ValueAtPercentile(percentile))/1e6-way) }
	w.Measured = pointer(added(50))
	if lo, hi, ok := stats.QuantileRanks(w.N, 0.5, confidence); ok {
		w.Interval = &stats.Interval{Lo: added(100 * float64(lo) / float64(w.N)), Hi: added(100 * float64(hi) / float64(w.N))}
	}
	allowed := stats.Allowance{Early: 0.001 * float64(failures), Late: tries*(most-least) + tries*lateness.Seconds(), Strays: strays * tries}
	var bars []stats.Bar
	for _, bar := range values.Distribution() {
		if bar.Count > 0 {
			bars = append(bars, stats.Bar{From: float64(bar.From)/1e6 - tries*least, To: float64(bar.To)/1e6 - tries*least, Count: bar.Count})
		}
	}
	fit := stats.NewFitTest(predicted, allowed).Judge(bars)
	if w.N > 0 {
		w.Distance = max(0, float64(fit.Beyond)/float64(w.N)-fit.Admitted)
	}
	w.Limit = fit.Admitted
	w.Verdict = reports.Pass
	switch {
	case w.Predicted < e.Timed.Seconds():
		w.Verdict, w.Note = reports.NotJudged, fmt.Sprintf("this target cannot be held to waits below %v", e.Timed)
	case e.Late:
		w.Verdict, w.Note = e.untimed(), "requests left late, so that no time is judged"
	case most > w.Predicted:
		w.Verdict = e.untimed()
		w.Note = fmt.Sprintf("a try's way itself takes up to %.1f ms here, too long to tell waits of %.1f ms", 1000*most, 1000*w.Predicted)
	case fit.P <= waitRisk:
		w.Verdict = reports.Fail
		direction := "shorter"
		if fit.Above {
			direction = "longer"
		}
		w.Note = fmt.Sprintf("%d of %d waits are %s than %.1f ms, where at most %.3g %% may be", fit.Beyond, w.N, direction, 1000*fit.Place, 100*fit.Admitted)
	}
}

// untimed is the verdict on a time that cannot be judged.
func (e *Evidence) untimed() reports.Verdict {
	if e.RequireTimes && !e.Base {
		return reports.Inconclusive
	}
	return reports.NotJudged
}

// waited is the distribution of the sum of the back-offs before the try after so many failures, each uniform from 0 to its
// bound (manifests.Retry.BackOff).
func waited(retry *manifests.Retry, failures int) *stats.Mixture {
	var widths []float64
	for n := 1; n <= failures; n++ {
		widths = append(widths, retry.BackOff(n).Seconds())
	}
	return stats.NewMixture([]stats.Component{{Weight: 1, Widths: widths}})
}

// Retries is how often a call of a row is sent again that was answered 500.
func Retries(row *oracle.Row) int {
	if row.Rule == nil || Aborts(row) == 1 || !row.Rule.Retry.Covers(manifests.Failure{Status: http.StatusInternalServerError}) {
		return 0
	}
	return row.Rule.Retry.Attempts
}
