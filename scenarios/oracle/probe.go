package oracle

import (
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/service/trail"
)

// Want is how many calls of a row are to be met by probes.
type Want struct {
	// Calls are all, whoever answers how, and Retried those of them of which a try fails and another is sent.
	Calls, Retried int
	// Each is wanted of every number of failed tries, up to all of them.
	Each int
	// Timed is wanted of every number of failed tries after which the call is answered.
	Timed int
}

// Probe is a request whose failures are pinned.
type Probe struct {
	// Cohort is the index of its way among those that were planned for.
	Cohort int
	// Pins is the value of trail.HeaderPins.
	Pins string
}

const (
	// mostProbes bounds a plan, or mostEach for each of its ways where that is more: hundreds of rules need hundreds of requests each.
	mostProbes, mostEach = 20_000, 1_000
	// spread is how many standard deviations below the expected number of calls still count as met: chance falls short of that once in
	// a thousand times.
	spread = 3.1
)

// Probes plans requests, in turn for each of the ways, that meet what is wanted of every row. Each one pins some failures at
// every call on its way, so that rows are served side by side; a call of which all tries fail hides those below it, so that
// this is done no more often than is wanted. Where the mesh draws whether a call is made (a split between versions that call others,
// an abort), so many are planned that chance falls short once in a thousand times. propagate says that the requests ask for that
// (trail.Propagate). short are the rows that are met so seldom that no plan of 20,000 probes gives what is wanted of them: they are
// planned for no further.
func (w *Ways) Probes(ways []*Call, wants []Want, propagate bool) (probes []Probe, short []int) {
	b := newProbePlan(ways, wants)
	b.propagate = propagate
	for len(probes) < max(mostProbes, mostEach*len(ways)) {
		b.turn = len(probes)
		clear(b.wanted)
		cohort := b.next(ways)
		if cohort < 0 {
			return probes, b.short
		}
		b.pins, b.length = b.pins[:0], 0
		b.call([]chance{{ways[cohort], 1, 0}}, nil, b.toVictim(ways[cohort]))
		pins := trail.PinNothing
		if len(b.pins) > 0 {
			pins = strings.Join(b.pins, ",")
		}
		probes = append(probes, Probe{Cohort: cohort, Pins: pins})
	}
	for row := range b.rows {
		b.giveUp(row, b.lacking(row))
	}
	return probes, b.short
}

// chance is a call, how likely it is made, and in which step of its caller.
type chance struct {
	*Call
	probability float64
	step        int
}

// expected is how many calls the probes meet where chance decides whether a call is made at all.
type expected struct{ mean, variance float64 }

func (e *expected) add(probability float64) {
	e.mean += probability
	e.variance += probability * (1 - probability)
}

// lacks reports whether fewer than so many are met, but for once in a thousand times.
func (e *expected) lacks(wanted int) bool {
	return wanted > 0 && e.mean-spread*math.Sqrt(e.variance) < float64(wanted)-1e-6 // sums of shares are not exact
}

// rowPlan is what the probes so far meet of a row.
type rowPlan struct {
	tried          bool
	retries        int
	calls, retried expected
	failed         []expected // by the number of failed tries, up to all of them
}

// probePlan counts what the probes so far will meet.
type probePlan struct {
	wants     []Want
	rows      []rowPlan
	propagate bool
	short     []int
	turn      int
	wanted    map[*Call]bool // whether anything is still to be met at a call or below it, as the probe began
	pins      []string
	length    int // of the pins, with a comma after each
}

func newProbePlan(ways []*Call, wants []Want) *probePlan {
	b := &probePlan{wants: append([]Want{}, wants...), rows: make([]rowPlan, len(wants)), wanted: map[*Call]bool{}}
	most := make([]float64, len(wants)) // the most calls of a row that a probe is expected to meet
	for _, way := range ways {
		met := make([]float64, len(wants))
		b.visit(way, 1, met)
		for row := range met {
			most[row] = max(most[row], met[row])
		}
	}
	for row := range wants {
		want := &wants[row]
		b.giveUp(row, float64(max(want.Calls, want.Retried, want.Each*(b.rows[row].retries+2))) > most[row]*mostProbes)
	}
	return b
}

// visit learns what kind of calls the rows have, and adds how many of each a request makes of which no try fails.
func (b *probePlan) visit(c *Call, probability float64, met []float64) {
	row := &b.rows[c.Row]
	if row.failed == nil {
		*row = rowPlan{tried: c.tried(), retries: c.retries(), failed: make([]expected, c.retries()+2)}
	}
	met[c.Row] += probability
	c.below(probability, func(next chance) { b.visit(next.Call, next.probability, met) })
}

// giveUp plans no further for a row if it is hopeless.
func (b *probePlan) giveUp(row int, hopeless bool) {
	if hopeless && b.wants[row] != (Want{}) {
		b.wants[row] = Want{}
		b.short = append(b.short, row)
	}
}

// next is the cohort of the next probe: they take turns, as far as anything is wanted on their ways; -1: nothing is.
func (b *probePlan) next(ways []*Call) int {
	for i := range ways {
		cohort := (b.turn + i) % len(ways)
		if b.wantedAt(ways[cohort]) {
			return cohort
		}
	}
	return -1
}

// wantedAt reports whether anything is still to be met at a call or below it.
func (b *probePlan) wantedAt(c *Call) bool {
	if known, ok := b.wanted[c]; ok {
		return known
	}
	wanted := b.lacking(c.Row)
	c.each(func(next *Call) { wanted = wanted || b.wantedAt(next) })
	b.wanted[c] = wanted
	return wanted
}

// lacking reports whether anything is still to be met of a row itself.
func (b *probePlan) lacking(row int) bool {
	want, plan := b.wants[row], &b.rows[row]
	if plan.calls.lacks(want.Calls) || plan.tried && plan.retries > 0 && plan.retried.lacks(want.Retried) {
		return true
	}
	for n := range plan.failed {
		if plan.tried && plan.failed[n].lacks(want.of(n, plan.retries)) {
			return true
		}
	}
	return false
}

// of is how many calls are wanted of which so many tries fail.
func (w *Want) of(failures, retries int) int {
	if failures > 0 && failures <= retries {
		return max(w.Each, w.Timed)
	}
	return w.Each
}

// tried reports whether somebody of ours can answer a call, so that its tries can be made to fail.
func (c *Call) tried() bool {
	return !c.External && c.reached() > 0
}

// reached is the share of such calls that come to somebody of ours.
func (c *Call) reached() (share float64) {
	for i := range c.Destinations {
		d := &c.Destinations[i]
		for _, w := range d.Workloads {
			if w.Ours {
				share += d.Share * w.Share
			}
		}
	}
	return share * (1 - c.aborts())
}

// aborts is the share of such calls that a fault aborts.
func (c *Call) aborts() float64 {
	if f := c.fault(); f != nil && f.AbortStatus > 0 {
		return f.AbortShare
	}
	return 0
}

// below visits the calls that a call leads to which is made with some probability, each with its own.
func (c *Call) below(probability float64, visit func(next chance)) {
	probability *= 1 - c.aborts()
	if probability == 0 {
		return
	}
	for i := range c.Destinations {
		d := &c.Destinations[i]
		for _, w := range d.Workloads {
			for step, calls := range w.Steps {
				for _, next := range calls {
					visit(chance{next, probability * d.Share * w.Share, step})
				}
			}
		}
	}
}

// toVictim is the way, from the edge, to a call of which all tries are to fail, where failures propagate; nil where nothing lacks that.
// The answer shows such a call only where each call above is at its last try: otherwise the caller's try is sent again. All calls above
// fail with it, so that a request has one victim at most.
func (b *probePlan) toVictim(c *Call) (way []*Call) {
	if !b.propagate {
		return nil
	}
	row := &b.rows[c.Row]
	if row.tried && row.failed[row.retries+1].lacks(b.wants[c.Row].Each) {
		way = []*Call{c}
	}
	c.each(func(next *Call) {
		if below := b.toVictim(next); below != nil && len(way) < 2 { // those below it are victims of the same request
			way = append([]*Call{c}, below...)
		}
	})
	return way
}

// call pins the tries of a call, and those of the calls below it, and returns the probability that it is made and fails. The call is one
// of a group: versions that call different services do so by the same path of tries, so that one pin is for whichever call is made.
// victim is the way to the call of which all tries are to fail (toVictim), from one of the group on.
func (b *probePlan) call(group []chance, p path, victim []*Call) (fails float64) {
	failures := b.pin(group, p, victim)
	below, made := map[int][]chance{}, 0.0
	for _, c := range group {
		if failures <= c.retries() {
			made += c.probability * c.reached()
			c.below(c.probability, func(next chance) { below[next.Number] = append(below[next.Number], next) })
		}
	}
	numbers := slices.Sorted(maps.Keys(below))
	last := math.MaxInt // the last step whose calls are made
	if len(victim) > 1 {
		last = stepOf(below[victim[1].Number], victim[1])
	}
	delivered := p.try(group[0].first() + failures)
	for i := range numbers { // each time another one comes first, since there may not be room for the pins of all
		next := below[numbers[(b.turn+i)%len(numbers)]]
		var on []*Call
		if len(victim) > 1 && next[0].Number == victim[1].Number {
			on = victim[1:]
		} else if next[0].step > last {
			continue // a call that failed before ends the try
		}
		fails += b.call(next, append(path{}, delivered.call(next[0].Number)...), on)
	}
	if !b.propagate || made == 0 {
		fails = 0
	} else {
		fails = min(1, fails/made)
	}
	return b.count(group, failures, fails)
}

// stepOf is the step of a call among others.
func stepOf(among []chance, call *Call) int {
	for _, c := range among {
		if c.Call == call {
			return c.step
		}
	}
	return 0
}

// first is the attempt count of a call's first try.
func (c *Call) first() int {
	if c.Rule == nil {
		return 0
	}
	return 1
}

// pin makes some tries of a call fail, and returns how many: all of a victim, and on the way to it all but the last.
func (b *probePlan) pin(group []chance, p path, victim []*Call) int {
	failures, first := 0, group[0].first()
	switch len(victim) {
	case 0:
		failures = b.choose(group)
	case 1:
		failures = victim[0].retries() + 1
	default:
		failures = victim[0].retries()
	}
	var pins []string
	length := 0
	for n := range failures {
		pin := string(p.try(first+n)) + "=" + trail.PinFail
		pins = append(pins, pin)
		length += len(pin) + 1
	}
	if b.length+length > trail.MaxPins {
		return 0
	}
	b.pins, b.length = append(b.pins, pins...), b.length+length
	return failures
}

// count counts a call of which so many tries fail, and of which the delivered try fails with some probability by what it calls. It
// returns the probability that the call is made and fails.
func (b *probePlan) count(group []chance, failures int, below float64) (fails float64) {
	for i, c := range group {
		same := func(other chance) bool { return other.Row == c.Row }
		if slices.ContainsFunc(group[:i], same) {
			continue
		}
		probability := 0.0
		for _, other := range group[i:] {
			if same(other) {
				probability += other.probability
			}
		}
		probability = min(probability, 1)
		row := &b.rows[c.Row]
		row.calls.add(probability)
		if !row.tried {
			continue
		}
		probability *= c.reached()
		if failed := min(failures, row.retries+1); failed > row.retries {
			row.failed[failed].add(probability)
			fails += probability
		} else {
			row.failed[failed].add(probability * (1 - below))
			row.failed[row.retries+1].add(probability * below)
			fails += probability * below
		}
		if failures > 0 && row.retries > 0 {
			row.retried.add(probability)
		}
	}
	return fails
}

// choose is how many tries of a call fail, as the first of a group wishes, in turn, that wishes anything.
func (b *probePlan) choose(group []chance) int {
	below := false
	for _, c := range group {
		c.each(func(next *Call) { below = below || b.wantedAt(next) })
	}
	for i := range group {
		if n, ok := b.wish(group[(b.turn+i)%len(group)].Row, below); ok {
			return n
		}
	}
	return 0
}

// wish is how many tries of a row's next call are to fail. Numbers of which more are wanted take turns, all of them only every fifth
// time as long as something is wanted below, which such a call would hide. Else the cheapest number is taken that still adds what is
// wanted: one failure where retried calls are, and where nothing is wanted below, a failure that ends the call here. Where failures
// propagate, calls of which all tries fail are victims (toVictim).
func (b *probePlan) wish(row int, below bool) (failures int, ok bool) {
	want, plan := b.wants[row], &b.rows[row]
	if !plan.tried {
		return 0, false
	}
	for i := range plan.failed {
		n := (b.turn + i) % len(plan.failed)
		if plan.failed[n].lacks(want.of(n, plan.retries)) && (n <= plan.retries || !b.propagate && (!below || b.turn%5 == 4)) {
			return n, true
		}
	}
	switch {
	case plan.retries > 0 && plan.retried.lacks(want.Retried):
		return 1, true
	case b.propagate:
	case plan.retries == 0 && !below && plan.calls.lacks(want.Calls):
		return 1, true
	}
	return 0, false
}
