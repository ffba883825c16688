package attack

import (
	"slices"
	"strings"
)

// Edge is the name of the caller of the entry hop: the load generator itself.
const Edge = "edge"

// Calls counts the calls of one service to one version of the next, as the caller saw them.
type Calls struct {
	From, To string // From is Edge or a service, To a service or Clock
	// Version answered; empty: the answer was not the called service's own word, or it has no versions.
	Version       string
	Calls, Failed int64
}

// edges are the Calls between Edge, Clock and the services of a chain, of which at most maxVersions are told apart for
// each pair. They are few: looking through a slice is faster than a map.
type edges struct {
	names   []string  // Edge, Clock, then the services
	between [][]Calls // from from to to at from*len(names)+to
}

// Places of names that are no services.
const (
	atEdge = iota
	atClock
	atServices
)

func newEdges(own []string) edges {
	names := append([]string{Edge, Clock}, own...)
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

// place is where a version is counted; -1: nowhere yet.
func place(calls []Calls, version string) int {
	for i := range calls {
		if calls[i].Version == version {
			return i
		}
	}
	return -1
}

// Edges are the calls of all cohorts, from the edge inwards, by caller, called service and version.
func (t *Tally) Edges() []Calls {
	var all []Calls
	for _, calls := range t.edges.between {
		of := slices.Clone(calls)
		slices.SortFunc(of, func(a, b Calls) int { return strings.Compare(a.Version, b.Version) })
		all = append(all, of...)
	}
	return all
}
