package manifests

import (
	"fmt"
	"slices"

	networking "istio.io/api/networking/v1alpha3"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// conflicts are what only the whole set shows to be wrong: every object is taken up by now.
func (r *Rules) conflicts(objects []Object) Problems {
	var problems Problems
	uninjected := make(map[string]bool)
	var gateway *Object
	for i := range objects {
		o := &objects[i]
		if o.Kind == "Namespace" && o.Meta.Labels[injection] == "disabled" {
			uninjected[o.Meta.Name] = true
		}
		if _, ok := o.Istio.(*networking.Gateway); !ok {
			continue
		}
		if gateway != nil {
			problems = append(problems, o.problem("", "a second Gateway beside %s: hellochaos enters by one", gateway.place()))
		}
		gateway = o
	}
	for i := range objects {
		o := &objects[i]
		switch k := o.Kubernetes.(type) {
		case *corev1.Service:
			problems = append(problems, r.serviceConflicts(o)...)
			if uninjected[o.namespace()] && !r.Services[o.host()].hidden {
				problems = append(problems, o.problem("metadata.annotations", "want %s: \"~\" in a namespace labelled "+
					"%s: disabled: what the mesh calls there has no sidecar, which is not supported by hellochaos", exportTo, injection))
			}
		case *appsv1.Deployment:
			if w := workload(o, k); uninjected[w.Namespace] && w.Env[upstreamURI] != "" {
				problems = append(problems, o.problem(container+".env", "%s in a namespace labelled %s: disabled: "+
					"calls past every proxy are not supported by hellochaos", upstreamURI, injection))
			}
		}
	}
	return slices.Concat(problems, r.ownerConflicts(objects), r.exportConflicts(objects, uninjected))
}

// serviceConflicts are the ports of a Service that lead to none of its pods' own.
func (r *Rules) serviceConflicts(o *Object) (problems Problems) {
	s := r.Services[o.host()]
	for i, p := range s.Ports {
		for _, w := range r.Selected(s) {
			if listens := listensAt(w.Env); listens != p.target {
				problems = append(problems, o.problem(fmt.Sprintf("spec.ports[%d].targetPort", i),
					"%d, but the pods of Deployment %s listen at %d (PORT)", p.target, w.Name, listens))
			}
		}
	}
	return problems
}

// ownerConflicts are the hosts that two VirtualServices claim for the sidecars. Istio obeys the one that was created
// first, which a file does not tell.
func (r *Rules) ownerConflicts(objects []Object) (problems Problems) {
	owners := make(map[string]*Object)
	next := 0
	for i := range objects {
		o := &objects[i]
		if _, ok := o.Istio.(*networking.VirtualService); !ok {
			continue
		}
		v := &r.virtualServices[next]
		next++
		if !v.boundTo(mesh) {
			continue
		}
		for j, host := range v.hosts {
			if first := owners[host]; first != nil && first != o {
				problems = append(problems, o.problem(fmt.Sprintf("spec.hosts[%d]", j),
					"%s has rules for %s already, and sidecars obey one VirtualService for a host, the one created first: "+
						"make one of the two", first.place(), host))
				continue
			}
			owners[host] = o
		}
	}
	return problems
}

// host is the fully qualified name of a Service.
func (o *Object) host() string { return o.Meta.Name + "." + o.namespace() + domain }

// place is an object's name and where it stands.
func (o *Object) place() string {
	if o.File == "" {
		return o.Name()
	}
	return fmt.Sprintf("%s (%s:%d)", o.Name(), o.File, o.Line)
}
