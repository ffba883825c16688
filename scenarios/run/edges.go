package run

import (
	"slices"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/target"
)

// edges are the service graph of a phase: calls of natural requests as the callers saw them, tries of these requests as the called
// services counted them.
func (s *sending) edges() []reports.Edge {
	own := s.services
	var all []reports.Edge
	for _, c := range s.load.Edges() {
		all = append(all, reports.Edge{From: c.From, To: c.To, Version: c.Version, Calls: c.Calls, Failed: c.Failed})
	}
	if !s.evidence.Counted || s.replaced() { // what pods that went away had counted is lost
		return all
	}
	counters := s.evidence.Counters.Natural()
	for _, t := range counters {
		if !slices.Contains(own, t.Service) || at(all, t.Service, t.Version) >= 0 {
			continue
		}
		if caller, only := s.callerOf(t.Service); only { // tries that never answered a call
			all = append(all, reports.Edge{From: caller, To: t.Service, Version: t.Version})
		}
	}
	for i := range all {
		edge := &all[i]
		if edge.Version == "" || !slices.Contains(own, edge.To) || callers(all, edge.To, edge.Version) > 1 {
			continue // a service does not count its callers apart
		}
		of := func(t target.Tries) bool { return t.Service == edge.To && t.Version == edge.Version }
		edge.Tries = pointer(counters.Sum(of))
		edge.FailedTries = pointer(counters.Sum(func(t target.Tries) bool { return of(t) && t.Status >= 500 }))
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

// callerOf is who alone can call a service, by the rules and the graph; only is false where that is nobody or several.
func (s *sending) callerOf(service string) (caller string, only bool) {
	for _, row := range s.inwards {
		row := &s.ways.Rows[row]
		switch {
		case !row.LeadsTo(service) || row.Caller == caller:
		case caller != "":
			return "", false
		default:
			caller = row.Caller
		}
	}
	return caller, caller != ""
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
