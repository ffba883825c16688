package manifests

import (
	"maps"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
)

func (r *Rules) addSidecar(o *Object, spec *networking.Sidecar) {
	if r.sidecars[o.namespace()] != nil {
		return
	}
	s := &sidecar{name: o.Name(), file: o.File, line: o.lines.of("spec.outboundTrafficPolicy", o.Line)}
	if policy := spec.OutboundTrafficPolicy; policy != nil {
		s.registryOnly = policy.Mode == networking.OutboundTrafficPolicy_REGISTRY_ONLY
	}
	for _, listener := range spec.Egress {
		for _, host := range listener.Hosts {
			namespace, host, _ := strings.Cut(host, "/")
			if namespace == "." {
				namespace = o.namespace()
			}
			s.imports = append(s.imports, hostPattern{namespace, strings.ToLower(host)})
		}
	}
	if len(spec.Egress) == 0 {
		s.imports = everything
	}
	r.sidecars[o.namespace()] = s
}

// addSidecar adds the hosts that a sidecar knows: those of the registry, with or without a VirtualService, and those that only a
// VirtualService names.
func (t *Table) addSidecar() {
	r := t.rules
	s := r.sidecarOf(t.namespace)
	t.sidecar = s
	registry := r.registry(s)
	t.ports = r.listeners(s)
	// A host that only a VirtualService names comes first, as in Istio's BuildSidecarVirtualHostWrapper: "one.default" is then not a
	// name of the service one any more.
	for i := range r.virtualServices {
		v := &r.virtualServices[i]
		for _, host := range v.hosts {
			// Istio serves a host that is not in the registry at port 80.
			if t.ports[80] && !anyCovered(registry, host) && admits(s.imports, v.namespace, host) && v.knownIn(t.namespace) {
				t.addService(host, 80, v)
			}
		}
	}
	for _, known := range slices.Sorted(maps.Keys(registry)) {
		v := r.owner(known, s, t.namespace)
		for _, port := range registry[known] {
			if v == nil || len(r.bind(v, t.listener(port))) == 0 { // no rule of v is for this port, or for callers of this namespace
				t.addService(known, port, nil)
			} else {
				t.addService(known, port, v)
			}
		}
	}
}

// listener is where a sidecar takes requests to a port.
func (t *Table) listener(port int) listener { return listener{mesh, t.namespace, port} }

// sidecarOf is what holds for the sidecars of a namespace; without one, for Namespace.
func (r *Rules) sidecarOf(namespace string) *sidecar {
	if namespace == "" {
		namespace = Namespace
	}
	for _, holds := range []string{namespace, rootNamespace} {
		if s := r.sidecars[holds]; s != nil {
			return s
		}
	}
	return &sidecar{imports: everything}
}

func anyCovered(registry map[string][]int, pattern string) bool {
	for host := range registry {
		if covers(pattern, host) {
			return true
		}
	}
	return false
}

// registry is the hosts that a sidecar imports, with their ports of HTTP.
func (r *Rules) registry(s *sidecar) map[string][]int {
	known := make(map[string][]int)
	for i := range r.entries {
		for _, host := range r.entries[i].hosts {
			if admits(s.imports, r.entries[i].namespace, host) {
				known[host] = append(known[host], r.entries[i].ports...)
			}
		}
	}
	for host, service := range r.Services {
		if service.hidden || !admits(s.imports, service.namespace(), host) {
			continue
		}
		known[host] = nil
		for _, port := range service.Ports {
			known[host] = append(known[host], port.Port)
		}
	}
	return known
}

// controlPlanePorts are the ports of HTTP of Istio's own Services in rootNamespace, as istioctl installs its default
// profile: istio-ingressgateway's 80, istiod's 15010 and 15014.
var controlPlanePorts = []int{80, 15010, 15014}

// listeners are the ports at which a sidecar listens for HTTP to any address: those that an imported Service or ServiceEntry
// declares as HTTP (Istio's pilot/pkg/networking/core/listener.go). For a port whose protocol Istio must guess from the traffic it
// listens at the address of that Service only.
func (r *Rules) listeners(s *sidecar) map[int]bool {
	ports := make(map[int]bool)
	for i := range r.entries {
		for _, host := range r.entries[i].hosts {
			for _, port := range r.entries[i].ports {
				ports[port] = ports[port] || admits(s.imports, r.entries[i].namespace, host)
			}
		}
	}
	for host, service := range r.Services {
		for _, port := range service.Ports {
			ports[port.Port] = ports[port.Port] || port.declared && !service.hidden && admits(s.imports, service.namespace(), host)
		}
	}
	for _, port := range controlPlanePorts {
		ports[port] = ports[port] || admits(s.imports, rootNamespace, "istiod."+rootNamespace+domain)
	}
	return ports
}

// owner is the VirtualService whose rules a sidecar in a namespace obeys for a host: the one with the longest pattern that covers
// the host. The host's own name is longer than any wildcard that covers it. owner is nil when no pattern covers the host.
func (r *Rules) owner(host string, s *sidecar, namespace string) *virtualService {
	var owner *virtualService
	longest := ""
	for i := range r.virtualServices {
		v := &r.virtualServices[i]
		for _, pattern := range v.hosts {
			if len(pattern) > len(longest) && covers(pattern, host) && admits(s.imports, v.namespace, pattern) && v.boundTo(mesh) && v.knownIn(namespace) {
				owner, longest = v, pattern
			}
		}
	}
	return owner
}

// addService adds a host with the rules of its VirtualService v, or with Istio's default rule when v is nil.
func (t *Table) addService(host string, port int, v *virtualService) {
	h := &virtualHost{missed: noRoute("the conditions of none of the rules for host " + host + " hold")}
	if v != nil {
		h.routes = t.rules.bind(v, t.listener(port))
	}
	switch {
	case v == nil:
		h.routes = []route{{new(match), t.rules.bindRule(&Rule{
			Name:  "no VirtualService for " + host + ", Istio's default",
			Why:   t.rules.known(host),
			Split: []Destination{{Host: host, Port: port, Share: 1}},
			Retry: retry(nil, 0),
		}, t.listener(port))}}
	case len(h.routes) == 0:
		return
	}
	for _, name := range aliases(host, t.namespace) {
		t.add(name, port, h)
	}
}

// known says which ServiceEntry has a host, as a clause; empty for the host of a Service.
func (r *Rules) known(host string) string {
	if s := r.Services[host]; s != nil && !s.hidden {
		return ""
	}
	for i := range r.entries {
		if slices.Contains(r.entries[i].hosts, host) {
			return r.entries[i].place + " has the host"
		}
	}
	return ""
}
