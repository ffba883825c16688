package findings

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
	"github.com/hellochaos/hellochaos/spelling"
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

// portAsked is the port at which a destination lacks something: that of the first calls to which it does.
func (f *finder) portAsked(e *manifests.HTTPEntry, number int) int {
	for _, row := range f.met[placeOf(e)] {
		if f.lacks(row, number) != nil {
			return row.Rule.Split[number].Port
		}
	}
	return e.Destinations[number].Port
}

// route adds the finding of a destination of which something is missing.
func (f *finder) route(e *manifests.HTTPEntry, number int, gap *manifests.Gap) {
	d := &e.Destinations[number]
	host, effect := short(d.Host, e.Namespace), f.effect(e, number)
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
			missing = fmt.Sprintf("host %s has no port %d for HTTP, which is the port of the request, and the destination names none: %s", host, f.portAsked(e, number), has)
		}
		f.add(NoPort, e, d.PortLine, missing, effect)
	case manifests.PartSubset:
		has := fmt.Sprintf("no DestinationRule for host %s defines a subset", host)
		if len(gap.Known) > 0 {
			has = fmt.Sprintf("for host %s %s", host, thereAre(gap.Known))
		}
		missing := fmt.Sprintf("no DestinationRule defines the subset %q%s: %s", d.Subset, spelling.DidYouMean(d.Subset, gap.Known), has)
		if r := f.defines(d.Host, d.Subset); r != nil {
			missing = fmt.Sprintf("no DestinationRule that holds for these calls defines the subset %q: %s (%s:%d) defines it for callers in namespace %s alone", d.Subset, r.Object, r.File, r.Line, r.Namespace)
		}
		f.add(NoSubset, e, d.SubsetLine, missing, effect)
	case manifests.PartPods:
		of := "host " + host
		if d.Subset != "" {
			of += ", subset " + d.Subset
		}
		f.add(NoPods, e, d.HostLine, fmt.Sprintf("no pod belongs to %s: no Deployment with replicas has the labels", of), effect)
	}
}

// defines is a DestinationRule that defines a subset of a host; nil where there is none.
func (f *finder) defines(host, subset string) *manifests.WrittenDestinationRule {
	for i := range f.destinationRules {
		r := &f.destinationRules[i]
		if r.Host == host && slices.ContainsFunc(r.Subsets, func(s manifests.WrittenSubset) bool { return s.Name == subset }) {
			return r
		}
	}
	return nil
}

// effect says what a destination that leads to nobody does to traffic.
func (f *finder) effect(e *manifests.HTTPEntry, number int) string {
	share := e.Destinations[number].Share
	rows := slices.DeleteFunc(slices.Clone(f.met[placeOf(e)]), func(row *oracle.Row) bool { return f.lacks(row, number) == nil })
	if len(rows) == 0 {
		return "calls that met the rule would be answered 503"
	}
	if fault := rows[0].Rule.Fault; fault != nil && fault.AbortStatus > 0 {
		share *= 1 - fault.AbortShare
	}
	var calls []string
	for _, row := range rows {
		if text := f.callsOf(row, e.Namespace); !slices.Contains(calls, text) {
			calls = append(calls, text)
		}
	}
	of := percent(share) + " of"
	if share == 1 {
		of = "all of"
	}
	return fmt.Sprintf("the proxy answers 503 to %s %s", of, list(calls))
}

// callsOf names the calls of a row.
func (f *finder) callsOf(row *oracle.Row, namespace string) string {
	host, _, _ := strings.Cut(row.Host, ":")
	switch {
	case row.Caller != oracle.Edge:
		return fmt.Sprintf("%s's calls to %s that meet the rule", row.Caller, short(host, namespace))
	case slices.ContainsFunc(f.ways.Routed(), func(r oracle.Routed) bool { return r.Caller.Gateway != "" && r.Rule == row.Rule }):
		return "the requests that enter by the gateway and meet the rule"
	}
	return fmt.Sprintf("the calls to %s that meet the rule", short(host, namespace))
}
