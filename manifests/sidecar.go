package manifests

import (
	"fmt"
	"slices"

	networking "istio.io/api/networking/v1alpha3"
)

func (r *Rules) addSidecar(o *Object, spec *networking.Sidecar) {
	if r.sidecars[o.namespace()] != nil {
		return
	}
	s := &sidecar{name: o.Name(), file: o.File, line: o.lines.of("spec.outboundTrafficPolicy", o.Line)}
	if policy := spec.OutboundTrafficPolicy; policy != nil {
		s.sets = true
		s.registryOnly = policy.Mode == networking.OutboundTrafficPolicy_REGISTRY_ONLY
	}
	for _, listener := range spec.Egress {
		for _, host := range listener.Hosts {
			s.imports.add(host)
		}
	}
	if len(spec.Egress) == 0 {
		s.imports = everything
	}
	r.sidecars[o.namespace()] = s
}

// Outbound is the outboundTrafficPolicy.mode that a Sidecar sets for the proxies of a namespace, "REGISTRY_ONLY" or "ALLOW_ANY"; empty where it is
// left to the mesh, of which this package knows Istio's default alone, ALLOW_ANY. sidecar is the Sidecar that holds there, "Sidecar default
// (a.yaml:3)"; empty where none does.
func (r *Rules) Outbound(namespace string) (mode, sidecar string) {
	s := r.sidecarOf(namespace)
	if s.name != "" {
		sidecar = fmt.Sprintf("%s (%s:%d)", s.name, s.file, s.line)
	}
	switch {
	case s.registryOnly:
		mode = networking.OutboundTrafficPolicy_REGISTRY_ONLY.String()
	case s.sets:
		mode = networking.OutboundTrafficPolicy_ALLOW_ANY.String()
	}
	return mode, sidecar
}

// listener is where a sidecar takes requests to a port.
func (t *Table) listener(port int) listener {
	return listener{gateway: mesh, namespace: t.namespace, port: port, labels: t.labels}
}

// sidecarOf is what holds for the sidecars of a namespace; without one, for Namespace.
func (r *Rules) sidecarOf(namespace string) *sidecar {
	if namespace == "" {
		namespace = Namespace
	}
	for _, holds := range []string{namespace, rootNamespace} {
		if s := r.sidecars[holds]; s != nil {
			obeyed := *s
			obeyed.imports = s.imports.of(namespace)
			return &obeyed
		}
	}
	return &sidecar{imports: everything}
}

// registry is the hosts that the sidecars of a namespace import, with their ports of HTTP.
func (r *Rules) registry(s *sidecar, namespace string) map[string][]int {
	known := make(map[string][]int)
	for i := range r.entries {
		for _, host := range r.entries[i].hosts {
			if r.takes(&r.entries[i], host, s, namespace) {
				known[host] = append(known[host], r.entries[i].ports...)
			}
		}
	}
	for host, service := range r.Services {
		if !service.knownIn(namespace) || !s.imports.admit(service.namespace(), host) {
			continue
		}
		known[host] = nil
		for _, port := range service.Ports {
			known[host] = append(known[host], port.Port)
		}
	}
	return known
}

// takes reports whether a host of a ServiceEntry is what the sidecars of a namespace know by its name. Where several namespaces have
// ServiceEntries for it that they import, those of their own namespace count alone, or else those of the first one by name (Istio's
// selectServices, among ServiceEntries of one age).
func (r *Rules) takes(e *entry, host string, s *sidecar, namespace string) bool {
	if !r.visible(e, host, s, namespace) {
		return false
	}
	for i := range r.entries {
		other := &r.entries[i]
		if e.namespace == namespace || !slices.Contains(other.hosts, host) || !r.visible(other, host, s, namespace) {
			continue
		}
		if other.namespace == namespace || other.namespace < e.namespace {
			return false
		}
	}
	return true
}

// visible reports whether the sidecars of a namespace import a host of the ServiceEntry. To a Sidecar without any wildcard Istio gives what its
// index has for the namespace and the host (servicesForExactHosts), which a hidden Service has before a ServiceEntry.
func (r *Rules) visible(e *entry, host string, s *sidecar, namespace string) bool {
	if !exportedTo(e.exports, namespace) || !s.imports.admit(e.namespace, host) {
		return false
	}
	service := r.Services[host]
	return service == nil || service.namespace() != e.namespace || !s.imports.exact()
}

// controlPlanePorts are the ports of HTTP of Istio's own Services in rootNamespace, as istioctl installs its default
// profile: istio-ingressgateway's 80, istiod's 15010 and 15014.
var controlPlanePorts = []int{80, 15010, 15014}

// ownServices are the hosts of the Services of Istio's own that have a port of HTTP, where the Sidecar imports them: those of its control plane, and
// the one that it writes for each Gateway of Gateway API (extractServicePorts in its deploymentcontroller.go).
func (r *Rules) ownServices(s *sidecar, port int) (hosts []string) {
	add := func(name, namespace string) {
		if host := name + "." + namespace + domain; s.imports.admit(namespace, host) {
			hosts = append(hosts, host)
		}
	}
	switch {
	case port == usualPort:
		add("istio-ingressgateway", rootNamespace)
	case slices.Contains(controlPlanePorts, port):
		add("istiod", rootNamespace)
	}
	for _, g := range r.Gateways {
		if g.listens && slices.ContainsFunc(g.Servers, func(s *Server) bool { return s.Port == port && !s.TLS }) {
			add(g.object.Meta.Name+"-istio", g.object.namespace())
		}
	}
	return hosts
}

// listeners are the ports at which a sidecar listens for HTTP to any address: those that an imported Service or ServiceEntry
// declares as HTTP (Istio's pilot/pkg/networking/core/listener.go). For a port whose protocol Istio must guess from the traffic it
// listens at the address of that Service only.
func (r *Rules) listeners(s *sidecar, namespace string) map[int]bool {
	ports := make(map[int]bool)
	for i := range r.entries {
		for _, host := range r.entries[i].hosts {
			for _, port := range r.entries[i].ports {
				ports[port] = ports[port] || r.takes(&r.entries[i], host, s, namespace)
			}
		}
	}
	for host, service := range r.Services {
		for _, port := range service.Ports {
			ports[port.Port] = ports[port.Port] || port.declared && service.knownIn(namespace) && s.imports.admit(service.namespace(), host)
		}
	}
	own := slices.Clone(controlPlanePorts)
	for _, g := range r.Gateways {
		for _, s := range g.Servers {
			own = append(own, s.Port)
		}
	}
	for _, port := range own {
		ports[port] = ports[port] || len(r.ownServices(s, port)) > 0
	}
	return ports
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
