package scenarios

import (
	"context"
	"fmt"
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/target"
)

// mostRepeats is how often a phase is sent again at half its rate when this machine could not keep a rate that we chose
// ourselves. The draws are the same again, so the same seed still gives the same counts.
const mostRepeats = 2

// run applies a phase's objects, attacks, and collects the evidence; evidence is nil when there is none at all. family is how
// many shares the stage judges in both phases.
func (p *phase) run(ctx context.Context, on target.Target, family int, progress func(Progress)) (reports.Phase, *evidence, error) {
	done := reports.Phase{Name: p.name(), Entry: string(p.entry), Planned: p.requests}
	began := time.Now()
	if err := on.Apply(ctx, p.objects); err != nil {
		return done, nil, fmt.Errorf("applying stage %s (%s): %w", p.stage.Name, p.name(), err)
	}
	done.Applied = time.Since(began).Seconds()
	address, err := on.Address(ctx, p.entry)
	if err != nil {
		return done, nil, err
	}
	done.Way = address.Way
	var repeated []string
	for {
		e, err := p.attack(ctx, on, address.URL, family, progress)
		if err == nil && p.options.Attack.Rate == 0 && len(repeated) < mostRepeats && (e.limited() || e.result.Late && p.times()) {
			repeated = append(repeated, fmt.Sprintf("sent again at half the rate, since %.0f requests a second were too many for this machine", p.rate))
			p.rate /= 2
			continue
		}
		if e != nil {
			if err == nil {
				e.sampling.read(ctx, on, e.tally.Samples())
			} else {
				e.sampling.unread = fmt.Errorf("the services' spans were not read, since the phase did not end well: %w", err)
			}
			describe(&done, p, e, p.times() || p.options.Attack.Rate > 0)
			done.Warnings = append(repeated, done.Warnings...)
		}
		return done, e, err
	}
}

// attack sends the phase's requests once.
func (p *phase) attack(ctx context.Context, on target.Target, address string, family int, progress func(Progress)) (*evidence, error) {
	p.begin(family)
	before, err := p.counters(ctx, on)
	if err != nil {
		return nil, err
	}
	e := &evidence{tally: attack.NewTally(len(p.cohorts), p.own()...)}
	plan := p.attackOn(address)
	e.sampling = sampling{plan: plan, own: p.own()}
	e.sampling.mark(ctx, on)
	p.began = time.Now()
	e.result, err = attack.Run(ctx, plan, p.watched(e.tally, p.observer(e.tally, progress)))
	p.tell(e.tally)
	if e.sampling.began = e.result.Began; err != nil {
		return e, err
	}
	after, err := p.counters(ctx, on)
	e.counters, e.counted = after.Since(before), err == nil
	if err == nil {
		e.incidents, err = on.Incidents(ctx)
	}
	return e, err
}

// drainTimeout bounds the wait for tries in flight before counters are read. It has to outlast an API server that is away for a
// while.
const drainTimeout = 60 * time.Second

// counters reads the services' counters with a bound on the wait for tries in flight.
func (p *phase) counters(ctx context.Context, on target.Target) (target.Counters, error) {
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	counters, err := on.Counters(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the services' counters: %w", err)
	}
	return counters, nil
}

// begin makes all shares undecided.
func (p *phase) begin(family int) {
	for _, c := range p.proportions() {
		c.begin(p.requests, family)
	}
}

// observer tallies observations in planned order and looks at the shares now and then; the looks lie closer at the
// beginning, where a gross error shows.
func (p *phase) observer(tally *attack.Tally, progress func(Progress)) func(*attack.Observation) bool {
	proportions, settled := p.proportions(), p.settled()
	count, next := 0, 25
	var shown time.Time
	return func(o *attack.Observation) bool {
		tally.Add(o)
		count++
		if progress != nil && time.Since(shown) > progressEvery {
			shown = time.Now()
			progress(p.progress(tally, count))
		}
		if count < next && count < p.requests {
			return true
		}
		next = count + max(25, count/20)
		decided := 0
		for _, c := range proportions {
			if c.look(tally) {
				decided++
			}
		}
		return count < settled || decided < len(proportions)
	}
}

// progressEvery is how often progress is told.
const progressEvery = 100 * time.Millisecond

// progress tells how far the phase has come, with the first share that is not decided yet.
func (p *phase) progress(tally *attack.Tally, count int) Progress {
	at := Progress{Stage: p.stage.Name, Phase: p.name(), Done: count, Planned: p.requests}
	for _, c := range p.checks {
		m, ok := estimate(c, tally)
		if !ok {
			continue
		}
		at.Check, at.Estimate = c.row().Name, m
		if q, ok := c.(*proportion); !ok || q.decided == "" {
			break
		}
	}
	return at
}
