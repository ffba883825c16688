package manifests

import (
	"cmp"
	"fmt"
	"slices"

	networking "istio.io/api/networking/v1alpha3"
)

// written is an http entry as it holds: one of a VirtualService's own, or one of a delegate, merged with the entry that delegates to
// it.
type written struct {
	http *networking.HTTPRoute
	// from is the object in which the entry stands, and index its place there. by names the entry that delegates to it; empty for an
	// entry of the VirtualService itself.
	from  *Object
	index int
	by    string
}

// name identifies the entry in messages.
func (w *written) name() string {
	name := fmt.Sprintf("%s, http[%d]", w.from.Name(), w.index)
	if w.by != "" {
		name += ", by " + w.by
	}
	return name
}

// WrittenCondition is a condition of a match list on a header.
type WrittenCondition struct {
	// Name is that of the header as the file has it. Value is the exact value that is asked for, and empty where another condition is.
	Name, Value string
	Line        int
}

// own is the entry as its object has it.
func (w *written) own() *networking.HTTPRoute {
	return w.from.Istio.(*networking.VirtualService).Http[w.index]
}

// line is where a part of the entry stands, or the nearest part around it that its object has.
func (w *written) line(part string) int {
	return w.from.lines.of(fmt.Sprintf("spec.http[%d].%s", w.index, part), w.from.Line)
}

// unweighed reports whether a destination of an http entry, one of so many, is written without a weight, and where the weight stands
// or would stand. A split that no file has (Split makes such) has all of its weights.
func (w *written) unweighed(k, of int) (missing bool, line int) {
	route := func(k int) string { return fmt.Sprintf("route[%d]", k) }
	has := func(part string) bool {
		_, there := w.from.lines[fmt.Sprintf("spec.http[%d].%s", w.index, part)]
		return there
	}
	return !has(route(k)+".weight") && has(route(of-1)), w.line(route(k) + ".weight")
}

// conditions are those on headers, and the methods, of an http entry's match list.
func (w *written) conditions() (all []WrittenCondition, methods []string) {
	for k, m := range w.http.Match {
		for field, headers := range map[string]map[string]*networking.StringMatch{"headers": m.Headers, "withoutHeaders": m.WithoutHeaders} {
			for name, value := range headers {
				line := w.line(fmt.Sprintf("match[%d].%s.%s", k, field, name))
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

// Served are the hosts of the VirtualService that the servers of a Gateway's port (0: of all its ports) admit; none where the two do not
// meet.
func (e *HTTPEntry) Served(gateway string, port int) []string {
	if g := e.rules.Gateways[gateway]; g != nil {
		return g.serves(e.owner, port)
	}
	return nil
}

// Always reports whether every request for its hosts meets the entry at a port of a gateway, as Istio sees that (match.catchAll): where several
// VirtualServices have a host, such entries come after all others.
func (e *HTTPEntry) Always(gateway string, port int) bool {
	if e.rules.Gateways[gateway] == nil {
		return false
	}
	_, always := e.owner.routes[e.index].takes(e.rules.gatewayListener(gateway, port), e.owner, &view{Request: &Request{}})
	return always
}
