// Package derive makes requests from rules: for each http entry of a VirtualService requests that meet it, and near misses, which differ
// from these in one thing and must not. It knows what objects mean. It must not know how requests are sent, or what came of them.
package derive

import (
	"maps"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios"
)

const (
	// MostCohorts is how many cohorts are made at most, besides one for each entry: beyond it, near misses are left out first.
	MostCohorts = 2000
	// splitWeight is the weight of a cohort whose rule has several destinations: shares need many calls, and a single destination does not.
	splitWeight = 20
)

// Cohorts are requests for every http entry of the rules, and for every host outside the mesh and every host of a DestinationRule for
// which no http entry is. clients are the namespaces that have pods with the label app client, whose sidecars send the requests of
// callers in the mesh. A rule that none of the requests meets has those that come nearest to it, so that it can be said why.
func Cohorts(rules *manifests.Rules, clients []string, client string) []scenarios.Cohort {
	d := &deriver{rules: rules, clients: clients, client: client, tables: map[manifests.Caller]*manifests.Table{}, met: map[rule][]made{}, known: map[string]bool{}, named: map[naming]bool{}}
	entries := rules.HTTPEntries()
	for i := range entries {
		d.entry(&entries[i])
	}
	d.bare(entries)
	d.redirected()
	for i := range entries {
		d.nearMisses(&entries[i])
		d.otherNames(&entries[i])
	}
	return d.cohorts
}

// deriver collects cohorts.
type deriver struct {
	rules   *manifests.Rules
	clients []string
	client  string
	tables  map[manifests.Caller]*manifests.Table
	cohorts []scenarios.Cohort
	known   map[string]bool
	// met are the requests that meet each entry, from which near misses are made.
	met map[rule][]made
	// named says of which hosts a request has another name.
	named map[naming]bool
}

// rule identifies an http entry.
type rule struct {
	name, file string
	line       int
}

func ruleOf(e *manifests.HTTPEntry) rule { return rule{e.Name, e.File, e.Line} }

// made is a request that was made for a match of an entry.
type made struct {
	request
	asked manifests.Asked
}

// entry adds the requests that meet an http entry: for each of its hosts at each of its gateways, one for each match of its list.
func (d *deriver) entry(e *manifests.HTTPEntry) {
	asked := e.Asked()
	if len(asked) == 0 {
		asked = []manifests.Asked{{}}
	}
	for i := range asked {
		for _, at := range d.places(e, &asked[i]) {
			r, meets := d.meeting(e, at, &asked[i])
			if len(d.cohorts) < MostCohorts || meets && len(d.met[ruleOf(e)]) == 0 {
				d.add(r, d.weight(e, meets), false)
			}
			if meets {
				d.keep(e, made{r, asked[i]})
			}
		}
	}
}

// keep notes a request from which near misses of an entry are made: that of the first place of each match is enough.
func (d *deriver) keep(e *manifests.HTTPEntry, m made) {
	key := ruleOf(e)
	same := func(other made) bool { return other.asked.String() == m.asked.String() }
	if !slices.ContainsFunc(d.met[key], same) {
		d.met[key] = append(d.met[key], m)
	}
}

// weight is the weight of the first requests that meet an entry with several destinations; else 0.
func (d *deriver) weight(e *manifests.HTTPEntry, meets bool) int {
	led := 0
	for i := range e.Destinations {
		if e.Destinations[i].Share > 0 {
			led++
		}
	}
	if !meets || led < 2 || len(d.met[ruleOf(e)]) > 0 {
		return 0
	}
	return splitWeight
}

// meeting is a request that meets an http entry by a match, at a place. Where each candidate meets another one, which comes before it,
// meets is false, and the request is the first candidate.
func (d *deriver) meeting(e *manifests.HTTPEntry, at place, asked *manifests.Asked) (r request, meets bool) {
	for _, host := range authorities(at, asked.Authority) {
		for _, r := range candidates(place{at.entry, host}, asked) {
			if d.leads(r, e) {
				return r, true
			}
		}
	}
	return candidates(at, asked)[0], false
}

// leads reports whether a request meets an entry.
func (d *deriver) leads(r request, e *manifests.HTTPEntry) bool {
	met := d.route(r)
	return rule{met.Name, met.File, met.Line} == ruleOf(e)
}

// route is the rule that a request meets.
func (d *deriver) route(r request) *manifests.Rule {
	caller, _, err := d.rules.CallerOf(r.entry)
	if err != nil {
		return &manifests.Rule{} // entries are made for callers and Gateways that there are
	}
	if d.tables[caller] == nil {
		d.tables[caller] = d.rules.Table(caller)
	}
	return d.tables[caller].Route(r.request())
}

// add adds a request, unless it is there already. aside is that of a cohort.
func (d *deriver) add(r request, weight int, aside bool) {
	cohort := r.cohort(d.rules)
	if d.known[cohort.Name] {
		return
	}
	d.known[cohort.Name] = true
	cohort.Weight, cohort.Aside = weight, aside
	d.cohorts = append(d.cohorts, cohort)
}

// redirected adds a request for each host that a server of a Gateway redirects to https.
func (d *deriver) redirected() {
	for _, at := range d.rules.Redirecting() {
		if len(d.cohorts) < MostCohorts {
			d.add(candidates(place{at.Entry, anyOf(at.Host)}, &manifests.Asked{})[0], 0, false)
		}
	}
}

// registered reports whether the mesh's registry has a host.
func (d *deriver) registered(host string) bool { return slices.Contains(d.rules.Hosts(), host) }

// bare adds a request for each host that no http entry is for: hosts outside the mesh, and hosts of DestinationRules. A host without a
// port of HTTP, such as one of a ServiceEntry for TLS, has none: no proxy would take the request for one to it.
func (d *deriver) bare(entries []manifests.HTTPEntry) {
	hosts, http := map[string]bool{}, d.rules.SpeaksHTTP()
	for _, host := range d.rules.Hosts() {
		if d.rules.Services[host] == nil {
			hosts[host] = true
		}
	}
	for _, rule := range d.rules.DestinationRules() {
		suffix, wild := strings.CutPrefix(rule.Host, "*")
		for host := range d.rules.Services {
			if host == rule.Host || wild && strings.HasSuffix(host, suffix) && d.registered(host) {
				hosts[host] = true
			}
		}
	}
	maps.DeleteFunc(hosts, func(host string, _ bool) bool { return !http[host] })
	for _, host := range slices.Sorted(maps.Keys(hosts)) {
		written := slices.ContainsFunc(entries, func(e manifests.HTTPEntry) bool { return slices.Contains(e.Hosts, host) })
		if namespace, ok := d.clientFor(host, ""); ok && !written && len(d.cohorts) < MostCohorts {
			d.add(candidates(d.inMesh(host, namespace, 0), &manifests.Asked{})[0], 0, false)
			if at := d.inMesh(anyOf(host), namespace, 0); strings.HasPrefix(host, "*") { // which no other rule or ServiceEntry names
				d.add(candidates(at, &manifests.Asked{})[0], 0, false)
			}
		}
	}
}
