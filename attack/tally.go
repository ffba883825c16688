package attack

import (
	"slices"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Clock is the name under which a call to anything but the services of a tally's chain is counted.
const Clock = "clock"

// Bounds of a tally, so that no answer can make it grow.
const (
	// MaxTries is the largest attempt count that is told apart; larger ones count as this one.
	MaxTries = 16
	// maxVersions of a hop are told apart; more count as otherVersion.
	maxVersions  = 16
	otherVersion = "(other)"
	// maxFirst numbers are kept of the first requests that met a version.
	maxFirst = 8
)

// Tally counts observations. Its size does not depend on how many there are: counts are bounded by cohorts, services,
// statuses, versions and tries, histograms are of fixed size (21.5 KB for each hop, outcome and number of tries that
// occurs, of at most 17), the samples are four observations with their trails, and a second of the attack takes 8 bytes
// for each different latency (of at most 2 × 2,688, usually a few hundred).
//
// A Tally must not be used by two goroutines at once. Readers must not change what the exported fields lead to.
type Tally struct {
	Cohorts []CohortTally // in the order of Plan.Cohorts

	own       []string
	latencies latencies
	edges     edges
	samples   samples
}

// CohortTally counts the observations of a cohort.
type CohortTally struct {
	Requests     int64
	EdgeFailures int64 // answers of 500 and more, and requests without a whole answer
	// Cascading counts requests in which a call to one of our own services failed, the edge's call to the entry hop among
	// them: edge failures, and delivered answers that tell of a failure. A failed call to the clock is not one.
	Cascading int64
	// WithoutTrail counts answers below 500 that carried no trail, or none that can be read: of these, the hops are not
	// known. An attack on the demo chain has none.
	WithoutTrail int64
	Statuses     map[int]int64        // answers by status; 0: none
	Errors       map[string]int64     // requests without a whole answer by class
	Hops         map[string]*HopTally // by the names of NewTally and Clock; only those that were called

	hops []*HopTally // those of Hops, by their places in edges.names: faster than by name
}

// HopTally counts the calls to one hop, as its caller saw them: the edge for the entry hop, and for all others the hop
// before, in its trail. All tries that the mesh made for a call are inside of it.
type HopTally struct {
	Calls    int64
	Failed   int64         // calls that were answered 500 or more, or not at all
	Statuses map[int]int64 // calls by status; 0: no answer
	// Versions, Attempts and Added are of calls that brought back the hop's own word; a clock has none.
	Versions map[string]int64
	// First has the numbers of the requests of the first eight calls that met a version, to tell a block from a spread.
	First map[string][]int
	// Attempts are the calls by the attempt count that the delivered try carried, from 0 (no proxy was on the way) to
	// MaxTries (or more).
	Attempts [MaxTries + 1]Outcomes
	// Added is the time in microseconds that the way to the hop and back, with all retries and waits between them, added
	// to the hop's own: its caller's elapsed minus its own, of calls that did not fail, by attempt count.
	Added [MaxTries + 1]*hdrhistogram.Histogram
}

// Outcomes counts calls that did not fail and that failed.
type Outcomes struct{ OK, Failed int64 }

// NewTally returns an empty tally for a plan of that many cohorts on a chain of which the services own are ours; the
// first is the entry hop, which the plan's requests call. A call further down is to the service that the first label
// of its URL's host names, and to Clock when that is none of own. Without own, all calls are to Clock.
func NewTally(cohorts int, own ...string) *Tally {
	t := &Tally{Cohorts: make([]CohortTally, cohorts), own: slices.Clone(own), latencies: newLatencies(), edges: newEdges(own)}
	for i := range t.Cohorts {
		t.Cohorts[i] = CohortTally{Statuses: map[int]int64{}, Errors: map[string]int64{}, Hops: map[string]*HopTally{}}
	}
	return t
}

// Add counts one observation. They must be added in planned order, as Run hands them over.
func (t *Tally) Add(o *Observation) {
	c := &t.Cohorts[o.Cohort]
	c.Requests++
	c.Statuses[o.Status]++
	switch {
	case o.EdgeFailure():
		c.EdgeFailures++
	case o.Trail == nil:
		c.WithoutTrail++
	}
	if o.Status == 0 {
		c.Errors[o.Error]++
	}
	failed, sum := t.addHops(c, o)
	if failed {
		c.Cascading++
	}
	t.samples.add(o, failed, sum)
	tries := 0
	if o.Trail != nil {
		tries = min(o.Trail.Attempt, MaxTries)
	}
	t.latencies.add(o, tries)
}

// Latency is the latencies in microseconds of all requests that did not fail at the edge, or of all that did; the
// caller's own copy. Requests that timed out are at Overflow.
func (t *Tally) Latency(ok bool) *hdrhistogram.Histogram {
	all := newHistogram()
	for _, h := range *t.latencies.tries.of(ok) {
		all.Merge(h) // of the same size, so nothing is dropped
	}
	return all
}

// TriesLatency is the latencies in microseconds of the requests that the entry hop answered at one number of tries.
type TriesLatency struct {
	Tries      int                     // 0: no proxy before the entry hop, or no trail; MaxTries: so many or more
	OK, Failed *hdrhistogram.Histogram // 21.5 KB each; nil: no such request
}

// LatencyByTries is Latency apart for each number of tries at the entry hop that occurred, of at most MaxTries + 1, in
// ascending order; the caller's own copy.
func (t *Tally) LatencyByTries() []TriesLatency {
	var all []TriesLatency
	for tries := range MaxTries + 1 {
		l := TriesLatency{Tries: tries, OK: copyOf(t.latencies.tries.ok[tries]), Failed: copyOf(t.latencies.tries.failed[tries])}
		if l.OK != nil || l.Failed != nil {
			all = append(all, l)
		}
	}
	return all
}

// Seconds are the latencies of each second of the attack in which a request was planned, in order: at most as many as
// the attack took. Readers must not change them.
func (t *Tally) Seconds() []Second {
	return append(t.latencies.finished[:len(t.latencies.finished):len(t.latencies.finished)], t.latencies.ongoing()...)
}
