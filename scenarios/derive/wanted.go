package derive

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios"
)

// Wanted is a request that somebody asks for, where others are made from rules.
type Wanted struct {
	// Host is the Host header, with or without a port, and Path is normal (manifests.NormalPath), with the query.
	Host, Method, Path string
	// Header has canonical names.
	Header http.Header
}

// At are the cohorts of a request: one for each proxy that has rules for its host, which are the gateways of these rules, and the sidecars
// of a client where one of them is for sidecars. For a host of no rule they are those of the Gateways that name the host, or else that of
// a client, in the namespace of the host's Service where there is one, or else of the first Gateway. There is none where the rules have
// neither. clients and client are those of Cohorts.
func At(rules *manifests.Rules, clients []string, client string, w Wanted) []scenarios.Cohort {
	d := &deriver{rules: rules, clients: clients, client: client, known: map[string]bool{}}
	add := func(at place) {
		d.add(request{place: at, method: w.Method, path: w.Path, header: w.Header}, 0, false)
	}
	host, _, _ := strings.Cut(strings.ToLower(w.Host), ":")
	entries := rules.HTTPEntries()
	for i := range entries {
		e := &entries[i]
		if !has(e, host) {
			continue
		}
		for _, g := range e.Gateways {
			if namespace, ok := d.clientFor(manifests.FullHost(host, e.Namespace), e.Namespace); g.Name == manifests.Mesh && ok {
				add(d.fromClient(w.Host, namespace))
			} else if hasHTTP(rules, g.Name) {
				add(place{manifests.Entry{Gateway: g.Name, Port: rules.Gateways[g.Name].Entrance(w.Host)}, w.Host})
			}
		}
	}
	if len(d.cohorts) > 0 {
		return d.cohorts
	}
	gateways := slices.DeleteFunc(slices.Sorted(maps.Keys(rules.Gateways)), func(name string) bool { return !hasHTTP(rules, name) })
	at := func(gateway string) place {
		return place{manifests.Entry{Gateway: gateway, Port: rules.Gateways[gateway].Entrance(w.Host)}, w.Host}
	}
	for _, name := range gateways {
		if rules.Gateways[name].Names(host) {
			add(at(name))
		}
	}
	if len(d.cohorts) > 0 {
		return d.cohorts
	}
	if namespace, ok := d.clientFor(host, d.home(host)); ok {
		add(d.fromClient(w.Host, namespace))
	} else if len(gateways) > 0 {
		add(at(gateways[0]))
	}
	return d.cohorts
}

// home is the namespace of a client in which a host is the name of a Service; empty where there is none.
func (d *deriver) home(host string) string {
	for _, namespace := range d.clients {
		if !strings.Contains(host, ".") && d.rules.Services[manifests.FullHost(host, namespace)] != nil {
			return namespace
		}
	}
	return ""
}

// Spelt are the cohorts of a request that an expectation spells out: those of At. But where only a rule for every host ("*") lets requests
// for a Service of the mesh in at a gateway, it is the request of a client, as if there were no such rule.
func Spelt(rules *manifests.Rules, clients []string, client string, w Wanted) []scenarios.Cohort {
	d := &deriver{rules: rules, clients: clients, client: client, known: map[string]bool{}}
	cohorts, host := At(rules, clients, client, w), strings.ToLower(w.Host)
	host, _, _ = strings.Cut(host, ":")
	home := d.home(host)
	for i := range cohorts {
		if g := rules.Gateways[cohorts[i].Entry.Gateway]; g == nil || g.Names(host) {
			return cohorts
		}
	}
	if namespace, ok := d.clientFor(host, home); ok && (home != "" || rules.Services[host] != nil) {
		d.add(request{place: d.fromClient(w.Host, namespace), method: w.Method, path: w.Path, header: w.Header}, 0, false)
		return d.cohorts
	}
	return cohorts
}

// hasHTTP reports whether there is a Gateway of a name with a server of HTTP.
func hasHTTP(rules *manifests.Rules, gateway string) bool {
	g := rules.Gateways[gateway]
	return g != nil && len(g.Servers) > 0
}

// has reports whether an http entry is for a host.
func has(e *manifests.HTTPEntry, host string) bool {
	full := manifests.FullHost(host, e.Namespace)
	return slices.ContainsFunc(e.Hosts, func(pattern string) bool {
		suffix, wildcard := strings.CutPrefix(pattern, "*")
		return pattern == full || wildcard && strings.HasSuffix(full, suffix)
	})
}

// fromClient is a host as the client of a namespace calls it: as it is written, with the port of its Service where that is not 80.
func (d *deriver) fromClient(host, namespace string) place {
	at := d.inMesh(manifests.FullHost(host, namespace), namespace, 0)
	_, port, _ := strings.Cut(at.host, ":")
	if port != "" && !strings.Contains(host, ":") {
		host += ":" + port
	}
	at.host = cmp.Or(host, at.host)
	return at
}
