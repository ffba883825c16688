package findings

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
)

// destinations finds routes that lead to nobody.
func (f *finder) destinations() {
	for i := range f.entries {
		e := &f.entries[i]
		for j := range e.Destinations {
			d := &e.Destinations[j]
			if len(f.met[placeOf(e)]) == 0 && slices.Contains(e.Hosts, d.Host) {
				continue // that nobody calls the host is a finding already
			}
			aborted := e.Fault != nil && e.Fault.AbortStatus > 0 && e.Fault.AbortShare == 1 // no call goes anywhere
			if gap := f.gap(e, j); gap != nil && d.Share > 0 && !aborted {
				f.route(e, j, gap)
			}
		}
	}
}

// gap is what is missing of a destination. Where requests meet the rule, it is what the first of their callers lacks that lacks anything,
// at the port that the requests are for.
func (f *finder) gap(e *manifests.HTTPEntry, number int) *manifests.Gap {
	rows := f.met[placeOf(e)]
	for _, row := range rows {
		if gap := f.lacks(row, number); gap != nil {
			return gap
		}
	}
	if len(rows) > 0 {
		return nil
	}
	return f.rules.Gap(&e.Destinations[number].Destination)
}

// lacks is what is missing of a destination for the calls of a row; nil where nothing is.
func (f *finder) lacks(row *oracle.Row, number int) *manifests.Gap {
	if number >= len(row.Rule.Split) {
		return nil
	}
	return f.rules.Gap(&row.Rule.Split[number])
}

// route adds the finding of a destination of which something is missing.
func (f *finder) route(e *manifests.HTTPEntry, number int, gap *manifests.Gap) {
	d := &e.Destinations[number]
	host, effect := short(d.Host, e.Namespace), f.effect(e, number, gap)
	switch gap.Part {
	case manifests.PartHost:
		known := shortAll(gap.Known, e.Namespace)
		f.add(NoHost, e, d.HostLine, fmt.Sprintf("host %q does not exist%s: no Service and no ServiceEntry has it; %s", d.Written, meant(d.Written, known), f.inPlaceOf(d.Host, known)), effect)
	case manifests.PartPort:
		has := "it has no port of HTTP"
		if len(gap.Known) > 0 {
			has = "it has " + list(gap.Known)
		}
		missing := fmt.Sprintf("host %s has no port %d for HTTP: %s", host, d.Port, has)
		if !d.PortWritten {
			missing = fmt.Sprintf("host %s has no port %d for HTTP, which is the port of the request, and the destination names none: %s", host, f.lackingOf(e, number).Port, has)
		}
		f.add(NoPort, e, d.PortLine, missing, effect)
	case manifests.PartSubset:
		f.add(NoSubset, e, d.SubsetLine, f.noSubset(e, number, gap), effect)
	case manifests.PartGrant:
		f.add(NoHost, e, d.HostLine, fmt.Sprintf("no ReferenceGrant in the namespace of %s lets HTTPRoutes of namespace %s name it, so that it is no backend for them", host, e.Namespace), effect)
	case manifests.PartImport:
		f.add(NoHost, e, d.HostLine, fmt.Sprintf("no Sidecar imports host %s for callers of the rule, and Istio takes the rule for one of other namespaces: one of its matches asks for a sourceNamespace", host), effect)
	case manifests.PartShadow:
		f.add(NoHost, e, d.HostLine, fmt.Sprintf("host %s does not exist for the proxies of namespace %s: its Service is hidden from the mesh, no Sidecar there imports a ServiceEntry for the host, "+
			"and a rule alone does not lead to one in the namespace of the Service", host, f.lackingOf(e, number).Caller()), effect)
	case manifests.PartExport:
		f.add(NoHost, e, d.HostLine, f.notExported(d.Host, host, f.lackingOf(e, number).Caller()), effect)
	case manifests.PartPods:
		of := "host " + host
		if d.Subset != "" {
			of += ", subset " + d.Subset
		}
		f.add(NoPods, e, d.HostLine, fmt.Sprintf("no pod belongs to %s: no Deployment with replicas has the labels", of), effect)
	}
}

// notExported says which object keeps a host from the proxies of a namespace.
func (f *finder) notExported(full, host, namespace string) string {
	place, value := f.rules.HiddenFrom(full, namespace)
	return fmt.Sprintf("host %s does not exist for the proxies of namespace %s: %s has it, and its exportTo, %q, leaves them out", host, namespace, place, value)
}

// effect says what a destination that leads to nobody does to traffic.
func (f *finder) effect(e *manifests.HTTPEntry, number int, gap *manifests.Gap) string {
	status := e.NoDestination()
	if gap.Part == manifests.PartPods {
		status = http.StatusServiceUnavailable
	}
	share := e.Destinations[number].Share
	rows := slices.DeleteFunc(slices.Clone(f.met[placeOf(e)]), func(row *oracle.Row) bool { return f.lacks(row, number) == nil })
	if len(rows) == 0 {
		return fmt.Sprintf("calls that met the rule would be answered %d", status)
	}
	if fault := rows[0].Rule.Fault; fault != nil && fault.AbortStatus > 0 {
		share *= 1 - fault.AbortShare
	}
	var calls []string
	for _, row := range rows {
		if text := f.callsOf(row, e.Namespace, number); !slices.Contains(calls, text) {
			calls = append(calls, text)
		}
	}
	of := percent(share) + " of"
	if share == 1 {
		of = "all of"
	}
	return fmt.Sprintf("the proxy answers %d to %s %s", status, of, list(calls))
}

// callsOf names the calls of a row that a destination leads to nobody. Requests of a caller in the mesh stand for those of all
// namespaces, of which some may have a DestinationRule of their own.
func (f *finder) callsOf(row *oracle.Row, namespace string, number int) string {
	host, _, _ := strings.Cut(row.Host, ":")
	switch {
	case row.Caller != oracle.Edge:
		return fmt.Sprintf("%s's calls to %s that meet the rule", row.Caller, short(host, namespace))
	case slices.ContainsFunc(f.ways.Routed(), func(r oracle.Routed) bool { return r.Caller.Gateway != "" && r.Rule == row.Rule }):
		return "the requests that enter by the gateway and meet the rule"
	}
	from, most := f.divided(&row.Rule.Split[number])
	switch to := short(host, namespace); {
	case len(from) == 0:
		return fmt.Sprintf("the calls to %s that meet the rule", to)
	case most:
		return fmt.Sprintf("the calls to %s from outside %s that meet the rule", to, namespaces(from))
	default:
		return fmt.Sprintf("the calls to %s from %s that meet the rule", to, namespaces(from))
	}
}
