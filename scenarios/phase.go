package scenarios

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/target"
)

const (
	// defaultMost is the most requests that a phase plans unless the user says otherwise.
	defaultMost = 50000
	// ledgerMost is the most that are planned for the sake of a ledger alone: rarer failures are not waited for.
	ledgerMost = 20000
	// timedShare of the capacity is used where waits are timed: a busy machine wakes up late.
	timedShare = 0.65
	// leastRequests of a phase are planned even where every check wants fewer.
	leastRequests = 200

	defaultConnections = 1024
	defaultTimeout     = 30 * time.Second
)

// phase is a stage before or after it was applied: what is applied, what that implies, what is sent and looked at.
type phase struct {
	stage   *Stage
	after   bool
	options Options
	objects []manifests.Object
	rules   *manifests.Rules
	entry   target.Entry
	// cohorts have the headers of this run; forecasts are by cohort.
	cohorts   []attack.Cohort
	forecasts []*forecast
	checks    []check
	// requests and rate are the plan; host is what the gateway wants to be called.
	requests int
	rate     float64
	host     string
	// left says why waits are not timed, and of which hops.
	left []omission
}

// prepare plans a phase: everything that can be said before the first request.
func (s *Stage) prepare(after bool, o Options, capacity float64, overrides map[string][]manifests.Object) (*phase, error) {
	p := &phase{stage: s, after: after, options: o, entry: s.entry[0]}
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
	for _, cohort := range s.cohorts {
		cohort.Header = headers(cohort, o)
		hops, err := discover(p.rules, p.entry, cohort.Header)
		if err != nil {
			return nil, err
		}
		p.cohorts = append(p.cohorts, cohort)
		p.forecasts = append(p.forecasts, predict(hops, o.Fail, o.Hang, o.Cascade))
	}
	p.checks = s.checks(p)
	p.plan(capacity)
	return p, nil
}

// plan settles the number of requests and their rate, and adds the checks that this many requests allow.
func (p *phase) plan(capacity float64) {
	p.rate = p.options.Attack.Rate
	if p.rate == 0 {
		p.rate = p.plannedRate(capacity)
	}
	wanted := float64(leastRequests)
	for _, c := range p.checks {
		switch demand := c.demand(); {
		case math.IsInf(demand, 1): // no number would do: the check will say that it has no data
		default:
			if _, ok := c.(*ledger); ok {
				demand = min(demand, ledgerMost)
			}
			wanted = max(wanted, demand)
		}
	}
	most := float64(defaultMost)
	if p.options.Attack.MaxRequests > 0 {
		most = float64(p.options.Attack.MaxRequests)
	}
	if d := p.options.Attack.Duration; d > 0 {
		most = min(most, math.Floor(p.rate*d.Seconds()))
	}
	p.requests = max(len(p.cohorts), int(math.Ceil(min(wanted, most))))
	if p.after {
		for i := range p.forecasts[0].hops {
			if hop := p.forecasts[0].hops[i].name; p.timed(hop) {
				checks, left := backoffs(p.forecasts[0], i, p.requests)
				p.checks = append(p.checks, checks...)
				p.omit(hop, left)
			}
		}
	}
}

// omission is a reason not to check something, and the hops that it holds for.
type omission struct {
	why  string
	hops []string
}

// omit notes why a hop is left out; no reason, no omission.
func (p *phase) omit(hop, why string) {
	if why == "" {
		return
	}
	i := slices.IndexFunc(p.left, func(o omission) bool { return o.why == why })
	if i < 0 {
		i = len(p.left)
		p.left = append(p.left, omission{why: why})
	}
	p.left[i].hops = append(p.left[i].hops, hop)
}

// begin makes all shares undecided.
func (p *phase) begin() {
	proportions := p.proportions()
	for _, c := range proportions {
		c.begin(p.requests, len(proportions))
	}
}

// times reports whether the phase times any waits.
func (p *phase) times() bool {
	f := p.forecasts[0]
	for i := range f.hops {
		if p.after && len(f.lost[i]) > 0 && p.timed(f.hops[i].name) {
			return true
		}
	}
	return false
}

// timed reports whether the stage looks at this hop's retries.
func (p *phase) timed(hop string) bool {
	return slices.ContainsFunc(p.checks, func(c check) bool {
		l, ok := c.(*ledger)
		return ok && l.hop == hop
	})
}

// proportions are the checks that may be decided early.
func (p *phase) proportions() []*proportion {
	var found []*proportion
	for _, c := range p.checks {
		if q, ok := c.(*proportion); ok {
			found = append(found, q)
		}
	}
	return found
}

// settled is how many requests must be looked at before the phase may end early: as many as its exact checks, ledgers and
// medians asked for. They are judged at the end, never before.
func (p *phase) settled() int {
	var most float64
	for _, c := range p.checks {
		if _, ok := c.(*proportion); !ok {
			most = max(most, c.demand())
		}
	}
	return int(math.Ceil(min(most, float64(p.requests))))
}

// lead is how many requests may be in flight when the shares are decided: a stop that far ahead is at the same request in
// every run with the same seed.
func (p *phase) lead() int {
	ahead := 0.1
	if p.times() {
		ahead = 0.3 // the waits between tries
	}
	return int(p.rate * ahead)
}

// plannedRate keeps the tries that a second's requests cause within the target's capacity, and the requests in flight
// well within the connections.
func (p *phase) plannedRate(capacity float64) float64 {
	var tries, mean float64
	for _, f := range p.forecasts {
		for i := range f.hops {
			tries += f.tries[i]
		}
		mean = max(mean, f.mean.Seconds())
	}
	tries = 1 + tries/float64(len(p.forecasts)) // the edge's own work counts as one
	rate := capacity / tries
	if p.times() {
		rate *= timedShare
	}
	if mean > 0 {
		rate = min(rate, float64(p.connections())/2/mean)
	}
	return math.Max(1, math.Floor(rate))
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
	return defaultTimeout
}

// name is "before" or "after".
func (p *phase) name() string {
	if p.after {
		return "after"
	}
	return "before"
}

// attackOn is the attack of this phase on an address.
func (p *phase) attackOn(address string) attack.Plan {
	return attack.Plan{
		URL: address, Host: p.host, Requests: p.requests, Rate: p.rate, Cohorts: p.cohorts,
		Name:        fmt.Sprintf("%d/%s-%s", p.options.Seed, p.stage.Name, p.name()),
		Connections: p.connections(), Timeout: p.timeout(), Lead: p.lead(),
	}
}

// Names of rows that explanations look up.
const (
	edgeFails = "edge fails"
	callFails = " call fails"
)

// edgeFailure is the share of requests that fail at the edge.
func (p *phase) edgeFailure() check {
	return &proportion{
		name: edgeFails, hop: frontend, predicted: p.forecasts[0].edgeFailure, tolerance: p.options.Tolerance, reach: 1,
		count: func(t *attack.Tally) (int64, int64) { return t.Cohorts[0].EdgeFailures, t.Cohorts[0].Requests },
	}
}

// cascading is the share of requests whose answer shows a failure of any of our own hops.
func (p *phase) cascading() check {
	return &proportion{
		name: "any hop fails", predicted: p.forecasts[0].cascading, tolerance: p.options.Tolerance, reach: 1,
		count: func(t *attack.Tally) (int64, int64) { return t.Cohorts[0].Cascading, t.Cohorts[0].Requests },
	}
}

// callFailure is the share of the calls to a hop that fail with all their tries, among those that an answer shows.
func (p *phase) callFailure(hop string) check {
	f := p.forecasts[0]
	c := &proportion{
		name: hop + callFails, hop: hop, tolerance: p.options.Tolerance,
		count: func(t *attack.Tally) (int64, int64) {
			if h := t.Cohorts[0].Hops[hop]; h != nil {
				return h.Failed, h.Calls
			}
			return 0, 0
		},
	}
	if i := f.index(hop); i >= 0 && f.shown[i] > 0 {
		c.predicted, c.reach = f.failure(i), f.shown[i]
	}
	return c
}

// statusShare is the share of the calls to a hop that end with a status.
func (p *phase) statusShare(name, hop string, status int) check {
	f := p.forecasts[0]
	var predicted, reach float64
	if i := f.index(hop); i >= 0 && f.shown[i] > 0 {
		predicted, reach = f.status[i][status]/f.shown[i], f.shown[i]
	}
	return p.share(share{name: name, hop: hop, predicted: predicted, reach: reach,
		count: func(t *attack.Tally) (k, n int64, with, without []int) {
			if h := t.Cohorts[0].Hops[hop]; h != nil {
				return h.Statuses[status], h.Calls, nil, nil
			}
			return 0, 0, nil, nil
		}})
}

// versionShare is the share of a hop's delivered answers that come from a version, in one cohort.
func (p *phase) versionShare(name, hop, version string, cohort int) check {
	f := p.forecasts[cohort]
	s := share{name: name, hop: hop, cohort: p.cohorts[cohort].Name,
		count: func(t *attack.Tally) (k, n int64, with, without []int) {
			h := t.Cohorts[cohort].Hops[hop]
			if h == nil {
				return 0, 0, nil, nil
			}
			for v, count := range h.Versions {
				n += count
				if v != version {
					without = append(without, h.First[v]...)
				}
			}
			slices.Sort(without)
			return h.Versions[version], n, h.First[version], without
		}}
	if i := f.index(hop); i >= 0 {
		s.predicted = f.hops[i].version(version)
		s.reach = f.shown[i] / float64(len(p.cohorts))
		s.balanced = f.hops[i].balanced()
	}
	return p.share(s)
}

// share is a share of trials before it is known how it is judged.
type share struct {
	name, hop, cohort string
	predicted, reach  float64
	// balanced: a load balancer picks, by load, so all that is promised is that every version answers.
	balanced bool
	count    func(*attack.Tally) (k, n int64, with, without []int)
}

// balancedTolerance leaves a load balancer free to prefer a version, as long as the other answers 5 % of the calls.
const balancedTolerance = 0.45

// share makes the check that fits a prediction: none or all is exact, anything between is a proportion.
func (p *phase) share(s share) check {
	const negligible = 1e-12 // rounding of sums of probabilities
	if s.predicted < negligible || s.predicted > 1-negligible {
		return &exact{name: s.name, hop: s.hop, cohort: s.cohort, predicted: math.Round(s.predicted), reach: s.reach,
			least: p.stage.leastExact, tolerance: p.options.Tolerance, count: s.count}
	}
	c := &proportion{name: s.name, hop: s.hop, cohort: s.cohort, predicted: s.predicted, tolerance: p.options.Tolerance, reach: s.reach,
		count: func(t *attack.Tally) (k, n int64) { k, n, _, _ = s.count(t); return k, n }}
	if s.balanced {
		c.tolerance = max(c.tolerance, balancedTolerance)
	}
	return c
}

// ledger is the retry ledger of a hop.
func (p *phase) ledger(hop string) check {
	f := p.forecasts[0]
	if i := f.index(hop); i >= 0 {
		return newLedger(f, i)
	}
	return &ledger{hop: hop}
}

// policies are the retry policies of our own hops, as they take effect.
func (p *phase) policies() []reports.Policy {
	var policies []reports.Policy
	for _, h := range p.forecasts[0].hops {
		switch {
		case h.external:
		case h.rule == nil:
			policies = append(policies, reports.Policy{Hop: h.name, Rule: noProxy})
		default:
			r := h.rule.Retry
			policies = append(policies, reports.Policy{
				Hop: h.name, Rule: h.rule.Name, Retries: r.Attempts, RetryOn: r.On, PerTry: r.PerTry.Seconds(),
				Covers500: r.Attempts > 0 && r.Covers(manifests.Failure{Status: http.StatusInternalServerError}),
			})
		}
	}
	return policies
}

// noProxy is the rule of callers outside the mesh.
const noProxy = "no proxy"

// clock is the external service at the chain's end.
const clock = attack.Clock
