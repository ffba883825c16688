package scenarios

import (
	"slices"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/target"
)

// edgesOf is the service graph of a phase on a chain of these services: calls as the callers saw them, tries as the called
// services counted them.
func edgesOf(e *evidence, own []string) []reports.Edge {
	var all []reports.Edge
	for _, c := range e.tally.Edges() {
		all = append(all, reports.Edge{From: c.From, To: c.To, Version: c.Version, Calls: c.Calls, Failed: c.Failed})
	}
	if !e.counted || e.replaced() { // what pods that went away had counted is lost
		return all
	}
	for _, t := range e.counters {
		if i := slices.Index(own, t.Service); i >= 0 && at(all, t.Service, t.Version) < 0 { // tries that never answered a call
			all = append(all, reports.Edge{From: callerOf(all, own, i), To: t.Service, Version: t.Version})
		}
	}
	for i := range all {
		edge := &all[i]
		if edge.Version == "" || !slices.Contains(own, edge.To) || callers(all, edge.To, edge.Version) > 1 {
			continue // a service does not count its callers apart
		}
		of := func(t target.Tries) bool { return t.Service == edge.To && t.Version == edge.Version }
		edge.Tries = pointer(e.counters.Sum(of))
		edge.FailedTries = pointer(e.counters.Sum(func(t target.Tries) bool { return of(t) && t.Status >= 500 }))
	}
	return all
}

// at is the first edge to a version of a service; -1: there is none.
func at(all []reports.Edge, service, version string) int {
	return slices.IndexFunc(all, func(e reports.Edge) bool { return e.To == service && e.Version == version })
}

// callers is how many edges lead to a version of a service.
func callers(all []reports.Edge, service, version string) (n int) {
	for _, e := range all {
		if e.To == service && e.Version == version {
			n++
		}
	}
	return n
}

// callerOf is who calls own[i], as far as calls were seen; else who does by the chain.
func callerOf(all []reports.Edge, own []string, i int) string {
	for _, e := range all {
		if e.To == own[i] {
			return e.From
		}
	}
	if i == 0 {
		return attack.Edge
	}
	return own[i-1]
}

// distributions are the latencies of a phase by outcome and number of tries.
func distributions(all []attack.TriesLatency) []reports.Distribution {
	var told []reports.Distribution
	for _, l := range all {
		for _, of := range []reports.Distribution{
			{Outcome: "ok", Tries: l.Tries, Bins: bins(attack.Bins(l.OK))},
			{Outcome: "failed", Tries: l.Tries, Bins: bins(attack.Bins(l.Failed))},
		} {
			if len(of.Bins) > 0 {
				told = append(told, of)
			}
		}
	}
	return told
}

func bins(from []attack.Bin) (to []reports.Bin) {
	for _, b := range from {
		to = append(to, reports.Bin{int64(b.Micros), int64(b.Count)})
	}
	return to
}
