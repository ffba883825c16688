package findings

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
)

// letters finds conditions on headers that are right but for the case of letters.
func (f *finder) letters() {
	for i := range f.entries {
		e := &f.entries[i]
		for _, c := range e.Conditions {
			if lower := strings.ToLower(c.Name); lower != c.Name {
				f.add(CapitalName, e, c.Line, fmt.Sprintf("the name of header %s in %s has capital letters, and Istio's API asks for lower case", c.Name, e.Name),
					"envoy compares names of headers without regard to case, so that this alone takes 0 requests from the rule", "write "+lower)
			}
		}
		f.askedInOtherCase(i)
	}
}

// askedInOtherCase finds the entries before one that ask for a header's value which differs from its own in case alone.
func (f *finder) askedInOtherCase(i int) {
	e := &f.entries[i]
	if slices.ContainsFunc(f.found, func(found reports.Finding) bool {
		return found.ID == NeverSent && found.File == e.File && found.Line == e.Line
	}) {
		return // it says so already
	}
	for _, c := range e.Conditions {
		for j := range f.entries[:i] {
			other := &f.entries[j]
			for _, o := range other.Conditions {
				if strings.EqualFold(o.Name, c.Name) && o.Value != c.Value && strings.EqualFold(o.Value, c.Value) {
					f.add(LetterCase, e, c.Line, fmt.Sprintf("%s asks for header %s exact %q, and %s (%s:%d) asks for exact %q", e.Name, strings.ToLower(c.Name), c.Value, other.Name, other.File, o.Line, o.Value),
						"values are compared with regard to case, so that a request meets one of the two at most", "write the value that is sent in both")
				}
			}
		}
	}
}
