package attack

import (
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/service/trail"
)

// addHops counts every call in the trail of the observation, and the call from the edge. It returns whether a call to one of the
// services of the chain failed, and the sum of the attempt counts.
func (t *Tally) addHops(c *CohortTally, o *Observation) (anyFailed bool, tries int) {
	call := trail.Call{Status: o.Status, Elapsed: o.Latency, Hop: o.Trail}
	to := atServices
	if len(t.services) == 0 {
		to = atClock
	}
	return t.addCall(c, &call, atEdge, to)
}

// addCall counts a call between two indexes of edges.names, and all calls that it caused.
func (t *Tally) addCall(c *CohortTally, call *trail.Call, from, to int) (anyFailed bool, tries int) {
	failed := call.Failed()
	anyFailed = failed && to != atClock
	c.hop(t.edges.names, to).add(call)
	if call.Hop == nil {
		t.edges.add(from, to, "", failed)
		return anyFailed, 0
	}
	t.edges.add(from, to, call.Hop.Version, failed)
	tries = call.Hop.Attempt
	for i := range call.Hop.Calls {
		next := &call.Hop.Calls[i]
		below, more := t.addCall(c, next, to, t.place(next))
		anyFailed, tries = anyFailed || below, tries+more
	}
	return anyFailed, tries
}

// place is the index of edges.names at which a call is counted: that of the service that answered with a trail, or else of the service
// that the host of its address names, or atClock if these are none of the services.
func (t *Tally) place(call *trail.Call) int {
	if len(t.services) == 0 {
		return atClock
	}
	if call.Hop != nil {
		if i := slices.Index(t.services, call.Hop.Service); i >= 0 {
			return atServices + i
		}
	}
	if i := slices.Index(t.services, firstLabel(call.URL)); i >= 0 {
		return atServices + i
	}
	return atClock
}

// firstLabel is the first label of the host of an address: "middleware" of "http://middleware.default.svc:80/".
func firstLabel(address string) string {
	_, host, _ := strings.Cut(address, "://")
	if end := strings.IndexAny(host, ".:/"); end >= 0 {
		host = host[:end]
	}
	return host
}

// hop returns the tally of the service names[at], and makes it first if it does not exist.
func (c *CohortTally) hop(names []string, at int) *HopTally {
	if c.hops == nil {
		c.hops = make([]*HopTally, len(names))
	}
	if h := c.hops[at]; h != nil {
		return h
	}
	h := c.Hops[names[at]] // it exists already if a service has the name "clock"
	if h == nil {
		h = &HopTally{Versions: map[string]int64{}}
		c.Hops[names[at]] = h
	}
	c.hops[at] = h
	return h
}

// add counts one call.
func (h *HopTally) add(call *trail.Call) {
	h.Calls++
	bad := call.Failed()
	if bad {
		h.Failed++
	}
	if call.Hop == nil {
		return
	}
	h.addVersion(call.Hop.Version)
	attempt := min(call.Hop.Attempt, MaxTries)
	if bad {
		h.Attempts[attempt].Failed++
		return
	}
	h.Attempts[attempt].OK++
}

// addVersion counts a version. It clones the name, which would otherwise keep the whole answer in memory.
func (h *HopTally) addVersion(version string) {
	count, known := h.Versions[version]
	if !known {
		if version = strings.Clone(version); len(h.Versions) >= maxVersions {
			version = otherVersion
			count = h.Versions[version]
		}
	}
	h.Versions[version] = count + 1
}
