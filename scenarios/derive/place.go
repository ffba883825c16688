package derive

import (
	"slices"
	"strconv"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
)

// domain is the end of the full names of Services.
const domain = ".svc.cluster.local"

// place is where a request enters, and the host that it is for.
type place struct {
	entry manifests.Entry
	host  string
}

// places are those at which requests can meet a match of an entry. Gateways that do not exist, hosts that a Gateway does not admit, and
// servers that redirect to https have none.
func (d *deriver) places(e *manifests.HTTPEntry, asked *manifests.Asked) (all []place) {
	for _, g := range e.Gateways {
		if len(asked.Gateways) > 0 && !slices.Contains(asked.Gateways, g.Name) {
			continue
		}
		if g.Name != manifests.Mesh {
			for _, door := range e.Doors(g.Name) {
				if asked.Port == 0 || asked.Port == door.Port {
					all = append(all, place{manifests.Entry{Gateway: g.Name, Port: door.Port}, anyOf(door.Host)})
				}
			}
			continue
		}
		if len(asked.Labels) > 0 && len(asked.Gateways) == 0 {
			all = append(all, d.bearing(e, asked)...)
			continue
		}
		for _, host := range e.Hosts {
			namespace, ok := d.clientFor(host, e.Namespace)
			if !e.KnownIn(namespace) {
				namespace, ok = d.exportedTo(e)
			}
			if asked.Namespace != "" {
				namespace, ok = asked.Namespace, slices.Contains(d.clients, asked.Namespace)
			}
			if ok {
				all = append(all, d.inMesh(host, namespace, asked.Port))
			}
		}
	}
	return all
}

// bearing are the hosts of an entry as pods call them that have the labels of a match; none where no pods have them.
func (d *deriver) bearing(e *manifests.HTTPEntry, asked *manifests.Asked) (all []place) {
	bearers := d.rules.Bearers(asked)
	if len(bearers) == 0 {
		return nil
	}
	w := bearers[0]
	if own := slices.IndexFunc(bearers, func(w *manifests.Workload) bool { return w.Namespace == e.Namespace }); own >= 0 {
		w = bearers[own]
	}
	for _, host := range e.Hosts {
		at := d.inMesh(host, w.Namespace, asked.Port)
		at.entry.Caller = w.Namespace + "/" + w.Labels["app"] + "/" + w.Name
		all = append(all, at)
	}
	return all
}

// exportedTo is a namespace with a client whose proxies know an entry; ok is false where there is none.
func (d *deriver) exportedTo(e *manifests.HTTPEntry) (namespace string, ok bool) {
	for _, namespace := range e.Exports() {
		if slices.Contains(d.clients, namespace) {
			return namespace, true
		}
	}
	return "", false
}

// clientFor is the namespace whose client calls a host: that of the rule, or else that of the host, or else the first that has one.
func (d *deriver) clientFor(host, namespace string) (string, bool) {
	_, of, _ := strings.Cut(strings.TrimSuffix(host, domain), ".")
	for _, wanted := range []string{namespace, of} {
		if slices.Contains(d.clients, wanted) {
			return wanted, true
		}
	}
	if len(d.clients) == 0 {
		return "", false
	}
	return d.clients[0], true
}

// inMesh is a host as a caller of a namespace calls it: a Service of the namespace by its short name, with its port where that is not 80.
// port 0 is the first port of the host.
func (d *deriver) inMesh(host, namespace string, port int) place {
	if strings.HasPrefix(host, "*") {
		host = d.covered(host)
	}
	if s := d.rules.Services[host]; s != nil && port == 0 && len(s.Ports) > 0 && !opens(s, 80) {
		port = s.Ports[0].Port
	}
	name := host
	if short, isService := strings.CutSuffix(host, domain); isService {
		name = strings.TrimSuffix(short, "."+namespace)
	}
	if port != 0 && port != 80 {
		name += ":" + strconv.Itoa(port)
	}
	return place{manifests.Entry{Caller: namespace + "/" + d.client}, name}
}

func opens(s *manifests.Service, port int) bool {
	return slices.ContainsFunc(s.Ports, func(p manifests.ServicePort) bool { return p.Port == port })
}

// covered is a host of the mesh that a pattern covers, or a name that is made up where there is none.
func (d *deriver) covered(pattern string) string {
	for _, host := range d.rules.Hosts() {
		if strings.HasSuffix(host, strings.TrimPrefix(pattern, "*")) && !strings.HasPrefix(host, "*") {
			return host
		}
	}
	return anyOf(pattern)
}

// anyOf is a host that a pattern covers.
func anyOf(pattern string) string {
	if pattern == "*" {
		return manifests.AnyHost
	}
	return strings.Replace(pattern, "*", "hellochaos", 1)
}
