package scenarios

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/hellochaos/hellochaos/attack"
)

const (
	// defaultMost is the most requests that a phase plans unless the user says otherwise.
	defaultMost = 50000
	// ledgerMost is the most that are planned for the sake of a ledger alone: rarer failures are not waited for.
	ledgerMost = 20000
	// waitsMost is the most that are planned for the sake of a wait alone.
	waitsMost = 5000
	// leastRequests of a phase are planned even where every check wants fewer.
	leastRequests = 200
	// timedShare of the capacity is used where waits are timed: a busy machine wakes up late.
	timedShare = 0.65

	defaultConnections = 1024
)

// plan settles the number of requests and their rate, and adds the checks that this many requests allow.
func (p *phase) plan(pace Pace) {
	for _, hop := range p.stage.retried {
		p.lookAtRetries(hop)
	}
	p.rate = p.options.Attack.Rate
	if p.rate == 0 {
		p.rate = p.plannedRate(pace.Capacity)
	}
	wanted := float64(leastRequests)
	for _, c := range p.checks {
		demand := c.demand()
		if math.IsInf(demand, 1) {
			continue // no number would do: the check will say that it has no data
		}
		if _, ok := c.(*ledger); ok {
			demand = min(demand, ledgerMost)
		}
		wanted = max(wanted, demand)
	}
	wanted = max(wanted, p.firstWaits())
	most := float64(defaultMost)
	if p.options.Attack.MaxRequests > 0 {
		most = float64(p.options.Attack.MaxRequests)
	}
	if d := p.options.Attack.Duration; d > 0 {
		most = min(most, math.Floor(p.rate*d.Seconds()))
	}
	p.requests = max(len(p.cohorts), whole(min(wanted, most)))
	if p.after {
		for _, hop := range p.stage.retried {
			p.timeRetries(hop)
		}
	}
	p.lead = p.inFlight()
}

// tooLong refuses a plan that would send for longer than an attack may, by the names of the flags.
func (p *phase) tooLong() error {
	if seconds := float64(p.requests) / p.rate; seconds > attack.MaxSending.Seconds() {
		return fmt.Errorf("--rate %g: the %d requests that the phase needs would take %.0f hours, and it may send for %.0f: choose a higher --rate, or fewer requests with --max-requests or --duration",
			p.rate, p.requests, seconds/3600, attack.MaxSending.Hours())
	}
	return nil
}

// whole rounds up; sums of probabilities that come in any order may differ in their last digits.
func whole(x float64) int { return int(math.Ceil(x - 1e-6)) }

// lookAtRetries adds the ledger of a hop.
func (p *phase) lookAtRetries(hop string) {
	f := p.forecasts[0]
	i := f.index(hop)
	switch {
	case i < 0:
		p.checks = append(p.checks, &ledger{hop: hop})
	case f.timedOut[i] > 0:
		p.omit(hop, "the route's timeout ends calls between two tries, so no exact number of tries is promised")
	default:
		p.checks = append(p.checks, newLedger(f, i))
	}
}

// timeRetries adds the checks of a hop's waits.
func (p *phase) timeRetries(hop string) {
	if i := p.forecasts[0].index(hop); i >= 0 {
		checks, left := backoffs(p.forecasts[0], i, p.requests, p.pace.Timed)
		p.checks = append(p.checks, checks...)
		p.omit(hop, left)
	}
}

// firstWaits is how many requests time the wait before the first retry of every hop, as far as waitsMost of them do.
func (p *phase) firstWaits() (wanted float64) {
	for _, hop := range p.stage.retried {
		if i := p.forecasts[0].index(hop); i >= 0 && p.after {
			checks, _ := backoffs(p.forecasts[0], i, waitsMost, p.pace.Timed)
			if len(checks) > 0 && checks[0].(*backoff).attempt == 2 {
				wanted = max(wanted, checks[0].demand())
			}
		}
	}
	return wanted
}

// omit notes why something is left out for a hop; no reason, no omission.
func (p *phase) omit(hop, why string) {
	if why == "" {
		return
	}
	i := slices.IndexFunc(p.left, func(o omission) bool { return o.why == why })
	if i < 0 {
		i = len(p.left)
		p.left = append(p.left, omission{why: why})
	}
	p.left[i].hops = append(p.left[i].hops, hop)
}

// plannedRate keeps the tries that a second's requests cause within the target's capacity, and the requests in flight
// well within the connections.
func (p *phase) plannedRate(capacity float64) float64 {
	var tries, mean float64
	for _, f := range p.forecasts {
		for i := range f.hops {
			tries += f.tries[i]
		}
		mean = max(mean, f.mean.Seconds())
	}
	tries = 1 + tries/float64(len(p.forecasts)) // the edge's own work counts as one
	rate := capacity / tries
	if p.times() {
		rate *= timedShare
	}
	if mean > 0 {
		rate = min(rate, float64(p.connections())/2/mean)
	}
	return math.Max(1, math.Floor(rate))
}

// times reports whether the phase times waits, if it sees enough of them.
func (p *phase) times() bool {
	f := p.forecasts[0]
	return p.after && slices.ContainsFunc(p.stage.retried, func(hop string) bool {
		i := f.index(hop)
		return i >= 0 && len(f.lost[i]) > 0
	})
}

// longest is the time that all but one in 10,000 requests take, in the cohort where that is longest.
func (p *phase) longest() (t time.Duration) {
	for _, f := range p.forecasts {
		t = max(t, f.longest)
	}
	return t
}

// inFlight is how many requests may be under way when the shares are decided, with a tenth of a second for the machine: a
// stop that far ahead comes at the same request in every run with the same seed.
func (p *phase) inFlight() int {
	return int(p.rate * (p.longest() + 100*time.Millisecond).Seconds())
}

// settled is how many requests must be looked at before the phase may end early: as many as its exact checks, ledgers and
// medians asked for. They are judged at the end, never before.
func (p *phase) settled() int {
	var most float64
	for _, c := range p.checks {
		if _, ok := c.(*proportion); !ok {
			most = max(most, c.demand())
		}
	}
	return whole(min(most, float64(p.requests)))
}

// proportions are the checks that may be decided early.
func (p *phase) proportions() []*proportion {
	var found []*proportion
	for _, c := range p.checks {
		if q, ok := c.(*proportion); ok {
			found = append(found, q)
		}
	}
	return found
}
