package scenarios

import (
	"math"
	"slices"

	"github.com/hellochaos/hellochaos/attack"
)

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

// balancedShare of its prediction is all that a version may lose or gain when a load balancer picks by load: it must answer,
// and so must the others.
const balancedShare = 0.9

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
		c.tolerance = balancedShare * min(s.predicted, 1-s.predicted)
	}
	return c
}
