// Package mesh is the embedded mesh: it runs the demo chain in this process as real HTTP servers on the loopback
// interface and puts a real HTTP proxy in front of what each app sends, and a gateway in front of the chain. The
// proxies obey the same objects that a cluster gets, as Istio's sidecars were measured to. It knows no load, no
// statistics and no verdicts.
//
// A call passes a proxy in Envoy's order: rule, redirect or direct answer, fault, cluster, endpoint, tries. The callee's
// sidecar has no process of its own: the little that it changes (an app's broken connection becomes its 503) is done
// at the caller's proxy. A request that enters at Direct passes no proxy at all.
package mesh

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/target"
)

// entryService is the Service of the chain's first hop.
const entryService = "frontend"

// Capacity is how many tries a second the mesh carries on two cores, load generator and services included, with a third
// of them to spare; docs/performance.md has the measurement.
const Capacity = 11000

// Options are what a mesh can be told. The zero value is a mesh that does as Istio does.
type Options struct {
	// Seed makes the draws of requests without trail.HeaderRequest: the same requests in the same order meet the
	// same draws.
	Seed uint64
	// Break is the Name of one of Breaks, or empty: what the mesh does wrong on purpose.
	Break string
	// AccessLog, when set, is called once for each call of a caller-side proxy or of the gateway, concurrently.
	AccessLog func(AccessLogEntry)
}

// Mesh implements target.Target.
type Mesh struct {
	options Options
	broken  breakage

	mutex    sync.RWMutex
	closed   bool
	rules    *manifests.Rules // nil before the first Apply
	pods     pods
	sidecars map[string]*proxy // by app
	gateway  *proxy            // nil before the first Gateway
}

var _ target.Target = (*Mesh)(nil)

// New makes a mesh in which nothing runs yet. The error lists what Break may be.
func New(options Options) (*Mesh, error) {
	broken, err := findBreak(options.Break)
	if err != nil {
		return nil, err
	}
	return &Mesh{options: options, broken: broken, sidecars: make(map[string]*proxy)}, nil
}

// Apply implements target.Target. It starts the Deployments that are new or changed, makes every proxy obey the
// objects, and then ends the Deployments that are gone.
func (m *Mesh) Apply(_ context.Context, objects []manifests.Object) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.closed {
		return errors.New("applying objects: the mesh is closed")
	}
	rules, err := manifests.Read(m.broken.objects(objects))
	if err != nil {
		return fmt.Errorf("applying objects: %w", err)
	}
	if len(rules.Gateways) > 0 && m.gateway == nil {
		if m.gateway, err = m.newProxy("gateway"); err != nil {
			return err
		}
		m.gateway.gateway, m.gateway.uncounted = true, m.broken.uncounted
	}
	next, err := m.pods.deploy(rules.Workloads, m.sidecarOf)
	if err != nil {
		return err
	}
	for _, sidecar := range m.sidecars {
		sidecar.show(&view{rules: rules, pods: next, tables: []*manifests.Table{rules.Table(manifests.Caller{Namespace: sidecar.namespace})}})
	}
	if m.gateway != nil {
		m.gateway.show(&view{rules: rules, pods: next, tables: gatewayTables(rules)})
	}
	former := m.pods
	m.rules, m.pods = rules, next
	m.forget(former.closeExcept(next))
	return nil
}

// gatewayTables are the routes of every Gateway, in the order of their names.
func gatewayTables(rules *manifests.Rules) (tables []*manifests.Table) {
	for _, name := range slices.Sorted(maps.Keys(rules.Gateways)) {
		tables = append(tables, rules.Table(manifests.Caller{Gateway: name}))
	}
	return tables
}

// forget gives up all connections to addresses that are free.
func (m *Mesh) forget(addresses []string) {
	for _, address := range addresses {
		for _, proxy := range m.proxies() {
			proxy.forget(address)
		}
	}
}

// sidecarOf is the way of a workload's calls: through the caller-side proxy of its app, which is started when new.
func (m *Mesh) sidecarOf(w *manifests.Workload) (transport, error) {
	app := w.Labels["app"]
	if app == "" {
		return transport{}, fmt.Errorf("starting Deployment %s: its pods have no label app, which names their proxy", w.Name)
	}
	if m.sidecars[app] == nil {
		sidecar, err := m.newProxy(app)
		if err != nil {
			return transport{}, err
		}
		sidecar.namespace = w.Namespace
		m.sidecars[app] = sidecar
	}
	return transport{m.sidecars[app].calls}, nil
}

func (m *Mesh) newProxy(name string) (*proxy, error) {
	p := &proxy{
		name:      name,
		seed:      strconv.FormatUint(m.options.Seed, 10) + "/" + name,
		staleTurn: m.broken.staleTurn,
		accessLog: m.options.AccessLog,
	}
	if err := p.start(); err != nil {
		return nil, fmt.Errorf("starting the proxy of %s: %w", name, err)
	}
	return p, nil
}

// proxies are the sidecars and, when there is one, the gateway.
func (m *Mesh) proxies() []*proxy {
	all := slices.Collect(maps.Values(m.sidecars))
	if m.gateway != nil {
		all = append(all, m.gateway)
	}
	return all
}

// Address implements target.Target.
func (m *Mesh) Address(entry target.Entry) (string, error) {
	m.mutex.RLock()
	defer m.mutex.RUnlock()
	switch {
	case m.rules == nil:
		return "", fmt.Errorf("entry %s: nothing is applied", entry)
	case entry == target.Gateway && len(m.rules.Gateways) == 0:
		return "", fmt.Errorf("entry %s: no Gateway is applied", entry)
	case entry == target.Gateway:
		return "http://" + m.gateway.server.address, nil
	case entry != target.Direct:
		return "", fmt.Errorf("entry %q: accepted are %s and %s", entry, target.Direct, target.Gateway)
	}
	service := m.rules.Services[entryService+"."+manifests.Namespace+clusterDomain]
	if service == nil {
		return "", fmt.Errorf("entry %s: no Service %s is applied", entry, entryService)
	}
	replicas := m.pods.selected(service)
	if len(replicas) == 0 {
		return "", fmt.Errorf("entry %s: no Deployment is applied that Service %s selects", entry, entryService)
	}
	return "http://" + replicas[0].server.address, nil
}

// Sidecar is the base URL of the caller-side proxy of an app: what is sent there is treated as the app's own calls.
func (m *Mesh) Sidecar(app string) (string, error) {
	m.mutex.RLock()
	defer m.mutex.RUnlock()
	if sidecar := m.sidecars[app]; sidecar != nil {
		return "http://" + sidecar.server.address, nil
	}
	apps := strings.Join(slices.Sorted(maps.Keys(m.sidecars)), ", ")
	return "", fmt.Errorf("no Deployment with label app %q is applied; there are %s", app, apps)
}

// Describe implements target.Target.
func (m *Mesh) Describe() target.Description {
	return target.Description{Kind: "mesh", Detail: "embedded mesh, Istio's defaults as of 1.31", Deviation: m.options.Break}
}

// Close implements target.Target: every port is free and every goroutine has ended when it returns. Closing a closed
// mesh does nothing.
func (m *Mesh) Close(context.Context) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.closed = true
	m.pods.closeExcept(nil)
	for _, proxy := range m.proxies() {
		proxy.close()
	}
	m.rules, m.pods, m.sidecars, m.gateway = nil, nil, make(map[string]*proxy), nil
	return nil
}
