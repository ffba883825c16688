package manifests

import (
	"fmt"
	"slices"
	"strconv"
)

// Closed is a Service or a ServiceEntry that has the host of a request and does not open its port for HTTP.
type Closed struct {
	// Object is "ServiceEntry clock"; it begins at Line of File.
	Object, File string
	Line         int
	// Host is the full name, and Port that of the request. Ports are those that it opens: "443 (HTTPS)".
	Host  string
	Port  int
	Ports []string
}

// Closed is what has the host of a request that a sidecar sends and opens other ports alone; nil where the port is open, and where
// nothing that the sidecar imports has the host. At a gateway it is nil.
func (r *Rules) Closed(c Caller, q *Request) *Closed {
	if c.Gateway != "" {
		return nil
	}
	name, port := splitHost(q.Host)
	host, sidecar := r.named(name, namespaceOf(c)), r.sidecarOf(c.Namespace)
	var closed *Closed
	for i := range r.entries {
		e := &r.entries[i]
		if !slices.Contains(e.hosts, host) || !r.takes(e, host, sidecar, namespaceOf(c)) {
			continue
		}
		if slices.Contains(e.ports, port) {
			return nil
		}
		closed = &Closed{Object: e.object.Name(), File: e.object.File, Line: e.object.lines.of("spec.ports", e.object.Line), Host: host, Port: port, Ports: e.opened()}
	}
	s := r.Services[host]
	if s == nil || !s.knownIn(namespaceOf(c)) || !sidecar.imports.admit(s.namespace(), host) {
		return closed
	}
	closed = &Closed{Object: s.object.Name(), File: s.object.File, Line: s.object.lines.of("spec.ports", s.object.Line), Host: host, Port: port}
	for _, p := range s.Ports {
		if p.Port == port {
			return nil
		}
		closed.Ports = append(closed.Ports, strconv.Itoa(p.Port)+" (HTTP)")
	}
	return closed
}

// opened are the ports of a ServiceEntry: "443 (HTTPS)".
func (e *entry) opened() []string {
	ports := slices.Clone(e.others)
	for _, p := range e.ports {
		ports = append(ports, fmt.Sprintf("%d (HTTP)", p))
	}
	return ports
}

// named is the full name of the Service that proxies in a namespace know by a name; the name itself where there is none.
func (r *Rules) named(name, namespace string) string {
	for full := range r.Services {
		if slices.Contains(aliases(full, namespace), name) {
			return full
		}
	}
	return name
}
