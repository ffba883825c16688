package attack

import (
	"time"

	"github.com/hellochaos/hellochaos/service/trail"
)

// Observation is what became of one request of an attack: its answer, or the class of its error.
type Observation struct {
	Number  int           // in planned order, from 0
	Cohort  int           // index in Plan.Cohorts
	Planned time.Duration // when it was due, since the attack began
	Started time.Duration // when it was sent, since the attack began
	Latency time.Duration // from sending the request until the answer was read
	Status  int           // the HTTP status; 0: there was no complete answer
	Error   string        // the class of the error, such as Timeout or Refused; empty if there is a Status
	// BytesIn are the bytes of the answer's body, and BytesOut those of the request's, where a bare plan got a complete answer; else 0.
	BytesIn, BytesOut int64
	Trail             *trail.Hop // nil if the answer had no trail of version trail.Form
}

// EdgeFailure reports whether the request failed at the edge: an answer of 500 or more, a timeout or no answer.
func (o *Observation) EdgeFailure() bool { return o.Status == 0 || o.Status >= 500 }

// Late reports whether the request left later than its planned start by more than the limit of Result.Late.
func (o *Observation) Late() bool { return o.Started-o.Planned > lateAfter }

// Bad reports whether the request got no good answer, for an attack on addresses that the user names: no complete answer, or a status below
// 200 or from 400 on. It is what Vegeta counts as no success.
func (o *Observation) Bad() bool { return o.Status < 200 || o.Status >= 400 }

// Response is the latency from the planned start until the answer was read: what a request that is sent late waits before counts, too. For a
// service that stands still, Latency alone leaves out the requests that could not be sent meanwhile (coordinated omission).
func (o *Observation) Response() time.Duration { return max(o.Started+o.Latency-o.Planned, o.Latency) }

// read fills the observation from an outcome.
func (o *Observation) read(from *outcome) {
	o.Latency, o.Status, o.Error = from.latency, from.status, string(from.class)
	if o.Status == 0 {
		return
	}
	o.BytesIn, o.BytesOut = from.in, from.out
	if from.trail {
		// An answer whose trail cannot be decoded counts as one without a trail. Tally counts such answers.
		o.Trail, _ = trail.Decode(from.body)
	}
}
