package attack

import (
	"context"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// idleFor is how long a connection may have been idle when it is used again. Servers close idle ones (Node.js after five seconds), and a
	// request that meets the closing would count as failed.
	idleFor = 2 * time.Second
	// mostBatch is how many outcomes are handed over at once, and batchFor how long the first of them waits where nobody decides on them
	// while the attack goes on.
	mostBatch = 256
	batchFor  = 5 * time.Millisecond
	// mostSends is how many requests leave before answers are looked for again.
	mostSends = 32
	// readSize is how many bytes are read at once.
	readSize = 1 << 16
)

// loop sends the requests of a plan and reads their answers, on one goroutine, which waits for the next planned start and for all
// connections at once. So a request leaves by the goroutine that waited for its time, without a hand-over, and nothing is allocated for it.
//
// What blocks runs on goroutines of its own and posts what came of it: opening a connection, reading one that has TLS, and HTTP/2.
type loop struct {
	plan     *Plan
	forms    []form
	schedule schedule
	began    time.Time
	alive    context.Context   // ends all requests in flight when it ends
	base     http.RoundTripper // sends the requests; nil: the loop does
	kept     int               // bytes of an answer's body

	limit    atomic.Int64 // how many requests may be sent: all, until a stop leaves fewer
	over, up atomic.Bool  // sending is over; requests in flight are given up
	poll     *poller
	posts    sync.Mutex // guards posted
	posted   []post
	blocking sync.WaitGroup

	next        int // the number of the next request
	aim         aim
	inFlight    int
	first, last *link // of the links in flight, in the order of starting
	buffer      []byte
	request     []byte
	batch       []outcome
	batched     time.Duration // when the first of the batch came
	results     chan []outcome
	spare       chan []outcome
	ended       chan struct{} // closed at the very end

	// The figures of Result, to be read when results is closed.
	opened, most int
	resends      atomic.Int64
	firsts       map[string]string
}

// outcome is what became of one request.
type outcome struct {
	number           int
	started, latency time.Duration
	status           int     // 0: no complete answer
	class            failure // of the error
	in, out          int64   // bytes of bodies
	trail            bool    // body is a trail
	body             []byte  // the beginning of it
}

// link carries one request after the other: a connection, or with a RoundTripper a single request.
type link struct {
	to            *destination
	form          *form
	number        int
	started       time.Duration
	before, after *link // in flight
	flying, gone  bool
	answer        answer
	idle          time.Duration // since when
	unsent        []byte        // of the request
	wire          wire
	cancel        context.CancelFunc // of what blocks
}

// post is what a goroutine that blocks tells the loop.
type post struct {
	link *link
	at   time.Duration
	// What happened: a connection was opened; it has data, which used returns to the goroutine; it has ended with err; or a RoundTripper has
	// an outcome.
	opened  wire
	data    []byte
	used    chan<- struct{}
	err     error
	outcome *outcome
	dialed  int // connections that the RoundTripper opened for it
}

func newLoop(alive context.Context, plan *Plan, s schedule, base http.RoundTripper, began time.Time) (*loop, error) {
	forms, err := plan.forms()
	if err != nil {
		return nil, err
	}
	poll, err := newPoller()
	if err != nil {
		return nil, err
	}
	l := &loop{plan: plan, forms: forms, schedule: s, began: began, alive: alive, base: base, kept: int(plan.kept()), poll: poll, firsts: map[string]string{},
		buffer: make([]byte, readSize), results: make(chan []outcome, 64), spare: make(chan []outcome, 64), ended: make(chan struct{})}
	l.limit.Store(int64(s.requests))
	l.next = plan.Part
	return l, nil
}

func (l *loop) now() time.Duration { return time.Since(l.began) }

// curtail leaves so many requests to be sent.
func (l *loop) curtail(requests int) {
	l.limit.Store(int64(requests))
	l.poll.wake()
}

// run sends all requests, and closes results when the last answer is handed over.
func (l *loop) run(sending context.Context) {
	defer close(l.ended)
	runtime.LockOSThread() // so that the thread's timers can be exact, and it is not given to others
	defer runtime.UnlockOSThread()
	defer l.poll.exact()()
	notices := []func() bool{context.AfterFunc(sending, func() { l.over.Store(true); l.poll.wake() }),
		context.AfterFunc(l.alive, func() { l.up.Store(true); l.poll.wake() })}
	for l.inFlight > 0 || !l.done() {
		l.handlePosts()
		now := l.now()
		if l.up.Load() {
			l.giveUp(now)
		}
		l.expire(now)
		l.send()
		most, start := l.wait()
		asked := l.now() + most
		l.poll.wait(most, l)
		if start && most > 0 {
			l.aim.woke(l.now() - asked)
		}
	}
	l.flush()
	for i := range l.forms {
		l.closeIdle(l.forms[i].to)
	}
	for _, stop := range notices {
		stop()
	}
	l.blocking.Wait()
	l.handlePosts() // closes connections that were opened for requests that were given up meanwhile
	l.poll.close()
	close(l.results)
}

// done reports whether no request will be sent any more.
func (l *loop) done() bool {
	return l.next >= int(l.limit.Load()) || l.over.Load() || l.up.Load()
}

// send sends the requests that are due.
func (l *loop) send() {
	for range mostSends {
		if l.done() || l.inFlight >= l.plan.Connections || l.schedule.at(l.next) > l.now() {
			return
		}
		l.start(l.next)
		l.next += l.plan.stride()
	}
}

// wait is how long there is nothing to do unless something happens; below 0: without end. start says that a request is due soon after.
func (l *loop) wait() (most time.Duration, start bool) {
	now, until := l.now(), time.Duration(1<<62)
	if len(l.batch) > 0 {
		if !l.plan.Bare || now-l.batched >= batchFor {
			l.flush()
		} else {
			until = l.batched + batchFor
		}
	}
	switch {
	case l.done() && l.inFlight == 0:
		return 0, false
	case !l.done() && l.inFlight < l.plan.Connections:
		if next := l.schedule.at(l.next) - l.aim.early; next < until {
			until, start = next, true
		}
	}
	if l.first != nil && l.first.started+l.plan.Timeout < until {
		until, start = l.first.started+l.plan.Timeout, false
	}
	if until == 1<<62 {
		return -1, false
	}
	return max(0, until-now), start
}

// start sends a request, over an idle connection or a new one.
func (l *loop) start(number int) {
	at := l.plan.slot(number)
	f := &l.forms[at.Cohort]
	c := l.idleLink(f.to)
	opening := c == nil
	if opening {
		c = &link{to: f.to}
	}
	c.form, c.number, c.flying = f, number, true
	c.answer.reset(f.method == http.MethodHead, l.kept)
	if c.before, c.after = l.last, nil; l.last == nil {
		l.first = c
	} else {
		l.last.after = c
	}
	l.last = c
	l.inFlight++
	l.most = max(l.most, l.inFlight)
	request := f.write(l.request, at, l.plan, l.began)
	if !l.plan.Bare {
		l.request = request
	}
	c.started = l.now()
	switch {
	case l.base != nil:
		l.roundTrip(c, at)
	case opening:
		c.unsent = request
		if !l.plan.Bare {
			c.unsent = append([]byte(nil), request...)
		}
		l.open(c)
	default:
		l.write(c, request)
	}
}

// idleLink takes the connection that was idle for the shortest time; nil: there is none.
func (l *loop) idleLink(to *destination) *link {
	n := len(to.idle)
	if n == 0 {
		return nil
	}
	c := to.idle[n-1]
	if l.now()-c.idle > idleFor { // and so were the others, for longer
		l.closeIdle(to)
		return nil
	}
	to.idle = to.idle[:n-1]
	return c
}

// closeIdle closes the connections that have no request.
func (l *loop) closeIdle(to *destination) {
	for _, c := range to.idle {
		l.close(c)
	}
	to.idle = nil
}

// write sends a request, or as much of it as is taken.
func (l *loop) write(c *link, request []byte) {
	rest, err := c.wire.write(request)
	if err != nil {
		l.broken(c, err)
		return
	}
	if c.unsent = rest; len(rest) > 0 && !l.plan.Bare {
		c.unsent = append([]byte(nil), rest...) // the buffer belongs to the next request
	}
	if len(rest) > 0 {
		l.poll.writable(c, true)
	}
}

// broken is called when a request cannot be written. The other side may have answered before it closed, as with "413 Content Too Large".
func (l *loop) broken(c *link, err error) {
	c.unsent = nil
	if l.poll.read(c, l); c.flying {
		l.fail(c, classify(err, nil), err, l.now())
	}
}

// goOn sends what is left of a request.
func (l *loop) goOn(c *link) {
	request := c.unsent
	l.poll.writable(c, false)
	if c.flying && len(request) > 0 {
		l.write(c, request)
	}
}

// received takes what a connection brought, or the error with which it ended.
func (l *loop) received(c *link, p []byte, end error, at time.Duration) {
	if c.gone {
		return
	}
	if !c.flying { // closed by the other side while it was idle, or with bytes that nobody asked for
		l.forget(c)
		return
	}
	if end != nil {
		complete, class := c.answer.end(end)
		if c.answer.Last = true; complete {
			l.succeed(c, at)
			return
		}
		l.fail(c, class, end, at)
		return
	}
	rest, complete, err := c.answer.feed(p)
	switch {
	case err != nil:
		l.fail(c, Garbled, err, at)
	case complete:
		c.answer.Last = c.answer.Last || len(rest) > 0 || len(c.unsent) > 0
		l.succeed(c, at)
	}
}

// succeed hands over a complete answer.
func (l *loop) succeed(c *link, at time.Duration) {
	a := &c.answer
	o := outcome{status: a.Status, in: a.Bytes, out: int64(c.form.body), trail: a.Trail, body: a.Kept}
	a.Kept = nil
	l.land(c, o, at)
	if a.Last || l.plan.Fresh {
		l.close(c)
		return
	}
	c.idle = at
	c.to.idle = append(c.to.idle, c)
}

// fail hands over that there is no complete answer, and closes the connection.
func (l *loop) fail(c *link, class failure, err error, at time.Duration) {
	l.note(class, err)
	l.land(c, outcome{class: class}, at)
	l.close(c)
}

// note keeps the text of the first error of a class.
func (l *loop) note(class failure, err error) {
	if _, known := l.firsts[string(class)]; !known && class != Canceled && err != nil {
		l.firsts[string(class)] = err.Error()
	}
}

// land takes a link out of those in flight, and hands over what became of its request.
func (l *loop) land(c *link, o outcome, at time.Duration) {
	c.flying = false
	l.inFlight--
	if c.before == nil {
		l.first = c.after
	} else {
		c.before.after = c.after
	}
	if c.after == nil {
		l.last = c.before
	} else {
		c.after.before = c.before
	}
	c.before, c.after = nil, nil
	o.number, o.started, o.latency = c.number, c.started, at-c.started
	if len(l.batch) == 0 {
		l.batched = at
	}
	if l.batch = append(l.batch, o); len(l.batch) == mostBatch {
		l.flush()
	}
}

// flush hands over the batch.
func (l *loop) flush() {
	if len(l.batch) == 0 {
		return
	}
	l.results <- l.batch
	select {
	case l.batch = <-l.spare:
		l.batch = l.batch[:0]
	default:
		l.batch = make([]outcome, 0, mostBatch)
	}
}

// close closes a link.
func (l *loop) close(c *link) {
	if c.gone {
		return
	}
	c.gone = true
	if c.cancel != nil {
		c.cancel()
	}
	if c.wire != nil {
		l.poll.remove(c)
		c.wire.close()
	}
}

// forget closes an idle link.
func (l *loop) forget(c *link) {
	for i, other := range c.to.idle {
		if other == c {
			c.to.idle = append(c.to.idle[:i], c.to.idle[i+1:]...)
			break
		}
	}
	l.close(c)
}

// expire gives up the requests whose time is over.
func (l *loop) expire(now time.Duration) {
	for c := l.first; c != nil && now-c.started >= l.plan.Timeout; c = l.first {
		l.fail(c, Timeout, errLate, now)
	}
}

// giveUp gives up all requests in flight.
func (l *loop) giveUp(now time.Duration) {
	for l.first != nil {
		l.fail(l.first, Canceled, nil, now)
	}
}

// post tells the loop what came of something that blocks.
func (l *loop) post(p post) {
	p.at = l.now()
	l.posts.Lock()
	l.posted = append(l.posted, p)
	l.posts.Unlock()
	l.poll.wake()
}

func (l *loop) handlePosts() {
	l.posts.Lock()
	all := l.posted
	l.posted = nil
	l.posts.Unlock()
	for i := range all {
		l.handle(&all[i])
	}
}

// handle does what a post says. Those of a link that was given up say nothing any more.
func (l *loop) handle(p *post) {
	c := p.link
	l.opened += p.dialed
	switch {
	case p.used != nil:
		l.received(c, p.data, nil, p.at)
		p.used <- struct{}{}
	case p.opened != nil && c.gone:
		p.opened.close()
	case c.gone:
	case p.opened != nil:
		l.opened++
		c.wire = p.opened
		if err := l.poll.add(c); err != nil {
			l.fail(c, Full, err, p.at)
			return
		}
		request := c.unsent
		c.unsent = nil
		l.write(c, request)
	case p.outcome != nil:
		l.note(p.outcome.class, p.err)
		l.land(c, *p.outcome, p.at)
		l.close(c)
	case c.wire == nil:
		l.fail(c, classify(p.err, nil), p.err, p.at)
	default:
		l.received(c, nil, p.err, p.at)
	}
}
