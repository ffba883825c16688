package findings

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/spelling"
)

// domain is the end of the full names of Services, without which rows of tables name them.
const domain = ".svc.cluster.local"

// noSubset says that no DestinationRule that holds for the calls defines the subset of a destination, and which others do.
func (f *finder) noSubset(e *manifests.HTTPEntry, number int, gap *manifests.Gap) string {
	d := &e.Destinations[number]
	host := short(d.Host, e.Namespace)
	elsewhere := f.defining(func(r *manifests.WrittenDestinationRule) bool { return r.Host == d.Host }, d.Subset)
	if len(elsewhere) > 0 {
		return fmt.Sprintf("no DestinationRule that holds for these calls defines the subset %q: %s", d.Subset, f.forOthers(f.lackingOf(e, number), elsewhere))
	}
	apart := ""
	if namesake := f.defining(func(r *manifests.WrittenDestinationRule) bool {
		return r.Host != d.Host && firstLabel(r.Host) == firstLabel(d.Host)
	}, d.Subset); len(namesake) > 0 {
		r := namesake[0]
		host = strings.TrimSuffix(d.Host, domain) // the short name would be that of both
		apart = fmt.Sprintf("; %s (%s:%d) defines it for %s", r.Object, r.File, r.Line, strings.TrimSuffix(r.Host, domain))
		if firstLabel(r.Written) == r.Written {
			apart += fmt.Sprintf(", since its host %q is a short name, and its namespace is %s", r.Written, r.Namespace)
			if r.NoNamespace {
				apart += ", as that of every object for which a file names none"
			}
		}
	}
	has := fmt.Sprintf("no DestinationRule for host %s defines a subset", host)
	if len(gap.Known) > 0 {
		has = fmt.Sprintf("for host %s %s", host, thereAre(gap.Known))
	}
	return fmt.Sprintf("no DestinationRule defines the subset %q%s: %s%s", d.Subset, spelling.DidYouMean(d.Subset, gap.Known), has, apart)
}

// forOthers says for whose calls DestinationRules define a subset that others lack: each for the callers of its namespace, unless it is
// where Istio looks for those of every caller. Then it obeys another one before it.
func (f *finder) forOthers(d *manifests.Destination, defining []*manifests.WrittenDestinationRule) string {
	looked := f.rules.Looked(d.Host, d.Caller())
	for _, r := range defining {
		order, caller := looked, d.Caller()
		if !slices.Contains(looked, r.Namespace) {
			if f.rules.GapFor(d, r.Namespace) == nil {
				continue
			}
			order, caller = []string{r.Namespace}, r.Namespace // not even the callers there have it
		} else if some, most := f.divided(d); !most {
			order = slices.Concat(some, looked)
		}
		instead := f.first(d.Host, order, caller)
		if instead == nil {
			return fmt.Sprintf("%s (%s:%d) defines it, and its exportTo, %q, hides it from the proxies of namespace %s", r.Object, r.File, r.Line, r.ExportTo, caller)
		}
		if instead.Namespace == r.Namespace {
			return fmt.Sprintf("%s (%s:%d) defines it, and Istio obeys %s (%s:%d) in its place: it does not merge DestinationRules whose exportTo differs", r.Object, r.File, r.Line,
				instead.Object, instead.File, instead.Line)
		}
		return fmt.Sprintf("%s (%s:%d) defines it, and for these calls Istio obeys %s (%s:%d) in its place, which is in namespace %s", r.Object, r.File, r.Line,
			instead.Object, instead.File, instead.Line, instead.Namespace)
	}
	var names, of []string
	for _, r := range defining {
		names = append(names, fmt.Sprintf("%s (%s:%d)", r.Object, r.File, r.Line))
		if !slices.Contains(of, r.Namespace) {
			of = append(of, r.Namespace)
		}
	}
	verb := "define"
	if len(names) == 1 {
		verb = "defines"
	}
	return fmt.Sprintf("%s %s it for callers in %s alone", list(names), verb, namespaces(of))
}

// defining are the DestinationRules that a function chooses and that define a subset.
func (f *finder) defining(chosen func(*manifests.WrittenDestinationRule) bool, subset string) (all []*manifests.WrittenDestinationRule) {
	for i := range f.destinationRules {
		r := &f.destinationRules[i]
		if chosen(r) && slices.ContainsFunc(r.Subsets, func(s manifests.WrittenSubset) bool { return s.Name == subset }) {
			all = append(all, r)
		}
	}
	return all
}

// lackingOf is a destination as the first calls have it to which it leads nowhere, and as its file has it where no call meets its rule.
func (f *finder) lackingOf(e *manifests.HTTPEntry, number int) *manifests.Destination {
	for _, row := range f.met[placeOf(e)] {
		if f.lacks(row, number) != nil {
			return &row.Rule.Split[number]
		}
	}
	return &e.Destinations[number].Destination
}

// divided says for whose calls a destination leads to nobody, where that differs between callers: most says that it is for those of all
// namespaces but some, and otherwise it is for those of some alone. Without any namespace it is the same for all callers. Only those
// that have a DestinationRule for the host, or that the exportTo of one names, can differ from the others.
func (f *finder) divided(d *manifests.Destination) (some []string, most bool) {
	const without = "." // no namespace has this name
	most = f.rules.GapFor(d, without) != nil
	for i := range f.destinationRules {
		r := &f.destinationRules[i]
		if r.Host != d.Host {
			continue
		}
		for _, namespace := range append(slices.Clone(r.ExportTo), r.Namespace) { // "." and "*" are names that no namespace has
			if lacks := f.rules.GapFor(d, namespace) != nil; lacks != most && !slices.Contains(some, namespace) {
				some = append(some, namespace)
			}
		}
	}
	return some, most
}

// namespaces names namespaces: "namespace a", "the namespaces a and b".
func namespaces(names []string) string {
	if len(names) == 1 {
		return "namespace " + names[0]
	}
	return "the namespaces " + list(names)
}
