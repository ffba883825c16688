package expectations

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/stats"
)

// Leads reports whether calls to what a report calls to lead to a service, of which the name in its namespace is enough.
func Leads(to, service string) bool { return reports.SameService(to, service) }

// leading are the rows of calls that lead to a service; with cohorts, of those to which the requests of one of them lead.
func leading(p *reports.Phase, service string, cohorts ...string) (rows []*reports.Call) {
	for i := range p.Calls {
		if Leads(p.Calls[i].To, service) && (len(cohorts) == 0 || leadsTo(&p.Calls[i], cohorts...)) {
			rows = append(rows, &p.Calls[i])
		}
	}
	return rows
}

// entering are the rows of calls with which requests enter. Requests that were derived from rules are as many as the rules ask for, so that a
// share of all of them says nothing.
func entering(p *reports.Phase) (rows []*reports.Call) {
	for i := range p.Calls {
		if p.Calls[i].From == "edge" {
			rows = append(rows, &p.Calls[i])
		}
	}
	return rows
}

// of names a row where several rules lead to its service: by the place of its rule, "reviews.yaml:17", where it has one.
func of(p *reports.Phase, c *reports.Call, rows int) string {
	switch {
	case rows == 1:
		return ""
	case c.Rule == nil || c.Rule.File == "":
		return p.Label(c)
	}
	return fmt.Sprintf("%s:%d, called by %s", c.Rule.File, c.Rule.Line, c.From)
}

// share is a share of the natural requests.
func share(p *reports.Phase, name string) (all []number) {
	for i := range p.Shares {
		if s := &p.Shares[i]; s.Name == name {
			n := number{}
			n.predict(s.Predicted, s.PredictedError)
			n.counted(s.K, s.N, Risk)
			all = append(all, n)
		}
	}
	return all
}

// counted notes that k of n were measured.
func (n *number) counted(k, of int64, risk float64) {
	if n.n = of; of == 0 {
		n.absent = "no natural request shows it"
		return
	}
	measured, interval := float64(k)/float64(of), stats.ClopperPearson(k, of, risk)
	n.measured, n.interval = &measured, &interval
}

// fails are the shares of the calls of some rows that fail, by row. Each must be accepted: the rows of a run have as many requests as its
// cohorts, so that a mean of them would say nothing of an application's.
func fails(p *reports.Phase, rows []*reports.Call) (all []number) {
	for _, c := range rows {
		n := number{of: of(p, c, len(rows))}
		if c.Fails.N > 0 { // no prediction is made of calls that no answer shows
			n.predict(c.Fails.Predicted, c.Fails.PredictedError)
		}
		n.counted(c.Fails.K, c.Fails.N, Risk/float64(len(rows)))
		all = append(all, n)
	}
	return all
}

// versionShares are the shares of the calls to a service that go to a version: of the rows of some requests where the expectation names
// them. Else they are of the rows of written rules, where there are any: of those whose weights lead some calls there, or of those that lead
// there at all where none has weights, or of all where none leads there.
func versionShares(p *reports.Phase, w *Wanted) (all []number) {
	rows := leading(p, w.Service, w.Cohorts...)
	all = strays(p, w)
	if len(w.Cohorts) == 0 {
		rows = narrowed(rows, func(c *reports.Call) bool { return c.Rule != nil && len(c.Rule.Hosts) > 0 })
		rows = narrowed(rows, func(c *reports.Call) bool { return mayReach(c, w.Version) })
		rows = narrowed(rows, divides)
	}
	for _, c := range rows {
		n := versionShare(c, w.Version, Risk/float64(len(rows)))
		n.of = of(p, c, len(rows))
		all = append(all, n)
	}
	return all
}

// divides reports whether the rule of a row has weights that divide its calls.
func divides(c *reports.Call) bool {
	if c.Rule == nil {
		return false
	}
	led := 0
	for i := range c.Rule.Destinations {
		if c.Rule.Destinations[i].Share > 0 {
			led++
		}
	}
	return led > 1
}

// narrowed are the rows that are meant, or all where none is.
func narrowed(rows []*reports.Call, meant func(*reports.Call) bool) []*reports.Call {
	some := slices.DeleteFunc(slices.Clone(rows), func(c *reports.Call) bool { return !meant(c) })
	if len(some) == 0 {
		return rows
	}
	return some
}

// reached are the shares of the calls to a service that go to a version, of the rows that some cohorts lead to.
func reached(p *reports.Phase, w *Wanted) (all []number) {
	rows := leading(p, w.Service)
	for _, cohort := range w.Cohorts {
		before := len(all)
		for _, c := range rows {
			if leadsTo(c, cohort) {
				n := versionShare(c, w.Version, Risk/float64(len(rows)))
				n.of, n.way = cohort, way(c)
				all = append(all, n)
			}
		}
		if len(all) == before {
			all = append(all, elsewhere(p, cohort, w.Service))
		}
	}
	return all
}

// mayReach reports whether the rule of a row leads some calls to a version.
func mayReach(c *reports.Call, version string) bool {
	if c.Rule == nil {
		return false
	}
	return slices.ContainsFunc(c.Rule.Destinations, func(d reports.Destination) bool { return d.Share > 0 && answers(&d, version) })
}

// answers reports whether a version may answer at a destination: it is called so there (a subset, or the first label of a host), or a pod
// there has this version. An empty version is any.
func answers(d *reports.Destination, version string) bool {
	return d.Status == 0 && (version == "" || Destination(d.Name) == version || slices.Contains(d.Versions, version))
}

// Destination is the short name of a destination: its subset, or the first label of its host.
func Destination(name string) string {
	if _, subset, ok := strings.Cut(name, " subset "); ok {
		return subset
	}
	host, _, _ := strings.Cut(name, ".")
	return host
}

// versionShare is the share of the calls of a row that go to a version.
func versionShare(c *reports.Call, version string, risk float64) number {
	n := number{}
	switch {
	case c.Rule == nil:
		n.absent = "no proxy is on the way of these calls, so that no rule leads them anywhere"
		return n
	case c.Split != nil && c.Split.Balanced && version != "":
		n.balanced(c.Split, version, risk)
		return n
	}
	predicted, parts := 0.0, []int{}
	for i := range c.Rule.Destinations {
		if d := &c.Rule.Destinations[i]; answers(d, version) {
			predicted += d.Share
			parts = append(parts, i)
		}
	}
	n.predict(predicted*(1-c.Rule.Aborts), 0)
	if c.Split != nil && !c.Split.Balanced {
		n.split(c, parts, risk)
		return n
	}
	n.each([]*reports.Call{c})
	return n
}

// split notes what was measured of some destinations of a rule. The parts of a split are its destinations, after what a fault aborts.
func (n *number) split(c *reports.Call, destinations []int, risk float64) {
	first := len(c.Split.Parts) - len(c.Rule.Destinations)
	var k, all int64
	for i := range c.Split.Parts {
		part := &c.Split.Parts[i]
		if slices.Contains(destinations, i-first) {
			k += part.K
		}
		all = part.N
	}
	n.counted(k, all, risk)
	if c.Split.Verdict == reports.NotJudged {
		n.unusable = c.Split.Note
	}
}

// balanced notes what is known of a version among which a load balancer chooses: of two pods that it picks at random, it takes the one with
// fewer requests under way, so that a version with a share s of the pods gets between s² and 1-(1-s)² of the calls.
func (n *number) balanced(s *reports.Split, version string, risk float64) {
	for i := range s.Parts {
		if part := &s.Parts[i]; part.Name == version {
			n.within = &stats.Interval{Lo: part.Predicted * part.Predicted, Hi: 1 - (1-part.Predicted)*(1-part.Predicted)}
			n.counted(part.K, part.N, risk)
			if s.Verdict == reports.NotJudged {
				n.unusable = s.Note
			}
			return
		}
	}
	n.predict(0, 0)
	n.absent = "the load balancer does not know the version"
}

// each notes that the calls of some rows were held against their rules one by one.
func (n *number) each(rows []*reports.Call) {
	for _, c := range rows {
		n.held += c.Judged - c.Open
		if c.Mismatched > 0 {
			n.unusable = "calls met something else than the manifests say"
		}
	}
	n.n = n.held
}
