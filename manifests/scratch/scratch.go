// Package scratch moves a set of objects into namespaces that are made for it, so that a cluster can execute the set without touching
// anything else there: it rewrites the namespaces that objects stand in and name. It knows what objects mean. It must not know
// clusters, load or verdicts.
package scratch

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/hellochaos/hellochaos/manifests"
)

// Options say how a set is moved.
type Options struct {
	// Base is the namespace that stands in for manifests.Namespace. The others have its name, a dash and their own.
	Base string
	// Client is the name, and the label app, of the Deployments whose sidecars send the requests of callers. They become relays.
	Client string
	// Callers are the other pods of whose sidecars callers' requests are sent, as manifests.Entry has them: "namespace/app/deployment".
	Callers []string
	// Outside is the namespace of the stand-ins for hosts outside the mesh, whose pods have no sidecar.
	Outside string
	// Shared keeps the selectors of Gateways, so that requests enter by the pods that the files name. Without it they enter by pods of
	// the set's own.
	Shared bool
	// Policies are those of the files that are applied without being read.
	Policies []manifests.Policy
}

// Set is a set of objects that was moved.
type Set struct {
	// Base is the first of Namespaces, and Gateway the namespace of the set's own gateway pods, which stands in for that of Istio.
	Base, Gateway string
	// Objects are what is applied: all of them are namespaced, and stand in one of Namespaces. manifests.Read accepts them.
	Objects []manifests.Object
	// Ways are the gateway pods of the set's own, with a Service before each of them. Like Objects they are applied, but they are no
	// stand-ins, so that manifests.Read does not take them.
	Ways []manifests.Object
	// Namespaces are those to be made, in the order in which they are made.
	Namespaces []Namespace
	// Certificates are the Secrets that pods need before they start. They are not among the Objects: whoever applies the set makes the
	// certificates. One of the name Credential is among them where a Gateway has a server with TLS.
	Certificates []Certificate
	// Shared says that requests enter by gateway pods that are not the set's own.
	Shared bool
	// Hosts are the hosts with a namespace that were rewritten, sorted by what they were.
	Hosts []Host
	// Left are sentences about what is not applied, or otherwise than written.
	Left []string
	// Policies are those that are applied, too.
	Policies []manifests.Policy
	// Beyond are the fields and objects that the mesh obeys and that nothing is predicted of: "spec.http[0].corsPolicy of
	// VirtualService web (web.yaml:8)".
	Beyond []string
	// relays are the Deployments whose sidecars send the requests of Options.Callers, "namespace/name", by the caller.
	relays map[string]string
	// sent are the hosts by which requests may call a Service of another namespace, by what they were.
	sent map[string]string
}

// Namespace is a namespace to be made.
type Namespace struct {
	Name string
	// Of is the namespace that it stands in for.
	Of string
	// Injected says that its pods get sidecars.
	Injected bool
}

// Host is a host that was rewritten.
type Host struct{ Was, Is string }

// longest is how many characters the name of a namespace may have (RFC 1123).
const longest = 63

// rootNamespace is the one in which Istio takes some objects for rules of the whole mesh.
const rootNamespace = "istio-system"

// MeshWide reports whether an object acts on the whole mesh where it stands, so that it has no place in a namespace of its own: the
// DestinationRules and Sidecars of Istio's own namespace.
func MeshWide(o *manifests.Object) bool {
	if o.InNamespace() != rootNamespace {
		return false
	}
	switch o.Istio.(type) {
	case *networking.DestinationRule, *networking.Sidecar:
		return true
	}
	return false
}

// Move moves a set that scenarios/standins has made. The objects that it gets are not changed. The error has all problems: names that
// are too long, and conditions that name a namespace in a way that cannot be rewritten.
func Move(objects []manifests.Object, o Options) (*Set, error) {
	source, err := manifests.Read(objects)
	if err != nil {
		return nil, err
	}
	m := newMover(o)
	m.survey(objects)
	m.openGateways(objects)
	m.ordered(objects)
	m.wildRules(source)
	m.certificates(source)
	for i := range objects {
		m.object(&objects[i])
	}
	m.sidecars()
	m.ways()
	for i := range o.Policies {
		m.policy(&o.Policies[i])
	}
	for _, was := range slices.Sorted(maps.Keys(m.hosts)) {
		m.set.Hosts = append(m.set.Hosts, Host{was, m.hosts[was]})
		m.set.sent[was] = m.hosts[was]
	}
	for _, n := range m.set.Namespaces {
		if len(n.Name) > longest {
			m.problems = append(m.problems, fmt.Errorf("namespace %s would stand in for %s, and has %d characters: at most %d are allowed, so choose a shorter one with -n",
				n.Name, n.Of, len(n.Name), longest))
		}
	}
	return m.set, errors.Join(m.problems...)
}

// mover is the state of Move.
type mover struct {
	options Options
	set     *Set
	// sources are the namespaces of the objects, and services the Services, "name.namespace".
	sources, services map[string]bool
	// selectors are those of the Services, by namespace, and callers are Options.Callers by the "namespace/name" of their Deployment.
	selectors map[string][]map[string]string
	callers   map[string]string
	// external is the Service of the stand-in for each host outside the mesh, "name.namespace" as it is after the move.
	external map[string]string
	// entries are the names of ServiceEntries, "namespace/name", before and after the move.
	entries map[string]bool
	// speakers are the stand-ins outside the mesh that speak TLS, by the name of their Service and Deployment; opens says that proxies open it.
	speakers map[string]*speaker
	opens    bool
	// hosts are those that were rewritten, by what they were.
	hosts map[string]string
	// gateways are the labels of the gateway pods as the files have them, and ports those at which they take requests, by the text of their
	// labels. labels are what their labels are after the move, by "name=value".
	gateways []map[string]string
	ports    map[string]map[uint32]bool
	labels   map[string]string
	problems []error
}

func newMover(o Options) *mover {
	m := &mover{
		options: o,
		set: &Set{
			Base:   o.Base,
			Shared: o.Shared,
			relays: map[string]string{},
			sent:   map[string]string{},
		},
		sources:   map[string]bool{},
		services:  map[string]bool{},
		selectors: map[string][]map[string]string{},
		callers:   map[string]string{},
		external:  map[string]string{},
		entries:   map[string]bool{},
		speakers:  map[string]*speaker{},
		hosts:     map[string]string{},
		ports:     map[string]map[uint32]bool{},
		labels:    map[string]string{},
	}
	m.set.Gateway = m.place(rootNamespace)
	for _, caller := range o.Callers {
		namespace, _, deployment := manifests.Entry{Caller: caller}.Pods()
		m.callers[namespace+"/"+deployment] = caller
	}
	return m
}

// survey finds the namespaces, the Services and the stand-ins of hosts outside, and decides which namespaces are made.
func (m *mover) survey(objects []manifests.Object) {
	for i := range objects {
		o := &objects[i]
		if o.Kind == "Namespace" {
			continue
		}
		m.sources[o.InNamespace()] = true
		if o.Kind == "Gateway" {
			m.sources[rootNamespace] = true // that of the pods
		}
		if o.Kind == "ServiceEntry" {
			m.entries[m.place(o.InNamespace())+"/"+o.Meta.Name] = true
		}
		switch spec := o.Istio.(type) {
		case *networking.VirtualService:
			m.exported(spec.ExportTo)
		case *networking.DestinationRule:
			m.exported(spec.ExportTo)
		case *networking.ServiceEntry:
			m.exported(spec.ExportTo)
		}
		if k, ok := o.Kubernetes.(*corev1.Service); ok {
			m.exported(manifests.ExportValues(k.Annotations[exportTo]))
			m.services[o.Meta.Name+"."+o.InNamespace()] = true
			m.selectors[o.InNamespace()] = append(m.selectors[o.InNamespace()], k.Spec.Selector)
			if host := k.Annotations[manifests.AnswersFor]; host != "" {
				m.external[host] = o.Meta.Name + "." + m.place(o.InNamespace())
			}
		}
	}
	for i := range m.options.Policies {
		if of := m.options.Policies[i].Namespace; of != rootNamespace {
			m.sources[of] = true
		}
	}
	// The first namespace holds the journal and the lease, so it is made whatever the objects are.
	m.set.Namespaces = []Namespace{{Name: m.options.Base, Of: manifests.Namespace, Injected: true}}
	for _, of := range slices.Sorted(maps.Keys(m.sources)) {
		if of != manifests.Namespace && of != rootNamespace {
			m.set.Namespaces = append(m.set.Namespaces, Namespace{Name: m.place(of), Of: of, Injected: of != m.options.Outside})
		}
	}
	if m.sources[rootNamespace] {
		m.set.Namespaces = append(m.set.Namespaces, Namespace{Name: m.set.Gateway, Of: rootNamespace, Injected: true})
	}
}

// place is the namespace that stands in for one of the files.
func (m *mover) place(namespace string) string {
	if namespace == "" || namespace == manifests.Namespace {
		return m.options.Base
	}
	return m.options.Base + "-" + namespace
}

// Entry is where requests of an entry of the source enter.
func (s *Set) Entry(e manifests.Entry) manifests.Entry {
	if e.Service != "" && !strings.Contains(e.Service, ".") {
		e.Service += "." + manifests.Namespace + serviceDomain
	}
	if relay, ok := s.relays[e.Caller]; ok {
		e.Caller = relay
	} else {
		e.Caller = s.qualified(e.Caller)
	}
	return manifests.Entry{Service: s.Sent(e.Service), Caller: e.Caller, Gateway: s.qualified(e.Gateway), Port: e.Port}
}

// qualified is "namespace/name" of the source after the move.
func (s *Set) qualified(text string) string {
	namespace, name, _ := strings.Cut(text, "/")
	i := slices.IndexFunc(s.Namespaces, func(n Namespace) bool { return n.Of == namespace })
	if i < 0 {
		return text
	}
	return s.Namespaces[i].Name + "/" + name
}

// Sent is the Host header that is sent in place of one of the source, which may have a port, and a dot at the end of its name.
func (s *Set) Sent(host string) string {
	name, _, _ := strings.Cut(host, ":")
	name = strings.TrimSuffix(name, ".")
	if is, ok := s.sent[name]; ok {
		return is + host[len(name):]
	}
	return host
}

func (m *mover) left(format string, args ...any) {
	m.set.Left = append(m.set.Left, fmt.Sprintf(format, args...))
}

// object moves one object.
func (m *mover) object(o *manifests.Object) {
	if o.Kind == "Namespace" {
		return // those of the set are made for it
	}
	if o.IsGatewayAPI() {
		m.problems = append(m.problems, fmt.Errorf("%s:%d: %s is one of Gateway API, and 'hellochaos verify --target cluster' does not move the references of these objects to the namespaces of the run: use the embedded mesh", o.File, o.Line, o.Name()))
		return
	}
	moved := o.Clone()
	moved.Meta.Namespace = m.place(o.InNamespace())
	moved.Meta.Labels, moved.Meta.Annotations = nil, nil
	for i := range moved.Beyond {
		b := &moved.Beyond[i]
		b.Value = m.beyond("", b.Value)
		m.set.Beyond = append(m.set.Beyond, fmt.Sprintf("%s of %s (%s:%d)", b.Field, o.Name(), o.File, b.Line))
	}
	switch spec := moved.Istio.(type) {
	case *networking.VirtualService:
		m.virtualService(o, spec)
	case *networking.DestinationRule:
		spec.Host, spec.ExportTo = m.host(spec.Host), m.exportTo(spec.ExportTo)
		m.opening(o, spec)
	case *networking.ServiceEntry:
		m.serviceEntry(o, &moved, spec)
		return
	case *networking.Gateway:
		m.gateway(o, spec)
	case *networking.Sidecar:
		m.sidecar(o, spec)
	}
	switch k := moved.Kubernetes.(type) {
	case *corev1.Service:
		m.service(k)
		moved.Meta = k.ObjectMeta
	case *appsv1.Deployment:
		m.deployment(k)
		moved.Meta = k.ObjectMeta
	}
	m.set.Objects = append(m.set.Objects, moved)
}
