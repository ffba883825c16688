package mesh

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
)

// proxy is a caller-side proxy: an app's sidecar for what the app sends, or the ingress gateway.
type proxy struct {
	name      string // in the access log: "frontend", "gateway"
	namespace string // a sidecar's
	seed      string // of the draws of requests without a number
	gateway   bool
	uncounted bool  // sends no attempt count (Istio's proxyHeaders.attemptCount.disabled)
	staleTurn int64 // every staleTurn-th request sees the rules before; 0: none does
	accessLog func(AccessLogEntry)
	server    *server
	calls     *upstream // the app's way to the proxy

	current atomic.Pointer[view]
	former  atomic.Pointer[view] // of the Apply before; kept only while staleTurn is set
	handled atomic.Int64
	unnamed atomic.Int64

	mutex     sync.Mutex
	upstreams map[string]*upstream
}

// view is one Apply as a proxy sees it. It does not change, except that clusters fills as destinations are met.
type view struct {
	proxy    *proxy
	rules    *manifests.Rules
	tables   []*manifests.Table // one for a sidecar, one for each Gateway at the gateway
	pods     pods
	clusters sync.Map // *manifests.Endpoints -> *cluster
}

// start opens the proxy's listener. Until it is shown a view it answers 503.
func (p *proxy) start() (err error) {
	p.upstreams = make(map[string]*upstream)
	if p.server, err = serve(p); err != nil {
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
	began := time.Now()
	view := p.view()
	if view == nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	path := normalized(r)
	rule := view.route(&manifests.Request{Host: r.Host, Method: r.Method, Path: path, Header: r.Header})
	c := call{view: view, rule: rule, path: path, downstream: r}
	defer c.finish()
	answer := c.run(r.Context())
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

// route finds the rule for a request. A gateway has a table for each Gateway; the first that knows the host counts.
func (v *view) route(request *manifests.Request) *manifests.Rule {
	var rule *manifests.Rule
	for _, table := range v.tables {
		rule = table.Route(request)
		if rule.Direct == nil || rule.Direct.Flags != flagNoRoute {
			break
		}
	}
	return rule
}
