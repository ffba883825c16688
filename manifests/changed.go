package manifests

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
)

// Changed is a copy of r in which change has changed the rule of each http entry of each VirtualService: it is called once for
// each, with a copy of the rule. It must leave a valid Rule: exactly one of Split, Direct and Redirect is set, and the shares
// add up to 1. A destination whose port is 0 goes to the port of the request. r itself does not change.
//
// The rules of hosts without a VirtualService stay as they are. A destination that r and the copy have in common leads to the
// same Endpoints in both; so do the copies that the other methods of this file make.
func (r *Rules) Changed(change func(*Rule)) *Rules {
	return r.eachRoute(func(h *httpRoute) bool {
		h.rule = h.rule.clone()
		change(h.rule)
		return true
	})
}

// WithoutHeaderMatches is a copy of r without the entries of match lists that look at a header, and without the rules that have
// no other entry: a request then meets the next rule that matches it. Conditions by withoutHeaders stay in force.
func (r *Rules) WithoutHeaderMatches() *Rules {
	return r.eachRoute(func(h *httpRoute) bool {
		had := len(h.matches)
		h.matches = slices.DeleteFunc(slices.Clone(h.matches), func(m match) bool { return len(m.headers) > 0 })
		return had == 0 || len(h.matches) > 0 // an empty list would hold for every request
	})
}

// IgnoringHeaderCase is a copy of r in which exact, prefix and regex compare the values of headers without regard to case.
// Conditions by withoutHeaders stay as they are. It returns an error when a regular expression cannot be compiled so: Go's
// regexp refuses one that becomes too large.
func (r *Rules) IgnoringHeaderCase() (*Rules, error) {
	var problem error
	changed := r.eachRoute(func(h *httpRoute) bool {
		h.matches = slices.Clone(h.matches)
		for i := range h.matches {
			m := &h.matches[i]
			m.headers = slices.Clone(m.headers)
			for j := range m.headers {
				if err := m.headers[j].text.ignoreCase(); err != nil {
					problem = fmt.Errorf("%s: compiling the expression for header %s without regard to case: %w",
						h.rule.Name, m.headers[j].name, err)
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

// AllowingAny is a copy of r with ALLOW_ANY as the outboundTrafficPolicy of every Sidecar: requests to hosts outside the
// registry are let through.
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

// Reread are the rules of changed copies of the objects of r: change gets copies of them, which it may change, and returns those that hold.
// What is a conflict between several objects is none here. Its error is Problems, of an object alone. A destination does not lead to the
// same Endpoints as in r.
func (r *Rules) Reread(change func(objects []Object) []Object) (*Rules, error) {
	copies := make([]Object, len(r.objects))
	for i := range r.objects {
		copies[i] = r.objects[i].Clone()
	}
	changed, problems := compile(change(copies))
	if len(problems) > 0 {
		return nil, problems
	}
	return changed, nil
}

// WithoutAbsoluteNames is a copy of r in which no sidecar knows a host by its name with a dot at its end: "cart.shop.svc.cluster.local.".
func (r *Rules) WithoutAbsoluteNames() *Rules {
	changed := *r
	changed.relative = true
	return &changed
}

// WithPortsInWildcards is a copy of r in which a gateway knows the hosts of a wildcard such as *.example.com only where a Host header names
// no port, 80, or that at which the gateway listens.
func (r *Rules) WithPortsInWildcards() *Rules {
	changed := *r
	changed.ported = true
	return &changed
}

// eachRoute is a copy of r in which change has changed the http entries of its VirtualServices. change gets a copy of each entry
// that shares its rule and its matches with the original, and returns false for an entry that is to be left out.
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

// clone is a copy of r: changing its exported fields does not change r.
func (r *Rule) clone() *Rule {
	c := *r
	c.Split, c.Mirrors = slices.Clone(r.Split), slices.Clone(r.Mirrors)
	c.Direct, c.Redirect, c.Fault, c.Rewrite = copyOf(r.Direct), copyOf(r.Redirect), copyOf(r.Fault), copyOf(r.Rewrite)
	return &c
}

// copyOf is a pointer to a copy of what p points to; nil when p is nil.
func copyOf[T any](p *T) *T {
	if p == nil {
		return nil
	}
	c := *p
	return &c
}

// ignoreCase makes the condition compare upper and lower case alike.
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
