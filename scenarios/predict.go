package scenarios

import (
	"math"
	"net/http"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/service/trail"
)

// maxHops bounds the chain's length: frontend, middleware, backend, clock and room for a longer one of the user's.
const maxHops = 6

// never is a budget that nothing exhausts.
const never = time.Duration(math.MaxInt64 / 4)

// forecast is what the applied objects, the fail and hang probabilities and the cascade mode imply for a request.
//
// It is computed exactly, by enumerating the outcomes of each call (istio-semantics §10 is the special case without
// hung tries), not simulated. Back-offs and the services' own times count as nothing beside a per-try timeout.
type forecast struct {
	hops []hop
	// edgeFailure and cascading are probabilities per request.
	edgeFailure, cascading float64
	// mean is the expected time of a request, back-offs left out.
	mean time.Duration
	// per hop: the probability that a delivered answer shows a call to it; that it shows a failed one; the expected
	// tries per request.
	shown, failed, tries [maxHops]float64
	// status is the probability that a delivered answer shows a call to a hop with this status.
	status [maxHops]map[int]float64
	// lost are the durations of tries that were sent again, with the expected number per request.
	lost [maxHops]map[time.Duration]float64
	// succeeded is the probability that a single try of a hop succeeds, as its caller's proxy sees it.
	succeeded [maxHops]float64
}

// predict enumerates what a request may meet on its way through hops.
func predict(hops []hop, fail, hang float64, cascade string) *forecast {
	m := &model{hops: hops, fail: fail, hang: hang, propagate: cascade == trail.Propagate, memo: map[key]*ending{}}
	end := m.call(0, never)
	f := &forecast{hops: hops, tries: end.tries, lost: end.lost}
	for i := range hops {
		f.status[i] = map[int]float64{}
	}
	for o, p := range end.outcomes {
		failedHere := o.cut || o.status >= http.StatusInternalServerError
		if failedHere {
			f.edgeFailure += p
		}
		f.mean += time.Duration(p * float64(o.elapsed))
		cascade := failedHere
		for i := range hops {
			status := int(o.seen[i])
			if status == 0 {
				continue
			}
			f.shown[i] += p
			f.status[i][status] += p
			if status >= http.StatusInternalServerError {
				f.failed[i] += p
				cascade = cascade || !hops[i].external
			}
		}
		if cascade {
			f.cascading += p
		}
	}
	// The edge knows of its own call whether or not an answer was delivered.
	f.shown[0], f.failed[0] = 1, f.edgeFailure
	for i := range hops {
		f.succeeded[i] = m.success(i)
	}
	return f
}

// failure is the probability that a call to hop i fails, given that a delivered answer shows it; NaN when none does.
func (f *forecast) failure(i int) float64 { return f.failed[i] / f.shown[i] }

// index is the position of a service in the chain, -1 when it is not on the way.
func (f *forecast) index(name string) int {
	for i := range f.hops {
		if f.hops[i].name == name {
			return i
		}
	}
	return -1
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
}

func newEnding() *ending {
	return &ending{outcomes: map[outcome]float64{}}
}

// add takes in the cost of another ending that happens with probability p.
func (e *ending) add(other *ending, p float64) {
	for i := range e.tries {
		e.tries[i] += p * other.tries[i]
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

type key struct {
	hop    int
	budget time.Duration
}

// model computes endings by recursion along the chain. budget is how long the caller will wait: when it is exhausted
// the call is cut, with all that it started.
type model struct {
	hops       []hop
	fail, hang float64
	propagate  bool
	memo       map[key]*ending
}

// call is a logical request to hop i: fault, arms, tries.
func (m *model) call(i int, budget time.Duration) *ending {
	k := key{i, min(budget, never/2)}
	if end := m.memo[k]; end != nil {
		return end
	}
	end := newEnding()
	m.memo[k] = end
	reach := 1.0
	var start time.Duration
	var rule manifests.Rule
	if m.hops[i].rule != nil {
		rule = *m.hops[i].rule
	}
	if fault := rule.Fault; fault != nil {
		// Only a delay of all requests or of none has one arrival time; a partial one is two worlds.
		if fault.Delay > 0 && fault.DelayShare > 0 {
			m.delayed(end, i, budget, fault.Delay, fault.DelayShare, rule)
			reach, start = 1-fault.DelayShare, 0
		}
	}
	m.answered(end, i, budget, start, reach, rule)
	return end
}

// delayed is the share of calls that a fault holds back first; their timeouts start after it.
func (m *model) delayed(end *ending, i int, budget, delay time.Duration, share float64, rule manifests.Rule) {
	if delay >= budget {
		end.outcomes[outcome{elapsed: budget, cut: true}] += share
		return
	}
	m.answered(end, i, budget, delay, share, rule)
}

// answered is what follows the fault's delay: an abort, or the arms.
func (m *model) answered(end *ending, i int, budget, start time.Duration, p float64, rule manifests.Rule) {
	if f := rule.Fault; f != nil && f.AbortStatus > 0 {
		end.outcomes[outcome{status: f.AbortStatus, elapsed: start}] += p * f.AbortShare
		p *= 1 - f.AbortShare
	}
	for _, a := range m.hops[i].arms {
		switch {
		case a.status != 0:
			end.outcomes[outcome{status: a.status, elapsed: start}] += p * a.share
		default:
			m.tried(end, i, a, budget, start, p*a.share, rule)
		}
	}
}

// tried plays the tries of a call that reached an arm: Envoy's router (source/common/router/router.cc) with its retry
// state. Of two limits that end at once the outer one, which began earlier, wins.
func (m *model) tried(end *ending, i int, a arm, budget, start time.Duration, p float64, rule manifests.Rule) {
	limit, timedOut := budget, false
	if rule.Timeout > 0 && start+rule.Timeout < budget {
		limit, timedOut = start+rule.Timeout, true
	}
	waiting := map[time.Duration]float64{start: p}
	for attempt := 1; len(waiting) > 0; attempt++ {
		last := attempt > rule.Retry.Attempts
		again := map[time.Duration]float64{}
		for at, q := range waiting {
			m.oneTry(end, i, a, at, q, limits{limit, timedOut}, last, rule, again)
		}
		waiting = again
	}
}

// limits is when a call is ended from outside its tries, and whether by its own route timeout.
type limits struct {
	at       time.Duration
	timedOut bool
}

// oneTry plays a try that starts at a time with a probability; what is sent again goes into again.
func (m *model) oneTry(end *ending, i int, a arm, at time.Duration, p float64, limit limits, last bool, rule manifests.Rule, again map[time.Duration]float64) {
	allowance, perTry := limit.at-at, false
	if rule.Retry.PerTry > 0 && rule.Retry.PerTry < allowance {
		allowance, perTry = rule.Retry.PerTry, true
	}
	try := m.try(i, a, allowance)
	end.add(try, p)
	for o, q := range try.outcomes {
		failure := manifests.Failure{Status: o.status}
		switch {
		case !o.cut:
			o.elapsed += at
		case perTry:
			failure = manifests.Failure{PerTryTimeout: true}
			o = outcome{status: http.StatusGatewayTimeout, elapsed: at + allowance}
		case limit.timedOut:
			end.outcomes[outcome{status: http.StatusGatewayTimeout, elapsed: limit.at}] += p * q
			continue
		default:
			end.outcomes[outcome{elapsed: limit.at, cut: true}] += p * q
			continue
		}
		if !last && rule.Retry.Covers(failure) {
			again[o.elapsed] += p * q
			end.lose(i, o.elapsed-at, p*q)
			continue
		}
		end.outcomes[o] += p * q
	}
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
	if m.hang > 0 {
		if a.hang >= allowance {
			end.outcomes[outcome{cut: true}] += m.hang
		} else {
			m.served(end, i, a.hang, m.hang, allowance)
		}
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
	p *= 1 - m.fail
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
			if o.status = http.StatusOK; failed && m.propagate {
				o.status = http.StatusInternalServerError
			}
			o.elapsed += from
		}
		end.outcomes[o] += p * q
	}
}

// success is the probability that one try of hop i succeeds within its per-try timeout.
func (m *model) success(i int) float64 {
	allowance := never
	if rule := m.hops[i].rule; rule != nil && rule.Retry.PerTry > 0 {
		allowance = rule.Retry.PerTry
	}
	var p float64
	for _, a := range m.hops[i].arms {
		if a.status != 0 {
			continue
		}
		for o, q := range m.try(i, a, allowance).outcomes {
			if !o.cut && o.status < http.StatusInternalServerError {
				p += a.share * q
			}
		}
	}
	return p
}
