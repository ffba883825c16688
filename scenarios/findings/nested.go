package findings

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
)

// chain is calls one behind the other, each made by the service that the one before leads to, with the most tries that the last service
// can receive for the first call.
type chain struct {
	tries int
	links []link
}

// link is a call of a chain that can have more than one try.
type link struct {
	host  string
	rule  *manifests.Rule
	tries int
}

func (l *link) place() place { return place{l.rule.Name, l.rule.File, l.rule.Line} }

// multiplied finds the chain of calls whose retries multiply to most tries: those of the rule of its last call are then sent for each try
// of all calls before it.
func (f *finder) multiplied() {
	known, worst := map[*oracle.Call]chain{}, chain{tries: 1}
	for i := range f.ways.Rows {
		if row := &f.ways.Rows[i]; row.Caller == oracle.Edge {
			first := &oracle.Call{Rule: row.Rule, Destinations: row.Destinations}
			first.Host = row.Host
			if c := follow(first, known); c.tries > worst.tries {
				worst = c
			}
		}
	}
	if len(worst.links) < 2 {
		return
	}
	last := worst.links[len(worst.links)-1]
	var factors, ways []string
	for _, l := range worst.links {
		factors, ways = append(factors, fmt.Sprint(l.tries)), append(ways, fmt.Sprintf("%s (%s:%d) up to %d", l.rule.Name, l.rule.File, l.rule.Line, l.tries))
	}
	for i := range f.entries {
		e := &f.entries[i]
		if slices.ContainsFunc(worst.links, func(l link) bool { return placeOf(e) == l.place() }) {
			f.others[Multiplied] = append(f.others[Multiplied], e.Object)
		}
		if placeOf(e) != last.place() {
			continue
		}
		host, _, _ := strings.Cut(last.host, ":")
		f.add(Multiplied, e, e.RetriesLine, fmt.Sprintf("retries multiply along the graph: one request leads by these calls alone to up to %s = %d tries at %s, where every try fails and each service answers a status that is retried when a call of its own fails",
			strings.Join(factors, " × "), worst.tries, short(host, e.Namespace)), fmt.Sprintf("the tries of a call are, for %s", list(ways)),
			fmt.Sprintf("retry at one of the %d rules alone, or with fewer attempts", len(worst.links)))
	}
}

// follow is the worst chain that begins with a call. known has those that were followed already.
func follow(c *oracle.Call, known map[*oracle.Call]chain) chain {
	if done, ok := known[c]; ok {
		return done
	}
	worst := chain{tries: 1}
	for i := range c.Destinations {
		for _, w := range c.Destinations[i].Workloads {
			for _, step := range w.Steps {
				for _, next := range step {
					if inner := follow(next, known); inner.tries > worst.tries {
						worst = inner
					}
				}
			}
		}
	}
	if tries := oracle.FailedTries(c.Rule); tries > 1 && len(c.Destinations) > 0 {
		worst = chain{tries: tries * worst.tries, links: append([]link{{c.Host, c.Rule, tries}}, worst.links...)}
	}
	known[c] = worst
	return worst
}
