package manifests

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
	corev1 "k8s.io/api/core/v1"
)

const (
	domain = ".svc.cluster.local"
	// rootNamespace is the namespace in which a Sidecar or DestinationRule holds for the whole mesh.
	rootNamespace = "istio-system"
	// leastRequest is Istio's default load balancer.
	leastRequest = "LEAST_REQUEST"
)

// cluster identifies what a destination leads to, as one of Envoy's clusters. namespace is that of the proxies that have it, where they
// obey other DestinationRules than those of most namespaces (Rules.apart); else "".
type cluster struct {
	host, subset string
	port         int
	namespace    string
}

// qualify is the full name of a host, by Istio's ResolveShortnameToFQDN: only a name without any dot is completed. Upper case stays: a
// destination or a DestinationRule whose host has it finds nothing.
func qualify(host, namespace string) string {
	if strings.ContainsAny(host, ".*") {
		return host
	}
	return host + "." + namespace + domain
}

func (r *Rules) addService(o *Object, k *corev1.Service) {
	s := &Service{Host: o.host(), object: o, selector: k.Spec.Selector, exports: exportsOf(ExportValues(o.Meta.Annotations[exportTo]), o.namespace())}
	s.hidden = s.exports != nil && len(s.exports) == 0
	if !s.hidden {
		r.restrict(s.Host, s.exports)
	}
	for _, p := range k.Spec.Ports {
		port := ServicePort{Port: int(p.Port), target: p.TargetPort.IntValue(), declared: ProtocolOf(&p) == DeclaredHTTP}
		if port.target == 0 {
			port.target = port.Port
		}
		s.Ports = append(s.Ports, port)
	}
	r.Services[s.Host] = s
	r.own(s.Host, o.namespace())
	if host := o.Meta.Annotations[AnswersFor]; host != "" {
		r.answering[host] = s
	}
}

// Service finds a Service by its full name, or by its short name in Namespace. It is nil when no Service has the name.
func (r *Rules) Service(name string) *Service {
	return r.Services[qualify(strings.ToLower(name), Namespace)]
}

// balancer is the name of a simple load balancer; empty for the default.
func balancer(simple networking.LoadBalancerSettings_SimpleLB) string {
	switch simple {
	case networking.LoadBalancerSettings_RANDOM, networking.LoadBalancerSettings_ROUND_ROBIN:
		return simple.String()
	}
	return ""
}

func (r *Rules) addEntry(o *Object, spec *networking.ServiceEntry) {
	e := entry{object: o, place: o.place(), namespace: o.namespace(), exports: exports(o), resolution: spec.Resolution, altNames: spec.SubjectAltNames, endpoints: spec.Endpoints, addresses: spec.Addresses}
	for _, host := range spec.Hosts {
		e.hosts = append(e.hosts, strings.ToLower(host))
		r.restrict(strings.ToLower(host), e.exports)
		r.own(strings.ToLower(host), e.namespace)
	}
	for _, port := range spec.Ports {
		protocol := strings.ToUpper(port.Protocol)
		e.all = append(e.all, entryPort{port.Name, int(port.Number), int(cmp.Or(port.TargetPort, port.Number)), SpeaksTLS(protocol)})
		if SpeaksHTTP(port.Protocol) {
			e.ports = append(e.ports, int(port.Number))
		} else {
			e.others = append(e.others, fmt.Sprintf("%d (%s)", port.Number, protocol))
		}
	}
	r.entries = append(r.entries, e)
}

// SpeaksHTTP reports whether Istio routes a ServiceEntry's port of this protocol as unencrypted HTTP.
func SpeaksHTTP(protocol string) bool {
	return slices.Contains([]string{"HTTP", "HTTP2", "GRPC", "GRPC-WEB"}, strings.ToUpper(protocol))
}

// resolveClusters finds the endpoints of every destination that exists.
func (r *Rules) resolveClusters() {
	for i := range r.entries {
		for _, host := range r.entries[i].hosts {
			for _, port := range r.entries[i].all {
				r.addExternal(&r.entries[i], host, port)
			}
		}
	}
	for host, s := range r.Services {
		for _, port := range s.Ports {
			if s.hidden { // Istio tells no proxy of its pods (serviceNeedsPush in its endpointslice.go)
				r.addClustersOf(host, port.Port, atHomeIn+s.namespace(), func(labels map[string]string) Endpoints {
					return Endpoints{Known: true, External: r.endpointsAtHome(s, port.Port, labels)}
				})
				continue
			}
			r.addClusters(host, port.Port, func(labels map[string]string) Endpoints {
				return Endpoints{Known: true, Workloads: r.subset(s, labels)}
			})
		}
	}
}

// SpeaksTLS reports whether a ServiceEntry's port of this protocol is one of TLS.
func SpeaksTLS(protocol string) bool {
	return strings.EqualFold(protocol, "HTTPS") || strings.EqualFold(protocol, "TLS")
}

// securePort is the port of HTTPS.
const securePort = 443

// entryNames are the subjectAltNames of the ServiceEntries of a host.
func (r *Rules) entryNames(host string) (names []string) {
	for i := range r.entries {
		if slices.Contains(r.entries[i].hosts, host) {
			names = append(names, r.entries[i].altNames...)
		}
	}
	return names
}

// atHomeIn stands before the namespace of a cluster of a hidden Service, which only sidecars of its own namespace have.
const atHomeIn = "hidden in "

// atHome reports whether the sidecars of a namespace have clusters of a hidden Service of it: they do where a VirtualService that they know
// routes to it, and then in place of those of a ServiceEntry for its host (collectImportedServices in Istio's pilot/pkg/model/sidecar.go does
// not ask whom the Services of the proxy's own namespace are exported to).
func (r *Rules) atHome(host, namespace string) bool {
	s := r.Services[host]
	if s == nil || !s.hidden || s.namespace() != namespace {
		return false
	}
	return slices.ContainsFunc(r.obeyed(r.sidecarOf(namespace), namespace), func(v *virtualService) bool {
		return slices.ContainsFunc(v.routes, func(h httpRoute) bool {
			return h.concerns(namespace) && h.leadsTo(func(d *Destination) bool { return d.Host == host && s.opens(d.Port) })
		})
	})
}

// endpointsAtHome are the host:port of the endpoints that ServiceEntries of its own namespace give the host of a hidden Service, as far as
// they have labels: proxies are told of all endpoints of a host and a namespace, whoever has them.
func (r *Rules) endpointsAtHome(s *Service, number int, labels map[string]string) (addresses []string) {
	for i := range r.entries {
		e := &r.entries[i]
		if e.namespace != s.namespace() || len(e.endpoints) == 0 || !slices.Contains(e.hosts, s.Host) {
			continue
		}
		for _, port := range e.all {
			if port.number == number {
				addresses = append(addresses, e.dialled(s.Host, port, labels)...)
			}
		}
	}
	return addresses
}

// leadsTo reports whether one of the destinations of an entry is one, or of its mirrors, those of 0 percent too.
func (h *httpRoute) leadsTo(one func(*Destination) bool) bool {
	for i := range h.rule.Split {
		if one(&h.rule.Split[i]) {
			return true
		}
	}
	for i, m := range mirrorsOf(h.written.http) {
		if to := h.written.mirror(i, &m).Destination; one(&to) {
			return true
		}
	}
	return false
}

// opens reports whether the Service has a port; 0 stands for any.
func (s *Service) opens(port int) bool {
	return port == 0 || slices.ContainsFunc(s.Ports, func(p ServicePort) bool { return p.Port == port })
}

// concerns reports whether an entry is one for callers of a namespace, as Istio sees it when it collects where they may go
// (virtualServiceDestinationsFilteredBySourceNamespace).
func (h *httpRoute) concerns(namespace string) bool {
	matched := true
	for i := range h.matches {
		switch h.matches[i].namespace {
		case namespace:
			return true
		case "":
		default:
			matched = false
		}
	}
	return matched
}

// addClusters adds the clusters of a host's port: the whole host, and each of its subsets. find finds the endpoints with labels.
func (r *Rules) addClusters(host string, port int, find func(labels map[string]string) Endpoints) {
	r.addClustersOf(host, port, "", find)
	for namespace := range r.ruledIn(host) {
		if r.apart(host, namespace) != "" {
			r.addClustersOf(host, port, namespace, find)
		}
	}
}

// addClustersOf adds those of the proxies of a namespace, or those that they have of a Service at home.
func (r *Rules) addClustersOf(host string, port int, namespace string, find func(labels map[string]string) Endpoints) {
	rule := r.destinationRule(host, namespace)
	if rule == nil {
		rule = &destinationRule{}
	}
	add := func(name string, s subset) {
		e := find(s.labels)
		its := settingsOf(rule.policy, s.policy, port)
		e.Balancer = cmp.Or(balancer(its.balancer.GetSimple()), leastRequest)
		e.Pool, e.Ejection, e.Hash = poolOf(its.pool, its.budget), ejectionOf(its.outlier), hashOf(its.balancer)
		by := rule.policy.from
		if s.policy.TrafficPolicy != nil {
			by = s.policy.from
		}
		if by != nil {
			e.Rule, e.File, e.Line = by.Name(), by.File, by.Line
		}
		if its.tls != nil {
			e.secure = originate(its.from, its.from.LineOf(its.field+".tls.mode"), its.tls, r.entryNames(host))
		}
		r.clusters[cluster{host, name, port, namespace}] = &e
	}
	add("", subset{})
	for name, s := range rule.subsets {
		add(name, s)
	}
}

// Selected are the workloads that a Service selects, in the order of r.Workloads.
func (r *Rules) Selected(s *Service) []Workload { return r.subset(s, nil) }

// subset are the workloads that have the labels of a service's selector and those of a subset.
func (r *Rules) subset(s *Service, labels map[string]string) []Workload {
	if len(s.selector) == 0 {
		return nil
	}
	var workloads []Workload
	for _, w := range r.Workloads {
		if s.namespace() == w.Namespace && has(w.Labels, s.selector) && has(w.Labels, labels) {
			workloads = append(workloads, w)
		}
	}
	return workloads
}

// namespace is the namespace of a Service.
func (s *Service) namespace() string {
	_, namespace, _ := strings.Cut(strings.TrimSuffix(s.Host, domain), ".")
	return namespace
}

// has reports whether labels contain all of want.
func has(labels, want map[string]string) bool {
	for name, value := range want {
		if got, ok := labels[name]; !ok || got != value {
			return false
		}
	}
	return true
}

// Endpoints is what a destination of one of r's rules leads to. The pointer is the same for the same destination, so a caller may
// use it as a key.
func (r *Rules) Endpoints(d *Destination) *Endpoints {
	if d.endpoints != nil {
		return d.endpoints
	}
	if d.denied || d.unseen {
		return r.unknown
	}
	from := d.Caller()
	if !r.reaches(d.Host, d.Port, from, d.atGateway) {
		return r.unknown
	}
	atHome := !d.atGateway && r.atHome(d.Host, from) // gateways know what is exported to them alone (DefaultSidecarScopeForGateway)
	if !d.atGateway && !atHome && r.shadowed(d.Host, from) {
		return r.unknown
	}
	namespace := r.apart(d.Host, from)
	if atHome {
		namespace = atHomeIn + from
	}
	if e, ok := r.clusters[cluster{d.Host, d.Subset, d.Port, namespace}]; ok {
		return e
	}
	return r.unknown
}

// portOf is the port of a destination that names no port, at a gateway: the only port of its service, or else the port of the request. A
// sidecar takes the port of the request in any case (LookupService in Istio's buildSidecarVirtualHostsForVirtualService knows the services of
// that port alone).
func (r *Rules) portOf(host string, request int) int {
	if s := r.Services[host]; s != nil && !s.hidden {
		if len(s.Ports) == 1 {
			return s.Ports[0].Port
		}
		return request
	}
	for i := range r.entries {
		if slices.Contains(r.entries[i].hosts, host) && len(r.entries[i].all) == 1 {
			return r.entries[i].all[0].number
		}
	}
	return request
}
