package manifests

import (
	"fmt"
	"slices"
	"strconv"

	networking "istio.io/api/networking/v1alpha3"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// conflicts are the problems that show only when all objects are read together. Every object must have been added to r.
func (r *Rules) conflicts(objects []Object) Problems {
	var problems Problems
	uninjected := make(map[string]bool)
	for i := range objects {
		o := &objects[i]
		if o.Kind == "Namespace" && o.Meta.Labels[injection] == "disabled" {
			uninjected[o.Meta.Name] = true
		}
	}
	for i := range objects {
		o := &objects[i]
		switch k := o.Kubernetes.(type) {
		case *corev1.Service:
			problems = append(problems, r.serviceConflicts(o)...)
			if uninjected[o.namespace()] && !r.Services[o.host()].hidden {
				problems = append(problems, o.problem("metadata.annotations", "must have %s: \"~\", since namespace %s is labelled %s: disabled: the "+
					"pods there have no sidecar, and hellochaos does not support calls from the mesh to such pods",
					exportTo, o.namespace(), injection))
			}
		case *appsv1.Deployment:
			w := workload(o, k)
			if variable := callsBy(w.Env); uninjected[w.Namespace] && variable != "" {
				problems = append(problems, o.problem(container+".env", "has %s, but namespace %s is labelled %s: disabled: the pods "+
					"there have no sidecar, and hellochaos does not support calls that pass no proxy", variable, w.Namespace, injection))
			}
		}
	}
	return slices.Concat(problems, r.entryConflicts(), r.addressConflicts(), r.unresolvedConflicts(), r.ownerConflicts(objects), r.mutualConflicts(objects), r.originationConflicts(objects), r.serverConflicts(objects), gatewayConflicts(objects))
}

// gatewayConflicts are the problems of Gateways of Istio and of Gateway API that have one name.
func gatewayConflicts(objects []Object) (problems Problems) {
	named := make(map[string]*Object)
	for i := range objects {
		o := &objects[i]
		if o.Kind != "Gateway" {
			continue
		}
		name := o.namespace() + "/" + o.Meta.Name
		if first := named[name]; first != nil {
			problems = append(problems, o.problem("metadata.name", "is the name of %s, too, and hellochaos tells the Gateways of Istio and of Gateway API apart by their names alone: rename one of the two",
				first.place()))
		}
		named[name] = o
	}
	return problems
}

// serverConflicts are the problems of Gateways of the same pods of which one has TLS at a port and the other has not: Istio obeys the
// one that was created first, and a file does not show which one that is.
func (r *Rules) serverConflicts(objects []Object) (problems Problems) {
	for i := range objects {
		o := &objects[i]
		if _, ok := o.Istio.(*networking.Gateway); !ok {
			continue
		}
		g := r.Gateways[o.namespace()+"/"+o.Meta.Name]
		if g.listens {
			continue // gatewayConflicts says that two have the name
		}
		for _, s := range g.Servers {
			first := r.door(Caller{Gateway: g.name, Port: s.Port}).servers[0]
			if first.Gateway == g.name || first.TLS == s.TLS {
				continue
			}
			problems = append(problems, o.problem(fmt.Sprintf("spec.servers[%d].port", s.Index), "is port %d of the pods that Gateway %s (%s:%d) selects, too, and only one of the two has TLS there: "+
				"Istio leaves the later one out; give them ports of their own", s.Port, first.Gateway, first.File, first.Line))
		}
	}
	return problems
}

// serviceConflicts are the problems of a Service's ports that lead to a port at which its pods do not listen.
func (r *Rules) serviceConflicts(o *Object) (problems Problems) {
	s := r.Services[o.host()]
	for i, p := range s.Ports {
		for _, w := range r.Selected(s) {
			secure := s.hidden && strconv.Itoa(p.target) == w.Env[tlsPort] && (p.Port == securePort || w.Env[tlsFiles] != "")
			if listens := listensAt(w.Env); listens != p.target && !secure {
				problems = append(problems, o.problem(fmt.Sprintf("spec.ports[%d].targetPort", i),
					"must be %d, the port at which the pods of Deployment %s listen (their variable PORT), not %d", listens, w.Name, p.target))
			}
		}
	}
	return problems
}

// entryConflicts are the problems of ServiceEntries for the host of a Service that the mesh knows. In Istio the sidecars of each namespace
// then know one of the two, or the ports of both.
func (r *Rules) entryConflicts() (problems Problems) {
	for i := range r.entries {
		e := &r.entries[i]
		for j, host := range e.hosts {
			if s := r.Services[host]; s != nil && !s.hidden {
				problems = append(problems, e.object.problem(fmt.Sprintf("spec.hosts[%d]", j), "is the host of %s, and hellochaos does not support a host that "+
					"both have: hide the Service with the annotation %s: \"~\", or remove the ServiceEntry", s.object.place(), exportTo))
			}
			for k := range r.entries[:i] {
				first := &r.entries[k]
				if !slices.Contains(first.hosts, host) {
					continue
				}
				if first.elsewhere() || e.elsewhere() {
					problems = append(problems, e.object.problem(fmt.Sprintf("spec.hosts[%d]", j), "is a host of %s, too, and hellochaos does not support a host of several ServiceEntries of "+
						"which one has endpoints, a targetPort or resolution STATIC: write one ServiceEntry", first.place))
					continue
				}
				if first.namespace != e.namespace {
					continue
				}
				const why = "as in %s, which has the host %s too: of two that differ Istio obeys the one that was created first, and hellochaos does not support that"
				if first.resolution != e.resolution {
					problems = append(problems, e.object.problem("spec.resolution", "must be %s "+why, first.resolution, first.place, host))
				}
				if !slices.Equal(exportedBy(first.object), exportedBy(e.object)) {
					problems = append(problems, e.object.problem("spec.exportTo", "must be %q "+why, exportedBy(first.object), first.place, host))
				}
			}
		}
	}
	return problems
}

// addressConflicts are the problems of ServiceEntries that have an address and a port of another host: a sidecar has one host for both, of hosts with
// rules the first, and of others any (BuildSidecarVirtualHostWrapper in Istio's pilot/pkg/networking/core/route/route.go goes by a map).
func (r *Rules) addressConflicts() (problems Problems) {
	ruled := func(e *entry) bool {
		return slices.ContainsFunc(r.virtualServices, func(v virtualService) bool {
			return v.listed(mesh) && slices.ContainsFunc(e.hosts, func(host string) bool {
				return slices.ContainsFunc(v.hosts, func(pattern string) bool { return covers(pattern, host) })
			})
		})
	}
	for i := range r.entries {
		e := &r.entries[i]
		for j, address := range e.addresses {
			for k := range r.entries[:i] {
				first := &r.entries[k]
				shares := slices.Contains(first.addresses, address) && slices.ContainsFunc(e.ports, func(port int) bool { return slices.Contains(first.ports, port) })
				if shares && !slices.Equal(first.hosts, e.hosts) && knownTogether(first.exports, e.exports) && !ruled(e) && !ruled(first) {
					problems = append(problems, e.object.problem(fmt.Sprintf("spec.addresses[%d]", j), "is an address of %s, too, and no VirtualService has rules for a host of either: Istio "+
						"sends requests for the address to one of the two by chance, and hellochaos does not support that; give each an address of its own", first.place))
				}
			}
		}
	}
	return problems
}

// unresolvedConflicts are the problems of rules that send requests for one host to another one whose ServiceEntry has the resolution NONE, as
// has one that names none: the proxy then sends them to the address that the request was for, whatever the host of the destination is (Envoy's
// cluster type ORIGINAL_DST).
func (r *Rules) unresolvedConflicts() (problems Problems) {
	for i := range r.virtualServices {
		v := &r.virtualServices[i]
		for j := range v.routes {
			for _, m := range v.routes[j].rule.Mirrors {
				if e := r.unresolved(m.Host); e != nil {
					w := v.routes[j].written
					problems = append(problems, w.from.problem(w.field(""), "sends copies of requests to %s, which has resolution NONE in %s: "+
						"a proxy sends them to the address that the requests were for; write resolution: DNS into the ServiceEntry", m.Host, e.place))
				}
			}
			for k := range v.routes[j].rule.Split {
				to := v.routes[j].rule.Split[k].Host
				e := r.unresolved(to)
				if e == nil || slices.Equal(v.hosts, []string{to}) && slices.Equal(v.gateways, []string{mesh}) && v.routes[j].rule.Split[k].Port == 0 {
					continue
				}
				w := v.routes[j].written
				problems = append(problems, w.from.problem(fmt.Sprintf("spec.http[%d].route[%d].destination.host", w.index, k), "%s has resolution NONE in %s: "+
					"a proxy sends requests there to the address that they were for, so that hellochaos supports it only in rules for this host alone, in the "+
					"mesh, without a port; write resolution: DNS into the ServiceEntry", to, e.place))
			}
		}
	}
	return problems
}

// unresolved is the ServiceEntry with resolution NONE that has a host; nil where none has.
func (r *Rules) unresolved(host string) *entry {
	for i := range r.entries {
		if e := &r.entries[i]; e.resolution == networking.ServiceEntry_NONE && slices.Contains(e.hosts, host) {
			return e
		}
	}
	return nil
}

// ownerConflicts are the problems of hosts for which two VirtualServices have rules for the sidecars. Istio obeys the one that
// was created first, and a file does not show which one that is.
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
					"%s has rules for %s already, and a sidecar obeys only one VirtualService for a host, the one that was "+
						"created first: put the rules of both into one VirtualService", first.place(), host))
				continue
			}
			owners[host] = o
		}
	}
	return append(problems, r.routeConflicts(owners)...)
}

// routeConflicts are the problems of HTTPRoutes for Services for which a VirtualService has rules for the sidecars, by the full name or by another one
// such as "one.shop". Istio obeys the one of the two that was created first.
func (r *Rules) routeConflicts(owners map[string]*Object) (problems Problems) {
	for i := range r.virtualServices {
		v := &r.virtualServices[i]
		if v.attached == nil || !v.attached.mesh() {
			continue
		}
		for j, host := range v.hosts {
			for _, name := range append(aliases(host, ServiceNamespace(host)), host) {
				first := owners[name]
				if first == nil {
					continue
				}
				problems = append(problems, v.object.problem(fmt.Sprintf("spec.parentRefs[%d]", v.attached.parents[j]), "%s has rules for %s already, and a sidecar obeys only one of a "+
					"VirtualService and HTTPRoutes for a host, the one that was created first: keep one of the two", first.place(), name))
				break
			}
		}
	}
	return problems
}

// mutualConflicts are DestinationRules that ask for Istio's mutual TLS with hosts of a ServiceEntry, which are outside the mesh and
// have no sidecar that could answer it.
func (r *Rules) mutualConflicts(objects []Object) (problems Problems) {
	for i := range objects {
		o := &objects[i]
		spec, ok := o.Istio.(*networking.DestinationRule)
		if !ok {
			continue
		}
		for j := range r.entries {
			e := &r.entries[j]
			if !slices.ContainsFunc(e.hosts, func(host string) bool { return covers(qualify(spec.Host, o.namespace()), host) }) || e.object.Istio.(*networking.ServiceEntry).Location == networking.ServiceEntry_MESH_INTERNAL {
				continue
			}
			tlsSettings(spec, func(field string, _ int, tls *networking.ClientTLSSettings) {
				if tls.Mode != networking.ClientTLSSettings_ISTIO_MUTUAL {
					return
				}
				problems = append(problems, o.problem(field+".mode", "must not be ISTIO_MUTUAL for host %s, which %s says is outside the mesh: "+
					"it has no sidecar, so that every call would fail", spec.Host, e.place))
			})
		}
	}
	return problems
}

// host is the fully qualified name of a Service.
func (o *Object) host() string { return o.Meta.Name + "." + o.namespace() + domain }

// place is an object's name with the file and line where it begins.
func (o *Object) place() string {
	if o.File == "" {
		return o.Name()
	}
	return fmt.Sprintf("%s (%s:%d)", o.Name(), o.File, o.Line)
}
