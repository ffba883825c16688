package findings

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hellochaos/hellochaos/manifests"
)

// subsets finds subsets to which rules send calls, and which are not the pods that they look like: without labels, or defined twice.
func (f *finder) subsets() {
	all := f.destinationRules
	for i := range all {
		for j := range all[i].Subsets {
			s := &all[i].Subsets[j]
			if len(s.Labels) == 0 {
				f.unlabelled(&all[i], s)
			}
			if first, of := earlier(all[:i], &all[i], s); first != nil {
				f.addAt(SubsetTwice, all[i].Object, all[i].File, s.Line, fmt.Sprintf("subset %s of host %s is defined with other labels by %s (%s:%d), and Istio takes that of the DestinationRule that was created first",
					s.Name, short(all[i].Host, all[i].Namespace), of.Object, of.File, first.Line), fmt.Sprintf("where that is the other one, as in the order of their names, all calls to subset %s go to the pods with its labels, and 0 %% of them by these", s.Name),
					"give each subset a name of its own")
			}
		}
	}
}

// earlier is the subset of the same name, of the same host in the same namespace, that DestinationRules before one define with other
// labels, and the DestinationRule that does; nil where none does.
func earlier(before []manifests.WrittenDestinationRule, d *manifests.WrittenDestinationRule, s *manifests.WrittenSubset) (*manifests.WrittenSubset, *manifests.WrittenDestinationRule) {
	for i := range before {
		if before[i].Host != d.Host || before[i].Namespace != d.Namespace || !slices.Equal(before[i].ExportTo, d.ExportTo) { // not merged
			continue
		}
		for j := range before[i].Subsets {
			if other := &before[i].Subsets[j]; other.Name == s.Name && !maps.Equal(other.Labels, s.Labels) {
				return other, &before[i]
			}
		}
	}
	return nil, nil
}

// unlabelled finds a subset without labels that calls go to, and that has the pods of several workloads therefore.
func (f *finder) unlabelled(d *manifests.WrittenDestinationRule, s *manifests.WrittenSubset) {
	for i := range f.entries {
		for j := range f.entries[i].Destinations {
			to := &f.entries[i].Destinations[j]
			if to.Host != d.Host || to.Subset != s.Name || to.Share == 0 {
				continue
			}
			if over := spread(f.rules.Endpoints(&to.Destination).Workloads); len(over) > 1 {
				f.addAt(Unlabelled, d.Object, d.File, s.Line, fmt.Sprintf("subset %s has no labels, so that all pods of host %s belong to it: the calls that %s sends to it spread over them, about %s", s.Name,
					short(d.Host, d.Namespace), f.entries[i].Name, list(over)), "add the labels that its pods have")
			}
		}
	}
}

// spread says which share of the pods each workload has.
func spread(workloads []manifests.Workload) (all []string) {
	pods := 0
	for i := range workloads {
		pods += workloads[i].Replicas
	}
	for i := range workloads {
		if workloads[i].Replicas > 0 {
			all = append(all, fmt.Sprintf("%s to %s", percent(float64(workloads[i].Replicas)/float64(pods)), workloads[i].Name))
		}
	}
	return all
}
