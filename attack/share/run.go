package share

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/hellochaos/hellochaos/attack"
)

// Died is the error of an attack of which workers died: what they had not said is missing.
type Died struct{ Outcomes []Outcome }

func (d Died) Error() string { return Missing(d.Outcomes).Error() }

// stream are the observations of a worker that were not handed over yet.
type stream struct {
	queue []attack.Observation
	next  int // the number of the next one, at least
	ended bool
}

// Run has the crew send a plan as attack.Run does: it hands what came of each request to observe, in planned order, on the caller's goroutine. It
// differs in three things. When observe returns false, the workers learn it some time later, so that as many requests more may be sent as are due
// meanwhile; all of them are handed over. Times of a worker count from its own start. When workers die, what they had not said is missing, and the
// error is a Died. settings is the TLS of the plan.
func (t *Team) Run(ctx context.Context, plan attack.Plan, settings *TLS, observe func(*attack.Observation) bool) (attack.Result, []Outcome, error) {
	if err := plan.Check(); err != nil {
		return attack.Result{}, nil, err
	}
	m := &merging{team: t, ctx: ctx, plan: &plan, observe: observe, streams: make([]stream, t.Crew.Size()), wake: make(chan struct{}, 1)}
	for i := range m.streams {
		m.streams[i].next = i
	}
	var outcomes []Outcome
	var err error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		outcomes, err = t.Conduct(ctx, &Order{Plan: plan, TLS: settings, Observations: true, Reach: !t.Crew.OneClock()}, m.take)
	}()
	m.merge(ended)
	m.stopping.Wait()
	for i := range outcomes {
		if last := outcomes[i].Last; outcomes[i].Died == nil {
			share := *last.Result
			share.Began = share.Began.Add(-outcomes[i].Clock.Least) // by the clock of this process
			m.result.Add(&share)
		}
	}
	m.result.Observed, m.result.PlannedRate, m.result.Stopped = m.handed, plan.Rate, m.stopped
	m.lags.Judge(&m.result)
	switch {
	case err != nil:
	case ctx.Err() != nil:
		err = fmt.Errorf("attack %q: aborted with %d of %d requests observed: %w", plan.Name, m.handed, plan.Requests, errors.Join(ctx.Err(), context.Cause(ctx)))
	case m.failed != nil:
		err = m.failed
	case Missing(outcomes) != nil:
		err = Died{outcomes}
	}
	return m.result, outcomes, err
}

// merging brings what workers say into planned order.
type merging struct {
	team    *Team
	ctx     context.Context
	plan    *attack.Plan
	observe func(*attack.Observation) bool
	wake    chan struct{}

	mutex   sync.Mutex // guards streams and failed
	streams []stream
	failed  error // of reading what a worker wrote

	handed   int
	stopped  bool
	stopping sync.WaitGroup
	lags     attack.Lags
	result   attack.Result
}

// take takes a line of a worker.
func (m *merging) take(index int, l *Line) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	s := &m.streams[index]
	if len(l.Observations) > 0 {
		packed, err := unpack(l.Observations)
		var all []attack.Observation
		if err == nil {
			all, err = readObservations(packed, len(m.plan.Cohorts))
		}
		if err != nil && m.failed == nil {
			m.failed = fmt.Errorf("worker %d: %w", index+1, err)
		}
		s.queue = append(s.queue, all...)
	}
	s.ended = l.State == Ended
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// merge hands over observations until all workers have ended.
func (m *merging) merge(ended <-chan struct{}) {
	for over := false; ; {
		for {
			batch := m.ready(over)
			if len(batch) == 0 {
				break
			}
			for i := range batch {
				m.handOver(&batch[i])
			}
		}
		if over {
			return
		}
		select {
		case <-m.wake:
		case <-ended:
			over = true
		}
	}
}

// ready are the observations that are next in planned order; over: no worker says any more.
func (m *merging) ready(over bool) (batch []attack.Observation) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for len(batch) < 1024 {
		first, least := -1, 0
		for i := range m.streams {
			s := &m.streams[i]
			at := s.next
			if len(s.queue) > 0 {
				at = s.queue[0].Number
			} else if s.ended || over {
				continue
			}
			if first < 0 || at < least {
				first, least = i, at
			}
		}
		if first < 0 || len(m.streams[first].queue) == 0 {
			return batch
		}
		s := &m.streams[first]
		batch = append(batch, s.queue[0])
		s.queue, s.next = s.queue[1:], least+len(m.streams)
	}
	return batch
}

// handOver hands an observation over, and tells the workers to stop where the observer has seen enough.
func (m *merging) handOver(o *attack.Observation) {
	if m.ctx.Err() != nil {
		return
	}
	m.handed++
	m.lags.Add(o)
	if more := m.observe(o); more || m.stopped {
		return
	}
	m.stopped = true
	stop := o.Number + 1 + m.plan.Lead
	m.stopping.Go(func() { _ = m.team.Stop(m.ctx, stop) }) // if it fails, they send what is planned
}
