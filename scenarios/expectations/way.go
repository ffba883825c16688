package expectations

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hellochaos/hellochaos/expect"
	"github.com/hellochaos/hellochaos/reports"
)

// leadsTo reports whether the requests of one of some cohorts lead to the calls of a row.
func leadsTo(c *reports.Call, cohorts ...string) bool {
	return c.Cohorts == nil || slices.ContainsFunc(cohorts, func(cohort string) bool { return slices.Contains(c.Cohorts, cohort) })
}

// strays are the numbers of those requests of an expectation that lead to no call to its service.
func strays(p *reports.Phase, w *Wanted) (all []number) {
	for _, cohort := range w.Cohorts {
		if len(leading(p, w.Service, cohort)) == 0 {
			all = append(all, elsewhere(p, cohort, w.Service))
		}
	}
	return all
}

// elsewhere is the number of requests that lead to no call to a service: none of them reaches it, and way says where they go instead.
func elsewhere(p *reports.Phase, cohort, service string) number {
	n := number{of: cohort}
	n.predict(0, 0)
	for _, c := range entering(p) {
		if leadsTo(c, cohort) {
			n.each([]*reports.Call{c})
			n.way = fmt.Sprintf("such a request %s, and leads to no call to %s", goes(c), service)
		}
	}
	if n.held == 0 {
		n.absent = "no such request was held against the manifests"
	}
	return n
}

// way says where the calls of a row go, of which an expectation fails.
func way(c *reports.Call) string {
	if c.From == "edge" {
		return "such a request " + goes(c)
	}
	return "the call of " + c.From + " " + goes(c)
}

// goes says what becomes of the calls of a row: "goes to v1 (90 %) and v2 (10 %) (shop.yaml:29)", "meets no rule, and the proxy answers 404".
func goes(c *reports.Call) string {
	r := c.Rule
	if r == nil {
		return "goes to " + c.To + " past every proxy"
	}
	at := ""
	if r.File != "" {
		at = fmt.Sprintf(" (%s:%d)", r.File, r.Line)
	}
	if len(r.Destinations) == 0 || r.Aborts == 1 {
		if len(r.Hosts) == 0 && r.File == "" {
			return "meets no rule (" + r.Policy + ")"
		}
		return "meets " + r.Name + at + " (" + r.Policy + ")"
	}
	var to []string
	for i := range r.Destinations {
		d := &r.Destinations[i]
		host, subset, of := strings.Cut(d.Name, " subset ")
		name := strings.TrimSuffix(strings.TrimSuffix(host, ".svc.cluster.local"), ".default")
		if of {
			name += " subset " + subset
		}
		if d.Status != 0 {
			name += fmt.Sprintf(", where the proxy answers %d", d.Status)
		}
		if len(r.Destinations) > 1 {
			name += " (" + strconv.FormatFloat(100*d.Share, 'g', 3, 64) + " %)"
		}
		to = append(to, name)
	}
	if c.Split != nil && c.Split.Balanced {
		at += ", where a load balancer chooses among the versions"
	}
	return "goes to " + strings.Join(to, " and ") + at
}

// uncounted says which answers of a proxy an expectation on failures does not count, since they are below 500; empty where there are none.
func uncounted(r *reports.Report, w *Wanted) string {
	p := phase(r, w.Phase)
	if p == nil || w.Kind != expect.EdgeFails && w.Kind != expect.Fails {
		return ""
	}
	rows := entering(p)
	if w.Kind == expect.Fails {
		rows = leading(p, w.Service, w.Cohorts...)
	}
	var statuses []string
	for _, c := range rows {
		for _, status := range answered(c.Rule) {
			if text := strconv.Itoa(status); status >= 400 && status < 500 && !slices.Contains(statuses, text) {
				statuses = append(statuses, text)
			}
		}
	}
	if len(statuses) == 0 {
		return ""
	}
	slices.Sort(statuses)
	return fmt.Sprintf("a failure is a status from 500 on, or no answer: the %s of the proxy is none. That requests arrive is 'REQUESTS reaches SERVICE'", strings.Join(statuses, " or "))
}

// answered are the statuses that a proxy itself answers by a rule.
func answered(r *reports.Rule) (all []int) {
	if r == nil {
		return nil
	}
	all = []int{r.Answer, r.AbortStatus}
	for i := range r.Destinations {
		all = append(all, r.Destinations[i].Status)
	}
	return all
}
