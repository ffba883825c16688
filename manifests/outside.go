package manifests

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// noRoute is Envoy's answer where it knows no host, or none of the host's rules matches. why is a clause.
func noRoute(why string) *Rule {
	return &Rule{Name: "no rule", Why: why, Direct: &Direct{Status: http.StatusNotFound, Flags: "NR", Detail: "route_not_found"}}
}

// outsideKey identifies what a sidecar does with requests for a host that it does not know.
type outsideKey struct {
	namespace, address string
	registryOnly       bool
}

// outside is the rule for a host that a sidecar does not know.
func (t *Table) outside(host string, port int) *Rule {
	if full, ok := t.names[host]; ok {
		host = full
	}
	address := net.JoinHostPort(host, strconv.Itoa(port))
	key := outsideKey{t.namespace, address, t.sidecar.registryOnly}
	if rule, ok := t.rules.outside.Load(key); ok {
		return rule.(*Rule)
	}
	rule := &Rule{File: t.sidecar.file, Line: t.sidecar.line, Why: t.whyOutside(host, port)}
	switch {
	case !t.sidecar.registryOnly:
		// ALLOW_ANY: the request goes to the address that DNS has for the host, without retries and timeout.
		rule.Name = "outside the registry (ALLOW_ANY), passed through to " + address
		rule.Split = []Destination{{Host: host, Port: port, Share: 1, endpoints: &Endpoints{Known: true, External: []string{address}, Balancer: leastRequest}}}
		rule.Retry = Retry{Base: defaultBase}
	case !t.ports[port]:
		// At a port without a listener for HTTP Istio takes the request for TCP and sends it to a cluster without endpoints, so that the
		// connection is reset.
		rule.Name = "outside the registry (REGISTRY_ONLY), at a port without HTTP"
		rule.Direct = &Direct{Reset: true, Flags: "UH", Detail: "-"}
	default:
		// Istio's virtual host block_all.
		rule.Name = "outside the registry (REGISTRY_ONLY)"
		rule.Direct = &Direct{Status: http.StatusBadGateway, Flags: "-", Detail: "direct_response"}
	}
	kept, _ := t.rules.outside.LoadOrStore(key, rule)
	return kept.(*Rule)
}

// whyOutside says why a sidecar does not know a host, and what decides about such hosts, as a clause.
func (t *Table) whyOutside(host string, port int) string {
	s := t.sidecar
	does, mode := "lets hosts outside the registry through", "ALLOW_ANY"
	if s.registryOnly {
		does, mode = "blocks hosts outside the registry", "REGISTRY_ONLY"
	}
	who := "no Sidecar says otherwise: Istio by itself"
	if s.name != "" {
		who = fmt.Sprintf("%s (%s:%d)", s.name, s.file, s.line)
	}
	return fmt.Sprintf("%s; %s %s (%s)", t.lacking(host, port), who, does, mode)
}

// lacking says what keeps a host out of the sidecar's registry, as a clause.
func (t *Table) lacking(host string, port int) string {
	for i := range t.rules.entries {
		e := &t.rules.entries[i]
		switch {
		case !slices.Contains(e.hosts, host):
		case !exportedTo(e.exports, t.namespace):
			return fmt.Sprintf("%s has the host, but its exportTo %q hides it from the proxies of namespace %s", e.place, exportedBy(e.object), t.namespace)
		case !t.rules.takes(e, host, t.sidecar, t.namespace):
			return fmt.Sprintf("%s has the host, but the Sidecar does not import it", e.place)
		default:
			return fmt.Sprintf("%s has the host at port %s alone, and the calls are for port %d with HTTP", e.place, strings.Join(e.opened(), ", "), port)
		}
	}
	s := t.rules.Services[host]
	switch {
	case s == nil:
		return "no Service and no ServiceEntry has the host"
	case s.hidden:
		return "no ServiceEntry has the host, and its Service is hidden from the mesh"
	case !s.knownIn(t.namespace):
		return fmt.Sprintf("%s has the host, but its exportTo %q hides it from the proxies of namespace %s", s.object.place(), s.object.Meta.Annotations[exportTo], t.namespace)
	case !t.sidecar.imports.admit(s.namespace(), host):
		return "the Sidecar does not import the Service"
	}
	return fmt.Sprintf("the Service has no port %d", port)
}

// whyNotServed says why a gateway serves none of a request's host, as a clause. hosts are those that it serves.
func whyNotServed(gateway string, hosts []string) string {
	if len(hosts) == 0 {
		return "no VirtualService has a rule at Gateway " + gateway
	}
	return fmt.Sprintf("Gateway %s has rules for the hosts %s alone", gateway, strings.Join(hosts, ", "))
}
