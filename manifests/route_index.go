package manifests

import (
	"slices"
	"sort"
	"strings"
)

// fewRoutes are looked through one after another faster than an index finds one of them.
const fewRoutes = 16

// routeIndex finds those routes of a virtual host of which the path of a request may meet the condition on the path. All lists have the
// numbers of routes, in their order.
type routeIndex struct {
	exact    map[string][]int // by the exact path
	prefixes []pathPrefix     // sorted
	others   []int            // whose condition is neither of the two: an expression, one without regard to case, or none
}

// pathPrefix is a prefix that routes ask for. parent is the place of the longest other one that begins it; -1 where there is none.
type pathPrefix struct {
	prefix string
	parent int
	routes []int
}

func newRouteIndex(routes []route) *routeIndex {
	x := &routeIndex{exact: make(map[string][]int)}
	prefixes := make(map[string][]int)
	for i := range routes {
		switch uri := routes[i].match.uri; {
		case uri == nil || uri.fold || uri.exact == nil && uri.prefix == nil:
			x.others = append(x.others, i)
		case uri.exact != nil:
			x.exact[*uri.exact] = append(x.exact[*uri.exact], i)
		default:
			prefixes[*uri.prefix] = append(prefixes[*uri.prefix], i)
		}
	}
	for prefix, of := range prefixes {
		x.prefixes = append(x.prefixes, pathPrefix{prefix: prefix, routes: of})
	}
	slices.SortFunc(x.prefixes, func(a, b pathPrefix) int { return strings.Compare(a.prefix, b.prefix) })
	for i := range x.prefixes {
		// The strings that a prefix begins follow it in their order, without another one between them.
		parent := i - 1
		for parent >= 0 && !strings.HasPrefix(x.prefixes[i].prefix, x.prefixes[parent].prefix) {
			parent = x.prefixes[parent].parent
		}
		x.prefixes[i].parent = parent
	}
	return x
}

// first is the number of the first of the routes that a request meets; -1 for none.
func (x *routeIndex) first(routes []route, v *view) int {
	best := len(routes)
	look := func(among []int) {
		for _, i := range among {
			if i >= best {
				return
			}
			if routes[i].match.matches(v) {
				best = i
				return
			}
		}
	}
	look(x.exact[v.path])
	at := sort.Search(len(x.prefixes), func(i int) bool { return x.prefixes[i].prefix > v.path }) - 1
	for at >= 0 && !strings.HasPrefix(v.path, x.prefixes[at].prefix) {
		at = x.prefixes[at].parent
	}
	for ; at >= 0; at = x.prefixes[at].parent { // whatever begins it begins the path, too
		look(x.prefixes[at].routes)
	}
	look(x.others)
	if best == len(routes) {
		return -1
	}
	return best
}

// met is the rule of the first route that a request meets; nil where it meets none.
func (h *virtualHost) met(v *view) *Rule {
	if len(h.routes) > fewRoutes {
		h.indexing.Do(func() { h.index = newRouteIndex(h.routes) })
		if i := h.index.first(h.routes, v); i >= 0 {
			return h.routes[i].rule
		}
		return nil
	}
	for i := range h.routes {
		if h.routes[i].match.matches(v) {
			return h.routes[i].rule
		}
	}
	return nil
}
