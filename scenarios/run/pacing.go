package run

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/hellochaos/hellochaos/expect"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
)

const (
	// timedShare of the capacity is used where waits are timed: a busy machine wakes up late.
	timedShare = 0.5
	// leastConnections and mostConnections bound the requests under way in a phase for which the user did not.
	leastConnections, mostConnections = 64, 1024
	// Where a request leads to many tries, fewer are let under way: so many that these are their tries, but at least the fewest.
	triesUnderWay, fewestConnections = 2_000, 8
	// mostHeld is the longest time of a request for which a phase goes on so that each run of a seed sends as many requests: waiting for
	// requests that hang would cost more than that is worth.
	mostHeld = 500 * time.Millisecond
)

// Pace is what a kind of target can be asked for.
type Pace struct {
	// Capacity is how many tries a second it carries without strain, and Timed the shortest wait that it can be held to:
	// below it the machines' own pace says more than the policy.
	Capacity float64
	Timed    time.Duration
	// Connections, where it is not 0, is how many requests it carries at once: it may have no more files and sockets open.
	Connections int
	// Remote: others use its machines and networks, too, so that a connection may break without anybody's fault.
	Remote bool
}

// pacing keeps the tries that a second's requests cause within the target's capacity, and bounds the requests under way: after a
// pause of this machine those that are due leave one after another, where all at once would overload what is measured.
func (p *planned) pacing() {
	var tries, mean float64
	var longest time.Duration
	for _, prediction := range p.predictions {
		for i := range prediction.Rows {
			tries += prediction.Rows[i].Tries * prediction.Share
		}
		mean += prediction.Mean.Seconds() * prediction.Share
		longest = max(longest, prediction.Longest)
	}
	probed, waited := p.probed()
	share := float64(p.probes) / float64(p.settled)
	tries = 1 + (1-share)*tries + share*probed // the edge's own work counts as one
	mean = (1-share)*mean + share*waited
	p.connections = p.options.Attack.Connections
	most := min(mostConnections, cmp.Or(p.pace.Connections, mostConnections))
	if p.rate = p.options.Attack.Rate; p.rate == 0 {
		p.rate = p.pace.Capacity / tries
		if p.times() {
			p.rate *= timedShare
		}
		if mean > 0 {
			p.rate = min(p.rate, float64(cmp.Or(p.connections, most))/2/mean)
		}
		p.rate = math.Max(1, math.Floor(p.rate))
	}
	least := min(leastConnections, max(fewestConnections, int(triesUnderWay/tries)))
	p.underWay = min(most, least+int(4*p.rate*mean))
	if p.connections == 0 {
		p.connections = most
		if p.options.Attack.Rate == 0 {
			p.connections = p.underWay
		}
	}
	// Those under way, and answers that wait for an earlier one: requests are judged in their order, so that a slow one holds up those
	// that were sent after it.
	p.lead = max(2*min(p.connections, p.underWay), int(p.rate*min(longest, mostHeld).Seconds()))
}

// probed is how many tries a probe leads to, and how long it takes, on the whole.
func (p *planned) probed() (tries, seconds float64) {
	probes := p.judged[len(p.Cohorts):]
	if len(probes) == 0 {
		return 0, 0
	}
	for i := range probes {
		played := p.ways.PlayOnce(&probes[i].Request, probes[i].Way)
		tries, seconds = tries+float64(played.Tries), seconds+played.Elapsed.Seconds()
	}
	return tries / float64(len(probes)), seconds / float64(len(probes))
}

// times reports whether the phase times waits.
func (p *planned) times() bool {
	return slices.ContainsFunc(p.wants, func(w oracle.Want) bool { return w.Timed > 0 }) ||
		slices.ContainsFunc(p.expected, func(e expect.Expectation) bool { return e.Kind == expect.Latency })
}
