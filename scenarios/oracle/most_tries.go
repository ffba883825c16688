package oracle

import (
	"cmp"
	"net/http"

	"github.com/hellochaos/hellochaos/manifests"
)

// mostCounted bounds the numbers of MostTries: retries multiply, and no limit that anybody wants is as high.
const mostCounted = 1_000_000_000

// MostTries is, for each service that calls going these ways can lead to, the most tries that one request can lead to there, at most
// 1,000,000,000: where every try fails, each service answers a status that is retried when a call of its own fails, and each try takes
// the way that leads to the most. A host outside of which nothing is known counts as a service of that name.
func MostTries(ways ...*Call) map[string]int {
	known, most := map[*Call]map[string]int{}, map[string]int{}
	for _, first := range ways {
		highest(most, received(first, known))
	}
	return most
}

// received is how many tries services can receive of a call and of the calls that it leads to. known has those that were counted already.
func received(c *Call, known map[*Call]map[string]int) map[string]int {
	if done, ok := known[c]; ok {
		return done
	}
	each := map[string]int{} // for one try of the call
	for i := range c.Destinations {
		d := &c.Destinations[i]
		if d.External && len(d.Workloads) == 0 {
			highest(each, map[string]int{cmp.Or(d.Host, c.Host): 1})
		}
		for _, w := range d.Workloads {
			of := map[string]int{w.Service: 1}
			for _, step := range w.Steps {
				for _, next := range step {
					for service, n := range received(next, known) {
						of[service] = min(mostCounted, of[service]+n)
					}
				}
			}
			highest(each, of)
		}
	}
	tries := FailedTries(c.Rule)
	for service, n := range each {
		each[service] = min(mostCounted, n*tries)
	}
	known[c] = each
	return each
}

// highest keeps the higher one of two numbers of each service.
func highest(all, others map[string]int) {
	for service, n := range others {
		all[service] = max(all[service], n)
	}
}

// FailedTries is the most tries of a call whose every try is answered 500 or 503, under a rule; 1 where no proxy is on its way.
func FailedTries(rule *manifests.Rule) int {
	if rule == nil || !rule.Retry.Covers(manifests.Failure{Status: http.StatusInternalServerError}) && !rule.Retry.Covers(manifests.Failure{Status: http.StatusServiceUnavailable}) {
		return 1
	}
	return 1 + rule.Retry.Attempts
}
