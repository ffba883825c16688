package manifests

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
)

// Changed is r with another meaning of each http entry of each VirtualService: change is called once for each, with a
// copy of its rule. The copy must stay one that a Rule can be: exactly one of Split, Direct and Redirect is set, and the
// shares add up to 1. A destination whose port is 0 goes to the port of the request. r itself does not change.
//
// The rules of hosts without a VirtualService stay as they are. A destination that both have leads to the same Endpoints
// in both, as for everything else here that makes Rules of Rules.
func (r *Rules) Changed(change func(*Rule)) *Rules {
	return r.eachRoute(func(h *httpRoute) bool {
		h.rule = h.rule.clone()
		change(h.rule)
		return true
	})
}

// WithoutHeaderMatches is r without the entries of match lists that look at a header, and without the rules that have no
// other entry: requests meet the rule that stands next. What withoutHeaders says stays.
func (r *Rules) WithoutHeaderMatches() *Rules {
	return r.eachRoute(func(h *httpRoute) bool {
		had := len(h.matches)
		h.matches = slices.DeleteFunc(slices.Clone(h.matches), func(m match) bool { return len(m.headers) > 0 })
		return had == 0 || len(h.matches) > 0 // an empty list would hold for every request
	})
}

// IgnoringHeaderCase is r with the values of headers compared without regard to case, by exact, prefix and regex. What
// withoutHeaders says stays. The error is of a regular expression that cannot be had without case: Go's regexp refuses
// what becomes too large.
func (r *Rules) IgnoringHeaderCase() (*Rules, error) {
	var problem error
	changed := r.eachRoute(func(h *httpRoute) bool {
		h.matches = slices.Clone(h.matches)
		for i := range h.matches {
			m := &h.matches[i]
			m.headers = slices.Clone(m.headers)
			for j := range m.headers {
				if err := m.headers[j].text.ignoreCase(); err != nil {
					problem = fmt.Errorf("%s: header %s without regard to case: %w", h.rule.Name, m.headers[j].name, err)
				}
			}
		}
		return true
	})
	if problem != nil {
		return nil, problem
	}
	return changed, nil
}

// AllowingAny is r with ALLOW_ANY as the outboundTrafficPolicy of every Sidecar: what is outside the registry is let
// through.
func (r *Rules) AllowingAny() *Rules {
	changed := *r
	changed.sidecars = maps.Clone(r.sidecars)
	for namespace, s := range r.sidecars {
		open := *s
		open.registryOnly = false
		changed.sidecars[namespace] = &open
	}
	return &changed
}

// eachRoute is r with the http entries of its VirtualServices changed: change gets a copy that shares its rule and its
// matches with the original, and returns false for an entry to be left out.
func (r *Rules) eachRoute(change func(*httpRoute) bool) *Rules {
	changed := *r
	changed.virtualServices = slices.Clone(r.virtualServices)
	for i := range changed.virtualServices {
		v := &changed.virtualServices[i]
		routes := make([]httpRoute, 0, len(v.routes))
		for _, h := range v.routes {
			if change(&h) {
				routes = append(routes, h)
			}
		}
		v.routes = routes
	}
	return &changed
}

// clone is a copy that shares nothing with r that its user can change.
func (r *Rule) clone() *Rule {
	c := *r
	c.Split = slices.Clone(r.Split)
	c.Direct, c.Redirect, c.Fault = copyOf(r.Direct), copyOf(r.Redirect), copyOf(r.Fault)
	return &c
}

// copyOf is a pointer to a copy; nil of nil.
func copyOf[T any](p *T) *T {
	if p == nil {
		return nil
	}
	c := *p
	return &c
}

// ignoreCase makes the condition hold in upper and lower case alike.
func (t *text) ignoreCase() error {
	t.fold = true
	if t.regex == nil {
		return nil
	}
	folded, err := regexp.Compile("(?i)" + t.regex.String())
	if err == nil {
		t.regex = folded
	}
	return err
}
