package attack

import (
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/hellochaos/hellochaos/service/trail"
)

// Observation is one delivered or failed request of an attack.
type Observation struct {
	Number  int           // in planned order, from 0
	Cohort  int           // index in Plan.Cohorts
	Planned time.Duration // since the attack began
	Started time.Duration // when it was sent, since the attack began
	Latency time.Duration // from sending to having read the answer
	Status  int           // 0: no whole answer, and then Error is its class
	Error   string        // one of the error classes: Timeout, Refused, ...; empty with a Status
	Trail   *trail.Hop    // nil when the answer carried none, or none of trail.Form
}

// EdgeFailure reports whether the request failed at the edge: an answer of 500 or more, a timeout or no answer.
func (o *Observation) EdgeFailure() bool { return o.Status == 0 || o.Status >= 500 }

// read fills the observation with what Vegeta's result says. Vegeta gives the code 0 to every request whose answer
// did not arrive whole, so a 0 does not mean that nothing was sent.
func (o *Observation) read(result *vegeta.Result) {
	o.Latency = result.Latency
	o.Status = int(result.Code)
	if o.Status == 0 {
		o.Error = classOf(result.Error)
		return
	}
	if result.Headers.Get(trail.HeaderTrail) == trail.Form {
		// A trail that cannot be read is a trail that did not come: Tally counts such answers.
		o.Trail, _ = trail.Decode(result.Body)
	}
}
