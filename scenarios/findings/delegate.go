package findings

import "github.com/hellochaos/hellochaos/manifests"

// delegates finds rules that no proxy obeys, since VirtualServices that delegate do not go together.
func (f *finder) delegates() {
	for _, d := range f.rules.Dropped() {
		f.add(Dropped, &manifests.HTTPEntry{Object: d.Object, File: d.File}, d.Line,
			"no proxy obeys the rule: "+d.Why, "Istio drops it and says so in its log alone: requests meet what is left, as if the rule were not there")
	}
}
