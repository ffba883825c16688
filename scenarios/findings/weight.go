package findings

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/hellochaos/hellochaos/manifests"
)

// weights finds weights that are not the percentages that they look like.
func (f *finder) weights() {
	for i := range f.entries {
		e := &f.entries[i]
		switch {
		case len(e.Destinations) == 0:
		case len(e.Destinations) == 1:
			if d := &e.Destinations[0]; d.Weight != 0 && d.Weight != 100 {
				f.add(WeightsOff, e, d.WeightLine, fmt.Sprintf("the only destination of %s has weight %d, and gets all of its calls: the weight of a single destination does not count, so that 100 %% and not %d %% go to %s",
					e.Name, d.Weight, d.Weight, nameOf(d, e)), "name the other destination beside it, with a weight of its own, or remove the weight")
			}
		case slices.ContainsFunc(e.Destinations, func(d manifests.WrittenDestination) bool { return d.Unweighed }):
			f.weightless(e)
		default:
			f.unequal(e)
		}
	}
}

// weightless finds the destinations that have no weight beside others that have one.
func (f *finder) weightless(e *manifests.HTTPEntry) {
	for i := range e.Destinations {
		if d := &e.Destinations[i]; d.Unweighed {
			f.add(Weightless, e, d.HostLine, fmt.Sprintf("destination %s of %s has no weight, which counts as 0 beside others that have one: it gets 0 %% of the calls, and they split as %s", nameOf(d, e), e.Name, shares(e)),
				"give each destination a weight, so that they add up to 100")
		}
	}
}

// unequal finds weights that do not add up to 100.
func (f *finder) unequal(e *manifests.HTTPEntry) {
	sum := 0
	var weights []string
	for i := range e.Destinations {
		sum += e.Destinations[i].Weight
		weights = append(weights, strconv.Itoa(e.Destinations[i].Weight))
	}
	if sum != 100 {
		f.add(WeightsOff, e, e.Destinations[0].WeightLine, fmt.Sprintf("the weights %s of %s add up to %d, and not to 100: each destination gets its part of %d, which is %s", list(weights), e.Name, sum, sum, shares(e)),
			"write weights that add up to 100 if they are meant as percentages")
	}
}

// shares says which share of the calls each destination of an entry gets.
func shares(e *manifests.HTTPEntry) string {
	var all []string
	for i := range e.Destinations {
		all = append(all, fmt.Sprintf("%s to %s", percent(e.Destinations[i].Share), nameOf(&e.Destinations[i], e)))
	}
	return list(all)
}

// nameOf names a destination of an entry.
func nameOf(d *manifests.WrittenDestination, e *manifests.HTTPEntry) string {
	name := short(d.Host, e.Namespace)
	if d.Subset != "" {
		name += ", subset " + d.Subset
	}
	return name
}
