package oracle

import (
	"strings"

	"github.com/hellochaos/hellochaos/service/trail"
)

// Want is how many calls of a row are to be met by probes.
type Want struct {
	// Calls without a failed try, and Retried ones, of which at least one try fails.
	Calls, Retried int
	// Each is wanted of every number of failed tries, up to all of them.
	Each int
}

// Probe is a request whose failures are pinned.
type Probe struct {
	// Cohort is the index of its way among those that were planned for.
	Cohort int
	// Pins is the value of trail.HeaderPins.
	Pins string
}

// mostProbes bounds a plan: what it leaves unmet is seen when the probes are judged.
const mostProbes = 20_000

// Probes plans requests, in turn for each of the ways, that meet what is wanted of every row. Each one pins some failures at
// every call on its way, so that rows are served side by side; a call of which all tries fail hides those below it, so that
// this is done no more often than is wanted.
func (w *Ways) Probes(ways []*Call, wants []Want) []Probe {
	b := &probePlan{wants: wants, calls: make([]int, len(wants)), retried: make([]int, len(wants)), failed: make([][]int, len(wants))}
	for i := range b.failed {
		b.failed[i] = make([]int, 0, 8)
	}
	var probes []Probe
	for idle := 0; idle < len(ways) && len(probes) < mostProbes; {
		cohort := len(probes) % len(ways)
		if b.wanted(ways[cohort], map[*Call]bool{}) {
			idle = 0
		} else if idle++; idle == len(ways) {
			break
		}
		b.pins, b.turn = b.pins[:0], len(probes)/len(ways)
		b.call(ways[cohort], nil)
		pins := trail.PinNothing
		if len(b.pins) > 0 {
			pins = strings.Join(b.pins, ",")
		}
		probes = append(probes, Probe{Cohort: cohort, Pins: pins})
	}
	return probes
}

// probePlan counts what the probes so far will meet.
type probePlan struct {
	wants          []Want
	calls, retried []int   // by row
	failed         [][]int // by row and number of failed tries
	turn           int
	pins           []string
}

// wanted reports whether anything is still to be met at a call or below it.
func (b *probePlan) wanted(c *Call, seen map[*Call]bool) bool {
	if seen[c] {
		return false
	}
	seen[c] = true
	return b.missing(c) || b.below(c, func(next *Call) bool { return b.wanted(next, seen) })
}

// missing reports whether anything is still to be met at a call itself.
func (b *probePlan) missing(c *Call) bool {
	want := b.wants[c.Row]
	if !c.tried() {
		return false
	}
	if b.calls[c.Row] < want.Calls || c.retries() > 0 && b.retried[c.Row] < want.Retried {
		return true
	}
	for n := 0; n <= c.retries()+1; n++ {
		if b.met(c, n) < want.Each {
			return true
		}
	}
	return false
}

// tried reports whether somebody of ours can answer a call, so that its tries can be made to fail.
func (c *Call) tried() bool {
	if c.External {
		return false
	}
	for i := range c.Destinations {
		for _, w := range c.Destinations[i].Workloads {
			if w.Ours {
				return true
			}
		}
	}
	return false
}

// below reports whether something holds for any call that a call leads to.
func (b *probePlan) below(c *Call, holds func(*Call) bool) bool {
	for i := range c.Destinations {
		for _, w := range c.Destinations[i].Workloads {
			for _, step := range w.Steps {
				for _, next := range step {
					if holds(next) {
						return true
					}
				}
			}
		}
	}
	return false
}

func (b *probePlan) met(c *Call, failures int) int {
	if failures >= len(b.failed[c.Row]) {
		return 0
	}
	return b.failed[c.Row][failures]
}

// call pins a call's tries and those of the calls below it.
func (b *probePlan) call(c *Call, p path) {
	if !c.tried() {
		return
	}
	failures := b.choose(c)
	for len(b.failed[c.Row]) <= failures {
		b.failed[c.Row] = append(b.failed[c.Row], 0)
	}
	b.failed[c.Row][failures]++
	first := 0
	if c.Rule != nil {
		first = 1
	}
	for n := range failures {
		b.pins = append(b.pins, string(p.try(first+n))+"="+trail.PinFail)
	}
	if failures > 0 {
		b.retried[c.Row]++
	} else {
		b.calls[c.Row]++
	}
	if failures > c.retries() {
		return
	}
	delivered := p.try(first + failures)
	done := map[int]bool{} // versions that call others share the pins of calls with one number
	b.below(c, func(next *Call) bool {
		if !done[next.Number] {
			done[next.Number] = true
			b.call(next, append(path{}, delivered.call(next.Number)...))
		}
		return false
	})
}

// choose is how many tries of a call fail: what is wanted most, and all of them only every fifth time as long as something is
// wanted below.
func (b *probePlan) choose(c *Call) int {
	want, retries := b.wants[c.Row], c.retries()
	all := retries + 1
	if b.met(c, all) < want.Each && (b.turn%5 == 4 || !b.below(c, func(next *Call) bool { return b.wanted(next, map[*Call]bool{}) })) {
		return all
	}
	if b.calls[c.Row] < max(want.Calls, want.Each) && (retries == 0 || b.turn%5 == 0 || b.retried[c.Row] >= want.Retried) {
		return 0
	}
	if retries == 0 {
		return 0
	}
	if b.retried[c.Row] >= want.Retried && b.met(c, b.turn%retries+1) >= want.Each {
		return 0
	}
	return b.turn%retries + 1
}
