package derive

import (
	"slices"
	"strconv"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
)

// otherPort is a port at which no gateway of a request listens, as one of a load balancer in front of it is.
const otherPort = 8443

// otherNames adds the first request of a proxy that meets an entry by another name of its host, where that leads to the same entry: in the mesh
// the full name with a dot at its end, which DNS takes for the same, of a Service and of another host; at a gateway that has the host by a
// wildcard, the host with a port, as clients send it that come by another one. A proxy gets such names of all hosts alike, so that one shows
// it. Where the proxy opens TLS and asks for the host that is sent, a name with a dot at its end is in no certificate, which is no fault of the
// rule.
func (d *deriver) otherNames(e *manifests.HTTPEntry) {
	for _, m := range d.met[ruleOf(e)] {
		name, of := d.otherName(e, m.place)
		if name == "" || d.named[of] || len(d.cohorts) >= MostCohorts {
			continue
		}
		r := m.clone()
		if r.host = name; d.leads(r, e) && !d.fails(r, m.request) {
			d.named[of] = true
			d.add(r, 0, true)
		}
	}
}

// fails reports whether no service answers a request at a destination where one answers another request of the same rule.
func (d *deriver) fails(r, other request) bool {
	rule := d.route(r)
	failing := func(to *manifests.Destination, q request) bool {
		host, _ := rule.Rewritten(q.request(), to)
		return d.rules.Failing(to, host) != nil
	}
	return slices.ContainsFunc(rule.Split, func(to manifests.Destination) bool { return failing(&to, r) && !failing(&to, other) })
}

// naming is what has a kind of names: a proxy, for Services of the mesh or for other hosts.
type naming struct {
	entry   manifests.Entry
	service bool
}

// otherName is another name of the host of a place; empty where there is none.
func (d *deriver) otherName(e *manifests.HTTPEntry, at place) (name string, of naming) {
	host, port, _ := strings.Cut(at.host, ":")
	if at.entry.Gateway == "" {
		namespace, _, _ := strings.Cut(at.entry.Caller, "/")
		host = manifests.FullHost(host, namespace)
		of = naming{at.entry, d.rules.Services[host] != nil}
		if host += "."; port != "" {
			host += ":" + port
		}
		return host, of
	}
	for _, pattern := range e.Served(at.entry.Gateway, at.entry.Port) {
		if suffix, wild := strings.CutPrefix(pattern, "*"); wild && suffix != "" && port == "" && strings.HasSuffix(host, suffix) {
			return host + ":" + strconv.Itoa(otherPort), naming{at.entry, false}
		}
	}
	return "", of
}
