package differential

import (
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/service/trail"
	"github.com/hellochaos/hellochaos/stats"
)

const (
	// waitRisk is how often waits that are as the rules say are taken for wrong ones.
	waitRisk = 1e-6
	// leastWaits is how many waits of a length are judged.
	leastWaits = 50
	// strays is the share of waits that may be anything, since the machine paused.
	strays = 0.02
	// lateness is by how much a wait may be longer than the way of a request lets it be.
	lateness = 3 * time.Millisecond
)

// wait is how long a proxy waited before a try, and the longest time for which it may (manifests.Retry.BackOff).
type wait struct {
	longest, waited time.Duration
}

// fit is how waits of one length lie in what they may be.
type fit struct {
	longest   time.Duration
	n         int
	low, high float64 // the quantiles 0.25 and 0.75, in shares of the longest
	// judged: there are enough. short: they are shorter than ways may be, so that only much longer ones would show.
	judged, short, ok bool
}

// slowest is how long a way takes, but for strays.
func slowest(ways []time.Duration) time.Duration {
	if len(ways) == 0 {
		return hangTime // longer than all that is judged
	}
	sorted := slices.Sorted(slices.Values(ways))
	return sorted[int((1-strays)*float64(len(sorted)-1))]
}

// fits holds waits against the uniform distributions from which they are drawn (Envoy's JitteredExponentialBackOffStrategy), by the test that
// a run uses (scenarios/check). ways are the times that the ways of requests took: by as much a wait may seem longer than it is.
func fits(all []wait, ways []time.Duration) (results []fit) {
	late := slowest(ways) + lateness
	by := make(map[time.Duration][]time.Duration)
	for _, w := range all {
		by[w.longest] = append(by[w.longest], w.waited)
	}
	for longest, waited := range by {
		slices.Sort(waited)
		at := func(q float64) float64 { return float64(waited[int(q*float64(len(waited)-1))]) / float64(longest) }
		f := fit{longest: longest, n: len(waited), low: at(0.25), high: at(0.75), judged: len(waited) >= leastWaits, short: longest <= late}
		predicted := stats.NewMixture([]stats.Component{{Weight: 1, Widths: []float64{longest.Seconds()}}})
		var bars []stats.Bar
		for _, w := range waited {
			bars = append(bars, stats.Bar{From: w.Seconds(), To: w.Seconds(), Count: 1})
		}
		test := stats.NewFitTest(predicted, stats.Allowance{Early: 0.001, Late: late.Seconds(), Strays: strays})
		f.ok = !f.judged || test.Judge(bars).P > waitRisk
		results = append(results, f)
	}
	slices.SortFunc(results, func(a, b fit) int { return int(a.longest - b.longest) })
	return results
}

// waits notes at the stand-ins how long a proxy waits between tries: from the end of one that failed to the beginning of the next.
type waits struct {
	mutex sync.Mutex
	ended map[string]time.Time      // when the last try of a request failed
	seen  map[string][]observedWait // by request
}

type observedWait struct {
	try  int // before which it is
	time time.Duration
}

func newWaits() *waits {
	return &waits{ended: make(map[string]time.Time), seen: make(map[string][]observedWait)}
}

// around notes the tries of a stand-in.
func (w *waits) around(_ string, inner http.Handler) http.Handler {
	return http.HandlerFunc(func(answer http.ResponseWriter, r *http.Request) {
		begin, name := time.Now(), r.Header.Get(trail.HeaderRequest)
		attempt, _ := strconv.Atoi(r.Header.Get(trail.HeaderAttempt)) // the judgement says what is wrong with it
		w.mutex.Lock()
		if before, ok := w.ended[name]; ok {
			w.seen[name] = append(w.seen[name], observedWait{attempt, begin.Sub(before)})
			delete(w.ended, name)
		}
		w.mutex.Unlock()
		inner.ServeHTTP(answer, r)
		if end := time.Now(); end.Sub(begin) < hangTime/8 { // one that was cut ends when that is noticed
			w.mutex.Lock()
			w.ended[name] = end
			w.mutex.Unlock()
		}
	})
}

// of are the waits of a request under a rule.
func (w *waits) of(name string, rule *manifests.Rule) (all []wait) {
	for _, seen := range w.seen[name] {
		longest := rule.Retry.BackOff(seen.try - 1)
		if longest > 0 {
			all = append(all, wait{longest, seen.time})
		}
	}
	return all
}
