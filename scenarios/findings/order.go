package findings

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
)

// openOrder finds requests at a gateway that rules of two VirtualServices would take. Istio joins the rules of both in the order in which
// the objects were created, which no file shows; those that every request meets come last. Of Gateways that it merges, it takes the rules
// of the one that was created first (MergeGateways in its pilot/pkg/model/gateway.go).
func (f *finder) openOrder() {
	type pair struct{ e, met place }
	told := map[pair]bool{} // one request of those for which two rules are is enough
	for _, routed := range f.ways.Routed() {
		met := f.entryOf(&routed)
		if routed.Caller.Gateway == "" || met == nil {
			continue
		}
		for i := range f.entries {
			e := &f.entries[i]
			if e.Object == met.Object && e.Namespace == met.Namespace || e.Miss(routed.Caller, &routed.Request) != nil {
				continue
			}
			at, first, port := f.door(e, &routed), f.door(met, &routed), routed.Caller.Port
			if both := (pair{placeOf(e), placeOf(met)}); !told[both] && e.Always(at, port) == met.Always(first, port) && slices.Contains(e.Served(at, port), servedAs(met, first, &routed)) {
				told[both] = true
				f.ordered(e, met, &routed, at, first)
			}
		}
	}
}

// ordered adds the finding of a request that meets one entry at a Gateway, and would meet another one, at its own, if that came first.
func (f *finder) ordered(e, met *manifests.HTTPEntry, routed *oracle.Routed, at, first string) {
	own := func(gateway string) string { return strings.TrimPrefix(gateway, e.Namespace+"/") }
	where, created, order := "gateway "+own(at), "VirtualService", "of their names, as where both are created in the same second,"
	if at != first {
		where, created, order = fmt.Sprintf("the gateways %s and %s of the same pods and port", own(at), own(first)), "Gateway", "of the Gateways' names"
	}
	f.add(OpenOrder, e, e.Line, fmt.Sprintf("%s and %s (%s:%d) are both for requests such as %s %s at %s, and Istio takes the rule of the %s that was created first", e.Name, met.Name, met.File, met.Line,
		routed.Request.Method, routed.Request.Path, where, created),
		fmt.Sprintf("in the order %s all of them meet %s, and 0 %% meet %s; in the other order it is the other way round", order, met.Name, e.Name), "put the rules into one VirtualService, where their order is written")
}

// door is the first of the Gateways that are merged with that of a request whose rules have an entry for the request's host; empty where
// none has.
func (f *finder) door(e *manifests.HTTPEntry, routed *oracle.Routed) string {
	for _, gateway := range f.rules.Merged(routed.Caller, routed.Request.Host) {
		bound := slices.ContainsFunc(e.Gateways, func(g manifests.WrittenGateway) bool { return g.Name == gateway })
		if bound && servedAs(e, gateway, routed) != "" {
			return gateway
		}
	}
	return ""
}

// servedAs is the host under which a gateway has the rules of an entry that are for a request: the request's own, or the longest pattern
// that covers it; empty where it has none.
func servedAs(e *manifests.HTTPEntry, gateway string, routed *oracle.Routed) (longest string) {
	host, _, _ := strings.Cut(strings.ToLower(routed.Request.Host), ":")
	for _, served := range e.Served(gateway, routed.Caller.Port) {
		suffix, wild := strings.CutPrefix(served, "*")
		switch {
		case served == host:
			return host
		case wild && strings.HasSuffix(host, suffix) && len(served) > len(longest):
			longest = served
		}
	}
	return longest
}

// entryOf is the entry that a request meets; nil where that is none.
func (f *finder) entryOf(routed *oracle.Routed) *manifests.HTTPEntry {
	for i := range f.entries {
		if placeOf(&f.entries[i]) == (place{routed.Rule.Name, routed.Rule.File, routed.Rule.Line}) {
			return &f.entries[i]
		}
	}
	return nil
}
