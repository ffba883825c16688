package run

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/hellochaos/hellochaos/expect"
	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/scenarios/check"
	"github.com/hellochaos/hellochaos/scenarios/expectations"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
	"github.com/hellochaos/hellochaos/spelling"
)

// expectedOf are the expectations that are about one of the phases: those that name it, and where it is the last one those that name none.
func expectedOf(phases []scenarios.Phase, phase int, all []expect.Expectation) (of []expect.Expectation) {
	for _, e := range all {
		if cmp.Or(e.Phase, phases[len(phases)-1].Name) == phases[phase].Name {
			of = append(of, e)
		}
	}
	return of
}

// leastExpected is how many natural requests let the expectations of a phase be judged: a quantile near the end needs many good answers.
func (p *planned) leastExpected() (least int) {
	edge := check.PredictedShares(p.predictions)[0].Predicted
	for _, e := range p.expected {
		if e.Kind != expect.Latency || edge > 0.99 {
			continue
		}
		needed := float64(expectations.Answers(e.Quantile)) / (1 - edge)
		for surely(needed*(1-edge)) < float64(expectations.Answers(e.Quantile)) {
			needed *= 1.05
		}
		least = max(least, min(mostNaturals, int(math.Ceil(needed))))
	}
	return least
}

// expect finds out what the names of the expectations mean. The errors are those that no phase of the run knows.
func (r *Run) expect() (problems []error) {
	var names []string
	for _, p := range r.phases {
		names = append(names, p.Name)
	}
	for _, e := range r.options.Expect {
		w := expectations.Wanted{Expectation: e, Phase: cmp.Or(e.Phase, names[len(names)-1])}
		at := slices.Index(names, w.Phase)
		if at < 0 {
			problems = append(problems, fmt.Errorf("%s %s: no phase %q%s: the phases of the run are %s", e.Place, e.Text, e.Phase, spelling.DidYouMean(e.Phase, names), strings.Join(names, ", ")))
			continue
		}
		p := r.phases[at]
		w.Most = oracle.MostTries(p.first...)
		if err := p.resolve(&w); err != nil {
			problems = append(problems, fmt.Errorf("%s %s: %w", e.Place, e.Text, err))
			continue
		}
		r.wanted = append(r.wanted, w)
	}
	return problems
}

// resolve checks that a phase has what an expectation names, and finds the cohorts.
func (p *planned) resolve(w *expectations.Wanted) error {
	if w.Service != "" {
		if err := p.knows(w); err != nil {
			return err
		}
	}
	switch {
	case w.Kind == expect.AnyFails && p.options.Derived:
		return errors.New("the requests are derived from the rules, so that a share of all of them says nothing: expect something of 'edge fails' or 'SERVICE fails', which must hold for each rule")
	case w.Requests == "":
		return nil
	}
	if w.Cohorts = p.named(w.Requests); len(w.Cohorts) == 0 {
		return p.unnamed(w.Requests)
	}
	return nil
}

// unnamed is the error of a text that names no requests. It lists those that there are, the nearest first, one in a line, since their names
// have commas.
func (p *planned) unnamed(text string) error {
	names := []string{allRequests}
	for _, c := range p.Cohorts {
		if c.Name != "" {
			names = append(names, c.Name)
		}
	}
	suggestion := spelling.DidYouMean(text, append(slices.Clone(names), p.values()...))
	var list strings.Builder
	for i, name := range spelling.Nearest(text, names) {
		if i == mostNames {
			fmt.Fprintf(&list, "\n    and %d more", len(names)-mostNames)
			break
		}
		fmt.Fprintf(&list, "\n    %q", name)
	}
	spell := ""
	if p.options.Derived {
		spell = `, and it spells out no request, as "shop.example.com /checkout x-canary: true" does`
	}
	return fmt.Errorf("no requests of phase %s are called %q, send a header with that value, or have it in their name%s%s. There are:%s", p.Name, text, spell, suggestion, list.String())
}

// allRequests names the requests of every cohort.
const allRequests = "all"

// named are the cohorts that a text names: those whose name it is, or, where requests are derived from rules, which it spells out. Else they
// are all where it is "all", or those that send a header with exactly this value, or else those in whose name it stands: those beside
// which there are others are left out (Cohort.Aside).
func (p *planned) named(text string) []string {
	request, spelt := expect.RequestOf(text)
	of := func(means func(*scenarios.Cohort) bool) (names, aside []string) {
		for i := range p.Cohorts {
			switch c := &p.Cohorts[i]; {
			case !means(c):
			case c.Aside:
				aside = append(aside, c.Name)
			default:
				names = append(names, c.Name)
			}
		}
		return names, aside
	}
	for _, means := range []func(*scenarios.Cohort) bool{
		func(c *scenarios.Cohort) bool { return c.Name == text },
		func(c *scenarios.Cohort) bool { return spelt && p.options.Derived && isRequest(c, &request) },
	} {
		if names, aside := of(means); len(names)+len(aside) > 0 {
			return append(names, aside...)
		}
	}
	for _, means := range []func(*scenarios.Cohort) bool{
		func(*scenarios.Cohort) bool { return text == allRequests },
		func(c *scenarios.Cohort) bool {
			for _, values := range c.Header {
				if slices.Contains(values, text) {
					return true
				}
			}
			return false
		},
		func(c *scenarios.Cohort) bool { return strings.Contains(c.Name, text) },
	} {
		if names, aside := of(means); len(names) > 0 {
			return names
		} else if len(aside) > 0 {
			return aside
		}
	}
	return nil
}

// isRequest reports whether the requests of a cohort are those that a text spells out. Without a port in the text any will do.
func isRequest(c *scenarios.Cohort, r *expect.Request) bool {
	host := c.Host
	if !strings.Contains(r.Host, ":") {
		host, _, _ = strings.Cut(host, ":")
	}
	header := http.Header{}
	for _, h := range r.Header {
		header.Set(h[0], h[1])
	}
	return strings.EqualFold(host, r.Host) && cmp.Or(c.Method, http.MethodGet) == r.Method && requestPath(c) == manifests.NormalPath(r.Path) &&
		strings.HasSuffix(c.Name, r.Place) && maps.EqualFunc(c.Header, header, slices.Equal[[]string])
}

// values are those of the headers that cohorts send.
func (p *planned) values() (all []string) {
	for _, c := range p.Cohorts {
		for _, values := range c.Header {
			all = append(all, values...)
		}
	}
	return all
}

// knows checks that calls of a phase lead to a service, and that it has the version. The tries of a service are counted together, so that
// nothing can be said of them where several rules lead there; derived requests are counted by rule.
func (p *planned) knows(w *expectations.Wanted) error {
	var services, versions []string
	rows := 0
	add := func(all []string, name string) []string {
		if name == "" || slices.Contains(all, name) {
			return all
		}
		return append(all, name)
	}
	for _, i := range p.inwards {
		row := &p.ways.Rows[i]
		services = add(services, check.Service(row))
		if !expectations.Leads(check.Service(row), w.Service) {
			continue
		}
		rows++
		for j := range row.Destinations {
			d := &row.Destinations[j]
			versions = add(versions, expectations.Destination(d.Name))
			for _, at := range d.Workloads {
				versions = add(versions, at.Version)
			}
		}
	}
	if w.Kind == expect.WorstTries {
		for service := range w.Most {
			if services = add(services, service); expectations.Leads(service, w.Service) {
				rows++
			}
		}
	}
	for _, at := range p.ways.Unreached() {
		if expectations.Leads(at.Service, w.Service) {
			versions = add(versions, at.Version)
			if w.Requests != "" && rows == 0 { // requests that lead elsewhere are the very thing that it forbids
				services, rows = add(services, at.Service), 1
			}
		}
	}
	slices.Sort(services)
	switch {
	case rows == 0:
		return fmt.Errorf("no calls of phase %s lead to %q%s: they lead to %s", p.Name, w.Service, spelling.DidYouMean(w.Service, services), some(services))
	case w.Version != "" && !slices.Contains(versions, w.Version):
		return fmt.Errorf("%s has no version or subset %q%s: it has %s", w.Service, w.Version, spelling.DidYouMean(w.Version, versions), some(slices.DeleteFunc(versions, func(name string) bool { return name == w.Service })))
	case w.Kind == expect.Tries && rows > 1 && !p.options.Derived:
		return fmt.Errorf("%d rules of phase %s lead to %s, whose tries are counted together: expect something of '%s worst case tries'", rows, p.Name, w.Service, w.Service)
	}
	return nil
}

// mostNames is how many names an error lists.
const mostNames = 12

// some lists names, not more than a person reads.
func some(names []string) string {
	text := strings.Join(names[:min(len(names), mostNames)], ", ")
	if more := len(names) - mostNames; more > 0 {
		text += " and " + strconv.Itoa(more) + " more"
	}
	return text
}
