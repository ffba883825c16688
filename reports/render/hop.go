package render

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
)

// Hop is the calls of a phase that are one row of its table. Name names the row, and no other row of the phase.
type Hop struct {
	Name string
	reports.Call
}

// Hops returns the rows of a phase: those of its calls from the edge inwards, or those of its rules where the requests were derived from
// them. Where all requests enter by one row, its name begins with "edge".
func Hops(r *reports.Report, phase int) (all []Hop) {
	p := &r.Phases[phase]
	if !r.Scenario.Derived {
		for i := range p.Calls {
			c := &p.Calls[i]
			name := callName(p, c)
			if c.From == edge && enteredByOne(p) {
				name = fmt.Sprintf("%s (%s)", edge, name)
			}
			all = append(all, Hop{name, *c})
		}
		return distinct(all)
	}
	for i := range p.Calls {
		if c := &p.Calls[i]; c.Rule == nil && c.From == edge {
			all = append(all, Hop{c.To, *c})
		}
	}
	for _, row := range ruled(p) {
		asks := cmp.Or(row.Rule.Match, "every other request")
		if len(row.Rule.Hosts) == 0 {
			asks = "no rule"
		}
		name := ruleHost(&row.Call) + ": " + asks
		if row.From != edge {
			name += ", called by " + row.From
		}
		all = append(all, Hop{name, row.Call})
	}
	return distinct(all)
}

// enteredByOne reports whether all requests of a phase enter by one row.
func enteredByOne(p *reports.Phase) bool {
	entries := 0
	for i := range p.Calls {
		if p.Calls[i].From == edge {
			entries++
		}
	}
	return entries == 1
}

// distinct adds to names that several rows have the places of their rules, and numbers where these are the same.
func distinct(all []Hop) []Hop {
	times := func() map[string]int {
		n := map[string]int{}
		for i := range all {
			n[all[i].Name]++
		}
		return n
	}
	n := times()
	for i := range all {
		if h := &all[i]; n[h.Name] > 1 && h.Rule != nil && h.Rule.File != "" {
			h.Name += " (" + place(filepath.Base(h.Rule.File), h.Rule.Line) + ")"
		}
	}
	n, seen := times(), map[string]int{}
	for i := range all {
		if name := all[i].Name; n[name] > 1 {
			seen[name]++
			all[i].Name = strings.TrimSpace(fmt.Sprintf("%s, row %d", name, seen[name]))
		}
	}
	return all
}

// Factor returns a number of tries for each request as tables print it: "1.07".
func Factor(v float64) string { return factor(v) }

// Expected returns what was expected, predicted and measured, as one text.
func Expected(e *reports.Expectation) string { return expectation(&reports.Report{}, e) }
