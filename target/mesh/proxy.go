package mesh

import (
	"crypto/tls"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/target/certificates"
)

// proxy is the proxy on the caller's side of a call: the sidecar that sends the calls of an app, or the ingress gateway.
type proxy struct {
	name      string // its name in the access log: "frontend", "gateway"
	seed      string // seed of the draws for requests without a number
	gateway   bool
	sealed    bool // whether no connection is made to hosts outside the mesh
	accessLog func(AccessLogEntry)
	tries     func(*Try)
	server    *server
	calls     *upstream // connections from the app to the proxy

	current atomic.Pointer[view]
	former  atomic.Pointer[view] // view of the previous Apply; set only where that Apply's Break has a staleTurn
	open    atomic.Int64         // how many calls are under way
	handled atomic.Int64         // how many requests were counted for staleTurn
	unnamed atomic.Int64         // how many requests came without trail.HeaderRequest

	kept      atomic.Int64 // how many idle connections the upstreams have
	mutex     sync.Mutex
	upstreams map[connected]*upstream
	limited   map[string][]*upstream // those of clusters with a breaker, by address
}

// connected is an address, and how TLS is opened there: opener.text, which is empty without TLS.
type connected struct{ address, tls string }

// view has what one Apply means to a proxy. It does not change, except that clusters is filled when destinations are first used.
type view struct {
	proxy    *proxy
	rules    *manifests.Rules
	broken   breakage
	issuer   *certificates.Issuer
	table    *manifests.Table // nil: the proxy has no routes
	seldom   *manifests.Table // table for the share broken.share of the calls; nil when all use table
	pods     pods
	clusters sync.Map // clusterKey -> *cluster
}

// meaning makes the views of all proxies for one Apply. A share of the calls obeys seldom in place of usual, unless seldom is nil.
// seldom must be made from usual, or usual from seldom, so that both have the same Endpoints and a destination has one state.
type meaning struct {
	usual, seldom *manifests.Rules
	broken        breakage
	pods          pods
	issuer        *certificates.Issuer
	// tables are those of usual and seldom: the sidecars of one namespace share them, since an application has as many sidecars as
	// hosts, and a table has all hosts.
	tables map[manifests.Caller][2]*manifests.Table
}

// view is a new view of the proxy of caller.
func (m *meaning) view(caller manifests.Caller) *view {
	tables, made := m.tables[caller]
	if !made {
		tables[0] = m.usual.Table(caller)
		if m.seldom != nil {
			tables[1] = m.seldom.Table(caller)
		}
		m.tables[caller] = tables
	}
	return &view{rules: m.usual, broken: m.broken, issuer: m.issuer, table: tables[0], seldom: tables[1], pods: m.pods}
}

// start starts the proxy's server, with TLS unless secure is nil. It answers 503 until show is called.
func (p *proxy) start(secure *tls.Config) (err error) {
	p.upstreams = make(map[connected]*upstream)
	if p.server, err = serve(p, proxyLimits, secure); err != nil {
		return err
	}
	p.calls = &upstream{address: p.server.address}
	return nil
}

// show makes every request from now on obey the rules of next.
func (p *proxy) show(next *view) {
	next.proxy = p
	p.endBounded()
	if next.broken.staleTurn > 0 {
		p.former.Store(p.current.Load())
	}
	p.current.Store(next)
}

// upstream has the proxy's connections to an address. opens is nil where they have no TLS.
func (p *proxy) upstream(address string, opens *opener) *upstream {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	key := connected{address, opens.text()}
	u := p.upstreams[key]
	if u == nil {
		u = &upstream{address: address, opens: opens, kept: &p.kept, full: p.trim}
		p.upstreams[key] = u
	}
	return u
}

// bounded is a new upstream for a cluster whose connections are counted by themselves.
func (p *proxy) bounded(address string, opens *opener, by *breaker) *upstream {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	u := &upstream{address: address, opens: opens, breaker: by}
	if p.limited == nil {
		p.limited = make(map[string][]*upstream)
	}
	p.limited[address] = append(p.limited[address], u)
	return u
}

// endBounded closes the connections of clusters with a breaker; those in use are closed when their request ends.
func (p *proxy) endBounded() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, all := range p.limited {
		for _, u := range all {
			u.close()
		}
	}
	p.limited = nil
}

// mostKept is how many idle connections a proxy keeps, about twice as many as there are requests under way. Where hundreds of services are
// called one after another, those of the services that were called before would fill the process's open files.
const mostKept = 2048

// trim closes the idle connections to other addresses than that of u, where the proxy keeps too many, until half of them are left.
func (p *proxy) trim(u *upstream) {
	if p.kept.Load() <= mostKept {
		return
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, other := range p.upstreams { // in a new order each time
		if p.kept.Load() <= mostKept/2 {
			return
		}
		if other != u {
			other.drop()
		}
	}
}

// forget closes the connections to an address at which no pod listens any more.
func (p *proxy) forget(address string) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for key, u := range p.upstreams {
		if key.address == address {
			u.close()
			delete(p.upstreams, key)
		}
	}
	for _, u := range p.limited[address] {
		u.close()
	}
	delete(p.limited, address)
}

func (p *proxy) close() {
	p.calls.close()
	p.server.close()
	p.endBounded()
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, u := range p.upstreams {
		u.close()
	}
}

// ServeHTTP handles one call with all its tries. It looks the rules up once, so that an Apply during a call does not change them.
func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.open.Add(1)
	defer p.open.Add(-1)
	began := time.Now()
	view := p.view()
	if view == nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	draws := p.draws(r.Header, r.Host)
	c := call{view: view, downstream: r, draws: draws,
		request: manifests.Request{Host: r.Host, Method: r.Method, Path: manifests.NormalPath(requestTarget(r)), Header: r.Header}}
	if r.TLS != nil {
		c.request.ServerName = r.TLS.ServerName
	}
	c.rule = view.route(&c)
	defer c.finish()
	var answer answer
	if oversized(r) {
		w.Header()["Connection"] = []string{"close"}
		answer = proxyAnswer(http.StatusRequestHeaderFieldsTooLarge, textOversized, flagProtocolError, detailOversized)
	} else {
		answer = c.run(r.Context())
		c.changeAnswer(&answer)
	}
	delivered := answer.deliver(w)
	if p.tries != nil && len(c.tried) == 0 {
		c.answered(began, answer.status)
	}
	if p.accessLog != nil {
		p.accessLog(c.entry(&answer, time.Since(began)))
	}
	if !delivered {
		panic(http.ErrAbortHandler) // the rest of the answer cannot be sent, so net/http must cut the connection
	}
}

// view is the view whose rules the next request obeys.
func (p *proxy) view() *view {
	current := p.current.Load()
	if current == nil || current.broken.staleTurn == 0 || p.handled.Add(1)%current.broken.staleTurn != 0 {
		return current
	}
	if former := p.former.Load(); former != nil {
		return former
	}
	return current
}

// noRoutes is the rule of every call in a proxy without routes: Envoy's answer.
var noRoutes = manifests.Rule{Name: "no routes", Direct: &manifests.Direct{Status: http.StatusNotFound, Flags: flagNoRoute, Detail: detailNoRoute}}

// route is the rule that a call meets.
func (v *view) route(c *call) *manifests.Rule {
	if v.table == nil {
		return &noRoutes
	}
	return v.tableOf(&c.draws).Route(&c.request)
}

// tableOf is the table in which a call with these draws looks up its rule.
func (v *view) tableOf(d *draws) *manifests.Table {
	if v.seldom != nil && d.draw("seldom rules") < v.broken.share {
		return v.seldom
	}
	return v.table
}

// requestTarget is the path and the query of a request as they were sent. It is "/" when the request has no path ("http://host",
// "*").
func requestTarget(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") {
		return r.RequestURI
	}
	if target := r.URL.RequestURI(); strings.HasPrefix(target, "/") {
		return target
	}
	return "/"
}
