package mesh

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
)

// proxy is a caller-side proxy: an app's sidecar for what the app sends, or the ingress gateway.
type proxy struct {
	name      string // in the access log: "frontend", "gateway"
	seed      string // of the draws of requests without a number
	gateway   bool
	staleTurn int64   // every staleTurn-th request sees the rules before; 0: none does
	share     float64 // of the calls look their rule up in view.seldom
	accessLog func(AccessLogEntry)
	server    *server
	calls     *upstream // the app's way to the proxy

	current atomic.Pointer[view]
	former  atomic.Pointer[view] // of the Apply before; kept only while staleTurn is set
	open    atomic.Int64         // calls under way
	handled atomic.Int64
	unnamed atomic.Int64

	mutex     sync.Mutex
	upstreams map[string]*upstream
}

// view is one Apply as a proxy sees it. It does not change, except that clusters fills as destinations are met.
type view struct {
	proxy    *proxy
	rules    *manifests.Rules
	table    *manifests.Table
	seldom   *manifests.Table // in which proxy.share of the calls look their rule up; nil: none does
	pods     pods
	clusters sync.Map // *manifests.Endpoints -> *cluster
}

// newView is how a caller's proxy sees rules, and for a share of its calls the rules seldom, which may be nil. Both must
// have their Endpoints in common, as Rules that are made of others do: what is kept of an endpoint is kept once.
func newView(rules, seldom *manifests.Rules, pods pods, caller manifests.Caller) *view {
	v := &view{rules: rules, table: rules.Table(caller), pods: pods}
	if seldom != nil {
		v.seldom = seldom.Table(caller)
	}
	return v
}

// start opens the proxy's listener. Until it is shown a view it answers 503.
func (p *proxy) start() (err error) {
	p.upstreams = make(map[string]*upstream)
	if p.server, err = serve(p, proxyLimits); err != nil {
		return err
	}
	p.calls = &upstream{address: p.server.address}
	return nil
}

// show makes a set of rules the one that every request from now on sees.
func (p *proxy) show(next *view) {
	next.proxy = p
	if p.staleTurn > 0 {
		p.former.Store(p.current.Load())
	}
	p.current.Store(next)
}

// upstream is the proxy's connections to an address.
func (p *proxy) upstream(address string) *upstream {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	u := p.upstreams[address]
	if u == nil {
		u = &upstream{address: address}
		p.upstreams[address] = u
	}
	return u
}

// forget gives up the connections to an address that is no more.
func (p *proxy) forget(address string) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if u := p.upstreams[address]; u != nil {
		u.close()
		delete(p.upstreams, address)
	}
}

func (p *proxy) close() {
	p.calls.close()
	p.server.close()
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, u := range p.upstreams {
		u.close()
	}
}

// ServeHTTP handles one call with all its tries. The rules are looked up once, so that a call sees one set.
func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.open.Add(1)
	defer p.open.Add(-1)
	began := time.Now()
	view := p.view()
	if view == nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	path := manifests.NormalPath(requestTarget(r))
	draws := p.draws(r.Header, r.Host)
	rule := view.tableOf(&draws).Route(&manifests.Request{Host: r.Host, Method: r.Method, Path: path, Header: r.Header})
	c := call{view: view, rule: rule, path: path, downstream: r, draws: draws}
	defer c.finish()
	var answer answer
	if oversized(r) {
		w.Header()["Connection"] = []string{"close"}
		answer = own(http.StatusRequestHeaderFieldsTooLarge, textOversized, flagProtocolError, detailOversized)
	} else {
		answer = c.run(r.Context())
	}
	delivered := answer.deliver(w)
	if p.accessLog != nil {
		p.accessLog(c.entry(&answer, time.Since(began)))
	}
	if !delivered {
		panic(http.ErrAbortHandler) // the rest cannot be sent: the caller sees a cut connection
	}
}

// view is the rules that the next request sees.
func (p *proxy) view() *view {
	if p.staleTurn > 0 && p.handled.Add(1)%p.staleTurn == 0 {
		if former := p.former.Load(); former != nil {
			return former
		}
	}
	return p.current.Load()
}

// tableOf is where a call looks its rule up.
func (v *view) tableOf(d *draws) *manifests.Table {
	if v.seldom != nil && d.draw("seldom rules") < v.proxy.share {
		return v.seldom
	}
	return v.table
}

// requestTarget is the path and query of a request as they were sent, "/" where it names no path ("http://host", "*").
func requestTarget(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") {
		return r.RequestURI
	}
	if target := r.URL.RequestURI(); strings.HasPrefix(target, "/") {
		return target
	}
	return "/"
}
