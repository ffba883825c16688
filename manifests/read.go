package manifests

import (
	"cmp"
	"slices"
	"sync"

	networking "istio.io/api/networking/v1alpha3"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// virtualService is a VirtualService whose short names are completed.
type virtualService struct {
	object          *Object
	name, namespace string
	hosts           []string // fully qualified, or beginning with "*", in lower case
	written         []string // the same as they are written, upper case included
	gateways        []string // "mesh", or "namespace/name"
	routes          []httpRoute
	exports         []string // the namespaces whose proxies know it; nil: all do
	// attached is where an HTTPRoute holds, for which the virtualService stands; nil for a VirtualService.
	attached *attachment
}

// entry is a ServiceEntry.
type entry struct {
	object    *Object
	place     string // "ServiceEntry clock (egress.yaml:11)"
	namespace string
	exports   []string // the namespaces to which it is exported; nil: all
	hosts     []string
	ports     []int    // its ports of HTTP
	others    []string // its other ports: "443 (HTTPS)"
	all       []entryPort
	endpoints []*networking.WorkloadEntry
	addresses []string

	resolution networking.ServiceEntry_Resolution
	altNames   []string // its subjectAltNames
}

// entryPort is a port of a ServiceEntry.
type entryPort struct {
	name           string
	number, target int  // target is the port of the host to which calls go
	secure         bool // whether its protocol is HTTPS or TLS
}

// sidecar is a Sidecar that holds for a whole namespace. Without an object it is what holds where there is none.
type sidecar struct {
	name         string // "Sidecar default"
	file         string
	line         int // that of its outboundTrafficPolicy
	imports      imports
	sets         bool // whether it has an outboundTrafficPolicy
	registryOnly bool
}

// Read finds out what a set of objects means. The objects must come from Parse, or be changed copies of such objects. Its error is
// Problems, which show only when all objects are read together.
func Read(objects []Object) (*Rules, error) {
	r, problems := compile(objects)
	if len(problems) == 0 {
		problems = append(r.conflicts(objects), r.sourceLabelConflicts()...)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return r, nil
}

// compile makes the rules of objects. Its problems are those of single objects, and not conflicts between them.
func compile(objects []Object) (*Rules, Problems) {
	r := &Rules{
		objects:      objects,
		Services:     make(map[string]*Service),
		Gateways:     make(map[string]*Gateway),
		destinations: make(destinationRules),
		exported:     make(destinationRules),
		rootOwn:      make(destinationRules),
		ruled:        make(map[string]map[string]bool),
		sidecars:     make(map[string]*sidecar),
		clusters:     make(map[cluster]*Endpoints),
		answering:    make(map[string]*Service),
		secured:      make(map[string][]string),
		restricted:   make(map[string]bool),
		unknown:      &Endpoints{},
		owners:       make(map[string][]string),
		outside:      new(sync.Map),
	}
	var problems Problems
	seen := make(map[identity]bool, len(objects))
	for i := range objects {
		o := &objects[i]
		if seen[o.identity()] {
			problems = append(problems, o.problem("", "has the kind and name of another object: write an object once"))
			continue
		}
		seen[o.identity()] = true
		r.add(o)
	}
	slices.SortFunc(r.Workloads, func(a, b Workload) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Namespace, b.Namespace))
	})
	r.addDestinationRules(objects)
	// All objects are added now. Clusters need the services, and routes need the clusters that they lead to.
	r.resolveClusters()
	to, used := delegates(objects), make(map[*Object]bool)
	for i := range objects {
		spec, ok := objects[i].Istio.(*networking.VirtualService)
		if !ok {
			continue
		}
		v, wrong := r.virtualService(&objects[i], spec, r.entriesOf(&objects[i], spec, to, used))
		problems = append(problems, wrong...)
		r.virtualServices = append(r.virtualServices, v)
	}
	problems = append(problems, r.addHTTPRoutes(objects)...)
	r.dropUnused(objects, to, used)
	r.noteSourceLabels()
	r.openDoors()
	return r, problems
}

// add adds one object to r, except VirtualServices.
func (r *Rules) add(o *Object) {
	switch k := o.Kubernetes.(type) {
	case *corev1.Service:
		r.addService(o, k)
	case *appsv1.Deployment:
		r.Workloads = append(r.Workloads, workload(o, k))
	case *gatewayv1.Gateway:
		r.addListeners(o, &k.Spec)
	}
	switch spec := o.Istio.(type) {
	case *networking.Gateway:
		r.addGateway(o, spec)
	case *networking.ServiceEntry:
		r.addEntry(o, spec)
	case *networking.Sidecar:
		r.addSidecar(o, spec)
	}
}
