package manifests

import (
	"cmp"
	"fmt"
	"slices"

	networking "istio.io/api/networking/v1alpha3"
)

// WrittenCondition is a condition of a match list on a header.
type WrittenCondition struct {
	// Name is that of the header as the file has it. Value is the exact value that is asked for, and empty where another condition is.
	Name, Value string
	Line        int
}

// unweighed reports whether a destination of an http entry, one of so many, is written without a weight, and where the weight stands
// or would stand. A split that no file has (Split makes such) has all of its weights.
func (v *virtualService) unweighed(j, k, of int) (missing bool, line int) {
	route := func(k int) string { return fmt.Sprintf("spec.http[%d].route[%d]", j, k) }
	_, there := v.object.lines[route(k)+".weight"]
	_, last := v.object.lines[route(of-1)]
	return !there && last, v.object.lines.of(route(k)+".weight", v.object.Line)
}

// conditions are those on headers, and the methods, of an http entry's match list.
func (v *virtualService) conditions(spec *networking.VirtualService, j int) (all []WrittenCondition, methods []string) {
	for k, m := range spec.Http[j].Match {
		for field, headers := range map[string]map[string]*networking.StringMatch{"headers": m.Headers, "withoutHeaders": m.WithoutHeaders} {
			for name, value := range headers {
				line := v.object.lines.of(fmt.Sprintf("spec.http[%d].match[%d].%s.%s", j, k, field, name), v.object.Line)
				all = append(all, WrittenCondition{Name: name, Value: value.GetExact(), Line: line})
			}
		}
		if method := m.Method.GetExact(); method != "" && !slices.Contains(methods, method) {
			methods = append(methods, method)
		}
	}
	slices.SortFunc(all, func(a, b WrittenCondition) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value))
	})
	return all, methods
}

// Served are the hosts of the VirtualService that the servers of a Gateway admit; none where the two do not meet.
func (e *HTTPEntry) Served(gateway string) []string {
	if g := e.rules.Gateways[gateway]; g != nil {
		return g.serves(e.owner)
	}
	return nil
}

// Always reports whether every request for its hosts meets the entry at a gateway, as Istio sees that (match.catchAll): where several
// VirtualServices have a host, such entries come after all others.
func (e *HTTPEntry) Always(gateway string) bool {
	_, always := e.owner.routes[e.index].takes(gateway, e.owner, &view{Request: &Request{}})
	return always
}
