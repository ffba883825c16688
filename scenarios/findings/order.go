package findings

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
)

// openOrder finds requests at a gateway that rules of two VirtualServices would take. Istio joins the rules of both in the order in which
// the objects were created, which no file shows; those that every request meets come last.
func (f *finder) openOrder() {
	for _, routed := range f.ways.Routed() {
		met := f.entryOf(&routed)
		if routed.Caller.Gateway == "" || met == nil {
			continue
		}
		for i := range f.entries {
			e := &f.entries[i]
			if e.Object == met.Object && e.Namespace == met.Namespace || e.Always(routed.Caller.Gateway) != met.Always(routed.Caller.Gateway) ||
				e.Miss(routed.Caller, &routed.Request) != nil || !slices.Contains(e.Served(routed.Caller.Gateway), servedAs(met, &routed)) {
				continue
			}
			f.add(OpenOrder, e, e.Line, fmt.Sprintf("%s and %s (%s:%d) are both for requests such as %s %s at gateway %s, and Istio takes the rule of the VirtualService that was created first", e.Name, met.Name, met.File, met.Line,
				routed.Request.Method, routed.Request.Path, strings.TrimPrefix(routed.Caller.Gateway, e.Namespace+"/")),
				fmt.Sprintf("in the order of the files all of them meet %s, and 0 %% meet %s; in the other order it is the other way round", met.Name, e.Name), "put the rules into one VirtualService, where their order is written")
		}
	}
}

// servedAs is the host under which a gateway has the rules of an entry that a request meets: the request's own, or the longest pattern
// that covers it.
func servedAs(met *manifests.HTTPEntry, routed *oracle.Routed) (longest string) {
	host, _, _ := strings.Cut(strings.ToLower(routed.Request.Host), ":")
	for _, served := range met.Served(routed.Caller.Gateway) {
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
