package attack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Run sends the requests of plan when they are due, and hands what came of them to observe, in planned order, on the
// caller's goroutine. An observation is observe's until it returns; what it keeps it must copy.
//
// When observe returns false, the attack ends Plan.Lead requests later, or as many later as were sent by then where that is
// more: every request that is sent is waited for and handed over, so that what is counted is counted of the same requests.
// Sending ends Plan.Grace after its planned end: what has not left by then counts as unsent. So Run returns at the latest
// Plan.Timeout after that.
//
// When ctx ends, requests in flight are given up at once, and the error wraps both ctx.Err and context.Cause(ctx); the
// result is of what was done until then. Any other error means that nothing was sent, because the plan has problems (Plan.Check).
func Run(ctx context.Context, plan Plan, observe func(*Observation) (more bool)) (Result, error) {
	if !plan.HTTP2 {
		return run(ctx, plan, nil, observe)
	}
	base := multiplexer(&plan)
	defer base.CloseIdleConnections()
	return run(ctx, plan, base, observe)
}

// kept is how many bytes of an answer's body are kept.
func (p *Plan) kept() int64 {
	if p.Bare {
		return 0
	}
	return maxAnswer
}

func run(ctx context.Context, plan Plan, base http.RoundTripper, observe func(*Observation) bool) (Result, error) {
	if err := plan.Check(); err != nil {
		return Result{}, err
	}
	a := &attack{
		ctx:      ctx,
		plan:     &plan,
		schedule: plan.schedule(),
		observe:  observe,
		until:    plan.Requests,
		lags:     newHistogram(),
		result:   Result{Planned: plan.Share(), PlannedRate: plan.Rate / float64(plan.stride())},
	}
	inFlight, giveUp := context.WithCancel(ctx)
	defer giveUp()
	a.result.Began = time.Now()
	if !plan.Begin.IsZero() { // as a time of this process' own clock, which does not jump
		a.result.Began = a.result.Began.Add(max(0, time.Until(plan.Begin)))
	}
	sending, stop := context.WithTimeout(inFlight, time.Until(a.result.Began)+a.schedule.budget())
	a.stop = stop
	loop, err := newLoop(inFlight, &plan, a.schedule, base, a.result.Began)
	if err != nil {
		stop()
		return Result{}, err
	}
	a.loop = loop
	go loop.run(sending)
	defer func() { // also when observe panics: nothing may be left behind
		giveUp()
		for range loop.results {
		}
		stop()
		<-loop.ended
	}()
	a.receive(sending.Done())
	a.conclude()
	a.result.Resends = int(loop.resends.Load())
	a.result.Opened, a.result.MostInFlight, a.result.First = loop.opened, loop.most, loop.firsts
	return a.result, a.aborted()
}

// attack is a running attack, as the goroutine that receives its results sees it.
type attack struct {
	ctx      context.Context
	plan     *Plan
	schedule schedule
	observe  func(*Observation) bool
	stop     context.CancelFunc // ends sending
	until    int                // how many requests belong to the attack: all, until a stop leaves fewer
	loop     *loop              // is told of until
	queue    reorder
	closed   bool                    // nothing more is handed to observe
	ended    time.Duration           // when sending was ended before all was sent; 0: it was not
	last     time.Duration           // start of the last hit sent
	lags     *hdrhistogram.Histogram // microseconds
	late     int                     // hits sent more than lateAfter late
	result   Result
}

// receive takes outcomes until the loop has no more, and notes when sending is over before that.
func (a *attack) receive(over <-chan struct{}) {
	for {
		select {
		case batch, open := <-a.loop.results:
			if !open {
				return
			}
			for i := range batch {
				a.take(&batch[i])
			}
			clear(batch) // bodies are not needed any more
			select {
			case a.loop.spare <- batch:
			default:
			}
		case <-over:
			a.end()
			over = nil
		}
	}
}

// end ends sending.
func (a *attack) end() {
	if a.ended == 0 {
		a.ended = time.Since(a.result.Began)
	}
	a.stop()
}

// take accounts for one request and hands over all observations that are next in planned order.
func (a *attack) take(o *outcome) {
	planned := a.schedule.at(o.number)
	if a.schedule.closed > 0 {
		planned = o.started
	}
	a.account(o.started, max(0, o.started-planned), o.latency)
	if a.closed {
		return
	}
	place := a.queue.place(o.number / a.plan.stride())
	place.arrived = true
	place.observation = Observation{Number: o.number, Cohort: int(a.plan.slot(o.number).Cohort), Planned: planned, Started: o.started}
	place.observation.read(o)
	a.handOver()
}

// account counts a hit that was sent.
func (a *attack) account(started, lag, latency time.Duration) {
	a.result.Sent++
	a.last = max(a.last, started)
	a.result.Elapsed = max(a.result.Elapsed, started+latency)
	record(a.lags, lag)
	if lag > lateAfter {
		a.late++
	}
}

// handOver gives observe what is next in planned order, until the attack is over or aborted: requests that were given
// up say nothing of the service.
func (a *attack) handOver() {
	for o := a.queue.next(); o != nil; o = a.queue.next() {
		if a.closed = a.ctx.Err() != nil; !a.closed {
			a.result.Observed++
			if more := a.observe(o); !more && !a.result.Stopped {
				a.curtail(o.Number + 1 + a.plan.Lead)
			}
		}
		if a.closed {
			a.end()
			return
		}
	}
}

// curtail makes the attack end early, with so many requests; what is beyond was never due.
func (a *attack) curtail(requests int) {
	a.result.Stopped = true
	if requests < a.until {
		a.until, a.schedule.requests = requests, requests
		a.loop.curtail(requests)
	}
}

// conclude computes the figures of a finished attack.
func (a *attack) conclude() {
	r := &a.result
	if a.ended > 0 && a.schedule.closed == 0 {
		r.Unsent = max(0, a.plan.share(a.schedule.due(a.ended-lateAfter))-r.Sent)
	}
	if r.Sent > 0 {
		took := a.last + time.Duration(a.plan.stride())*a.schedule.between()
		if r.Unsent > 0 {
			took = max(took, a.ended)
		}
		r.AchievedRate = float64(r.Sent) / took.Seconds()
		r.LateShare = float64(a.late) / float64(r.Sent)
	}
	r.LagMedian, r.LagP99 = quantile(a.lags, 0.5), quantile(a.lags, 0.99)
	r.Judge()
}

// aborted is the error of an attack whose context ended.
func (a *attack) aborted() error {
	if a.ctx.Err() == nil {
		return nil
	}
	reason := context.Cause(a.ctx)
	if !errors.Is(reason, a.ctx.Err()) {
		reason = fmt.Errorf("%w: %w", a.ctx.Err(), reason)
	}
	return fmt.Errorf("attack %q: aborted with %d of %d requests observed: %w", a.plan.Name, a.result.Observed, a.plan.Requests, reason)
}
