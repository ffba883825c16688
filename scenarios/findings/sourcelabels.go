package findings

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/spelling"
)

// sourceLabels finds matches that ask for labels which no pods have, and labels that Istio does not look at.
func (f *finder) sourceLabels() {
	for i := range f.entries {
		e := &f.entries[i]
		for _, asked := range e.Asked() {
			switch {
			case len(asked.Labels) == 0:
			case len(asked.Gateways) > 0:
				f.add(LabelsIgnored, e, e.Line, fmt.Sprintf("%s asks for pods with %s beside gateways, and Istio looks at no labels of the caller where a match names gateways: the requests of all pods meet it", e.Name, labelWords(asked.Labels)),
					"write the rule without gateways in match, in a VirtualService of its own")
			case len(f.rules.Bearers(&asked)) == 0:
				f.add(NoBearer, e, e.Line, fmt.Sprintf("%s asks for requests of pods with %s, and no workload has these labels%s", e.Name, labelWords(asked.Labels), f.nearLabel(asked.Labels)), "no request meets it by this match")
			}
		}
	}
}

// unborne reports whether an entry has matches, each of which asks for labels that no pods have.
func (f *finder) unborne(e *manifests.HTTPEntry) bool {
	asked := e.Asked()
	return len(asked) > 0 && !slices.ContainsFunc(asked, func(a manifests.Asked) bool {
		return len(a.Labels) == 0 || len(a.Gateways) > 0 || len(f.rules.Bearers(&a)) > 0
	})
}

// labelWords are labels as YAML has them: "app: reviews, version: v2".
func labelWords(labels map[string]string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		all = append(all, name+": "+labels[name])
	}
	return strings.Join(all, ", ")
}

// nearLabel names a value that a label may have been meant to have; empty where none is near.
func (f *finder) nearLabel(labels map[string]string) string {
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		var known []string
		for i := range f.rules.Workloads {
			if value := f.rules.Workloads[i].Labels[name]; value != "" && !slices.Contains(known, value) {
				known = append(known, value)
			}
		}
		if !slices.Contains(known, labels[name]) {
			return spelling.DidYouMean(labels[name], known)
		}
	}
	return ""
}
