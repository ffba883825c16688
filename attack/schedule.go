package attack

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"time"
)

// Phase is a part of the schedule of an attack. Each one begins where the one before ends.
type Phase struct {
	Name string
	// Rate is how many requests a second are due, and To how many at the end of the phase, between which the rate changes steadily. A phase at a
	// constant rate has To equal to Rate.
	Rate, To float64
	Duration time.Duration
	// Poisson draws the time between two requests, as of users who do not know each other: the mean rate stays.
	Poisson bool
	// Times are when the requests are due, since the beginning of the phase, in order; they take the place of Rate, To and Poisson.
	Times []time.Duration
	// Warmup: what is measured in it is told apart.
	Warmup bool
}

// Requests is how many are due in the phase.
func (p *Phase) Requests() int {
	if p.Times != nil {
		return len(p.Times)
	}
	return int(math.Ceil((p.Rate+p.To)/2*p.Duration.Seconds() - 1e-9))
}

// at is when request n of the phase is due, since its beginning, without draws.
func (p *Phase) at(n int) time.Duration {
	switch {
	case p.Times != nil:
		return p.Times[n]
	case p.Rate == p.To:
		return time.Duration(float64(n) / p.Rate * float64(time.Second))
	}
	// n = Rate·t + (To-Rate)·t²/(2·Duration), solved for t in the form that is exact for a small difference, too.
	slope := (p.To - p.Rate) / p.Duration.Seconds()
	root := math.Sqrt(max(0, p.Rate*p.Rate+2*slope*float64(n)))
	return time.Duration(2 * float64(n) / (p.Rate + root) * float64(time.Second))
}

// schedule says when the requests of an attack are due. It is pure: all time is its arguments.
type schedule struct {
	requests int
	rate     float64 // requests a second
	grace    time.Duration
	phases   []Phase // in place of rate
	firsts   []int   // the number of the first request of each phase
	begins   []time.Duration
	seed     uint64
	// closed: a request is due as soon as there is room for it, until the time is over.
	closed time.Duration
	cell   drawnCell // that of the last time that was drawn
}

// drawnCell are the times of some requests of a phase.
type drawnCell struct {
	phase, first, count int
	times               [cell]time.Duration
}

// schedule is that of a plan.
func (p *Plan) schedule() schedule {
	s := schedule{requests: p.Requests, rate: p.Rate, grace: p.Grace, phases: p.Phases, seed: p.Seed, closed: p.Closed}
	first, begin := 0, time.Duration(0)
	for i := range p.Phases {
		s.firsts, s.begins = append(s.firsts, first), append(s.begins, begin)
		first, begin = first+p.Phases[i].Requests(), begin+p.Phases[i].Duration
	}
	return s
}

// at is when request n is due, since the beginning.
func (s *schedule) at(n int) time.Duration {
	switch {
	case s.closed > 0:
		return 0
	case len(s.phases) == 0:
		return time.Duration(float64(n) / s.rate * float64(time.Second))
	}
	i := s.phaseOf(n)
	p := &s.phases[i]
	if n -= s.firsts[i]; n >= p.Requests() {
		return s.begins[i] + p.Duration // the end of all
	}
	at := p.at(n)
	if p.Poisson {
		at = s.drawn(i, n)
	}
	return s.begins[i] + at
}

// between is the planned time between two requests, in the mean.
func (s *schedule) between() time.Duration {
	if s.closed > 0 {
		return 0
	}
	return time.Duration(float64(time.Second) / s.rate)
}

// phaseOf is the phase to which request n belongs.
func (s *schedule) phaseOf(n int) int {
	i, found := slices.BinarySearch(s.firsts, n)
	if !found {
		i--
	}
	for i+1 < len(s.firsts) && s.firsts[i+1] == n { // phases without a request
		i++
	}
	return i
}

// cell is how many requests of a Poisson process are drawn at once.
const cell = 64

// drawn is when request n of a phase with Poisson is due. The requests of a Poisson process of which the number is known are spread evenly and
// independently of each other (the order statistics of a uniform distribution). Here they are so in each of many cells of the phase, which makes
// every time computable by itself, and the number of requests that of the rate.
func (s *schedule) drawn(phase, n int) time.Duration {
	p := &s.phases[phase]
	first := n / cell * cell
	if c := &s.cell; c.count > 0 && c.phase == phase && c.first == first {
		return c.times[n-first]
	}
	count := min(cell, p.Requests()-first)
	begin, end := p.at(first), p.Duration
	if first+count < p.Requests() {
		end = p.at(first + count)
	}
	random := rand.New(rand.NewPCG(s.seed, uint64(phase)<<32|uint64(first)))
	c := &s.cell
	c.phase, c.first, c.count = phase, first, count
	for i := range count {
		c.times[i] = begin + time.Duration(random.Float64()*float64(end-begin))
	}
	slices.Sort(c.times[:count])
	return c.times[n-first]
}

// due is how many requests are due at elapsed.
func (s *schedule) due(elapsed time.Duration) int {
	return sort.Search(s.requests, func(n int) bool { return s.at(n) > elapsed })
}

// stride is the distance between the numbers of two requests that this process sends.
func (p *Plan) stride() int { return max(1, p.Parts) }

// share is how many of the first n requests this process sends.
func (p *Plan) share(n int) int { return max(0, (n-p.Part+p.stride()-1)/p.stride()) }

// Share is how many requests of the plan this process sends.
func (p *Plan) Share() int { return p.share(p.Requests) }

const leastGrace = 250 * time.Millisecond

// budget is how long the attack may send: the planned time and a grace of a tenth of it, or of leastGrace where that is
// more. What has not left by then never leaves. The grace outlasts a busy machine's pauses; were it longer, a short
// attack at any rate would leave in it, however far beyond what can be sent the rate is.
func (s *schedule) budget() time.Duration {
	if s.closed > 0 {
		return s.closed
	}
	planned := s.at(s.requests)
	if s.grace > 0 {
		return planned + s.grace
	}
	return planned + max(leastGrace, planned/10)
}

// checkPhases refuses what is wrong with the phases of a plan.
func (p *Plan) checkPhases(refuse func(format string, arguments ...any)) {
	sum, right := 0, true
	for i := range p.Phases {
		f := &p.Phases[i]
		was := right
		right = false
		switch {
		case f.Duration <= 0:
			refuse("Phases[%d].Duration %v: must be above 0", i, f.Duration)
		case f.Times != nil && !slices.IsSorted(f.Times):
			refuse("Phases[%d].Times: must be in order", i)
		case f.Times == nil && !(f.Rate >= 0 && f.To >= 0 && f.Rate+f.To > 0 && max(f.Rate, f.To) <= MaxRate):
			refuse("Phases[%d]: Rate %g, To %g: must be above 0, at most %.0f", i, f.Rate, f.To, MaxRate)
		default:
			right = was
			sum += f.Requests()
		}
	}
	if len(p.Phases) > 0 && right && sum != p.Requests {
		refuse("Requests %d: the phases have %d", p.Requests, sum)
	}
}
