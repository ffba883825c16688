package manifests

import (
	"cmp"
	"slices"
	"sync"

	networking "istio.io/api/networking/v1alpha3"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// virtualService is a VirtualService with its short names resolved.
type virtualService struct {
	name, namespace string
	hosts           []string // fully qualified, or with a leading "*"
	gateways        []string // "mesh", or "namespace/name"
	routes          []httpRoute
	private         bool // exported to its own namespace alone
}

// entry is a ServiceEntry.
type entry struct {
	namespace string
	hosts     []string
	ports     []int // of HTTP
}

// destinationRule is what the DestinationRules of a host say together.
type destinationRule struct {
	subsets  map[string]map[string]string // labels by name
	balancer string
}

// sidecar is a Sidecar that holds for a whole namespace.
type sidecar struct {
	imports      []hostPattern
	registryOnly bool
}

// Read finds out what a set of objects means. The objects must come from Parse, or be changed copies of such; the error
// is Problems, what only the whole set shows to be wrong.
func Read(objects []Object) (*Rules, error) {
	r := &Rules{
		Services:     make(map[string]*Service),
		Gateways:     make(map[string]*Gateway),
		destinations: make(map[string]*destinationRule),
		sidecars:     make(map[string]*sidecar),
		clusters:     make(map[cluster]*Endpoints),
		unknown:      &Endpoints{},
		passthrough:  new(sync.Map),
	}
	var problems Problems
	seen := make(map[identity]bool, len(objects))
	for i := range objects {
		o := &objects[i]
		if seen[o.identity()] {
			problems = append(problems, o.problem("", "a second object of this kind and name"))
			continue
		}
		seen[o.identity()] = true
		r.add(o)
	}
	slices.SortFunc(r.Workloads, func(a, b Workload) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Namespace, b.Namespace))
	})
	// Every object is known now: services before clusters, clusters before the routes that point at them.
	r.resolveClusters()
	for i := range objects {
		spec, ok := objects[i].Istio.(*networking.VirtualService)
		if !ok {
			continue
		}
		v, wrong := r.virtualService(&objects[i], spec)
		problems = append(problems, wrong...)
		r.virtualServices = append(r.virtualServices, v)
	}
	if len(problems) == 0 {
		problems = r.conflicts(objects)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return r, nil
}

// add takes up one object, VirtualServices excepted.
func (r *Rules) add(o *Object) {
	switch k := o.Kubernetes.(type) {
	case *corev1.Service:
		r.addService(o, k)
	case *appsv1.Deployment:
		r.Workloads = append(r.Workloads, workload(o, k))
	}
	switch spec := o.Istio.(type) {
	case *networking.DestinationRule:
		r.addDestinationRule(o, spec)
	case *networking.Gateway:
		r.addGateway(o, spec)
	case *networking.ServiceEntry:
		r.addEntry(o, spec)
	case *networking.Sidecar:
		r.addSidecar(o, spec)
	}
}
