package scenarios

import (
	"fmt"
	"math"
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/target"
)

// phase is a stage before or after it was applied: what is applied, what that implies, what is sent and looked at.
type phase struct {
	stage   *Stage
	after   bool
	options Options
	pace    Pace
	objects []manifests.Object
	rules   *manifests.Rules
	entry   target.Entry
	// cohorts have the headers of this run; forecasts are by cohort.
	cohorts   []attack.Cohort
	forecasts []*forecast
	checks    []check
	// requests, rate and lead are the plan: how many, how many a second, and how many more after a stop. host is what the
	// gateway wants to be called.
	requests, lead int
	rate           float64
	host           string
	// traced: the target may have a tracer that knows requests by ids.
	traced bool
	// left says what is not checked, and why.
	left []omission
}

// omission is a reason not to check something, and the hops that it holds for.
type omission struct {
	why  string
	hops []string
}

// prepare plans a phase: everything that can be said before the first request.
func (s *Stage) prepare(after bool, o Options, pace Pace, overrides map[string][]manifests.Object) (*phase, error) {
	p := &phase{stage: s, after: after, options: o, pace: pace, entry: s.entry[0]}
	if after {
		p.entry = s.entry[1]
	}
	var err error
	if p.objects, err = s.objects(after, o, overrides); err != nil {
		return nil, err
	}
	if p.rules, err = manifests.Read(p.objects); err != nil {
		return nil, err
	}
	if p.entry == target.Gateway {
		if _, p.host, err = theGateway(p.rules); err != nil {
			return nil, err
		}
	}
	if err := p.foresee(); err != nil {
		return nil, err
	}
	p.checks = s.checks(p)
	p.plan(pace)
	return p, nil
}

// foresee computes the forecast of every cohort.
func (p *phase) foresee() error {
	q := question{fail: p.options.Fail, hang: p.options.Hang, cascade: p.options.Cascade, timeout: p.timeout()}
	split := false
	for _, cohort := range p.stage.cohorts {
		cohort.Header = headers(cohort, p.options)
		hops, err := discover(p.rules, p.entry, cohort.Header)
		if err != nil {
			return err
		}
		f, err := predict(hops, q)
		if err != nil {
			return err
		}
		if i := f.index(middleware); i >= 0 && math.Abs(100*hops[i].version(canary)-float64(p.options.CanaryWeight)) < 1e-9 {
			split = true
		}
		p.cohorts = append(p.cohorts, cohort)
		p.forecasts = append(p.forecasts, f)
	}
	if p.options.CanaryWeight > 0 && !split && p.after && p.stage.splits {
		return fmt.Errorf("--canary-weight %d: no route of a VirtualService for %s sends all calls without a match to the subset prod, so there is nothing to split (the stage's own file says how it is split)", p.options.CanaryWeight, middleware)
	}
	return nil
}

// own are the names of the services of the chain that are ours, the first one first.
func (p *phase) own() []string {
	var names []string
	for _, h := range p.forecasts[0].hops {
		if !h.external {
			names = append(names, h.name)
		}
	}
	return names
}

func (p *phase) name() string { return phaseName(p.after) }

func phaseName(after bool) string {
	if after {
		return "after"
	}
	return "before"
}

func (p *phase) connections() int {
	if n := p.options.Attack.Connections; n > 0 {
		return n
	}
	return defaultConnections
}

func (p *phase) timeout() time.Duration {
	if d := p.options.Attack.Timeout; d > 0 {
		return d
	}
	return attack.DefaultTimeout
}

// attackOn is the attack of this phase on an address.
func (p *phase) attackOn(address string) attack.Plan {
	return attack.Plan{
		URL: address, Host: p.host, Requests: p.requests, Rate: p.rate, Cohorts: p.cohorts,
		Name:        fmt.Sprintf("%d/%s-%s", p.options.Seed, p.stage.Name, p.name()),
		Connections: p.connections(), Timeout: p.timeout(), Lead: p.lead, Trace: p.traced,
	}
}
