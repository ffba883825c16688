// Package standins makes a set of objects that can run on this machine from the objects of somebody's own application: Istio's objects
// unchanged, and stand-ins in place of everything that answers requests. It knows what the objects name. It must not know how
// requests are sent.
package standins

import (
	"fmt"
	"slices"

	networking "istio.io/api/networking/v1alpha3"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/hellochaos/hellochaos/manifests"
)

const (
	// Client is the name, and the label app of the pod, of the Deployment whose sidecar sends the requests of callers in a namespace. It
	// makes no calls, and no Service selects its pod.
	Client = "hellochaos-client"
	// Outside is the namespace of the stand-ins for hosts outside the mesh.
	Outside = "hellochaos-outside"
	// MostReplicas is how many pods a workload has at most here. Three are enough to see that a retry goes to another pod.
	MostReplicas = 3
	// mostPods is how many pods run on this machine at most, beside those of Clients.
	mostPods = 1000
)

// Set is the objects that stand in for an application.
type Set struct {
	// Objects are the whole set to apply. manifests.Read accepts them unless the objects of Istio contradict each other.
	Objects []manifests.Object
	// StoodUp are the objects that no file has, and that are there because a rule names them.
	StoodUp []StoodUp
	// Remarks are sentences about what differs from the application: replicas, ports that do not speak HTTP, Services of a special type.
	Remarks []string
	// Clients are the namespaces that have a Client, sorted.
	Clients []string
}

// StoodUp is an object that is there because a rule names it.
type StoodUp struct {
	// Object is "Service reviews" or "Deployment reviews-v1"; Namespace is its own.
	Object, Namespace string
	// File and Line are where the rule names it.
	File string
	Line int
	// Text is a sentence that says what answers, and why.
	Text string
}

// Of makes the set for objects as manifests.LoadOthers reads them. An object may be there once only. A Deployment whose container has
// variables, which LoadOthers does not read, says by them what its stand-in calls, and how it fails and works; other stand-ins make no
// calls.
//
// Every Service gets a Service whose ports of HTTP lead to stand-ins, and every workload a Deployment that runs one, with the labels
// of its pods. What the files do not have is stood up by one rule, so that nothing is that a cluster with these files would not have:
// where the files say something about the Services of a namespace, they say all about them, and likewise about its pods.
//
//   - A Service that rules name, by the full name of its host, is stood up where no file has a Service of its namespace. Where a file
//     has pods of that namespace, some of them must have the label app with its name. So a misspelt name among given Services stays one
//     that leads to nobody.
//   - Pods of a Service are stood up where no file has pods of its namespace: a workload for each set of labels by which
//     DestinationRules define subsets of its host, or one where there is none. So a subset whose labels no given pod has stays without
//     pods. A Service without a selector, and one of type ExternalName, have pods that are in no file, and get stand-ins always.
//   - A host of a ServiceEntry has a stand-in on this machine, outside the mesh.
//   - A Gateway that rules name is stood up, for every host, where no file has any Gateway.
//   - Pods with the labels that a match asks for by sourceLabels are stood up where no file has pods of its namespace.
//   - Subsets are never made up.
//
// The error says that the set has more pods than this machine is to run.
func Of(objects []manifests.Object) (*Set, error) {
	b := &builder{set: &Set{}, services: map[string]*service{}, withPods: map[string]bool{}, withServices: map[string]bool{}, taken: map[string]bool{}, pattern: pattern()}
	for i := range objects {
		b.add(&objects[i])
	}
	b.named = named(objects)
	b.standUpServices()
	b.pods()
	b.external()
	b.gateways(objects)
	b.listeners(objects)
	if b.count > mostPods {
		return nil, fmt.Errorf("the files have %d pods, with at most %d of each workload, and hellochaos runs at most %d on this machine: name the files of a part of them",
			b.count, MostReplicas, mostPods)
	}
	b.clients(objects)
	b.bearers(objects)
	return b.set, nil
}

// builder is the state of Of.
type builder struct {
	set *Set
	// services are those of the set, by full host; order are their hosts in the order in which they came.
	services map[string]*service
	order    []string
	// workloads are those of the files.
	workloads []*workload
	// withServices and withPods are the namespaces of which a file has a Service or pods.
	withServices, withPods map[string]bool
	named                  *names
	// taken are the names of Deployments, "namespace/name"; count is how many pods they have.
	taken map[string]bool
	count int
	// pattern is a Deployment of the demo chain.
	pattern *appsv1.Deployment
}

// service is a Service of the set.
type service struct {
	host, name, namespace string
	selector              map[string]string
	// unknown says that its pods are in no file whatever else a file has.
	unknown bool
	// selected is how many workloads of the files have the labels of its selector.
	selected int
	// from is the object that has it or names it, and line where it does.
	from *manifests.Object
	line int
}

// workload is a Deployment of the set that stands in for one of the files.
type workload struct {
	from     *manifests.Object
	labels   map[string]string
	replicas int
	service  *service // nil where no Service selects its pods
	env      []corev1.EnvVar
}

// add adds an object of the files: to the set, or to what the set is made from.
func (b *builder) add(o *manifests.Object) {
	switch k := o.Kubernetes.(type) {
	case *corev1.Service:
		b.addService(o, k)
	case *appsv1.Deployment:
		b.addWorkload(o, k)
	}
	if o.Istio != nil || o.IsGatewayAPI() || o.Kind == "Namespace" {
		b.set.Objects = append(b.set.Objects, *o)
	}
}

func (b *builder) remark(format string, args ...any) {
	b.set.Remarks = append(b.set.Remarks, fmt.Sprintf(format, args...))
}

// addWorkload adds a workload of the files.
func (b *builder) addWorkload(o *manifests.Object, k *appsv1.Deployment) {
	w := &workload{from: o, labels: k.Spec.Template.Labels, replicas: 1}
	for _, c := range k.Spec.Template.Spec.Containers {
		w.env = c.Env
	}
	switch {
	case k.Spec.Replicas != nil:
		w.replicas = int(*k.Spec.Replicas)
	case o.Kind == "DaemonSet":
		b.remark("%s (%s:%d) has a pod on each node of a cluster, and one here.", o.Name(), o.File, o.Line)
	}
	if w.replicas > MostReplicas {
		b.remark("%s (%s:%d) has %d replicas, and %d here: hellochaos runs at most %d of each workload.", o.Name(), o.File, o.Line, w.replicas, MostReplicas, MostReplicas)
		w.replicas = MostReplicas
	}
	b.workloads = append(b.workloads, w)
	b.withPods[o.InNamespace()] = true
}

// clients adds a Client for each namespace whose objects say something about the calls of sidecars, or whose callers a rule is for.
func (b *builder) clients(objects []manifests.Object) {
	for i := range objects {
		o := &objects[i]
		b.routeClients(o)
		switch spec := o.Istio.(type) {
		case *networking.VirtualService:
			if !manifests.ForSidecars(spec) {
				continue
			}
			b.callers(spec)
		case *networking.DestinationRule:
			b.exported(spec.ExportTo)
		case *networking.ServiceEntry:
			b.exported(spec.ExportTo)
		case *networking.Sidecar:
		default:
			continue
		}
		if _, rules := o.Istio.(*networking.VirtualService); !rules && o.InNamespace() == "istio-system" {
			continue // there they are for the whole mesh
		}
		b.client(o.InNamespace())
	}
	slices.Sort(b.set.Clients)
	for _, namespace := range b.set.Clients {
		b.deploy(deployment{namespace: namespace, name: Client, service: Client, version: namespace, labels: map[string]string{"app": Client}, replicas: 1})
	}
}

// client notes that a namespace has a Client.
func (b *builder) client(namespace string) {
	if !slices.Contains(b.set.Clients, namespace) {
		b.set.Clients = append(b.set.Clients, namespace)
	}
}

// callers notes the Clients of the namespaces that a VirtualService has rules for.
func (b *builder) callers(spec *networking.VirtualService) {
	b.exported(spec.ExportTo)
	for _, http := range spec.Http {
		for _, m := range http.Match {
			if m.SourceNamespace != "" {
				b.client(m.SourceNamespace)
			}
		}
	}
}

// exported notes the Clients of the namespaces that an exportTo names.
func (b *builder) exported(exportTo []string) {
	for _, namespace := range exportTo {
		if namespace != "*" && namespace != "." && namespace != "istio-system" {
			b.client(namespace)
		}
	}
}

// keep adds a Service to those of the set.
func (b *builder) keep(s *service) {
	if b.services[s.host] == nil {
		b.order = append(b.order, s.host)
	}
	b.services[s.host] = s
}
