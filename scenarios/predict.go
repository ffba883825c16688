package scenarios

import (
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/service/trail"
)

// maxHops bounds the chain's length: frontend, middleware, backend, clock and room for a longer one of the user's.
const maxHops = 6

// forecast is what the applied objects, the fail and hang probabilities and the cascade mode imply for a request.
//
// It is computed exactly, by enumerating the outcomes of each call, and not simulated; without hung tries there are closed
// formulas, which its tests compare it with. The services' own times count as nothing, back-offs as their means.
type forecast struct {
	hops []hop
	// edgeFailure and cascading are probabilities per request.
	edgeFailure, cascading float64
	// mean is the expected time of a request; longest is exceeded by one in 10,000.
	mean, longest time.Duration
	// per hop: the probability that a delivered answer shows a call to it; that it shows a failed one; the expected
	// tries per request.
	shown, failed, tries [maxHops]float64
	// status is the probability that a delivered answer shows a call to a hop with this status.
	status [maxHops]map[int]float64
	// lost are the durations of tries that were sent again, with the expected number per request.
	lost [maxHops]map[time.Duration]float64
	// timedOut is the expected number of calls to a hop per request that its route timeout ends.
	timedOut [maxHops]float64
}

// question is what a forecast answers.
type question struct {
	fail, hang float64
	cascade    string
	// timeout is how long the edge waits.
	timeout time.Duration
}

// predict enumerates what a request may meet on its way through hops. The error says that time limits lie so close to
// what back-offs and hung tries take that no prediction holds.
func predict(hops []hop, q question) (*forecast, error) {
	// Back-offs at their mean; then at nothing and at their bounds, and hung tries a twentieth shorter and longer.
	f, err := newModel(hops, q, 0.5, 1).forecast()
	if err != nil {
		return nil, err
	}
	for _, other := range []struct{ wait, stretch float64 }{{0, 1}, {1, 1}, {0.5, 0.95}, {0.5, 1.05}} {
		g, err := newModel(hops, q, other.wait, other.stretch).forecast()
		if err != nil {
			return nil, err
		}
		if name, p, r := f.apart(g); name != "" {
			return nil, fmt.Errorf("a timeout or perTryTimeout lies so close to the time that back-offs or hung tries take that it cannot be predicted what it cuts: %s is %.3f or %.3f; choose limits further away", name, p, r)
		}
		f.longest = max(f.longest, g.longest)
	}
	return f, nil
}

// apart names the first probability in which two forecasts differ by more than a fifth of the usual tolerance.
func (f *forecast) apart(g *forecast) (name string, p, q float64) {
	const most = 0.01
	if math.Abs(f.edgeFailure-g.edgeFailure) > most {
		return "edge failure", f.edgeFailure, g.edgeFailure
	}
	for i := range f.hops {
		if f.shown[i] > 0 && g.shown[i] > 0 && math.Abs(f.failure(i)-g.failure(i)) > most {
			return "failure of calls to " + f.hops[i].name, f.failure(i), g.failure(i)
		}
	}
	return "", 0, 0
}

// failure is the probability that a call to hop i fails, given that a delivered answer shows it; NaN when none does.
func (f *forecast) failure(i int) float64 { return f.failed[i] / f.shown[i] }

// again is the probability that a try of hop i is sent again when there is one left: the r for which calls of 1 + r + … +
// r^retries tries make the expected number of tries.
func (f *forecast) again(i int) float64 {
	var lost float64
	for _, p := range f.lost[i] {
		lost += p
	}
	calls := f.tries[i] - lost
	if lost == 0 || calls <= 0 {
		return 0
	}
	lo, hi := 0.0, 1.0
	for range 60 {
		r := (lo + hi) / 2
		if geometric(r, f.hops[i].tries()) < f.tries[i]/calls {
			lo = r
		} else {
			hi = r
		}
	}
	return (lo + hi) / 2
}

// geometric is 1 + r + … + r^(n-1).
func geometric(r float64, n int) (sum float64) {
	power := 1.0
	for range n {
		sum += power
		power *= r
	}
	return sum
}

// index is the position of a service in the chain, -1 when it is not on the way.
func (f *forecast) index(name string) int {
	return slices.IndexFunc(f.hops, func(h hop) bool { return h.name == name })
}

// outcome is one way that a call can end.
type outcome struct {
	status  int
	elapsed time.Duration
	// cut: the caller went away first, nothing is seen.
	cut bool
	// seen is the status of the call to each hop, as the answer's trail shows it; 0 where it shows none.
	seen [maxHops]int16
}

// ending is the distribution of a call's outcomes, and the tries that it costs.
type ending struct {
	outcomes map[outcome]float64
	tries    [maxHops]float64
	lost     [maxHops]map[time.Duration]float64
	timedOut [maxHops]float64
}

func newEnding() *ending { return &ending{outcomes: map[outcome]float64{}} }

// add takes in the cost of another ending that happens with probability p.
func (e *ending) add(other *ending, p float64) {
	for i := range e.tries {
		e.tries[i] += p * other.tries[i]
		e.timedOut[i] += p * other.timedOut[i]
		for d, q := range other.lost[i] {
			e.lose(i, d, p*q)
		}
	}
}

func (e *ending) lose(hop int, d time.Duration, p float64) {
	if e.lost[hop] == nil {
		e.lost[hop] = map[time.Duration]float64{}
	}
	e.lost[hop][d] += p
}

// model computes endings by recursion along the chain.
type model struct {
	hops []hop
	question
	// wait is the share of each back-off's bound that is waited, stretch a factor on the time of hung tries.
	wait, stretch float64
	memo          map[key]*ending
	steps         int
}

// key is a call to a hop whose caller waits so long.
type key struct {
	hop    int
	budget time.Duration
}

func newModel(hops []hop, q question, wait, stretch float64) *model {
	return &model{hops: hops, question: q, wait: wait, stretch: stretch, memo: map[key]*ending{}}
}

// mostSteps bounds the enumeration: beyond it (many tries without a time limit, of which many hang) the answer would take
// longer than the run.
const mostSteps = 2_000_000

func (m *model) forecast() (*forecast, error) {
	end := m.call(0, m.timeout)
	if m.steps > mostSteps {
		return nil, fmt.Errorf("so many tries of such different length cannot be predicted: set a perTryTimeout, or allow fewer attempts")
	}
	f := &forecast{hops: m.hops, tries: end.tries, lost: end.lost, timedOut: end.timedOut}
	for i := range m.hops {
		f.status[i] = map[int]float64{}
	}
	later := map[time.Duration]float64{}
	for o, p := range end.outcomes {
		f.take(o, p)
		later[o.elapsed] += p
	}
	// The edge knows of its own call whether or not an answer was delivered.
	f.shown[0], f.failed[0] = 1, f.edgeFailure
	var beyond float64
	for _, elapsed := range slices.Backward(slices.Sorted(maps.Keys(later))) {
		if beyond += later[elapsed]; beyond > 1e-4 {
			f.longest = elapsed
			break
		}
	}
	return f, nil
}

// take adds an outcome of a request.
func (f *forecast) take(o outcome, p float64) {
	edge := o.cut || o.status >= http.StatusInternalServerError
	if edge {
		f.edgeFailure += p
	}
	f.mean += time.Duration(p * float64(o.elapsed))
	cascade := edge
	for i := range f.hops {
		status := int(o.seen[i])
		if status == 0 {
			continue
		}
		f.shown[i] += p
		f.status[i][status] += p
		if status >= http.StatusInternalServerError {
			f.failed[i] += p
			cascade = cascade || !f.hops[i].external
		}
	}
	if cascade {
		f.cascading += p
	}
}

// call is a logical request to hop i whose caller waits for budget: when that is exhausted the call is cut, with all that
// it started.
func (m *model) call(i int, budget time.Duration) *ending {
	k := key{i, budget}
	if end := m.memo[k]; end != nil {
		return end
	}
	v := visit{model: m, end: newEnding(), hop: i, limit: budget}
	if rule := m.hops[i].rule; rule != nil {
		v.rule = *rule
	}
	if fault := v.rule.Fault; fault != nil && fault.Delay > 0 {
		v.arrive(fault.Delay, fault.DelayShare)
		v.arrive(0, 1-fault.DelayShare)
	} else {
		v.arrive(0, 1)
	}
	m.memo[k] = v.end
	return v.end
}

// visit is a call at its caller's proxy.
type visit struct {
	*model
	end  *ending
	hop  int
	rule manifests.Rule
	// limit is when the call is ended from outside its tries; timedOut: by its own route timeout, else by its caller.
	limit    time.Duration
	timedOut bool
}

// arrive is the share p of the calls that a fault held back until at: an abort, or the arms. Timeouts start only now.
func (v visit) arrive(at time.Duration, p float64) {
	if p == 0 {
		return
	}
	if at >= v.limit {
		v.ended(p)
		return
	}
	if f := v.rule.Fault; f != nil && f.AbortStatus > 0 {
		v.end.outcomes[outcome{status: f.AbortStatus, elapsed: at}] += p * f.AbortShare
		p *= 1 - f.AbortShare
	}
	if t := v.rule.Timeout; t > 0 && at+t < v.limit {
		v.limit, v.timedOut = at+t, true
	}
	for _, a := range v.hops[v.hop].arms {
		if a.status != 0 {
			v.end.outcomes[outcome{status: a.status, elapsed: at}] += p * a.share
			continue
		}
		waiting := map[time.Duration]float64{at: p * a.share}
		for attempt := 1; len(waiting) > 0; attempt++ {
			waiting = v.attempt(a, attempt, waiting)
		}
	}
}

// ended is a share p of calls that their limit ended.
func (v visit) ended(p float64) {
	o := outcome{elapsed: v.limit, cut: true}
	if v.timedOut {
		o = outcome{status: http.StatusGatewayTimeout, elapsed: v.limit}
		v.end.timedOut[v.hop] += p
	}
	v.end.outcomes[o] += p
}

// attempt plays the tries with one attempt count, each waiting until its time; it returns those that are sent again
// (Envoy's router, source/common/router/router.cc, with its retry state). Of two limits that end at once the outer one,
// which began earlier, wins.
func (v visit) attempt(a arm, attempt int, waiting map[time.Duration]float64) map[time.Duration]float64 {
	again := map[time.Duration]float64{}
	backOff := time.Duration(v.wait * float64(v.rule.Retry.BackOff(attempt)))
	for at, p := range waiting {
		if v.steps++; at >= v.limit || v.steps > mostSteps {
			v.ended(p)
			continue
		}
		allowance, perTry := v.limit-at, false
		if v.rule.Retry.PerTry > 0 && v.rule.Retry.PerTry < allowance {
			allowance, perTry = v.rule.Retry.PerTry, true
		}
		try := v.try(v.hop, a, allowance)
		v.end.add(try, p)
		for o, q := range try.outcomes {
			v.steps++
			failure := manifests.Failure{Status: o.status}
			switch {
			case !o.cut:
				o.elapsed += at
			case perTry:
				failure = manifests.Failure{PerTryTimeout: true}
				o = outcome{status: http.StatusGatewayTimeout, elapsed: at + allowance}
			default:
				v.ended(p * q)
				continue
			}
			if attempt <= v.rule.Retry.Attempts && v.rule.Retry.Covers(failure) {
				again[o.elapsed+backOff] += p * q
				v.end.lose(v.hop, o.elapsed-at, p*q)
				continue
			}
			v.end.outcomes[o] += p * q
		}
	}
	return again
}

// try is one transmission to hop i: the service's own draws, hang before fail, then its call to the next hop.
func (m *model) try(i int, a arm, allowance time.Duration) *ending {
	end := newEnding()
	end.tries[i] = 1
	if a.external {
		end.outcomes[outcome{status: http.StatusOK}] = 1
		return end
	}
	m.served(end, i, 0, 1-m.hang, allowance)
	if hang := time.Duration(m.stretch * float64(a.hang)); m.hang > 0 && hang >= allowance {
		end.outcomes[outcome{cut: true}] += m.hang
	} else {
		m.served(end, i, hang, m.hang, allowance)
	}
	return end
}

// served is a try that the service answers, from a time on, with a probability.
func (m *model) served(end *ending, i int, from time.Duration, p float64, allowance time.Duration) {
	if p == 0 {
		return
	}
	if m.fail > 0 {
		end.outcomes[outcome{status: http.StatusInternalServerError, elapsed: from}] += p * m.fail
	}
	if p *= 1 - m.fail; p == 0 {
		return
	}
	if i+1 == len(m.hops) {
		end.outcomes[outcome{status: http.StatusOK, elapsed: from}] += p
		return
	}
	call := m.call(i+1, allowance-from)
	end.add(call, p)
	for o, q := range call.outcomes {
		if !o.cut {
			o.seen[i+1] = int16(o.status)
			failed := o.status >= http.StatusInternalServerError
			if o.status = http.StatusOK; failed && m.cascade == trail.Propagate {
				o.status = http.StatusInternalServerError
			}
			o.elapsed += from
		}
		end.outcomes[o] += p * q
	}
}
