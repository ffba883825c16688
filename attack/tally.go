package attack

import (
	"slices"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Clock is the name under which a tally counts the calls to everything but the services of its chain.
const Clock = "clock"

// Bounds of a tally, so that no answer can make it grow without end.
const (
	// MaxTries is the largest attempt count with a count of its own; larger ones count as MaxTries.
	MaxTries = 16
	// maxVersions is how many versions of a hop have counts of their own; all others count as otherVersion.
	maxVersions  = 16
	otherVersion = "(other)"
)

// Tally counts observations. Its size does not depend on the number of observations. The counts are bounded by the numbers of
// cohorts, services, statuses, versions and tries. A histogram has 21.5 KB, and there is one for each outcome and number of tries (0 to
// 16) that occurs. The samples are four observations with their trails. A second of the attack takes 8 bytes for each
// different latency: at most 2 × 2,688 of them, usually a few hundred.
//
// Two goroutines must not use a Tally at the same time. Readers must not change what the exported fields point to.
type Tally struct {
	Cohorts []CohortTally // in the order of Plan.Cohorts

	services  []string // of the chain, the entry hop first
	latencies latencies
	edges     edges
	samples   samples
}

// CohortTally counts the observations of a cohort.
type CohortTally struct {
	Requests     int64
	EdgeFailures int64                // answers of 500 and more, and requests without a whole answer
	Statuses     map[int]int64        // requests by the status of the answer; 0: no complete answer
	Errors       map[string]int64     // requests without a complete answer, by the class of the error
	Hops         map[string]*HopTally // by the names of NewTally, and Clock; only the hops that were called

	hops []*HopTally // the same as Hops, by the indexes of edges.names, which is faster than by name
}

// HopTally counts the calls to one hop, as their callers saw them. The edge calls the entry hop; for all other hops, the trail of the
// caller has the call. A call includes all tries that the mesh made for it.
type HopTally struct {
	Calls  int64
	Failed int64 // calls that got a status of 500 or more, or no answer
	// Versions and Attempts count only calls whose answer had the trail of the hop. The clock answers without a trail.
	Versions map[string]int64
	// Attempts are the calls by the attempt count of the try that was delivered, from 0 (no proxy set it) to MaxTries (or more).
	Attempts [MaxTries + 1]Outcomes
}

// Outcomes counts the calls that did not fail, and those that failed.
type Outcomes struct{ OK, Failed int64 }

// NewTally returns an empty tally for a plan with that many cohorts on a chain of services. The first service is the entry hop, which
// the requests of the plan call. Every other call is counted at the service that answered with a trail, else at the one that the first
// label of the host in its URL names, and at Clock if that is none of the services. Without services, all calls are counted at Clock.
func NewTally(cohorts int, services ...string) *Tally {
	t := &Tally{Cohorts: make([]CohortTally, cohorts), services: slices.Clone(services), latencies: newLatencies(), edges: newEdges(services)}
	for i := range t.Cohorts {
		t.Cohorts[i] = CohortTally{Statuses: map[int]int64{}, Errors: map[string]int64{}, Hops: map[string]*HopTally{}}
	}
	return t
}

// Add counts one observation. Observations must be added in planned order, in which Run hands them to observe.
func (t *Tally) Add(o *Observation) {
	c := &t.Cohorts[o.Cohort]
	c.Requests++
	c.Statuses[o.Status]++
	if o.EdgeFailure() {
		c.EdgeFailures++
	}
	if o.Status == 0 {
		c.Errors[o.Error]++
	}
	failed, sum := t.addHops(c, o)
	t.samples.add(o, failed, sum)
	tries := 0
	if o.Trail != nil {
		tries = min(o.Trail.Attempt, MaxTries)
	}
	t.latencies.add(o, tries)
}

// Latency is a histogram of the latencies, in microseconds, of all requests that did not fail at the edge (ok), or of all that did.
// The caller gets a copy. Requests that timed out are counted at Overflow.
func (t *Tally) Latency(ok bool) *hdrhistogram.Histogram {
	all := newHistogram()
	for _, h := range *t.latencies.tries.choose(ok) {
		all.Merge(h) // both have the same range, so Merge drops no value
	}
	return all
}

// TriesLatency has the latencies, in microseconds, of the requests that the entry hop answered at the same number of tries.
type TriesLatency struct {
	Tries      int                     // 0: no proxy set the attempt count, or no trail; MaxTries: MaxTries or more
	OK, Failed *hdrhistogram.Histogram // 21.5 KB each; nil: there was no such request
}

// LatencyByTries has the latencies separately for each number of tries at the entry hop that occurred, in ascending order. There are
// at most MaxTries + 1. The caller gets a copy.
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

// Seconds has the latencies of each second of the attack in which a request was planned, in order. Readers must not change them.
func (t *Tally) Seconds() []Second {
	return append(t.latencies.finished[:len(t.latencies.finished):len(t.latencies.finished)], t.latencies.ongoing()...)
}
