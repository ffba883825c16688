package manifests

import (
	"cmp"
	"slices"
	"strings"
	"sync"
)

// Table has the routes of one caller's proxy. It may be used concurrently.
type Table struct {
	rules *Rules
	// hosts are the virtual hosts by name and port. At a gateway the port is 0: a gateway does not look at the port of a Host.
	hosts map[authority]*virtualHost
	// wildcards are the virtual hosts whose name begins with "*", the longest first.
	wildcards []wildcard
	gateway   bool
	tls       bool   // whether requests reach the proxy over TLS
	listens   int    // the port at which a gateway listens
	namespace string // the namespace of the sidecar
	labels    string // those of the sidecar's pods, as Caller has them
	// missed is a gateway's answer for hosts that it does not serve.
	missed *Rule
	// secure are the tables of the servers with TLS at door, by server; nil where there is no TLS.
	secure map[*Server]*Table
	door   *door
	// sidecar says what becomes of hosts that a sidecar does not know. names has the full name of each Service by the names that DNS
	// knows in the namespace.
	sidecar *sidecar
	names   map[string]string
	ports   map[int]bool // the ports at which a sidecar listens for HTTP to any address
}

type authority struct {
	host string
	port int
}

type wildcard struct {
	pattern string
	port    int
	host    *virtualHost
}

// virtualHost has the routes of one host, in the order in which a request tries them, and the answer to a request that meets none.
type virtualHost struct {
	routes []route
	missed *Rule
	// redirect is the answer to every request, whatever the routes say (Envoy looks at require_tls first, in VirtualHostImpl of its
	// config_impl.cc); nil where there is none.
	redirect *Rule

	indexing sync.Once
	index    *routeIndex // of the routes, made when the first request looks for one among many
}

// Table makes the routes of a caller's proxy. The proxy of a Gateway that does not exist has no routes.
func (r *Rules) Table(c Caller) *Table {
	t := &Table{rules: r, hosts: make(map[authority]*virtualHost), namespace: c.Namespace, labels: c.Labels}
	if t.namespace == "" {
		t.namespace = Namespace
	}
	if c.Gateway != "" {
		t.gateway = true
		t.addGateway(c)
	} else {
		t.addSidecar()
	}
	t.names = make(map[string]string)
	for host := range r.Services {
		for _, name := range aliases(host, t.namespace) {
			t.names[name] = host
		}
	}
	t.sortWildcards()
	return t
}

func (t *Table) sortWildcards() {
	slices.SortStableFunc(t.wildcards, func(a, b wildcard) int { return len(b.pattern) - len(a.pattern) })
}

// add adds a virtual host under one name. A name and port that are taken already keep their virtual host.
func (t *Table) add(name string, port int, h *virtualHost) {
	if strings.HasPrefix(name, "*") {
		t.wildcards = append(t.wildcards, wildcard{name, port, h})
		return
	}
	key := authority{name, port}
	if t.hosts[key] == nil {
		t.hosts[key] = h
	}
}

// Route is the rule that a request meets: the first rule of its host whose conditions hold. It is never nil.
func (t *Table) Route(q *Request) *Rule {
	host, port := splitHost(q.Host)
	if t.secure != nil {
		name, _ := splitHost(cmp.Or(q.ServerName, q.Host))
		if servers := t.door.asked(name); len(servers) > 0 {
			return t.secure[servers[0]].Route(q)
		}
		return t.missed
	}
	h := t.find(host, port)
	if h != nil || t.gateway || t.ports[port] {
		if rule := q.unrouted(t.gateway); rule != nil {
			return rule
		}
	}
	switch {
	case h == nil && t.gateway:
		return t.missed
	case h != nil && h.redirect != nil:
		return h.redirect
	case h == nil:
		return t.outside(host, port)
	}
	v := newView(q)
	v.gateway, v.tls = t.gateway, t.tls
	if rule := h.met(&v); rule != nil {
		return t.sentTo(rule, host, port)
	}
	return h.missed
}

func (t *Table) find(host string, port int) *virtualHost {
	everyHost := t.rules.ported && t.gateway && port != usualPort && port != t.listens // whether of all wildcards only "*" has the host
	if t.gateway {
		port = 0
	}
	if h := t.hosts[authority{host, port}]; h != nil {
		return h
	}
	for i := range t.wildcards {
		if w := &t.wildcards[i]; w.port == port && covers(w.pattern, host) && (!everyHost || w.pattern == "*") {
			return w.host
		}
	}
	return nil
}
