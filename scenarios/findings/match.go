package findings

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
)

// anyItem says of a rule that takes the requests of another one that the items of its match are alternatives, where two of them ask for
// different parts of a request: a dash too many, as before headers, makes two items of what was meant to be one. It is empty elsewhere.
func (f *finder) anyItem(rule *manifests.Rule) string {
	for i := range f.entries {
		e := &f.entries[i]
		if placeOf(e) != (place{rule.Name, rule.File, rule.Line}) {
			continue
		}
		asked := e.Asked()
		for j := range asked {
			for k := range asked[:j] {
				one, other := parts(&asked[k]), parts(&asked[j])
				if len(one) > 0 && len(other) > 0 && !slices.ContainsFunc(one, func(part string) bool { return slices.Contains(other, part) }) {
					return fmt.Sprintf("the items of match of %s are alternatives, so that a request meets it by match[%d], %s, or by match[%d], %s, alone; if both are to hold, put them into one item, with a dash before the first of them only",
						rule.Name, k, strings.Join(one, " and "), j, strings.Join(other, " and "))
				}
			}
		}
	}
	return ""
}

// parts are the fields of a match of which it asks something.
func parts(a *manifests.Asked) (all []string) {
	for _, field := range []struct {
		name  string
		asked bool
	}{
		{"uri", a.Path != nil}, {"method", a.Method != nil}, {"authority", a.Authority != nil}, {"headers", len(a.Headers) > 0}, {"queryParams", len(a.Query) > 0},
		{"withoutHeaders", len(a.Without) > 0}, {"port", a.Port != 0}, {"sourceNamespace", a.Namespace != ""}, {"sourceLabels", len(a.Labels) > 0},
	} {
		if field.asked {
			all = append(all, field.name)
		}
	}
	return all
}
