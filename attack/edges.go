package attack

import (
	"slices"
	"strings"
)

// Edge is the name of the caller of the entry hop: the load generator itself.
const Edge = "edge"

// Calls counts the calls from one caller to one version of a service, as the caller saw them.
type Calls struct {
	From, To string // From is Edge or a service, To is a service or Clock
	// Version is the version that answered. It is empty if the answer had no trail, and if the service has no versions.
	Version       string
	Calls, Failed int64
}

// edges are the Calls between Edge, Clock and the services of a chain, with at most maxVersions for each pair. They are so few that
// searching a slice is faster than a map.
type edges struct {
	names   []string  // Edge, Clock, then the services
	between [][]Calls // calls between names[from] and names[to] are at from*len(names)+to
}

// Indexes in edges.names. The services begin at atServices.
const (
	atEdge = iota
	atClock
	atServices
)

func newEdges(services []string) edges {
	names := append([]string{Edge, Clock}, services...)
	return edges{names: names, between: make([][]Calls, len(names)*len(names))}
}

// add counts a call that a version answered.
func (e *edges) add(from, to int, version string, failed bool) {
	calls := &e.between[from*len(e.names)+to]
	at := place(*calls, version)
	if at < 0 && len(*calls) >= maxVersions {
		version = otherVersion
		at = place(*calls, version)
	}
	if at < 0 {
		at = len(*calls)
		*calls = append(*calls, Calls{From: e.names[from], To: e.names[to], Version: strings.Clone(version)})
	}
	counted := &(*calls)[at]
	counted.Calls++
	if failed {
		counted.Failed++
	}
}

// place is the index at which a version is counted, or -1 if it was not counted yet.
func place(calls []Calls, version string) int {
	for i := range calls {
		if calls[i].Version == version {
			return i
		}
	}
	return -1
}

// Edges are the calls of all cohorts, in the order of caller, called service and version: first the calls from Edge, and then those
// from each service.
func (t *Tally) Edges() []Calls {
	var all []Calls
	for _, calls := range t.edges.between {
		sorted := slices.Clone(calls)
		slices.SortFunc(sorted, func(a, b Calls) int { return strings.Compare(a.Version, b.Version) })
		all = append(all, sorted...)
	}
	return all
}
