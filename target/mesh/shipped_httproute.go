package mesh

import (
	"fmt"
	"net/http"

	"github.com/hellochaos/hellochaos/manifests"
)

// leadToWeightless: the only backend of an HTTPRoute's rule got its requests although its weight is 0, as the only destination of a
// VirtualService's rule does.
func leadToWeightless(o *manifests.Object) {
	route := o.HTTPRoute()
	if route == nil {
		return
	}
	for i := range route.Spec.Rules {
		backends := route.Spec.Rules[i].BackendRefs
		if len(backends) == 1 && backends[0].Weight != nil && *backends[0].Weight == 0 {
			backends[0].Weight = nil
		}
	}
}

// dropDenominator: the denominator of a mirror's fraction was not looked at, so that the numerator was taken for percent.
func dropDenominator(o *manifests.Object) {
	route := o.HTTPRoute()
	if route == nil {
		return
	}
	for i := range route.Spec.Rules {
		filters := route.Spec.Rules[i].Filters
		for j := range filters {
			if m := filters[j].RequestMirror; m != nil && m.Fraction != nil {
				percent := min(m.Fraction.Numerator, 100)
				m.Fraction, m.Percent = nil, &percent
			}
		}
	}
}

// answerNotFound: a rule of an HTTPRoute that names no backend answered 404, and not 500 as one does whose backends have weight 0.
func answerNotFound(applied *manifests.Rules) (*manifests.Rules, error) {
	bare := make(map[string]bool)
	same, err := applied.Reread(func(objects []manifests.Object) []manifests.Object {
		for i := range objects {
			if route := objects[i].HTTPRoute(); route != nil {
				for j := range route.Spec.Rules {
					if len(route.Spec.Rules[j].BackendRefs) == 0 {
						bare[fmt.Sprintf("%s: %s, rules[%d]", objects[i].File, objects[i].Name(), j)] = true
					}
				}
			}
		}
		return objects
	})
	if err != nil {
		return nil, err
	}
	return same.Changed(func(rule *manifests.Rule) {
		if rule.Direct != nil && bare[rule.File+": "+rule.Name] {
			direct := *rule.Direct
			direct.Status = http.StatusNotFound
			rule.Direct = &direct
		}
	}), nil
}
