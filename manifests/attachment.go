package manifests

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	k8slabels "k8s.io/apimachinery/pkg/labels"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// attachment is where an HTTPRoute holds: at Services, for the sidecars that call them, or at listeners of Gateways.
type attachment struct {
	// gateways are those of the listeners, "namespace/name", or "mesh"; parents are the parentRefs that name them, by index.
	gateways []string
	parents  []int
	// hosts are those of the Services, or those of the route, as it writes them; "*" where it names none.
	hosts []string
	// ports are those at which the route holds for a Service, by its host; 0 is each of them.
	ports map[string][]int
	// listeners are the hosts of the route that each listener takes for it.
	listeners map[*Server][]string
}

func (a *attachment) mesh() bool { return a.listeners == nil }

// onlyPort is the port of its Services at which a route holds; 0 where it holds at several.
func (a *attachment) onlyPort() (port int) {
	for _, ports := range a.ports {
		for _, one := range ports {
			if one == 0 || port != 0 && port != one {
				return 0
			}
			port = one
		}
	}
	return port
}

// OwnCallersAlone reports whether the entry is a rule of an HTTPRoute that holds only for the callers of its own namespace, since that of its
// Service is another one.
func (e *HTTPEntry) OwnCallersAlone() bool {
	a := e.owner.attached
	return a != nil && a.mesh() && !slices.ContainsFunc(a.hosts, func(host string) bool { return ServiceNamespace(host) == e.owner.namespace })
}

// atServices is where a route holds for sidecars; nil where it names no Service that exists.
func (r *Rules) atServices(o *Object, route *gatewayv1.HTTPRoute) *attachment {
	a := &attachment{gateways: []string{mesh}, ports: make(map[string][]int)}
	for i := range route.Spec.ParentRefs {
		p := &route.Spec.ParentRefs[i]
		host := string(p.Name) + "." + parentNamespace(o, p) + domain
		if _, kind := parentKind(p); kind != "Service" || r.Services[host] == nil {
			continue
		}
		if a.ports[host] == nil {
			a.hosts = append(a.hosts, host)
		}
		a.parents = append(a.parents, i)
		port := 0
		if p.Port != nil {
			port = int(*p.Port)
		}
		a.ports[host] = append(a.ports[host], port)
	}
	if len(a.hosts) == 0 {
		return nil
	}
	return a
}

func parentNamespace(o *Object, p *gatewayv1.ParentReference) string {
	if p.Namespace != nil {
		return string(*p.Namespace)
	}
	return o.namespace()
}

// atListeners is where a route holds at gateways; nil where it names no Gateway. A route that no listener takes holds nowhere.
func (r *Rules) atListeners(o *Object, route *gatewayv1.HTTPRoute) *attachment {
	a := &attachment{listeners: make(map[*Server][]string)}
	for _, host := range route.Spec.Hostnames {
		a.hosts = append(a.hosts, string(host))
	}
	if len(a.hosts) == 0 {
		a.hosts = []string{"*"}
	}
	for i := range route.Spec.ParentRefs {
		p := &route.Spec.ParentRefs[i]
		if _, kind := parentKind(p); kind != "Gateway" {
			continue
		}
		name := parentNamespace(o, p) + "/" + string(p.Name)
		a.gateways, a.parents = append(a.gateways, name), append(a.parents, i)
		g := r.Gateways[name]
		if g == nil || !g.listens {
			continue
		}
		for _, s := range g.Servers {
			if s.takes(o.namespace(), p, a.hosts) {
				a.listeners[s] = g.isolated(s, a.hosts)
			}
		}
	}
	if len(a.gateways) == 0 {
		return nil
	}
	return a
}

// takes reports whether a listener takes a route of a namespace that names it by a parentRef: by its name and port, the kinds and namespaces
// that it allows, and a host of both (referenceAllowed).
func (s *Server) takes(namespace string, p *gatewayv1.ParentReference, hosts []string) bool {
	if p.Port != nil && int(*p.Port) != s.Port || p.SectionName != nil && *p.SectionName != "" && string(*p.SectionName) != s.section || !s.routes {
		return false
	}
	return slices.ContainsFunc(hosts, func(host string) bool {
		return slices.ContainsFunc(s.written, func(at hostPattern) bool {
			_, both := narrower(at.host, host)
			return both && (at.namespace == "*" || at.namespace == namespace)
		})
	})
}

// Refusals say as clauses why the listeners of a Gateway do not take the route of the entry: one for each; none where one takes it, and for a
// VirtualService.
func (e *HTTPEntry) Refusals(gateway string) (all []string) {
	g, a := e.rules.Gateways[gateway], e.owner.attached
	if g == nil || a == nil || a.mesh() {
		return nil
	}
	spec := &e.owner.object.HTTPRoute().Spec
	for _, s := range g.Servers {
		for i, name := range a.gateways {
			if name != gateway {
				continue
			}
			if s.takes(e.owner.namespace, &spec.ParentRefs[a.parents[i]], a.hosts) {
				return nil
			}
			all = append(all, fmt.Sprintf("listener %s %s", s.section, s.refusal(e.owner.namespace, &spec.ParentRefs[a.parents[i]], a.hosts)))
		}
	}
	return all
}

// refusal says why a listener does not take a route.
func (s *Server) refusal(namespace string, p *gatewayv1.ParentReference, hosts []string) string {
	switch {
	case p.SectionName != nil && *p.SectionName != "" && string(*p.SectionName) != s.section:
		return fmt.Sprintf("is not called %s, as the parentRef asks", *p.SectionName)
	case p.Port != nil && int(*p.Port) != s.Port:
		return fmt.Sprintf("has port %d, and the parentRef asks for %d", s.Port, *p.Port)
	case !s.routes:
		return "allows no HTTPRoutes (allowedRoutes.kinds)"
	case !slices.ContainsFunc(s.written, func(at hostPattern) bool { return at.namespace == "*" || at.namespace == namespace }):
		return fmt.Sprintf("takes no routes of namespace %s (allowedRoutes.namespaces)", namespace)
	}
	return fmt.Sprintf("has hostname %s, and the route is for %s", s.hostname, strings.Join(hosts, ", "))
}

// isolated are the hosts of a route that belong to a listener, and not to another one of the same port and protocol that names them more
// exactly (hostnameAllowedByIsolation).
func (g *Gateway) isolated(s *Server, hosts []string) (all []string) {
	own := s.hostname
	for _, host := range hosts {
		if own != "*" && !strings.HasPrefix(own, "*") {
			all = append(all, host)
			continue
		}
		_, both := narrower(own, host)
		taken := slices.ContainsFunc(g.Servers, func(other *Server) bool {
			return other != s && other.Port == s.Port && other.TLS == s.TLS && other.hostname != own && other.hostname != "*" &&
				(own == "*" || len(own) <= len(other.hostname)) && covers(other.hostname, host)
		})
		if both && !taken {
			all = append(all, host)
		}
	}
	return all
}

// addListeners adds a Gateway of Gateway API. Istio runs pods of its own for each, in its namespace.
func (r *Rules) addListeners(o *Object, spec *gatewayv1.GatewaySpec) {
	g := &Gateway{Selector: map[string]string{GatewayAPI + "/gateway-name": o.Meta.Name}, object: o, name: o.namespace() + "/" + o.Meta.Name, listens: true}
	for i := range spec.Listeners {
		l := &spec.Listeners[i]
		line := o.lines.of(fmt.Sprintf("spec.listeners[%d]", i), o.Line)
		if l.Protocol != gatewayv1.HTTPProtocolType && l.Protocol != gatewayv1.HTTPSProtocolType {
			g.Opaque = append(g.Opaque, Opaque{o.File, line, int(l.Port), "its protocol is " + string(l.Protocol)})
			continue
		}
		s := &Server{Gateway: g.name, Index: i, File: o.File, Line: line, Port: int(l.Port), TLS: l.Protocol == gatewayv1.HTTPSProtocolType,
			spec: l, section: string(l.Name), hostname: hostnameOf(l), routes: allowsRoutes(l), podNamespace: o.namespace()}
		s.setHosts(s.allowed(nil))
		g.Servers = append(g.Servers, s)
	}
	r.Gateways[g.name] = g
}

// allowsRoutes reports whether a listener takes HTTPRoutes at all.
func allowsRoutes(l *gatewayv1.Listener) bool {
	if l.AllowedRoutes == nil || len(l.AllowedRoutes.Kinds) == 0 {
		return true
	}
	return slices.ContainsFunc(l.AllowedRoutes.Kinds, func(k gatewayv1.RouteGroupKind) bool {
		return k.Kind == "HTTPRoute" && (k.Group == nil || string(*k.Group) == GatewayAPI)
	})
}

// allowed are the namespaces whose routes a listener takes, of those with these labels; "*" is all of them (namespacesFromSelector).
func (s *Server) allowed(labels map[string]map[string]string) (all []string) {
	from, selector := gatewayv1.NamespacesFromSame, (*metav1.LabelSelector)(nil)
	if a := s.spec.AllowedRoutes; a != nil && a.Namespaces != nil && a.Namespaces.From != nil {
		from, selector = *a.Namespaces.From, a.Namespaces.Selector
	}
	switch from {
	case gatewayv1.NamespacesFromSame:
		return []string{s.podNamespace}
	case gatewayv1.NamespacesFromAll:
		return []string{"*"}
	}
	chosen, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		return nil // checkAllowedRoutes refuses it
	}
	for _, namespace := range slices.Sorted(maps.Keys(labels)) {
		own := map[string]string{namespaceName: namespace}
		maps.Copy(own, labels[namespace])
		if chosen.Matches(k8slabels.Set(own)) {
			all = append(all, namespace)
		}
	}
	return all
}

// choosesNamespaces reports whether the object is a Gateway with a listener that chooses by their labels of which namespaces it takes routes.
func (o *Object) choosesNamespaces() bool {
	g, ok := o.Kubernetes.(*gatewayv1.Gateway)
	return ok && slices.ContainsFunc(g.Spec.Listeners, func(l gatewayv1.Listener) bool {
		return l.AllowedRoutes != nil && l.AllowedRoutes.Namespaces != nil && l.AllowedRoutes.Namespaces.Selector != nil
	})
}

// namespaceName is the label that Kubernetes gives to each namespace.
const namespaceName = "kubernetes.io/metadata.name"

// setHosts makes the hosts of a listener from the namespaces whose routes it takes; "~" is no namespace.
func (s *Server) setHosts(namespaces []string) {
	s.written, s.patterns = nil, nil
	if len(namespaces) == 0 {
		namespaces = []string{"~"}
	}
	for _, namespace := range namespaces {
		s.written = append(s.written, hostPattern{namespace, s.hostname})
	}
	s.patterns = s.written
}

// admitNamespaces finds the namespaces whose routes the listeners take by their labels. A namespace without an object has the label of its
// name alone, which Kubernetes gives to each.
func (g *Gateway) admitNamespaces(labels map[string]map[string]string) {
	for _, s := range g.Servers {
		if s.spec != nil {
			s.setHosts(s.allowed(labels))
		}
	}
}

// specific are bound routes in the order in which Istio tries those of HTTPRoutes: the kind of the condition on the path, its length, a method,
// and how many conditions there are on headers and on the query. Those that are equal stay as they are, and nothing follows one that every
// request meets (sortHTTPRoutes).
func specific(routes []route) []route {
	slices.SortStableFunc(routes, func(a, b route) int {
		return cmp.Or(cmp.Compare(b.match.uri.rank(), a.match.uri.rank()), cmp.Compare(b.match.uri.length(), a.match.uri.length()),
			cmp.Compare(last(b.match.method != nil), last(a.match.method != nil)), cmp.Compare(len(b.match.headers), len(a.match.headers)),
			cmp.Compare(len(b.match.query), len(a.match.query)))
	})
	if end := slices.IndexFunc(routes, func(r route) bool { return r.match.catchAll() }); end >= 0 {
		routes = routes[:end+1]
	}
	return routes
}

// rank is the place of a condition on the path among those of other kinds: exact before prefix before a regular expression.
func (t *text) rank() int {
	switch {
	case t == nil:
		return 0
	case t.exact != nil:
		return 3
	case t.prefix != nil:
		return 2
	}
	return 1
}

// length is the length of what a condition on the path asks for.
func (t *text) length() int {
	switch {
	case t == nil:
		return 0
	case t.regex != nil:
		return len(t.regex.String())
	}
	return len(t.value())
}
