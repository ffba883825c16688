package oracle

import (
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
)

const (
	// plays is how many requests are played for a prediction, so that no probability has a standard error above 0.0025.
	plays = 40_000
	// timedPlays are enough where the probabilities are exact, and only times are asked for.
	timedPlays = 4_000
	// mostPlayed bounds the tries of all of them: a large graph is played less often.
	mostPlayed = 4_000_000
)

// play plays so many requests one by one, with what the mesh draws drawn by chance, and without the machine's own time.
func (w *Ways) play(request *Request, first *Call, plays int) *Prediction {
	p := player{Request: *request, chance: rand.New(rand.NewPCG(1, 2)), rows: make([]RowPrediction, len(w.Rows))}
	limit := time.Duration(never)
	if request.Timeout > 0 {
		limit = request.Timeout
	}
	var edge, any, n int
	var buffer [256]byte
	var times []time.Duration
	for ; n < plays && p.tries < mostPlayed; n++ {
		p.Name = "play/" + strconv.Itoa(n)
		p.shown = p.shown[:0]
		end := p.call(first, path(buffer[:0]), limit)
		times = append(times, end.elapsed)
		if end.cut {
			p.shown = append(p.shown[:0], shownCall{call: first, failed: true})
		}
		if end.failed() {
			edge++
		}
		if p.tally() || end.failed() {
			any++
		}
	}
	result := &Prediction{Rows: p.rows, Error: 0.5 / math.Sqrt(float64(n)), Edge: float64(edge) / float64(n), Any: float64(any) / float64(n)}
	for i := range result.Rows {
		row := &result.Rows[i]
		row.Shown, row.Failed, row.Tries = row.Shown/float64(n), row.Failed/float64(n), row.Tries/float64(n)
	}
	slices.Sort(times)
	var sum time.Duration
	for _, t := range times {
		sum += t
	}
	result.Mean, result.Longest = sum/time.Duration(n), times[min(n-1, n*999/1000)]
	return result
}

// tally counts the calls that the answer of a request shows, and reports whether one to a service of ours failed.
func (p *player) tally() (ours bool) {
	for _, s := range p.shown {
		row := &p.rows[s.call.Row]
		row.Shown++
		if s.failed {
			row.Failed++
			ours = ours || !s.call.Foreign()
		}
	}
	return ours
}

// player plays one request after another.
type player struct {
	Request
	chance *rand.Rand
	rows   []RowPrediction
	tries  int
	// shown are the calls that the answer shows, as far as it is composed.
	shown []shownCall
}

type shownCall struct {
	call   *Call
	failed bool
	end    played
}

// played is how a call or a try ended.
type played struct {
	status  int
	elapsed time.Duration
	cut     bool // its caller went away first
	// failures is how many tries of a call failed, and to the destination to which they went; nil where the proxy answered itself.
	failures int
	to       *Destination
	aborted  bool // by a fault
}

func (e played) failed() bool {
	return e.cut || e.status == 0 || e.status >= http.StatusInternalServerError
}

// call plays a call whose caller waits for limit.
func (p *player) call(c *Call, at path, limit time.Duration) played {
	mark := len(p.shown)
	p.shown = append(p.shown, shownCall{call: c})
	end := p.proxied(c, at, limit)
	if end.elapsed >= limit {
		end = played{elapsed: limit, cut: true}
	}
	if end.cut {
		p.shown = p.shown[:mark]
		return end
	}
	p.shown[mark].failed, p.shown[mark].end = end.failed(), end
	return end
}

func (p *player) proxied(c *Call, at path, limit time.Duration) played {
	if own, ok := c.answer(); ok {
		return played{status: own}
	}
	var began time.Duration
	if f := c.fault(); f != nil {
		if f.Delay > 0 && p.chance.Float64() < f.DelayShare {
			began = f.Delay
		}
		if f.AbortStatus > 0 && p.chance.Float64() < f.AbortShare {
			return played{status: f.AbortStatus, elapsed: began, aborted: true}
		}
	}
	if began >= limit {
		return played{elapsed: limit, cut: true}
	}
	route := c.Rule != nil && c.Rule.Timeout > 0 && c.Rule.Timeout < limit-began
	within := limit - began
	if route {
		within = c.Rule.Timeout
	}
	end := p.sent(c, at, within)
	if end.cut && route {
		p.forget(c)
		end = played{status: http.StatusGatewayTimeout, elapsed: within, failures: end.failures}
	}
	end.elapsed += began
	return end
}

// forget takes back what lies below the last entry of a call.
func (p *player) forget(c *Call) {
	for i := len(p.shown) - 1; i >= 0; i-- {
		if p.shown[i].call == c {
			p.shown = p.shown[:i+1]
			return
		}
	}
}

// sent plays the tries of a call at one of its destinations.
func (p *player) sent(c *Call, at path, limit time.Duration) played {
	d := pick(p.chance, c.Destinations, func(d *Destination) float64 { return d.Share })
	if d.Status != 0 || len(d.Workloads) == 0 {
		return played{status: max(d.Status, http.StatusOK), to: d}
	}
	var retry manifests.Retry
	first := 0
	if c.Rule != nil {
		retry, first = c.Rule.Retry, 1
	}
	var began time.Duration
	for n := 0; ; n++ {
		if began >= limit {
			return played{elapsed: limit, cut: true}
		}
		mark := len(p.shown)
		allowance, perTry := limit-began, retry.PerTry > 0 && retry.PerTry < limit-began
		if perTry {
			allowance = retry.PerTry
		}
		p.tries++
		p.rows[c.Row].Tries++
		end := p.try(*pick(p.chance, d.Workloads, func(w **Workload) float64 { return (*w).Share }), at.try(first+n), allowance)
		failure := manifests.Failure{Status: end.status}
		if end.cut {
			p.shown = p.shown[:mark]
			if !perTry {
				return played{elapsed: limit, cut: true}
			}
			failure = manifests.Failure{PerTryTimeout: true}
			end = played{status: http.StatusGatewayTimeout, elapsed: allowance}
		}
		if n >= retry.Attempts || !retry.Covers(failure) {
			end.elapsed += began
			if end.failures, end.to = n, d; end.failed() {
				end.failures++
			}
			return end
		}
		p.shown = p.shown[:mark]
		began += end.elapsed + time.Duration(p.chance.Float64()*float64(retry.BackOff(n+1)))
	}
}

// try plays a try at a workload.
func (p *player) try(w *Workload, at path, limit time.Duration) played {
	var now time.Duration
	if p.hangs(w, at) {
		now = w.HangTime
	}
	if now >= limit {
		return played{cut: true, elapsed: limit}
	}
	if p.fails(w, at) {
		return played{status: http.StatusInternalServerError, elapsed: now}
	}
	now += w.Work
	for _, step := range w.Steps {
		var slowest time.Duration
		failed := false
		for _, c := range step {
			end := p.call(c, at.call(c.Number), limit-now)
			if end.cut {
				return played{cut: true, elapsed: limit}
			}
			slowest, failed = max(slowest, end.elapsed), failed || end.failed()
		}
		if now += slowest; failed && p.Propagate {
			return played{status: http.StatusInternalServerError, elapsed: now}
		}
	}
	return played{status: http.StatusOK, elapsed: now}
}

// pick is one of several by their shares.
func pick[T any](chance *rand.Rand, all []T, share func(*T) float64) *T {
	if len(all) == 1 {
		return &all[0]
	}
	draw, sum := chance.Float64(), 0.0
	for i := range all {
		if sum += share(&all[i]); draw < sum {
			return &all[i]
		}
	}
	return &all[len(all)-1]
}

// timeless reports whether no time limit can end a try of such a request, and its failures are absorbed.
func timeless(r *Request, first *Call) bool {
	if r.Propagate || r.Hang > 0 {
		return false
	}
	longest, ok := longestOf(first, map[*Call]time.Duration{})
	return ok && (r.Timeout == 0 || r.Timeout > longest+Margin)
}

// longestOf is the longest that a call can take without hanging tries; ok is false where a limit below it may matter.
func longestOf(c *Call, known map[*Call]time.Duration) (longest time.Duration, ok bool) {
	if t, ok := known[c]; ok {
		return t, true
	}
	try := time.Duration(0)
	for i := range c.Destinations {
		for _, w := range c.Destinations[i].Workloads {
			if w.Hang != nil && *w.Hang > 0 {
				return 0, false
			}
			sum := w.Work
			for _, step := range w.Steps {
				var slowest time.Duration
				for _, next := range step {
					t, ok := longestOf(next, known)
					if !ok {
						return 0, false
					}
					slowest = max(slowest, t)
				}
				sum += slowest
			}
			try = max(try, sum)
		}
	}
	if c.Rule == nil {
		known[c] = try
		return try, true
	}
	for n := 0; n <= c.retries(); n++ {
		longest += try + c.Rule.Retry.BackOff(n)
	}
	if f := c.Rule.Fault; f != nil && f.Delay > 0 {
		longest += f.Delay
	}
	perTry, route := c.Rule.Retry.PerTry, c.Rule.Timeout
	if perTry > 0 && perTry <= try+Margin || route > 0 && route <= longest+Margin {
		return 0, false
	}
	known[c] = longest
	return longest, true
}

// Shown is a call that the answer to a request shows.
type Shown struct {
	Row int
	// Failed: the call failed. Failures is how many of its tries did, the last one included.
	Failed   bool
	Failures int
	// Destination is the index of the one to which it went; -1 where the proxy answered itself. Aborted: a fault aborted it.
	Destination int
	Aborted     bool
}

// Foresee plays so many requests one after another, with what the mesh draws drawn by chance and without the machine's own time, and calls
// tell for each call that their answers show. next is the request with a number, and where it goes.
func (w *Ways) Foresee(requests int, next func(number int) (*Request, *Call), tell func(number int, s Shown)) {
	p := player{chance: rand.New(rand.NewPCG(1, 2)), rows: make([]RowPrediction, len(w.Rows))}
	for n := range requests {
		request, first := next(n)
		p.Request, p.shown = *request, p.shown[:0]
		limit := time.Duration(never)
		if request.Timeout > 0 {
			limit = request.Timeout
		}
		if p.call(first, nil, limit).cut {
			continue // the answer shows nothing
		}
		for _, s := range p.shown {
			to := slices.IndexFunc(s.call.Destinations, func(d Destination) bool { return s.end.to != nil && d.Name == s.end.to.Name })
			tell(n, Shown{Row: s.call.Row, Failed: s.failed, Failures: s.end.failures, Destination: to, Aborted: s.end.aborted})
		}
	}
}

// Played is what came of one played request.
type Played struct {
	Tries   int
	Elapsed time.Duration
}

// PlayOnce plays one request.
func (w *Ways) PlayOnce(request *Request, first *Call) Played {
	p := player{Request: *request, chance: rand.New(rand.NewPCG(1, 2)), rows: make([]RowPrediction, len(w.Rows))}
	end := p.call(first, nil, never)
	return Played{p.tries, end.elapsed}
}
