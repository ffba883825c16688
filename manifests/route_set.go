package manifests

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// routeSet is the routes of the HTTPRoutes that hold for one host at one place. Istio merges them, and tries them by how specific they are
// (mergeHTTPRoutes in its pilot/pkg/config/kube/gateway/route_collections.go).
type routeSet struct {
	// namespace is that of the HTTPRoutes. host is that of a Service, or one of the hostnames of the routes, "*" where they have none.
	namespace, host string
	port            int // that of the parentRefs; 0 where they name none
	routes          []route
}

// servesCallersOf reports whether the sidecars of a namespace may obey the rules: an HTTPRoute in another namespace than its Service holds
// for the callers of its own namespace alone (buildSidecarVirtualHostsForVirtualService in Istio's route.go).
func (v *virtualService) servesCallersOf(namespace string) bool {
	return v.attached == nil || v.namespace == namespace || slices.ContainsFunc(v.hosts, func(host string) bool { return ServiceNamespace(host) == v.namespace })
}

// setsAt are the sets of routes of some HTTPRoutes that hold at a listener of a sidecar, in the order in which Istio looks at them: those of the
// caller's namespace first, and of these by the name that Istio gives them, since the objects of a file count as equally old. Of two for one
// host the first one holds. Each set is a VirtualService of its own to Istio, so that the Sidecar must import its host.
func (r *Rules) setsAt(rules []*virtualService, at listener, s *sidecar) []*routeSet {
	type key struct {
		namespace, host string
		port            int
	}
	groups := make(map[key]*routeSet)
	for _, v := range rules {
		if v.attached == nil {
			continue
		}
		for host, ports := range v.attached.ports {
			if v.namespace != at.namespace && v.namespace != ServiceNamespace(host) || !s.imports.admitRules(v.namespace, []string{host}) {
				continue
			}
			for _, port := range ports {
				if port != 0 && port != at.port {
					continue
				}
				k := key{v.namespace, host, port}
				if groups[k] == nil {
					groups[k] = &routeSet{namespace: v.namespace, host: host, port: port}
				}
				groups[k].routes = append(groups[k].routes, r.bind(v, at)...)
			}
		}
	}
	all := slices.Collect(maps.Values(groups))
	for _, g := range all {
		g.routes = specific(g.routes)
	}
	slices.SortFunc(all, func(a, b *routeSet) int {
		return cmp.Or(last(a.namespace != at.namespace)-last(b.namespace != at.namespace), strings.Compare(a.name(), b.name()))
	})
	return all
}

// name is what Istio calls the set.
func (g *routeSet) name() string {
	if g.port == 0 {
		return g.namespace + "~" + g.host
	}
	return g.namespace + "~" + strconv.Itoa(g.port) + "~" + g.host
}

// addRoutes adds the HTTPRoutes that hold at a listener of a Gateway to each host that both have.
func (r *Rules) addRoutes(s *Server, add func(host string, routes []route)) {
	groups := make(map[string][]*virtualService)
	for _, v := range r.byNamespace() {
		for _, host := range v.attached.listeners[s] {
			groups[host] = append(groups[host], v)
		}
	}
	for _, g := range r.atListener(s, groups) {
		for _, p := range s.written[:1] { // all of them have the hostname of the listener
			if both, ok := narrower(p.host, g.host); ok {
				add(both, g.routes)
			}
		}
	}
}

// atListener are the sets of routes of HTTPRoutes, by host, at a listener: those whose first route is of the Gateway's namespace before others
// (VirtualServicesForGateway), and of these by host.
func (r *Rules) atListener(s *Server, byHost map[string][]*virtualService) (all []*routeSet) {
	for _, host := range slices.Sorted(maps.Keys(byHost)) {
		g := &routeSet{namespace: byHost[host][0].namespace, host: host}
		for _, v := range byHost[host] {
			g.routes = append(g.routes, r.bind(v, s.listener())...)
		}
		g.routes = specific(g.routes)
		all = append(all, g)
	}
	slices.SortStableFunc(all, func(a, b *routeSet) int {
		return last(a.namespace != s.podNamespace) - last(b.namespace != s.podNamespace)
	})
	return all
}

// byNamespace are the HTTPRoutes by namespace and name, which is the order of those that are equally old (sortRoutesByCreationTime).
func (r *Rules) byNamespace() (all []*virtualService) {
	for i := range r.virtualServices {
		if v := &r.virtualServices[i]; v.attached != nil {
			all = append(all, v)
		}
	}
	slices.SortStableFunc(all, func(a, b *virtualService) int {
		return cmp.Or(cmp.Compare(a.namespace, b.namespace), cmp.Compare(a.object.Meta.Name, b.object.Meta.Name))
	})
	return all
}

// missedRoute is Miss for a rule of an HTTPRoute: which other rule takes the request, by the table of the caller's proxy.
func (e *HTTPEntry) missedRoute(c Caller, q *Request) *Miss {
	if c.Gateway == "" {
		namespace := namespaceOf(c)
		if hidden := e.hidden(c); hidden != "" {
			return &Miss{Kind: MissNamespace, Hidden: hidden}
		}
		if !e.owner.servesCallersOf(namespace) {
			return &Miss{Kind: MissNamespace, Hidden: "an HTTPRoute in another namespace than its Service holds for callers of its own namespace, " + e.owner.namespace}
		}
	}
	met := e.rules.Table(c).Route(q)
	if met.Name == e.Name && met.File == e.File && met.Line == e.Line {
		return nil
	}
	_, port := splitHost(q.Host)
	at := listener{gateway: mesh, namespace: namespaceOf(c), port: port}
	if c.Gateway != "" {
		at = e.rules.listenerAt(c.Gateway, c.Port)
	}
	v := newView(q)
	v.gateway = c.Gateway != ""
	if failing := e.fewest(at, &v); failing != nil {
		return &Miss{Kind: MissCondition, Failing: failing}
	}
	return &Miss{Kind: MissEarlier, Earlier: met}
}
