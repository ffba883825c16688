package gauge

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/load"
)

const (
	// capacityStep is how long the attack at one rate lasts where the user does not say it.
	capacityStep = 5 * time.Second
	// resolution ends a search: the rates between which the answer lies are that close to each other.
	resolution = 0.02
	// keptUp is the share of the planned rate that must be answered while requests are planned: else requests pile up, and what their latency is
	// depends on how long the attack lasts.
	keptUp = 0.98
	// mostVoid is how often an attack is repeated at one rate whose schedule the generator did not keep.
	mostVoid = 8
	// mostSteps is how many attacks a search sends at most.
	mostSteps = 80
)

// search is a search for the highest rate at which expectations hold.
type search struct {
	options Options
	report  *load.Capacity
	tell    func(load.Step)
}

// Capacity searches between two rates for the highest one at which the expectations of the options hold: it halves the distance, by attacks of
// Options.Duration each. A rate holds when two attacks at it pass, before two do not. An attack that is inconclusive is repeated once, in twice the time; one
// whose schedule the generator did not keep is repeated up to eight times. tell is
// told of each attack. The error says that the options are wrong, and nothing was sent.
func Capacity(ctx context.Context, o Options, from, to float64, tell func(load.Step)) (*load.Capacity, error) {
	if o.Duration == 0 {
		o.Duration = capacityStep
	}
	o.Abort = true
	o.Rate = to
	if _, err := Plan(o); err != nil {
		return nil, err
	}
	s := &search{options: o, tell: tell, report: &load.Capacity{Schema: load.CapacitySchema, From: from, To: to, Resolution: resolution}}
	s.report.Expect = append(s.report.Expect, fmt.Sprintf("%g %% of the requests are answered while they are sent", 100*keptUp))
	for _, e := range o.Expect {
		s.report.Expect = append(s.report.Expect, e.Text)
	}
	s.run(ctx, from, to)
	if err := context.Cause(ctx); err != nil {
		s.report.Undecided = "the search was interrupted"
	}
	return s.report, nil
}

// run halves the distance between a rate that holds and one that does not.
func (s *search) run(ctx context.Context, low, high float64) {
	var held float64 // 0: none yet
	for rate := low; ; {
		holds, decided := s.holds(ctx, rate)
		if !decided {
			return
		}
		if holds {
			held = rate
			s.report.Held = &held
		} else {
			broke := rate
			s.report.Broke = &broke
		}
		switch broke := s.report.Broke; {
		case held == 0, held == high && broke == nil:
			return // not at the lowest, or also at the highest
		case broke == nil:
			rate = min(high, 2*held) // from below, so that the service is not overrun by the first attack
			continue
		case *broke/held <= 1+resolution:
			return
		default:
			rate = math.Sqrt(held * *broke)
		}
	}
}

// holds sends attacks at a rate until two of them pass or two do not: a single stall of the machine decides nothing. decided is false where that cannot be told.
func (s *search) holds(ctx context.Context, rate float64) (holds, decided bool) {
	inconclusive, voids, failed := 0, 0, 0
	for passed := 0; passed < 2; {
		step, void := s.step(ctx, rate, time.Duration(1+inconclusive)*s.options.Duration)
		switch {
		case ctx.Err() != nil, s.report.Undecided != "":
			return false, false
		case step.Verdict == reports.Pass:
			passed++
		case step.Verdict == reports.Fail && failed > 0:
			return false, true
		case step.Verdict == reports.Fail:
			failed++
		case void && voids < mostVoid:
			voids++
		case !void && inconclusive == 0:
			inconclusive++
		case void:
			s.report.Undecided = fmt.Sprintf("the load generator did not keep its schedule at %.5g/s, so that no verdict follows", rate)
			return false, false
		default:
			return false, true // what cannot be shown to hold does not count as held
		}
		if len(s.report.Steps) >= mostSteps {
			s.report.Undecided = fmt.Sprintf("%d attacks did not decide it", mostSteps)
			return false, false
		}
	}
	return true, true
}

// step sends an attack at a rate. void says that the generator did not keep its schedule although more requests might have been in flight.
func (s *search) step(ctx context.Context, rate float64, lasts time.Duration) (step load.Step, void bool) {
	o := s.options
	o.Rate, o.Duration = rate, lasts
	a, err := Plan(o)
	if err != nil { // the highest rate was planned before
		return load.Step{Verdict: reports.Inconclusive, Why: err.Error()}, true
	}
	r, err := a.Send(ctx, nil, func(Progress) {})
	switch {
	case err != nil: // nothing is kept, so that only workers can fail
		s.report.Undecided = err.Error()
	case len(r.Incomplete) > 0:
		s.report.Undecided = "a worker died, so that a part of the requests is missing"
	}
	step = load.Step{Rate: rate, Seconds: lasts.Seconds(), Verdict: r.Verdict, OK: r.Rate.OK}
	if all := r.Requests.OK + r.Requests.Failed; all > 0 {
		step.Failed = float64(r.Requests.Failed) / float64(all)
	}
	for _, q := range r.Latency.OK.Quantiles {
		switch q.Q {
		case 0.5:
			step.P50 = q.Seconds
		case 0.99:
			step.P99 = q.Seconds
		}
	}
	for _, e := range r.Expectations {
		if e.Verdict == r.Verdict && e.Verdict != reports.Pass {
			step.Why = e.Text + ": " + e.Why
			break
		}
	}
	full := r.Connections.MostInFlight >= r.Connections.Most
	sent := !r.Limited || full || r.Rate.Sent >= keptUp*rate // else it is the generator that was too slow
	if answered := (1 - step.Failed) * keptUp * rate; r.Requests.OK > 0 && r.Aborted == "" && step.OK < answered && sent {
		step.Verdict, step.Why = reports.Fail, fmt.Sprintf("only %.4g good answers a second came", step.OK)
	}
	s.report.Steps = append(s.report.Steps, step)
	s.tell(step)
	return step, r.Limited && !full
}
