// Package mesh is the embedded mesh. It runs the demo chain in this process, as real HTTP servers on the loopback interface. A
// real HTTP proxy sends the calls of each app, and another one is the gateway of the chain. The proxies obey the same objects
// that a cluster gets, in the way that was measured of Istio's sidecars. The package must not know load, statistics or verdicts.
//
// A proxy handles a call in Envoy's order: rule, redirect or direct answer, fault, cluster, endpoint, headers and rewriting, tries.
// The called service has no sidecar of its own here. One would turn a connection that its app breaks into a 503, and the caller's
// proxy does that in its place. A request that enters straight at a Service passes no proxy.
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
	"time"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/target"
	"github.com/hellochaos/hellochaos/target/certificates"
)

// Capacity is how many tries a second the mesh can carry on two cores that also run the load generator and the services. Where waits
// are timed, a run leaves half of it unused. docs/performance.md has the measurement.
const Capacity = 16000

// Timed is the shortest wait between tries that a run on the mesh checks.
const Timed = 5 * time.Millisecond

// defaults is the release of Istio whose defaults the mesh uses.
const defaults = "1.31"

// Options are the settings of a mesh. With the zero value the mesh does as Istio does.
type Options struct {
	// Seed is the seed of the draws for requests without trail.HeaderRequest: the same requests in the same order get the same
	// draws.
	Seed uint64
	// Break is the Name of the Break that the mesh does wrong on purpose, or empty.
	Break string
	// Sealed says that no call leaves this machine: to a host outside the mesh at which no Service of the objects answers, no
	// connection can be made.
	Sealed bool
	// Gradual says that an Apply that changes the rules of running proxies is one of a real mesh: in steps (manifests.Steps), and proxy by
	// proxy, Between apart. Without it all proxies take the new rules at once.
	Gradual bool
	// AccessLog, when set, is called once for each call of a caller's proxy or of the gateway, from several goroutines at a time.
	AccessLog func(AccessLogEntry)
	// Tries, when set, is called when a try begins, when it has ended, and for each call that a proxy answers itself, from several goroutines
	// at a time. Who is slow to return holds up the call. Copies that a mirror gets are not told of.
	Tries func(*Try)
	// Untraced says that the services keep no record of tries for Spans, which then is an error: of each service it grows to 6 MiB.
	Untraced bool
}

// Mesh implements target.Target.
type Mesh struct {
	options Options
	broken  breakage

	mutex    sync.RWMutex
	closed   bool
	rules    *manifests.Rules   // nil before the first Apply
	objects  []manifests.Object // of the last Apply
	pods     pods
	sidecars map[sidecarName]*proxy
	gateways map[door]*proxy      // all ports of Gateways that were ever applied
	issuer   *certificates.Issuer // nil before the first Apply
}

// sidecarName identifies a sidecar: its pods have this namespace and this label app, and those other labels that matches ask for, as
// manifests.Caller has them.
type sidecarName struct{ namespace, app, labels string }

func sidecarNameOf(rules *manifests.Rules, w *manifests.Workload) sidecarName {
	return sidecarName{w.Namespace, w.Labels["app"], rules.SidecarCaller(w).Labels}
}

// String is the name of the app, followed by "." and its namespace when that is not manifests.Namespace.
func (n sidecarName) String() string {
	if n.namespace == manifests.Namespace {
		return n.app
	}
	return n.app + "." + n.namespace
}

var _ target.Target = (*Mesh)(nil)

// New makes a mesh in which nothing runs yet. An unknown Break is an error that lists the accepted names.
func New(options Options) (*Mesh, error) {
	broken, err := findBreak(options.Break)
	if err != nil {
		return nil, err
	}
	return &Mesh{options: options, broken: broken, sidecars: make(map[sidecarName]*proxy), gateways: make(map[door]*proxy)}, nil
}

// Apply implements target.Target. It starts the Deployments that are new or changed, makes every proxy obey the objects, and then
// stops the Deployments that are not among the objects, which cuts calls that are under way there. With Options.Gradual it does so in steps,
// and leaves the last whole step in force where one fails.
func (m *Mesh) Apply(ctx context.Context, objects []manifests.Object) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.closed {
		return errors.New("applying objects: the mesh is closed")
	}
	rules, err := manifests.Read(objects)
	if err != nil {
		return fmt.Errorf("applying objects: %w", err)
	}
	if m.options.Gradual {
		err = m.gradually(ctx, objects)
	} else {
		err = m.obey(ctx, rules)
	}
	if err == nil {
		m.objects = objects
	}
	return err
}

// obey starts the Deployments that are new or changed, makes every proxy obey the rules, and stops the Deployments that are gone.
func (m *Mesh) obey(ctx context.Context, rules *manifests.Rules) error {
	usual, seldom, err := m.broken.obeyed(rules)
	if err != nil {
		return fmt.Errorf("applying objects: %w", err)
	}
	if m.issuer == nil {
		if m.issuer, err = certificates.NewIssuer(); err != nil {
			return fmt.Errorf("applying objects: %w", err)
		}
	}
	if err := m.openGateways(rules); err != nil {
		return fmt.Errorf("applying objects: %w", err)
	}
	next, err := m.pods.deploy(rules, namesOfHosts(rules), m.issuer, m.sidecarOf, m.broken.work, &m.options)
	if err != nil {
		m.retire(m.pods)
		return err
	}
	means := meaning{usual, seldom, m.broken, next, m.issuer, make(map[manifests.Caller][2]*manifests.Table)}
	all := m.named()
	for _, p := range all {
		if p.proxy.current.Load() != nil {
			m.turn(ctx, p.proxy, rules, len(all))
		}
		p.proxy.show(means.view(p.caller))
	}
	former := m.pods
	m.rules, m.pods = rules, next
	m.forget(former.closeExcept(next))
	m.retire(next)
	return nil
}

// turn waits for the turn of a proxy that is to give up other rules, one of so many.
func (m *Mesh) turn(ctx context.Context, p *proxy, rules *manifests.Rules, proxies int) {
	m.pause(ctx, proxies)
	if m.broken.dropped {
		p.show(&view{rules: rules, broken: m.broken})
		wait(ctx, routeless)
	}
}

// Deviate makes the mesh do something else wrong from the next Apply on: the Break with this name, or nothing where the name is empty. An
// unknown name is an error that lists the accepted ones.
func (m *Mesh) Deviate(name string) error {
	broken, err := findBreak(name)
	if err != nil {
		return err
	}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.broken = broken
	return nil
}

// retire stops the sidecars that have no pod among those left.
func (m *Mesh) retire(left pods) {
	used := make(map[sidecarName]bool)
	for _, d := range left {
		used[d.sidecar] = true
	}
	for name, sidecar := range m.sidecars {
		if !used[name] {
			sidecar.close()
			delete(m.sidecars, name)
		}
	}
}

// forget closes all connections to addresses at which no pod listens any more.
func (m *Mesh) forget(addresses []string) {
	for _, address := range addresses {
		for _, proxy := range m.proxies() {
			proxy.forget(address)
		}
	}
}

// sidecarOf is the transport of the calls of pods through their sidecar, which it starts when there is none yet.
func (m *Mesh) sidecarOf(name sidecarName) (transport, error) {
	if m.sidecars[name] == nil {
		sidecar, err := m.newProxy(name.String())
		if err != nil {
			return transport{}, err
		}
		m.sidecars[name] = sidecar
	}
	return transport{m.sidecars[name].calls}, nil
}

func (m *Mesh) newProxy(name string) (*proxy, error) {
	p := m.unstarted(name)
	if err := p.start(nil); err != nil {
		return nil, fmt.Errorf("starting the proxy of %s: %w", name, err)
	}
	return p, nil
}

// unstarted is a proxy that does not listen yet.
func (m *Mesh) unstarted(name string) *proxy {
	return &proxy{
		name:      name,
		seed:      strconv.FormatUint(m.options.Seed, 10) + "/" + name,
		sealed:    m.options.Sealed,
		accessLog: m.options.AccessLog,
		tries:     m.options.Tries,
	}
}

// proxies are the sidecars and the gateways.
func (m *Mesh) proxies() []*proxy {
	return slices.AppendSeq(slices.Collect(maps.Values(m.sidecars)), maps.Values(m.gateways))
}

// Address implements target.Target.
func (m *Mesh) Address(_ context.Context, entry manifests.Entry) (target.Address, error) {
	m.mutex.RLock()
	defer m.mutex.RUnlock()
	address, err := m.entryAddress(entry)
	if err != nil {
		return target.Address{}, fmt.Errorf("entry %s: %w", entry.Kind(), err)
	}
	return address, nil
}

// way is how all addresses are found.
const way = "loopback"

// onLoopback is the address of a server without TLS.
func onLoopback(host string) target.Address { return target.Address{URL: "http://" + host, Way: way} }

// entryAddress is where an entry listens.
func (m *Mesh) entryAddress(entry manifests.Entry) (target.Address, error) {
	if m.rules == nil {
		return target.Address{}, errors.New("no objects are applied yet")
	}
	if _, _, err := m.rules.CallerOf(entry); err != nil {
		return target.Address{}, err
	}
	switch entry.Kind() {
	case manifests.EntryCaller:
		caller, _, _ := m.rules.CallerOf(entry)
		_, app, _ := entry.Pods()
		return onLoopback(m.sidecars[sidecarName{caller.Namespace, app, caller.Labels}].server.address), nil
	case manifests.EntryGateway:
		return m.gatewayAddress(entry)
	}
	host, err := m.podOf(m.rules.Service(entry.Service))
	return onLoopback(host), err
}

// podOf is the address of the first pod of a Service.
func (m *Mesh) podOf(service *manifests.Service) (string, error) {
	replicas := m.pods.replicasOf(m.rules.Selected(service))
	if len(replicas) == 0 {
		name, _, _ := strings.Cut(service.Host, ".")
		return "", fmt.Errorf("no Deployment is applied that Service %s selects", name)
	}
	return replicas[0].server.address, nil
}

// Sidecar is the base URL of the sidecar of an app in manifests.Namespace, or of "app.namespace". The sidecar treats requests to
// this URL like calls of the app. It is an error when no Deployment with this label app is applied.
func (m *Mesh) Sidecar(app string) (string, error) {
	m.mutex.RLock()
	defer m.mutex.RUnlock()
	var apps []string
	for name, sidecar := range m.sidecars {
		if name.String() == app {
			return "http://" + sidecar.server.address, nil
		}
		apps = append(apps, name.String())
	}
	slices.Sort(apps)
	return "", fmt.Errorf("no Deployment with label app %q is applied; the apps that have one are %s", app, strings.Join(apps, ", "))
}

// Describe implements target.Target.
func (m *Mesh) Describe() target.Description {
	m.mutex.RLock()
	defer m.mutex.RUnlock()
	return target.Description{Kind: "mesh", Detail: "embedded mesh, Istio's defaults as of " + defaults,
		Versions: map[string]string{"istio defaults": defaults}, Deviation: m.broken.Name}
}

// Incidents implements target.Target. There are none, since nobody else can change the mesh.
func (m *Mesh) Incidents(context.Context) ([]target.Incident, error) { return nil, nil }

// Close implements target.Target. When it returns, every port is free and every goroutine has ended. Closing a closed mesh does
// nothing.
func (m *Mesh) Close(context.Context) (target.Restoration, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.closed = true
	m.pods.closeExcept(nil)
	for _, proxy := range m.proxies() {
		proxy.close()
	}
	m.rules, m.pods, m.sidecars, m.gateways = nil, nil, make(map[sidecarName]*proxy), make(map[door]*proxy)
	return target.Restoration{}, nil
}
