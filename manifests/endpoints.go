package manifests

import (
	"cmp"
	"net"
	"slices"
	"strconv"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
)

// addExternal adds the clusters of a port of a host of a ServiceEntry, and notes whether TLS is spoken there.
func (r *Rules) addExternal(e *entry, host string, port entryPort) {
	wild := strings.HasPrefix(host, "*")
	r.addClusters(host, port.number, func(labels map[string]string) Endpoints {
		addresses, static := e.dialled(host, port, labels), e.resolution == networking.ServiceEntry_STATIC
		if len(addresses) == 0 && !static {
			// A host that DNS resolves has no labels, and for a subset without endpoints Istio makes no cluster.
			return Endpoints{}
		}
		found := Endpoints{Known: true, External: addresses}
		if wild && e.resolution == networking.ServiceEntry_NONE {
			found.original = true
			if port.target != port.number {
				found.originalPort = port.target
			}
		}
		return found
	})
	all := e.dialled(host, port, nil)
	secure := port.secure || slices.ContainsFunc(all, func(address string) bool { return portOf(address) == securePort })
	opened := !slices.ContainsFunc(all, func(address string) bool { return portOf(address) == usualPort })
	names := []string{host}
	for at, endpoints := range r.clusters {
		if at.host == host && at.port == port.number && endpoints.secure != nil {
			secure = secure || opened
			names = append(names, endpoints.secure.SubjectAltNames...)
		}
	}
	for _, address := range all {
		if secure {
			r.secure(address, names...)
		}
	}
}

// dialled are the host:port to which calls of a port of a host go, as far as they have labels: those of the endpoints, or else of the host
// itself, which has no labels (Istio's convertServiceEntryToInstances and convertWorkloadInstanceToServiceInstance).
func (e *entry) dialled(host string, port entryPort, labels map[string]string) (addresses []string) {
	if len(e.endpoints) == 0 && e.resolution != networking.ServiceEntry_STATIC && labels == nil {
		return []string{net.JoinHostPort(host, strconv.Itoa(port.target))}
	}
	for _, endpoint := range e.endpoints {
		if !has(endpoint.Labels, labels) {
			continue
		}
		number := port.target
		if own, ok := endpoint.Ports[port.name]; ok {
			number = int(own)
		}
		addresses = append(addresses, net.JoinHostPort(strings.ToLower(endpoint.Address), strconv.Itoa(number)))
	}
	return addresses
}

// elsewhere reports whether calls of a ServiceEntry go elsewhere than to its hosts at its ports.
func (e *entry) elsewhere() bool {
	return len(e.endpoints) > 0 || e.resolution == networking.ServiceEntry_STATIC || slices.ContainsFunc(e.all, func(p entryPort) bool { return p.target != p.number })
}

// portOf is the port of a host:port.
func portOf(address string) int {
	_, port := splitHost(address)
	return port
}

// Behind are the workloads of the objects that answer at external addresses, as an Endpoints has them: none for the rest of the world.
func (r *Rules) Behind(external []string) (all []Workload) {
	for _, address := range external {
		s := r.Answering(address)
		if s == nil {
			continue
		}
		for _, w := range r.Selected(s) {
			if !slices.ContainsFunc(all, func(other Workload) bool { return other.Name == w.Name && other.Namespace == w.Namespace }) {
				all = append(all, w)
			}
		}
	}
	return all
}

// sentTo is a rule for requests that go to the address that they are for, as those of a wildcard without resolution do: the same for the same
// rule and address. Other rules are themselves.
func (t *Table) sentTo(rule *Rule, host string, port int) *Rule {
	if !slices.ContainsFunc(rule.Split, func(d Destination) bool { return d.endpoints != nil && d.endpoints.original }) {
		return rule
	}
	key := originalKey{rule, net.JoinHostPort(host, strconv.Itoa(port))}
	if made, ok := t.rules.outside.Load(key); ok {
		return made.(*Rule)
	}
	bound := *rule
	bound.Split = slices.Clone(rule.Split)
	for i := range bound.Split {
		if d := &bound.Split[i]; d.endpoints != nil && d.endpoints.original {
			to := *d.endpoints
			to.External = []string{net.JoinHostPort(host, strconv.Itoa(cmp.Or(to.originalPort, port)))}
			d.Host, d.endpoints = host, &to
		}
	}
	made, _ := t.rules.outside.LoadOrStore(key, &bound)
	return made.(*Rule)
}

// originalKey identifies a rule for requests to an address.
type originalKey struct {
	rule    *Rule
	address string
}

// checkEndpoints refuses endpoints that Istio refuses (validateWorkloadEntry and ValidateServiceEntry), or that are no addresses of a network.
func (d *document) checkEndpoints(spec *networking.ServiceEntry) {
	names := make(map[string]bool)
	for _, p := range spec.Ports {
		names[p.Name] = true
	}
	switch {
	case spec.Resolution == networking.ServiceEntry_NONE && len(spec.Endpoints) > 0:
		d.problem("spec.endpoints", "must not stand beside resolution NONE, which sends requests to where they were going: Istio refuses it; write resolution: STATIC or DNS")
	case spec.Resolution == networking.ServiceEntry_DNS_ROUND_ROBIN && len(spec.Endpoints) > 1:
		d.problem("spec.endpoints", "must be one at most for resolution DNS_ROUND_ROBIN: Istio refuses more")
	}
	for i, p := range spec.Ports {
		if len(spec.Hosts) > 1 && spec.Resolution != networking.ServiceEntry_NONE && !SpeaksHTTP(p.Protocol) && !SpeaksTLS(p.Protocol) && p.Protocol != "" {
			d.problem("spec.ports["+strconv.Itoa(i)+"].protocol", "must not be %s beside several hosts, which nobody could tell apart there: Istio refuses it", p.Protocol)
		}
	}
	for i, e := range spec.Endpoints {
		field := "spec.endpoints[" + strconv.Itoa(i) + "]"
		switch {
		case net.ParseIP(e.Address) != nil:
		case spec.Resolution == networking.ServiceEntry_STATIC:
			d.problem(field+".address", "must be an IP address, not %q, where resolution is STATIC", e.Address)
		default:
			d.checkHost(field+".address", e.Address, exactHost)
			if e.Address != "" && strings.Trim(e.Address, "0123456789") == "" { // Istio's ValidateDNS1123Labels, of a name without dots too
				d.problem(field+".address", "%q is not a valid host name: it must not be a number", e.Address)
			}
		}
		d.checkLabels(field+".labels", e.Labels)
		for name, port := range e.Ports {
			if !names[name] {
				d.problem(field+".ports."+name, "is no port of spec.ports, whose names are meant")
			}
			d.checkPort(field+".ports."+name, int(port))
		}
	}
	if len(spec.Addresses) > 0 && spec.Resolution == networking.ServiceEntry_NONE {
		d.problem("spec.addresses", "is not supported by hellochaos where resolution is NONE: a request for one of these addresses goes to that address itself, and no stand-in has it; "+
			"write resolution: STATIC with endpoints, or remove the addresses")
	}
	for i, address := range spec.Addresses {
		_, _, err := net.ParseCIDR(address)
		if net.ParseIP(address) == nil && err != nil {
			d.problem("spec.addresses["+strconv.Itoa(i)+"]", "must be an IP address or a CIDR prefix, not %q", address)
		}
		if err == nil && spec.Resolution != networking.ServiceEntry_NONE && spec.Resolution != networking.ServiceEntry_STATIC {
			d.problem("spec.addresses["+strconv.Itoa(i)+"]", "must be an IP address, not %q, where resolution is %s: Istio accepts prefixes with NONE and STATIC alone", address, spec.Resolution)
		}
	}
}
