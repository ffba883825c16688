package manifests

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// MissKind is what keeps a request from meeting an http entry. The larger it is, the nearer the request came.
type MissKind int

// The kinds of misses.
const (
	MissHost       MissKind = iota // the entry is for other hosts
	MissProxy                      // it is for the host, and for other proxies
	MissNamespace                  // the caller's proxy does not know the VirtualService: exportTo, or the Sidecar's imports
	MissOwner                      // the rules of another VirtualService hold for the host
	MissRedirected                 // the gateway's server answers 301 to https before it looks at rules
	MissCondition                  // a condition of the match does not hold
	MissEarlier                    // an earlier entry takes the request
)

// Miss is why a request does not meet an http entry.
type Miss struct {
	Kind MissKind
	// Earlier is the rule that takes the request, for MissEarlier; with Always it takes every request. Owner is the VirtualService
	// whose rules hold, for MissOwner.
	Earlier *Rule
	Always  bool
	Owner   string
	// Failing are the conditions of the entry that do not hold, of that match of its list of which the fewest fail.
	Failing []Condition
	// Hidden says why the proxy does not know the VirtualService, as a clause.
	Hidden string
	// Redirected is the server that redirects, for MissRedirected.
	Redirected *Server
}

// Condition is a condition of a match that a request does not meet.
type Condition struct {
	// What is the part of the request: "path", "method", "authority", "header x-dev-user", "query parameter q".
	What string
	// Wanted is what the condition asks for: exact "a", prefix "/a", regex "a.*", to be present or to be
	// absent.
	Wanted string
	// Value is the exact value or the prefix that is asked for; empty where there is none.
	Value string
	// Sent is what the request has there, if Present.
	Sent    string
	Present bool
}

// Miss says why a request of a caller does not meet the entry; nil when it does. At a gateway that is the nearest miss of its Gateways:
// a request meets the rules for each of them.
func (e *HTTPEntry) Miss(c Caller, q *Request) (nearest *Miss) {
	if g := e.rules.Gateways[c.Gateway]; g != nil && c.Port == 0 {
		c.Port = g.Entrance("")
	}
	for _, c.Gateway = range e.rules.Merged(c, q.Host) {
		miss := e.miss(c, q)
		if miss == nil {
			return nil
		}
		if nearest == nil || miss.Kind > nearest.Kind {
			nearest = miss
		}
	}
	return nearest
}

// miss is Miss for the rules of one Gateway.
func (e *HTTPEntry) miss(c Caller, q *Request) *Miss {
	gateway := mesh
	if c.Gateway != "" {
		gateway = c.Gateway
	}
	switch {
	case !e.hosted(c, q):
		return &Miss{Kind: MissHost}
	case !e.owner.routes[e.index].boundTo(gateway, e.owner):
		return &Miss{Kind: MissProxy}
	case e.owner.attached != nil:
		return e.missedRoute(c, q)
	}
	if hidden := e.hidden(c); hidden != "" {
		return &Miss{Kind: MissNamespace, Hidden: hidden}
	}
	if c.Gateway == "" && !e.alone(q) {
		if owner := e.rules.owner(e.full(c, q), e.rules.sidecarOf(c.Namespace), namespaceOf(c)); owner != nil && owner != e.owner {
			if !owner.servesCallersOf(namespaceOf(c)) {
				return &Miss{Kind: MissNamespace, Hidden: fmt.Sprintf("no wildcard holds for a host that %s has by its own name, although that one serves callers of its own namespace alone", owner.object.place())}
			}
			return &Miss{Kind: MissOwner, Owner: owner.object.place()}
		}
	}
	if c.Gateway != "" {
		host, _ := splitHost(q.Host)
		if by := e.rules.door(c).redirects(host); by != nil {
			return &Miss{Kind: MissRedirected, Redirected: by}
		}
		return e.missed(e.rules.listenerAt(c.Gateway, c.Port), q)
	}
	_, port := splitHost(q.Host)
	return e.missed(listener{gateway: mesh, namespace: namespaceOf(c), port: port, labels: c.Labels}, q)
}

// missed says which condition of the entry, or which entry before it, keeps a request from meeting it whose host it is for.
func (e *HTTPEntry) missed(at listener, q *Request) *Miss {
	v := newView(q)
	v.gateway = at.gateway != mesh
	var earlier *Rule
	for i := range e.owner.routes[:e.index] {
		h := &e.owner.routes[i]
		takes, always := h.takes(at, e.owner, &v)
		if always {
			return &Miss{Kind: MissEarlier, Earlier: h.rule, Always: true}
		}
		if takes && earlier == nil {
			earlier = h.rule
		}
	}
	switch fewest := e.fewest(at, &v); {
	case fewest != nil:
		return &Miss{Kind: MissCondition, Failing: fewest}
	case earlier != nil:
		return &Miss{Kind: MissEarlier, Earlier: earlier}
	}
	return nil
}

// fewest are the conditions of the match of the entry of which the fewest do not hold for a request; none where a match holds.
func (e *HTTPEntry) fewest(at listener, v *view) (fewest []Condition) {
	for i := range e.owner.routes[e.index].matches {
		m := &e.owner.routes[e.index].matches[i]
		if !m.boundTo(at.gateway, e.owner) {
			continue
		}
		failing := append(m.failingAt(at, e.owner), m.failing(v)...)
		if len(failing) == 0 {
			return nil
		}
		if fewest == nil || len(failing) < len(fewest) {
			fewest = failing
		}
	}
	return fewest
}

// failingAt are the conditions of a match on the caller's proxy that do not hold at a listener of a gateway for which it is.
func (m *match) failingAt(at listener, owner *virtualService) (all []Condition) {
	if m.holdsAt(at, owner) {
		return nil
	}
	if m.port != 0 && m.port != at.port {
		all = append(all, Condition{"port", strconv.Itoa(m.port), strconv.Itoa(m.port), strconv.Itoa(at.port), true})
	}
	if m.namespace != "" && m.namespace != at.namespace {
		all = append(all, Condition{"caller's namespace", m.namespace, m.namespace, at.namespace, true})
	}
	all = append(all, m.labelConditions(at)...)
	return all
}

// takes reports whether a request at a listener meets an http entry, and whether every request there does.
func (h *httpRoute) takes(at listener, owner *virtualService, v *view) (takes, always bool) {
	if len(h.matches) == 0 {
		bound := h.boundTo(at.gateway, owner)
		return bound, bound
	}
	for i := range h.matches {
		m := &h.matches[i]
		if !m.holdsAt(at, owner) {
			continue
		}
		takes, always = takes || m.matches(v), always || m.catchAll()
	}
	return takes, always
}

func namespaceOf(c Caller) string {
	if c.Namespace == "" {
		return Namespace
	}
	return c.Namespace
}

// full is the full name of the host of a request, as the caller's proxy knows it.
func (e *HTTPEntry) full(c Caller, q *Request) string {
	host, _ := splitHost(q.Host)
	return e.rules.named(host, namespaceOf(c))
}

// alone reports whether the VirtualService has the host of a request as the request writes it, which may be a name that no Service has in full.
func (e *HTTPEntry) alone(q *Request) bool {
	host, _ := splitHost(q.Host)
	return slices.Contains(e.owner.hosts, host) && e.rules.Services[host] == nil
}

// hosted reports whether the VirtualService is for the host of a request. At a gateway the Gateway must admit the host too.
func (e *HTTPEntry) hosted(c Caller, q *Request) bool {
	hosts, name := e.owner.hosts, e.full(c, q)
	if c.Gateway != "" {
		name, _ = splitHost(q.Host)
		if g := e.rules.Gateways[c.Gateway]; g != nil && e.owner.boundTo(c.Gateway) {
			hosts = g.serves(e.owner, c.Port)
		}
	}
	return c.Gateway == "" && e.alone(q) || slices.ContainsFunc(hosts, func(pattern string) bool { return covers(pattern, name) })
}

// hidden says why the proxy of a caller does not know the VirtualService; empty where it does.
func (e *HTTPEntry) hidden(c Caller) string {
	namespace := namespaceOf(c)
	if c.Gateway != "" {
		namespace = e.rules.listenerAt(c.Gateway, c.Port).namespace
	}
	if !e.owner.knownIn(namespace) {
		return fmt.Sprintf(`its exportTo %q hides it from the proxies of namespace %s`, exportedBy(e.owner.object), namespace)
	}
	if c.Gateway != "" {
		return ""
	}
	s := e.rules.sidecarOf(namespace)
	if s.imports.admitRules(e.owner.namespace, e.owner.written) {
		return ""
	}
	return fmt.Sprintf("%s (%s:%d) does not import it", s.name, s.file, s.line)
}

// failing are the conditions of a match that a request does not meet.
func (m *match) failing(v *view) (all []Condition) {
	check := func(t *text, what, sent string) {
		if t != nil && !t.matches(sent) {
			all = append(all, Condition{What: what, Wanted: t.String(), Value: t.value(), Sent: sent, Present: true})
		}
	}
	check(m.uri, "path", v.path)
	check(m.method, "method", v.Method)
	check(m.authority, "authority", v.Host)
	for i := range m.headers {
		n := &m.headers[i]
		if value, present := v.header(n.name); !present || !n.text.matches(value) {
			all = append(all, Condition{"header " + strings.ToLower(n.name), n.text.String(), n.text.value(), value, present})
		}
	}
	for i := range m.without {
		n := &m.without[i]
		if value, present := v.header(n.name); (present || !n.text.any()) && n.text.matches(value) {
			wanted := "to be absent"
			if !n.text.any() {
				wanted = "to be anything but " + n.text.String()
			}
			all = append(all, Condition{"header " + strings.ToLower(n.name), wanted, "", value, present})
		}
	}
	for i := range m.query {
		n := &m.query[i]
		if value, present := v.parameter(n.name); !present || !n.text.matches(value) {
			all = append(all, Condition{"query parameter " + n.name, n.text.String(), n.text.value(), value, present})
		}
	}
	return all
}

// String is the condition as messages print it.
func (t *text) String() string {
	switch {
	case t.exact != nil:
		return fmt.Sprintf("exact %q", *t.exact)
	case t.prefix != nil:
		return fmt.Sprintf("prefix %q", *t.prefix)
	case t.regex != nil:
		return fmt.Sprintf("regex %q", strings.TrimSuffix(strings.TrimPrefix(t.regex.String(), `\A(?:`), `)\z`))
	}
	return "to be present"
}

// value is the exact value or the prefix that is asked for; empty where there is none.
func (t *text) value() string {
	switch {
	case t.exact != nil:
		return *t.exact
	case t.prefix != nil:
		return *t.prefix
	}
	return ""
}
