package manifests

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
)

// Part is a part of a destination.
type Part string

// The parts of a destination that can be missing.
const (
	PartHost   Part = "host"
	PartPort   Part = "port"
	PartSubset Part = "subset"
	PartPods   Part = "pods"
	// PartGrant is the leave of the namespace of the destination, which a ReferenceGrant gives.
	PartGrant Part = "grant"
	// PartImport is what a Sidecar would import, which the caller's sidecar does not know.
	PartImport Part = "import"
	// PartShadow is the ServiceEntry that has the host, whose place a hidden Service takes where the caller's Sidecar does not import it.
	PartShadow Part = "shadow"
	// PartExport is that the proxy knows the host, which an exportTo keeps from it.
	PartExport Part = "export"
)

// Gap is what keeps a destination from leading to anybody, so that the proxy answers 503, or 500 in place of an HTTPRoute's backend that does not exist.
type Gap struct {
	// Part is the first part that does not exist. PartPods means that the destination exists and no pod has its labels.
	Part Part
	// Known are the names that the part could have, sorted: the hosts, the ports of the host, the subsets of the host.
	Known []string
}

// Gap is what is missing of a destination; nil when somebody can answer there.
func (r *Rules) Gap(d *Destination) *Gap {
	endpoints := r.Endpoints(d)
	if len(endpoints.External) > 0 {
		return nil
	}
	if endpoints.Known {
		for i := range endpoints.Workloads {
			if endpoints.Workloads[i].Replicas > 0 {
				return nil
			}
		}
		return &Gap{Part: PartPods}
	}
	hosts := r.hosts()
	if _, known := hosts[d.Host]; !known {
		return &Gap{PartHost, slices.Sorted(maps.Keys(hosts))}
	}
	if d.denied {
		return &Gap{Part: PartGrant}
	}
	if d.unseen {
		return &Gap{Part: PartImport}
	}
	if place, _ := r.HiddenFrom(d.Host, d.Caller()); place != "" && !r.reaches(d.Host, d.Port, d.Caller(), d.atGateway) {
		return &Gap{Part: PartExport}
	}
	if !d.atGateway && r.shadowed(d.Host, d.Caller()) {
		return &Gap{Part: PartShadow}
	}
	if !slices.Contains(hosts[d.Host], d.Port) {
		gap := &Gap{Part: PartPort}
		for _, port := range slices.Sorted(slices.Values(hosts[d.Host])) {
			gap.Known = append(gap.Known, strconv.Itoa(port))
		}
		return gap
	}
	gap := &Gap{Part: PartSubset}
	if rule := r.destinationRule(d.Host, d.from); rule != nil {
		gap.Known = slices.Sorted(maps.Keys(rule.subsets))
	}
	return gap
}

// Caller is the namespace of the proxies that send requests there.
func (d *Destination) Caller() string { return cmp.Or(d.from, Namespace) }

// GapFor is Gap for the calls of the proxies of a namespace, whoever else calls: they obey the DestinationRules of their own namespace, if
// it has any for the host. A name that no namespace has stands for each of those that have none.
func (r *Rules) GapFor(d *Destination, namespace string) *Gap {
	from := *d
	from.from, from.endpoints = namespace, nil
	return r.Gap(&from)
}

// SpeaksHTTP are the hosts of the mesh's registry that have a port of HTTP.
func (r *Rules) SpeaksHTTP() map[string]bool {
	all := make(map[string]bool)
	for host, ports := range r.hosts() {
		if len(ports) > 0 {
			all[host] = true
		}
	}
	return all
}

// hosts are the hosts of the mesh's registry with their ports of HTTP.
func (r *Rules) hosts() map[string][]int {
	all := make(map[string][]int)
	for i := range r.entries {
		for _, host := range r.entries[i].hosts {
			all[host] = append(all[host], r.entries[i].ports...)
		}
	}
	for host, s := range r.Services {
		if s.hidden {
			continue
		}
		for _, p := range s.Ports {
			all[host] = append(all[host], p.Port)
		}
	}
	return all
}
