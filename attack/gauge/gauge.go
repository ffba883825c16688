// Package gauge attacks addresses that a user names, and measures what comes of it: it makes the plan, counts observations in constant
// memory, holds the figures against what was expected, and makes the report. It must not know scenarios, meshes or manifests.
package gauge

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/attack/share"
	"github.com/hellochaos/hellochaos/expect"
	"github.com/hellochaos/hellochaos/reports/load"
)

// Options are what a user asks for.
type Options struct {
	attack.Options
	// Targets are the requests, which take turns: each as often as its weight says. Weights has one for each target, or none where all have 1.
	Targets []attack.Cohort
	Weights []int
	TLS     *tls.Config
	// Phases, Closed and Seed are those of attack.Pace.
	Phases []attack.Phase
	Closed bool
	Seed   uint64
	// Run sends the plan in place of attack.Run, where Workers processes share it; nil: this process sends it alone.
	Run     func(context.Context, attack.Plan, func(*attack.Observation) bool) (attack.Result, []share.Outcome, error)
	Workers int
	// Fresh, HTTP2 and Resolve are those of attack.Plan.
	Fresh, HTTP2 bool
	Resolve      map[string]string
	Expect       []expect.Expectation
	// Abort ends the attack as soon as an expectation about latency or errors cannot be met any more.
	Abort bool
	// MostConnections is how many requests may be in flight where Options.Connections does not say it; 0: attack.MaxConnections.
	MostConnections int
}

// MaxWeights is the largest sum of weights.
const MaxWeights = 10_000

// Attack is an attack that can be sent.
type Attack struct {
	attack.Plan
	options Options
	order   []int    // the target of each cohort
	scopes  []*scope // of the expectations, nil for one that is about all requests
}

// Scoped reports whether an expectation is about a part of the requests. Workers must then say what became of each of them (Options.Run).
func (a *Attack) Scoped() bool {
	return slices.ContainsFunc(a.scopes, func(s *scope) bool { return s != nil })
}

// Plan makes the plan of an attack. The error joins all problems.
func Plan(o Options) (*Attack, error) {
	var problems []error
	o.Rate = cmp.Or(o.Rate, attack.DefaultRate)
	if o.Duration == 0 && o.MaxRequests == 0 {
		o.Duration = attack.DefaultDuration
	}
	requests := o.MaxRequests
	if o.Duration > 0 {
		planned := int(math.Ceil(o.Rate*o.Duration.Seconds() - 1e-9))
		requests = max(1, min(planned, cmp.Or(o.MaxRequests, planned)))
	}
	switch {
	case o.Closed:
		if requests = cmp.Or(o.MaxRequests, attack.MostRequests); o.Duration == 0 {
			o.Duration = attack.MaxSending // as long as the requests take
		}
		o.Rate = attack.MaxRate // of which nothing follows
	case len(o.Phases) > 0:
		requests = 0
		var lasts float64
		for i := range o.Phases {
			requests, lasts = requests+o.Phases[i].Requests(), lasts+o.Phases[i].Duration.Seconds()
		}
		o.Rate = max(attack.MinRate, float64(requests)/lasts)
	}
	if requests > attack.MaxLoad && !o.Closed {
		problems = append(problems, fmt.Errorf("--rate and --duration: are %d requests, and one attack sends at most %d", requests, attack.MaxLoad))
	}
	if took := float64(requests) / o.Rate; took > attack.MaxSending.Seconds() {
		problems = append(problems, fmt.Errorf("--rate and --requests: take %.0f hours, and one attack sends for at most %.0f", took/3600, attack.MaxSending.Hours()))
	}
	order, err := turns(len(o.Targets), o.Weights)
	problems = append(problems, err)
	scopes, err := scopesOf(o.Expect, o.Phases, o.Targets)
	problems = append(problems, err)
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	cohorts := make([]attack.Cohort, len(order))
	for i, target := range order {
		cohorts[i] = o.Targets[target]
	}
	a := &Attack{options: o, order: order, scopes: scopes, Plan: attack.Plan{URL: o.Targets[0].URL, TLS: o.TLS, Requests: requests, Rate: o.Rate, Cohorts: cohorts, Name: "attack",
		Timeout: o.Timeout, Bare: true, Phases: o.Phases, Seed: o.Seed, Fresh: o.Fresh, HTTP2: o.HTTP2, Resolve: o.Resolve}}
	if o.Closed {
		a.Rate, a.Closed = 0, o.Duration
	}
	if a.TLS == nil {
		a.TLS = &tls.Config{}
	}
	needed := int(min(math.Ceil(a.Peak()*o.Timeout.Seconds()), float64(requests), attack.MaxConnections))
	a.Connections = cmp.Or(o.Connections, max(1, min(needed, cmp.Or(o.MostConnections, attack.MaxConnections))))
	return a, a.Check()
}

// Options are those of which the attack was planned.
func (a *Attack) Options() Options { return a.options }

// Peak is the highest rate that is planned, in requests a second; infinite for a closed loop.
func (a *Attack) Peak() float64 {
	if a.options.Closed {
		return math.Inf(1)
	}
	peak := 0.0
	for i := range a.Phases {
		p := &a.Phases[i]
		peak = max(peak, p.Rate, p.To, float64(len(p.Times))/p.Duration.Seconds())
	}
	return cmp.Or(peak, a.Rate)
}

// turns are the targets, by their numbers, in the order in which they take turns, each as often as its weight says and spread evenly: at each
// turn the target comes that is furthest behind its share (the smooth weighted round robin of nginx).
func turns(targets int, weights []int) (order []int, err error) {
	if len(weights) == 0 {
		for i := range targets {
			order = append(order, i)
		}
		return order, nil
	}
	if len(weights) != targets {
		return nil, fmt.Errorf("--weights: has %d numbers, and there are %d targets: give one for each", len(weights), targets)
	}
	sum := 0
	for _, w := range weights {
		sum += w
	}
	if sum > MaxWeights {
		return nil, fmt.Errorf("--weights: the sum is %d, and must be at most %d", sum, MaxWeights)
	}
	credit := make([]int, len(weights))
	for range sum {
		next := 0
		for i, w := range weights {
			if credit[i] += w; credit[i] > credit[next] {
				next = i
			}
		}
		credit[next] -= sum
		order = append(order, next)
	}
	return order, nil
}

// planned is how many requests are planned; 0: a closed loop, in which as many are sent as are answered.
func (a *Attack) planned() int64 {
	if a.options.Closed && a.options.MaxRequests == 0 {
		return 0
	}
	return int64(a.Requests)
}

// Progress is how far an attack has come.
type Progress struct{ Planned, Done, Failed int64 } // Planned is 0 where that is not known

// newTally is an empty tally of the attack.
func (a *Attack) newTally() *tally {
	t := newTally()
	t.targetOf, t.phases, t.scoped = a.order, newPhaseTallies(a.Phases), newScoped(a.scopes)
	t.begin, _, _ = t.warmup()
	return t
}

// Send sends the attack. It hands each observation to keep, in planned order, which may be nil; where keep returns an error, sending ends. tell
// is told of each request that is done. The report is always valid: of an attack whose context ended, or whose keep failed, it has what was
// done until then, and says so. The error is that of keep, or that of workers that could not be started.
func (a *Attack) Send(ctx context.Context, keep func(*attack.Observation) error, tell func(Progress)) (*load.Report, error) {
	tally := a.newTally()
	var unkept error
	broken, looks := "", 0
	seen := make([]int64, max(1, a.options.Workers))
	result, outcomes, err := a.run(ctx, func(o *attack.Observation) bool {
		tally.add(o)
		seen[o.Number%len(seen)]++
		if keep != nil && unkept == nil {
			unkept = keep(o)
		}
		tell(Progress{a.planned(), tally.requests(), tally.failed})
		if a.options.Abort && broken == "" && o.Planned-tally.begin >= time.Duration(looks+1)*lookEvery {
			looks = int((o.Planned - tally.begin) / lookEvery)
			broken = tally.watch(a.options.Expect, looks)
		}
		return unkept == nil && broken == ""
	})
	var incomplete []load.Worker
	if errors.As(err, new(share.Died)) {
		incomplete, err = a.incomplete(outcomes, func(i int) int64 { return seen[i] }, &result), nil
	}
	r := a.report(tally, &result)
	r.Workers, r.Incomplete, r.Clocks = a.options.Workers, incomplete, clocks(outcomes)
	for i := range tally.phases {
		r.Phases = append(r.Phases, tally.phases[i].report(result.Observed < result.Planned && result.Unsent == 0))
	}
	switch {
	case err != nil && ctx.Err() != nil:
		r.Interrupted = "the attack was interrupted"
	case err != nil:
		return r, err
	case broken != "":
		r.Aborted = broken
	case unkept != nil:
		r.Interrupted = "the results could not be written, and the attack ended"
	}
	conclude(r, tally, a.options.Expect)
	return r, unkept
}

// run sends the plan, by workers where there are any.
func (a *Attack) run(ctx context.Context, observe func(*attack.Observation) bool) (attack.Result, []share.Outcome, error) {
	if a.options.Run != nil {
		return a.options.Run(ctx, a.Plan, observe)
	}
	result, err := attack.Run(ctx, a.Plan, observe)
	return result, nil, err
}

// lookEvery is how often Options.Abort looks at the expectations.
const lookEvery = time.Second

// report has the figures of an attack.
func (a *Attack) report(t *tally, result *attack.Result) *load.Report {
	r := t.report(result)
	r.Closed = a.options.Closed
	r.Connections = &load.Connections{Opened: result.Opened, MostInFlight: result.MostInFlight, Most: a.Connections}
	if r.Limited && result.MostInFlight >= a.Connections {
		r.Warnings = append(r.Warnings, fmt.Sprintf("at times all %d requests that may be in flight waited for their answers, and none could be sent: --connections allows more", a.Connections))
	}
	for i := range a.options.Targets {
		to := &a.options.Targets[i]
		weight := 1
		if len(a.options.Weights) > 0 {
			weight = a.options.Weights[i]
		}
		r.Targets = append(r.Targets, load.Target{Method: cmp.Or(to.Method, "GET"), URL: to.URL, Weight: weight})
	}
	t.details(r)
	return r
}

// Recorded makes the report of a file of results, in one of Vegeta's formats.
func Recorded(file string) (*load.Report, error) {
	recording, err := attack.OpenRecording(file)
	if err != nil {
		return nil, err
	}
	t := newTally()
	if err := recording.Observations(t.add); err != nil {
		return nil, err
	}
	r := t.report(&recording.Result)
	r.Recording, r.FromStart = file, !recording.Planned
	for i := range recording.Targets {
		r.Targets = append(r.Targets, load.Target{Method: recording.Targets[i].Method, URL: recording.Targets[i].URL, Weight: 1})
	}
	t.details(r)
	return r, nil
}
