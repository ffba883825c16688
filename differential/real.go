package differential

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"time"

	"google.golang.org/protobuf/proto"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"github.com/hellochaos/hellochaos/differential/envoy"
	"github.com/hellochaos/hellochaos/differential/proxy"
	"github.com/hellochaos/hellochaos/manifests"
)

const (
	// patience is how long a request may take: longer than everything that a rule may let it take.
	patience = time.Minute
	// inFlight is how many requests of a set are on their way at a time: few enough that none waits long for the machine.
	inFlight = 32
)

// real sends requests through real Envoys, one for each caller.
type real struct {
	*set
	program string // the Envoy
	places  proxy.Places
	// change changes what Envoy gets, to see that this is found; nil changes nothing.
	change  func(*envoy.Proxy)
	envoys  map[manifests.Caller]*proxy.Process
	clients map[manifests.Caller]*http.Client
}

func newReal(s *set, program string, places proxy.Places, change func(*envoy.Proxy)) *real {
	return &real{set: s, program: program, places: places, change: change, envoys: make(map[manifests.Caller]*proxy.Process),
		clients: make(map[manifests.Caller]*http.Client)}
}

// start starts the Envoy of a caller, unless it runs.
func (r *real) start(ctx context.Context, c manifests.Caller) error {
	if r.envoys[c] != nil {
		return nil
	}
	p, err := r.proxy(c)
	if err != nil {
		return err
	}
	if r.change != nil {
		p = cloned(p)
		r.change(p)
	}
	if r.envoys[c], err = proxy.Start(ctx, r.program, p, r.places); err != nil {
		delete(r.envoys, c)
		return err
	}
	r.clients[c] = r.envoys[c].Client(inFlight, patience)
	return nil
}

// cloned is a configuration whose routes and clusters may be changed.
func cloned(p *envoy.Proxy) *envoy.Proxy {
	copied := *p
	copied.Routes, copied.Clusters = make(map[string]*route.RouteConfiguration), make(map[string]*cluster.Cluster)
	for name, r := range p.Routes {
		copied.Routes[name] = proto.Clone(r).(*route.RouteConfiguration)
	}
	for name, c := range p.Clusters {
		copied.Clusters[name] = proto.Clone(c).(*cluster.Cluster)
	}
	copied.Endpoints = maps.Clone(p.Endpoints)
	return &copied
}

// close ends all of them.
func (r *real) close() {
	for c, e := range r.envoys {
		r.clients[c].CloseIdleConnections()
		e.Close()
	}
}

// answer is what came back for a request.
type answer struct {
	status  int // 0: nothing came back
	header  http.Header
	body    []byte
	elapsed time.Duration
	err     error
}

// send sends a request with more headers than it has. The Envoy of its caller must run.
func (r *real) send(ctx context.Context, a *asked, more http.Header) (answer, error) {
	client := r.clients[a.caller]
	if client == nil {
		return answer{}, errors.New("the Envoy of its caller does not run")
	}
	q := r.connected(a)
	return sent(ctx, client, fmt.Sprintf("http://%s:%d", q.Address, q.Port), a, more), nil
}

// sent sends a request to a base URL, with more headers than it has.
func sent(ctx context.Context, client *http.Client, base string, a *asked, more http.Header) answer {
	request, err := http.NewRequestWithContext(ctx, a.request.Method, base+a.request.Path, nil)
	if err != nil {
		return answer{err: err}
	}
	request.Host = a.request.Host
	for _, header := range []http.Header{a.request.Header, more} {
		for name, values := range header {
			request.Header[name] = values
		}
	}
	if request.Header["User-Agent"] == nil {
		request.Header["User-Agent"] = nil // so that Go adds none
	}
	begin := time.Now()
	response, err := client.Do(request)
	if err != nil {
		return answer{err: err, elapsed: time.Since(begin)}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{err: err, elapsed: time.Since(begin)}
	}
	return answer{status: response.StatusCode, header: response.Header, body: body, elapsed: time.Since(begin)}
}

// podsOf are the names of the pods of a set by their addresses.
func (s *set) podsOf() (map[string]string, error) {
	p, err := s.proxy(manifests.Caller{Namespace: manifests.Namespace})
	if err != nil {
		return nil, err
	}
	return p.Pods, nil
}
