package attack

import (
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/service/trail"
)

// addHops counts the call to every hop that the observation tells of, and reports whether a call to one of our own
// services failed, and the sum of the attempt counts.
func (t *Tally) addHops(c *CohortTally, o *Observation) (anyFailed bool, tries int) {
	call := trail.Call{Status: o.Status, Elapsed: o.Latency, Hop: o.Trail}
	to := atServices
	if len(t.own) == 0 {
		to = atClock
	}
	return t.addCall(c, &call, atEdge, to, o.Number)
}

// addCall counts a call from one place to another, and all calls below it.
func (t *Tally) addCall(c *CohortTally, call *trail.Call, from, to, number int) (anyFailed bool, tries int) {
	failed := call.Failed()
	anyFailed = failed && to != atClock
	c.hop(t.edges.names, to).add(call, number)
	if call.Hop == nil {
		t.edges.add(from, to, "", failed)
		return anyFailed, 0
	}
	t.edges.add(from, to, call.Hop.Version, failed)
	tries = call.Hop.Attempt
	for i := range call.Hop.Calls {
		below, more := t.addCall(c, &call.Hop.Calls[i], to, t.place(call.Hop.Calls[i].URL), number)
		anyFailed, tries = anyFailed || below, tries+more
	}
	return anyFailed, tries
}

// place is where calls to an address are counted: at the service of ours that its host names, or else at the clock.
func (t *Tally) place(address string) int {
	if len(t.own) > 0 {
		if i := slices.Index(t.own, firstLabel(address)); i >= 0 {
			return atServices + i
		}
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

// hop is the tally of the service of which the name stands at a place of names.
func (c *CohortTally) hop(names []string, at int) *HopTally {
	if c.hops == nil {
		c.hops = make([]*HopTally, len(names))
	}
	if h := c.hops[at]; h != nil {
		return h
	}
	h := c.Hops[names[at]] // there where one of our own services is called as the clock is
	if h == nil {
		h = &HopTally{Statuses: map[int]int64{}, Versions: map[string]int64{}, First: map[string][]int{}}
		c.Hops[names[at]] = h
	}
	c.hops[at] = h
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
		if first := h.First[version]; len(first) == 0 || first[len(first)-1] != number { // a request may call a service more than once
			h.First[version] = append(first, number)
		}
	}
}
