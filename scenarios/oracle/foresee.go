package oracle

import (
	"net/http"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
)

// Margin is how far from a time limit the end of a try must lie, beyond what hanging tries, delays and back-offs take, for
// the oracle to say which comes first. Within it the race is open.
const Margin = 500 * time.Millisecond

// mostEarly is by how much a timer of Envoy may end too early, half of its time at most. Envoy's timers count from the beginning of the
// event loop's turn in which they are set (libevent's cached time), and a busy machine may have paused the turn since: by a few
// milliseconds as real Envoys were measured, and by 100 ms where the kernel holds a container to its share of the processors.
const mostEarly = 100 * time.Millisecond

// lasted reports whether the call that is being judged took as long as a timer of Envoy takes at least.
func (r *walk) lasted(timer time.Duration) bool { return r.elapsed >= timer-min(timer/2, mostEarly) }

// never stands for no time limit.
const never = 1<<62 - 1

// ends is how something unobserved can end: any of the three that is set, and only those. The times are of its end since its
// beginning, the earliest and the latest, if it is not cut.
type ends struct {
	ok, failed, cut bool
	from, to        time.Duration
}

// or is what either of two can come to; that of nothing is the other's.
func (e ends) or(other ends) ends {
	if e == (ends{}) {
		return other
	}
	return ends{e.ok || other.ok, e.failed || other.failed, e.cut || other.cut, min(e.from, other.from), max(e.to, other.to)}
}

// within cuts what lies beyond a limit. A limit that is longer than all that was observed to pass may not have cut what can
// have ended before.
func (r *walk) within(e ends, limit time.Duration) ends {
	if e.from >= limit {
		return ends{cut: true, from: limit, to: limit}
	}
	if e.to >= limit {
		e.cut, e.to = e.cut || r.lasted(limit), limit
	}
	return e
}

// try is how a try at a workload can end whose caller waits no longer than limit. p is its path.
func (r *walk) try(w *Workload, p path, limit time.Duration) ends {
	at := ends{to: Margin}
	if r.hangs(w, p) {
		at.from, at.to = w.HangTime, w.HangTime+Margin
	}
	if r.fails(w, p) {
		at.failed = true
		return r.within(at, limit)
	}
	at.from, at.to = at.from+w.Work, at.to+w.Work
	at.ok = true
	for _, step := range w.Steps {
		if at.from >= limit {
			break
		}
		var slowest ends
		certain, possible := false, false
		for _, c := range step {
			called := r.call(c, p.call(c.Number), limit-at.from)
			if c.Twin != nil { // its proxy obeys either of two rules
				called = called.or(r.call(c.Twin, p.call(c.Number), limit-at.from))
			}
			slowest.from, slowest.to = max(slowest.from, called.from), max(slowest.to, called.to)
			slowest.cut = slowest.cut || called.cut && !called.ok && !called.failed
			certain, possible = certain || called.failed && !called.ok, possible || called.failed
		}
		at.from, at.to = at.from+slowest.from, at.to+slowest.to
		if r.Propagate && certain {
			at.ok, at.failed = false, true
			break
		}
		at.failed = at.failed || r.Propagate && possible
	}
	return r.within(at, limit)
}

// call is how a call can end at its caller, who waits no longer than limit; ok is a status below 500. p names the call. A
// call that is cut takes the caller's own try with it.
func (r *walk) call(c *Call, p path, limit time.Duration) ends {
	if c.Rule == nil {
		return r.destinations(c, p, limit)
	}
	switch {
	case c.Rule.Direct != nil:
		failed := c.Rule.Direct.Reset || c.Rule.Direct.Status >= http.StatusInternalServerError
		return r.within(ends{ok: !failed, failed: failed, to: Margin}, limit)
	case c.Rule.Redirect != nil:
		return r.within(ends{ok: true, to: Margin}, limit)
	}
	var delay ends // how long a fault holds the call back
	var aborted, always bool
	var end ends
	if f := c.Rule.Fault; f != nil {
		if f.Delay > 0 && f.DelayShare > 0 {
			delay.to = f.Delay
			if f.DelayShare == 1 {
				delay.from = f.Delay
			}
		}
		aborted, always = f.AbortStatus > 0 && f.AbortShare > 0, f.AbortStatus > 0 && f.AbortShare == 1
		end = ends{ok: f.AbortStatus < http.StatusInternalServerError, failed: f.AbortStatus >= http.StatusInternalServerError, to: Margin}
	}
	if !always {
		onward := r.limited(c, p, limit-delay.from)
		if aborted {
			onward = onward.or(end)
		}
		end = onward
	}
	end.from, end.to = end.from+delay.from, end.to+delay.to
	return r.within(end, limit)
}

// limited is how a call can end under its route's time limit, which answers 504.
func (r *walk) limited(c *Call, p path, limit time.Duration) ends {
	t := c.Rule.Timeout
	if t <= 0 || t >= limit {
		return r.destinations(c, p, limit)
	}
	end := r.destinations(c, p, t)
	if end.cut {
		end.cut, end.failed = false, true
	}
	return end
}

// destinations is how a call can end at any of its destinations.
func (r *walk) destinations(c *Call, p path, limit time.Duration) (end ends) {
	for i := range c.Destinations {
		d := &c.Destinations[i]
		at := ends{failed: d.Status >= http.StatusInternalServerError, ok: d.Status < http.StatusInternalServerError, to: Margin}
		if d.External && len(d.Workloads) == 0 {
			at.failed = true // nobody knows what a foreign host answers, or when
			at.to = never
		}
		if len(d.Workloads) > 0 {
			at = r.tries(c, d, p, limit)
		}
		end = end.or(at)
	}
	return r.within(end, limit)
}

// tries is how a call can end at a destination with all its tries (Envoy's router, source/common/router/router.cc, with its
// retry state).
func (r *walk) tries(c *Call, d *Destination, p path, limit time.Duration) (end ends) {
	var retry manifests.Retry
	first := 0
	if c.Rule != nil {
		retry, first = c.Rule.Retry, 1
	}
	failures, cuts := retry.Covers(manifests.Failure{Status: http.StatusInternalServerError}), retry.Covers(manifests.Failure{PerTryTimeout: true})
	var begin ends // of the try
	for n := 0; begin.from < limit; n++ {
		one := r.at(c, d, p.try(first+n), limit-begin.from)
		perTry := one.cut && retry.PerTry > 0 && retry.PerTry < limit-begin.from
		last := n >= retry.Attempts
		stays := ends{
			ok:     one.ok,
			failed: one.failed && (last || !failures) || perTry && (last || !cuts),
			cut:    one.cut && !perTry,
			from:   begin.from + one.from, to: begin.to + one.to,
		}
		if stays.ok || stays.failed || stays.cut {
			end = end.or(stays)
		}
		if last || !(one.failed && failures || perTry && cuts) {
			return end
		}
		begin.from, begin.to = begin.from+one.from, begin.to+one.to+retry.BackOff(n+1)
	}
	return end.or(ends{cut: true, from: limit, to: limit})
}

// at is how one try of a call can end at any workload of a destination, within the time that the rule gives a try.
func (r *walk) at(c *Call, d *Destination, p path, limit time.Duration) (end ends) {
	if c.Rule != nil && c.Rule.Retry.PerTry > 0 {
		limit = min(limit, c.Rule.Retry.PerTry)
	}
	for _, w := range d.Workloads {
		end = end.or(r.try(w, p, limit))
	}
	return end
}
