package manifests

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

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
	// gatewayAPI says that the entry stands for a rule of an HTTPRoute. backends are then the indices of the backendRefs for which its
	// destinations stand, and denied those of the destinations that the route may not name.
	gatewayAPI       bool
	backends, denied []int
	// mirrors are the indices of the filters of such a rule for which its mirrors stand, and deniedMirrors those of the mirrors that the
	// route may not name.
	mirrors, deniedMirrors []int
}

// field is the path of a part of the entry in its object: "spec.http[0].retries", and "spec.rules[0].retry" of an HTTPRoute.
func (w *written) field(part string) string {
	field := fmt.Sprintf("spec.http[%d]", w.index)
	if w.gatewayAPI {
		field, part = fmt.Sprintf("spec.rules[%d]", w.index), w.routePart(part)
	}
	if part == "" {
		return field
	}
	return field + "." + part
}

// routeParts are the parts of an http entry, each with that of a rule of Gateway API from which it is made. [] stands for an index.
var routeParts = map[string]string{"retries": "retry", "retries.perTryTimeout": "timeouts.backendRequest", "timeout": "timeouts.request",
	"rewrite": "filters", "route[]": "backendRefs[]", "route[].destination": "backendRefs[]", "route[].weight": "backendRefs[].weight", "route[].destination.host": "backendRefs[].name",
	"route[].destination.port.number": "backendRefs[].port", "match[]": "matches[]", "mirrors[].destination": "filters[].requestMirror.backendRef"}

// routePart is the part of a rule of Gateway API from which a part of an http entry is made.
func (w *written) routePart(part string) string {
	number := -1
	if found := index.FindString(part); found != "" {
		fmt.Sscanf(found, "[%d]", &number)
	}
	to, known := routeParts[index.ReplaceAllString(part, "[]")]
	if !known {
		to, _, _ = strings.Cut(strings.Replace(part, "match[", "matches[", 1), ".")
	}
	if strings.HasPrefix(part, "route[") && number >= 0 && number < len(w.backends) {
		number = w.backends[number]
	}
	if strings.HasPrefix(part, "mirrors[") && number >= 0 && number < len(w.mirrors) {
		number = w.mirrors[number]
	}
	return strings.Replace(to, "[]", fmt.Sprintf("[%d]", number), 1)
}

// name identifies the entry in messages.
func (w *written) name() string {
	list := "http"
	if w.gatewayAPI {
		list = "rules"
	}
	name := fmt.Sprintf("%s, %s[%d]", w.from.Name(), list, w.index)
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
	if w.gatewayAPI {
		return w.http
	}
	return w.from.Istio.(*networking.VirtualService).Http[w.index]
}

// line is where a part of the entry stands, or the nearest part around it that its object has.
func (w *written) line(part string) int {
	return w.from.lines.of(w.field(part), w.from.Line)
}

// unweighed reports whether a destination of an http entry, one of so many, is written without a weight, and where the weight stands
// or would stand. A split that no file has (Split makes such) has all of its weights.
func (w *written) unweighed(k, of int) (missing bool, line int) {
	route := func(k int) string { return fmt.Sprintf("route[%d]", k) }
	has := func(part string) bool {
		_, there := w.from.lines[w.field(part)]
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

// NoDestination is the status of the proxy's answer to requests that meet the entry and whose destination does not exist.
func (e *HTTPEntry) NoDestination() int { return e.owner.routes[e.index].rule.NoDestination() }

// Always reports whether every request for its hosts meets the entry at a port of a gateway, as Istio sees that (match.catchAll): where several
// VirtualServices have a host, such entries come after all others.
func (e *HTTPEntry) Always(gateway string, port int) bool {
	if e.rules.Gateways[gateway] == nil {
		return false
	}
	_, always := e.owner.routes[e.index].takes(e.rules.listenerAt(gateway, port), e.owner, &view{Request: &Request{}})
	return always
}
