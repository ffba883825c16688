package attack

import (
	"context"
	"sync/atomic"
	"time"
)

// schedule says when the requests of an attack are due. It is pure: all time is its arguments.
type schedule struct {
	requests int
	rate     float64 // requests a second
	grace    time.Duration
}

// at is when request n is due, since the beginning.
func (s schedule) at(n int) time.Duration {
	return time.Duration(float64(n) / s.rate * float64(time.Second))
}

// due is how many requests are due at elapsed.
func (s schedule) due(elapsed time.Duration) int {
	if elapsed < 0 {
		return 0
	}
	n := int(min(elapsed.Seconds()*s.rate, float64(s.requests)))
	// The two conversions round on their own; at decides.
	for n < s.requests && s.at(n) <= elapsed {
		n++
	}
	for n > 0 && s.at(n-1) > elapsed {
		n--
	}
	return n
}

const leastGrace = 250 * time.Millisecond

// budget is how long the attack may send: the planned time and a grace of a tenth of it, or of leastGrace where that is
// more. What has not left by then never leaves. The grace outlasts a busy machine's pauses; were it longer, a short
// attack at any rate would leave in it, however far beyond what can be sent the rate is.
func (s schedule) budget() time.Duration {
	planned := s.at(s.requests)
	if s.grace > 0 {
		return planned + s.grace
	}
	return planned + max(leastGrace, planned/10)
}

// pacer lets Vegeta send each request when the schedule says, until all are sent or sending is over. It waits by
// itself, where Vegeta would sleep, so that the end of sending ends the wait as well.
type pacer struct {
	schedule
	sending   context.Context
	timer     *time.Timer
	limit     atomic.Int64  // how many may be sent: all, until a stop leaves fewer
	curtailed chan struct{} // closed when limit was lowered
}

func newPacer(sending context.Context, plan schedule) *pacer {
	timer := time.NewTimer(0)
	timer.Stop()
	p := &pacer{schedule: plan, sending: sending, timer: timer, curtailed: make(chan struct{})}
	p.limit.Store(int64(plan.requests))
	return p
}

// curtail leaves so many requests to be sent. It may be called once. A wait for a request that is none of them ends.
func (p *pacer) curtail(requests int) {
	p.limit.Store(int64(requests))
	close(p.curtailed)
}

// Pace returns when the next hit is due, elapsed being the time since the beginning and hits how many were sent. The
// wait that it leaves to Vegeta is always 0; stop is true when no hit may follow.
func (p *pacer) Pace(elapsed time.Duration, hits uint64) (wait time.Duration, stop bool) {
	if hits >= uint64(p.limit.Load()) {
		return 0, true
	}
	if early := p.at(int(hits)) - elapsed; early > 0 {
		p.timer.Reset(early)
		p.wait(hits)
	}
	return 0, p.sending.Err() != nil || hits >= uint64(p.limit.Load())
}

// wait waits for the timer, as long as the hit may still be sent.
func (p *pacer) wait(hits uint64) {
	curtailed := p.curtailed
	for {
		select {
		case <-p.timer.C:
			return
		case <-p.sending.Done():
			p.timer.Stop()
			return
		case <-curtailed:
			if hits >= uint64(p.limit.Load()) {
				p.timer.Stop()
				return
			}
			curtailed = nil
		}
	}
}

// Rate is the planned rate; Vegeta asks for it in reports only.
func (p *pacer) Rate(time.Duration) float64 { return p.rate }
