package attack

import (
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/service/trail"
)

// addHops counts the call to every hop that the observation tells of, of which own are ours, and reports whether a
// call to one of these failed.
func (c *CohortTally) addHops(o *Observation, own []string) (anyFailed bool) {
	call := trail.Call{Status: o.Status, Elapsed: o.Latency, Hop: o.Trail}
	called := 0 // index in own of the service called; -1: the clock
	if len(own) == 0 {
		called = -1
	}
	for next := &call; ; {
		service := Clock
		if called >= 0 {
			service = own[called]
			anyFailed = anyFailed || next.Failed()
		}
		c.hop(service).add(next, o.Number)
		if next.Hop == nil || next.Hop.Call == nil {
			return anyFailed
		}
		next = next.Hop.Call
		called = slices.Index(own, firstLabel(next.URL))
	}
}

// firstLabel is the first label of the host of an address: "middleware" of "http://middleware.default.svc:80/".
func firstLabel(address string) string {
	_, host, _ := strings.Cut(address, "://")
	if end := strings.IndexAny(host, ".:/"); end >= 0 {
		host = host[:end]
	}
	return host
}

func (c *CohortTally) hop(service string) *HopTally {
	h := c.Hops[service]
	if h == nil {
		h = &HopTally{Statuses: map[int]int64{}, Versions: map[string]int64{}, First: map[string][]int{}}
		c.Hops[service] = h
	}
	return h
}

// add counts one call, of the request with that number.
func (h *HopTally) add(call *trail.Call, number int) {
	h.Calls++
	h.Statuses[call.Status]++
	bad := call.Failed()
	if bad {
		h.Failed++
	}
	if call.Hop == nil {
		return
	}
	h.addVersion(call.Hop.Version, number)
	attempt := min(call.Hop.Attempt, MaxTries)
	if bad {
		h.Attempts[attempt].Failed++
		return
	}
	h.Attempts[attempt].OK++
	if h.Added[attempt] == nil {
		h.Added[attempt] = newHistogram()
	}
	record(h.Added[attempt], call.Elapsed-call.Hop.Elapsed)
}

// addVersion counts a version. Names are cloned, since one is a part of the answer that brought it.
func (h *HopTally) addVersion(version string, number int) {
	count, known := h.Versions[version]
	if !known {
		if version = strings.Clone(version); len(h.Versions) >= maxVersions {
			version = otherVersion
			count = h.Versions[version]
		}
	}
	h.Versions[version] = count + 1
	if count < maxFirst {
		h.First[version] = append(h.First[version], number)
	}
}
