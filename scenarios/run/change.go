package run

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/scenarios/check"
	"github.com/hellochaos/hellochaos/scenarios/explain"
	"github.com/hellochaos/hellochaos/scenarios/observe"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
	"github.com/hellochaos/hellochaos/service/trail"
	"github.com/hellochaos/hellochaos/target"
)

const (
	// settle is how long requests are sent before a change, and after it, at least.
	settle = 300 * time.Millisecond
	// mostSettle is how long they are sent there at most, where so few calls tell the old rules from the new ones that the evidence is thin.
	mostSettle = 3 * time.Second
	// mostChanging bounds how long a target may take to apply objects while requests are sent.
	mostChanging = 10 * time.Minute
	// mostChangeRate is the most requests a second that are sent during a change unless the user asks for more: ten in the 20 ms for which a
	// proxy might have no routes, and so few that requests do not wait for each other.
	mostChangeRate = 500
	// leastChangeRate is the rate below which halving it helps no more: with a request in every 40 ms of quick answers, no proxy on the way of
	// all of them is asked nothing for check.MostUnwatched.
	leastChangeRate = 25
	// changeSeries and backSeries are parts of the names of requests during a change, and while it is put back.
	changeSeries, backSeries = "c", "b"
)

// change is what is planned to measure while the objects of a phase take the place of those of the phase before, and back again.
type change struct {
	from, to *planned
	// before are the objects of the phase before with the workloads and Services of the phase: pods that come and go are no change of policies.
	before []manifests.Object
	// blocked is a clause that says why no request can be sent before and after the change; empty where some can.
	blocked string
}

// planChanges plans the changes that are measured: those to the phases that are proved, from the phases before. The error has all that is
// wrong.
func (r *Run) planChanges() error {
	if !r.options.ThroughChange {
		return nil
	}
	var problems []error
	planned := false
	for i, p := range r.phases {
		if i == 0 || p.Base || len(p.Cohorts) == 0 {
			continue
		}
		planned = true
		var err error
		if p.change, err = throughChange(r.phases[i-1], p); err != nil {
			problems = append(problems, fmt.Errorf("phase %s: the change from phase %s: %w", p.Name, r.phases[i-1].Name, err))
		}
	}
	switch {
	case r.options.Request != "":
		problems = append(problems, errors.New("--through-change: a change is not measured by the one request of --request"))
	case !planned:
		problems = append(problems, errors.New("--through-change: the run has one phase, so that nothing changes in it: a file with 'after' or with several phases has changes"))
	}
	return errors.Join(problems...)
}

// throughChange plans a change between two phases.
func throughChange(from, to *planned) (*change, error) {
	c := &change{from: from, to: to}
	for _, o := range from.calm() {
		if o.Istio != nil {
			c.before = append(c.before, o)
		}
	}
	for _, o := range to.calm() {
		if o.Kubernetes != nil {
			c.before = append(c.before, o)
		}
	}
	if _, err := c.sides(false, ""); err != nil {
		return nil, err
	}
	return c, nil
}

// changing is a change in one direction, with the requests that are sent meanwhile.
type changing struct {
	*change
	objects []manifests.Object // that are applied
	cohorts []attack.Cohort
	judged  []observe.Cohort
	entries []manifests.Entry
	proxies []string // at which the requests of each cohort enter
	paths   []string
}

// sides compiles the ways of the requests: those of the cohorts of the later phase that can enter before and after. back is whether the
// change is put back, and series is part of their names. The error says that calls under a mixture of both sets of rules lead back to themselves.
func (c *change) sides(back bool, series string) (*changing, error) {
	d := &changing{change: c, objects: c.to.calm()}
	old, err := manifests.Read(c.before)
	if err != nil {
		return nil, err
	}
	before, after := old, c.to.rules
	if back {
		before, after, d.objects = after, before, c.before
	}
	ways, err := oracle.NewChange(before, after)
	if err != nil {
		return nil, err
	}
	var all []asking
	missing := ""
	for i := range c.to.Cohorts {
		cohort := &c.to.Cohorts[i]
		entry, host, err := resolved(cohort, old)
		if err == nil {
			_, _, err = old.CallerOf(entry)
		}
		if err != nil {
			missing = enters(c.to.entries[i], c.to.rules)
			continue
		}
		first, err := ways.Enter(entry, manifests.Request{Host: host, Method: cohort.Method, Path: requestPath(cohort), Header: c.to.header(*cohort, "")})
		if err != nil {
			return nil, err
		}
		all = append(all, asking{cohort, entry, first, host, c.to.pinsOf(i)})
	}
	d.take(all, series)
	if len(d.cohorts) == 0 {
		c.blocked = fmt.Sprintf("no request can be sent before and after it, since those of phase %s enter %s, which phase %s does not have", c.to.Name, missing, c.from.Name)
	}
	return d, nil
}

// asking is a cohort of the scenario during a change: where its requests enter, and the pins that they have in turn.
type asking struct {
	*scenarios.Cohort
	entry manifests.Entry
	first *oracle.Call
	host  string
	pins  []string
}

// take makes cohorts of the attack of those of the scenario, which take turns, each with one of its pins after another.
func (d *changing) take(all []asking, series string) {
	rounds := 0
	for _, a := range all {
		rounds = max(rounds, len(a.pins))
	}
	for round := range rounds {
		for _, a := range all {
			pins := a.pins[round%len(a.pins)]
			d.cohorts = append(d.cohorts, attack.Cohort{Name: a.Name, Series: series, Host: a.host, Method: a.Method, Header: d.to.header(*a.Cohort, pins)})
			d.judged = append(d.judged, observe.Cohort{Way: a.first, Request: *d.to.request(pins), Probe: true})
			d.entries, d.paths, d.proxies = append(d.entries, a.entry), append(d.paths, requestPath(a.Cohort)), append(d.proxies, entryProxy(a.entry))
		}
	}
}

// pinsOf are the pins of a cohort's requests during a change. Every second one fails nowhere, so that it asks every proxy on its way at once;
// between them are those of the phase's probes that fail somewhere, of which a policy of retries makes something else than the one before.
// None hangs: what takes seconds says nothing of an order in time.
func (p *planned) pinsOf(cohort int) []string {
	all := []string{trail.PinNothing}
	for i := range p.judged {
		pins := p.judged[i].Request.Pins
		if !p.judged[i].Probe || p.from[i] != cohort || pins == trail.PinNothing || strings.Contains(pins, "="+trail.PinHang) {
			continue
		}
		all = append(all, pins, trail.PinNothing)
	}
	return all
}

// entryProxy names the proxy at which requests enter; "" where none is on their way.
func entryProxy(e manifests.Entry) string {
	switch {
	case e.Gateway != "":
		return "gateway " + strings.TrimPrefix(e.Gateway, manifests.Namespace+"/")
	case e.Caller != "":
		namespace, app, _ := e.Pods()
		if namespace == manifests.Namespace {
			return app
		}
		return app + "." + namespace
	}
	return ""
}

// changes applies the objects of a phase under load, puts those before back, and applies them for good, as the phase does after it.
func (r *Run) changes(ctx context.Context, c *change, on target.Target) (all []reports.Change, err error) {
	for _, back := range []bool{false, true} {
		done, err := r.direction(ctx, c, on, back)
		done.Words = explain.Change(done)
		all = append(all, *done)
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// direction measures a change in one direction, again and at half the rate where this machine was too busy: requests left late, or some proxy
// was asked too seldom.
func (r *Run) direction(ctx context.Context, c *change, on target.Target, back bool) (*reports.Change, error) {
	rate, chosen := c.rate(), c.to.options.Attack.Rate > 0
	for repeated := 0; ; repeated++ {
		done := c.describe(back)
		done.Rate, done.ByConnection = rate, on.Describe().ByConnection
		r.emit(ChangeBegan{done})
		busy, err := c.measure(ctx, on, done)
		if err != nil || chosen || repeated == mostRepeats || !busy && !check.Unwatched(done) {
			return done, err
		}
		rate = max(rate/2, min(rate, leastChangeRate))
	}
}

// rate is how many requests a second are sent at first during a change: the user's rate, or half of what the later phase is sent at.
func (c *change) rate() float64 {
	if chosen := c.to.options.Attack.Rate; chosen > 0 {
		return chosen
	}
	return math.Max(1, math.Floor(min(c.to.rate/2, mostChangeRate)))
}

// describe is what a report has of a change before anything was sent.
func (c *change) describe(back bool) *reports.Change {
	done := &reports.Change{From: c.from.Name, To: c.to.Name, PutBack: back, Verdict: reports.Inconclusive, Why: c.blocked}
	if back {
		done.From, done.To = done.To, done.From
	}
	return done
}

// measure applies objects while requests are sent, and judges them. busy says that requests left late. On an error the change has no verdict.
func (c *change) measure(ctx context.Context, on target.Target, done *reports.Change) (busy bool, err error) {
	if c.blocked != "" {
		return false, nil
	}
	series, first := changeSeries, c.before
	if done.PutBack {
		series, first = backSeries, c.to.calm()
	}
	d, err := c.sides(done.PutBack, series)
	if err != nil {
		return false, err
	}
	err = on.Apply(ctx, first)
	if err == nil {
		err = d.find(ctx, on)
	}
	if err == nil {
		busy, err = d.send(ctx, on, done)
	}
	if err != nil {
		done.Why = "it was not measured to its end: see the run's error"
		if ctx.Err() != nil {
			done.Why = "the run was interrupted"
		}
		return busy, fmt.Errorf("the change %s: %w", done.Title(), err)
	}
	return busy, nil
}

// find asks the target where the requests enter.
func (d *changing) find(ctx context.Context, on target.Target) error {
	for i := range d.cohorts {
		address, err := on.Address(ctx, d.entries[i])
		if err != nil {
			return err
		}
		d.cohorts[i].URL = address.URL + d.paths[i]
	}
	return nil
}

// plan is the attack during the change: at a steady rate, as long as the change may take. On a busy machine requests leave late: more of them
// under way would only wait for each other.
func (d *changing) plan(rate float64) attack.Plan {
	p := d.to
	requests := min(attack.MaxRequests, max(1, int(rate*(mostChanging+2*mostSettle).Seconds())))
	return attack.Plan{URL: d.cohorts[0].URL, Requests: requests, Rate: rate, Cohorts: d.cohorts, Name: p.plansName(), Grace: grace,
		Connections: min(p.connections, p.underWay), Timeout: p.options.Attack.Timeout, Trace: p.traced}
}

// applying is an Apply that is under way beside the load.
type applying struct {
	began, ended time.Time
	err          error
	done         chan struct{} // closed when it has ended; nil before it began
}

// begin applies objects.
func (a *applying) begin(ctx context.Context, on target.Target, objects []manifests.Object) {
	a.done = make(chan struct{})
	go func() {
		defer close(a.done)
		a.began = time.Now()
		a.err = on.Apply(ctx, objects)
		a.ended = time.Now()
	}()
}

// over reports whether it has ended.
func (a *applying) over() bool {
	select {
	case <-a.done:
		return true
	default:
		return false
	}
}

// send sends the requests, has the objects applied in their middle, and judges what came of them. busy says that requests left late.
func (d *changing) send(ctx context.Context, on target.Target, done *reports.Change) (busy bool, err error) {
	plan := d.plan(done.Rate)
	seen := observe.NewChange(d.judged, d.proxies, observe.Unit(done.ByConnection), plan.RequestName)
	var apply applying
	began := time.Now()
	result, err := attack.Run(ctx, plan, func(o *attack.Observation) bool {
		seen.Add(o)
		enough := seen.Evidence() >= check.LeastEvidence
		switch {
		case apply.done == nil:
			if o.Started >= settle && (enough || o.Started >= mostSettle) {
				apply.begin(ctx, on, d.objects)
			}
		case apply.over():
			after := began.Add(o.Started).Sub(apply.ended)
			return apply.err == nil && (after < settle || !enough && after < mostSettle)
		}
		return true
	})
	if apply.done == nil {
		done.Why = "the requests ended before the objects were applied"
		return false, err
	}
	<-apply.done
	done.Applied = apply.ended.Sub(apply.began).Seconds()
	if apply.err != nil {
		return false, fmt.Errorf("applying its objects: %w", apply.err)
	}
	if err != nil {
		return false, err
	}
	busy = result.Late || result.Limited
	check.Change(done, seen, apply.began.Sub(result.Began), apply.ended.Sub(result.Began), busy)
	if result.Limited && done.Verdict == reports.Pass {
		done.Verdict, done.Why = reports.Inconclusive, fmt.Sprintf("the load generator could not keep its schedule: %d of %d requests were not sent", result.Unsent, result.Sent+result.Unsent)
	}
	return busy, nil
}
