// Package observe holds what came back for each request of a phase against the oracle, and counts what that showed, in
// memory that does not depend on the number of requests, but for a byte of each natural one. It knows how to count and nothing of
// what the counts are worth: verdicts are package check's.
package observe

import (
	"net/http"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
	"github.com/hellochaos/hellochaos/service/trail"
)

// MaxTries is the largest number of tries of a call that is told apart; larger ones count as this one.
const MaxTries = 16

// Cohort is how the requests of a cohort of the attack are judged.
type Cohort struct {
	// Way is where they go.
	Way *oracle.Call
	// Request has all but the name.
	Request oracle.Request
	// Probe: its failures are pinned.
	Probe bool
}

// Tally is what the requests of a phase showed. It must not be used by two goroutines at once.
type Tally struct {
	Rows []Row // by oracle.Ways.Rows
	// Natural counts the natural requests, Edge those of them that failed at the edge, Any those in which a service of ours
	// failed. Probes counts the others.
	Natural, Probes, Edge, Any int64
	// Unanswered counts the requests that got no whole answer.
	Unanswered int64
	// Open counts the requests that a time limit may have decided somewhere.
	Open int64
	// Wrong counts the requests with a mismatch, Broken those of them of which each mismatch is a lost connection.
	Wrong, Broken int64
	// Mismatches are by kind and row.
	Mismatches map[Deviation]*Deviations
	// Outcomes has a byte for each natural request in the order of their numbers (reports.Phase.Outcomes).
	Outcomes []byte

	cohorts []Cohort
	name    func(number int) string
	judge   oracle.Judge
	tell    func(*oracle.Evidence) // take
	now     current
}

// Row counts the calls of one row.
type Row struct {
	// Judged counts the calls of all requests: Open those that a time limit may have decided, Unknown those that somebody of whom
	// nothing is known may have answered, Mismatched those with a mismatch.
	Judged, Open, Unknown, Mismatched int64
	// Calls and Failed count those of natural requests.
	Calls, Failed int64
	// Good counts the calls that were answered without failure, by the tries that failed before; Bad those that were answered
	// with one, by the tries that failed, the last one included. Both are of calls without a mismatch, and not of open ones.
	Good, Bad [MaxTries + 1]int64
	// Proxy counts the calls that the caller's proxy answered as the rule says, Aborts those of them that a fault aborted.
	Proxy, Aborts int64
	// Aborted counts the natural calls that a fault aborted, and Spared those that none did.
	Aborted, Spared int64
	// Destinations counts natural calls by the destination that answered, Reached those of all requests.
	Destinations, Reached []int64
	// Workloads counts natural calls by destination and by the workload that answered.
	Workloads [][]int64
	// Draws are of natural calls.
	Draws Draws
	// Added is, in microseconds, what the way and the waits added to good calls whose tries before failed at once, by their number.
	Added [MaxTries + 1]*hdrhistogram.Histogram
}

// Deviation is a kind of mismatch of the calls of a row.
type Deviation struct {
	Kind oracle.Kind
	Row  int
}

// Deviations are those of one kind: how many, the first one with the observation of its request, the cohorts of the attack that they are
// of, and when the first and the last of the requests were due.
type Deviations struct {
	Count           int64
	Observation     attack.Observation
	Cohorts         map[int]bool
	FirstAt, LastAt time.Duration
	First           oracle.Mismatch
	Request         string
	Probe           bool
}

// current is the request that is being judged.
type current struct {
	observation *attack.Observation
	request     oracle.Request
	call        trail.Call
	cohort      int
	planned     time.Duration
	probe       bool
	// open, wrong and any are of the whole request: whether a call of it is open, has a mismatch, or failed at a service of ours; lost:
	// all its mismatches are lost connections.
	open, wrong, any, lost bool
	hash                   uint64
}

// NewTally is an empty tally for the rows of ways and the cohorts of an attack whose requests have these names.
func NewTally(ways *oracle.Ways, cohorts []Cohort, name func(number int) string) *Tally {
	t := &Tally{Rows: make([]Row, len(ways.Rows)), Mismatches: map[Deviation]*Deviations{}, cohorts: cohorts, name: name}
	t.tell = t.take
	for i := range t.Rows {
		to := ways.Rows[i].Destinations
		row := &t.Rows[i]
		row.Destinations, row.Reached, row.Workloads = make([]int64, len(to)), make([]int64, len(to)), make([][]int64, len(to))
		for j := range to {
			row.Workloads[j] = make([]int64, len(to[j].Workloads))
		}
	}
	return t
}

// Add judges an observation and counts what it showed.
func (t *Tally) Add(o *attack.Observation) {
	cohort, now := &t.cohorts[o.Cohort], &t.now
	now.observation, now.request = o, cohort.Request
	now.request.Name = t.name(o.Number)
	now.call = trail.Call{Status: o.Status, Error: o.Error, Elapsed: o.Latency, Hop: o.Trail}
	now.cohort, now.planned, now.probe, now.hash = o.Cohort, o.Planned, cohort.Probe, hashBasis
	now.open, now.wrong, now.any, now.lost = false, false, false, true
	t.judge.Request(&now.request, cohort.Way, &now.call, t.tell)
	if now.open {
		t.Open++
	}
	if o.Status == 0 {
		t.Unanswered++
	}
	if now.wrong {
		t.Wrong++
		if now.lost {
			t.Broken++
		}
	}
	if cohort.Probe {
		t.Probes++
		return
	}
	t.Natural++
	if o.EdgeFailure() {
		t.Edge++
	}
	if now.any || o.EdgeFailure() {
		t.Any++
	}
	t.Outcomes = append(t.Outcomes, now.outcome(o.EdgeFailure()))
}

// outcome is the byte of Tally.Outcomes.
func (now *current) outcome(edge bool) (outcome byte) {
	if edge {
		outcome |= 1
	}
	if now.any || edge {
		outcome |= 2
	}
	if now.open {
		return outcome
	}
	return outcome | byte(1+spread(now.hash)%63)<<2
}

// take counts what one call showed.
func (t *Tally) take(e *oracle.Evidence) {
	row := &t.Rows[e.Way.Row]
	row.Judged++
	failed := e.Observed.Failed()
	if !t.now.probe {
		row.Calls++
		if failed {
			row.Failed++
		}
		t.now.any = t.now.any || failed && !e.Way.Foreign()
	}
	switch {
	case e.Mismatch != nil:
		row.Mismatched++
		t.deviates(e)
		return
	case e.Open:
		row.Open++
		t.now.open = true
		return
	}
	t.count(row, e, failed)
	if e.Unknown {
		row.Unknown++
		return
	}
	t.now.remember(e, e.Failures)
}

// deviates counts a mismatch.
func (t *Tally) deviates(e *oracle.Evidence) {
	t.now.wrong = true
	t.now.lost = t.now.lost && e.Observed.Hop == nil && (e.Observed.Status == 0 || e.Observed.Status == http.StatusServiceUnavailable)
	key := Deviation{e.Mismatch.Kind, e.Mismatch.Row}
	d := t.Mismatches[key]
	if d == nil {
		d = &Deviations{First: *e.Mismatch, Observation: *t.now.observation, Request: t.now.request.Name, Probe: t.now.probe, Cohorts: map[int]bool{}, FirstAt: t.now.planned}
		t.Mismatches[key] = d
	}
	d.Count++
	d.Cohorts[t.now.cohort], d.LastAt = true, t.now.planned
	t.now.remember(e, -1-e.Mismatch.Try)
}

// count counts a call that is decided and right.
func (t *Tally) count(row *Row, e *oracle.Evidence, failed bool) {
	if e.Aborted {
		row.Aborts++
	}
	if e.Destination >= 0 {
		row.Reached[e.Destination]++
	}
	if !t.now.probe {
		t.share(row, e)
	}
	if e.Observed.Hop == nil {
		row.Proxy++
		return
	}
	tries := min(e.Failures, MaxTries)
	if failed {
		row.Bad[min(tries+1, MaxTries)]++
		return
	}
	row.Good[tries]++
	if !e.Prompt {
		return
	}
	if row.Added[tries] == nil {
		row.Added[tries] = hdrhistogram.New(1, int64(attack.Overflow.Microseconds()), 2)
	}
	added := e.Observed.Elapsed - e.Observed.Hop.Elapsed
	_ = row.Added[tries].RecordValue(min(max(added, 0), attack.Overflow).Microseconds()) // it is in the histogram's range
}

// share counts, of a natural call, what the mesh drew.
func (t *Tally) share(row *Row, e *oracle.Evidence) {
	row.Draws.see(e)
	if e.Aborted {
		row.Aborted++
		return
	}
	row.Spared++
	if e.Destination >= 0 {
		row.Destinations[e.Destination]++
		if e.Workload >= 0 {
			row.Workloads[e.Destination][e.Workload]++
		}
	}
}

const hashBasis = 14695981039346656037

// remember takes what the draws decide of a call into the hash of the request's outcome: not which version answered, nor any time.
// tries stands for the tries of the call.
func (now *current) remember(e *oracle.Evidence, tries int) {
	const prime = 1099511628211 // FNV-1a's
	h := now.hash
	h = (h ^ uint64(e.Way.Row)) * prime
	h = (h ^ uint64(e.Observed.Status)) * prime
	h = (h ^ uint64(tries)) * prime
	now.hash = h
}

// spread makes each bit of a hash depend on all others (fmix64 of MurmurHash3): FNV's multiplications leave the last values in its
// lower bits.
func spread(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
