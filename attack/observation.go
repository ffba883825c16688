package attack

import (
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

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
	Trail   *trail.Hop    // nil if the answer had no trail of version trail.Form
}

// EdgeFailure reports whether the request failed at the edge: an answer of 500 or more, a timeout or no answer.
func (o *Observation) EdgeFailure() bool { return o.Status == 0 || o.Status >= 500 }

// read fills the observation from a result of Vegeta. Vegeta gives the code 0 to every request without a complete answer, so 0
// does not mean that the request was not sent.
func (o *Observation) read(result *vegeta.Result) {
	o.Latency = result.Latency
	o.Status = int(result.Code)
	if o.Status == 0 {
		o.Error = classOf(result.Error)
		return
	}
	if result.Headers.Get(trail.HeaderTrail) == trail.Form {
		// An answer whose trail cannot be decoded counts as one without a trail. Tally counts such answers.
		o.Trail, _ = trail.Decode(result.Body)
	}
}
