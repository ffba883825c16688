package render

import (
	"cmp"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/terminal"
)

// rules writes a phase whose requests were derived from its rules: what failed first, then a table of the rules by host, and which of
// their cases were met.
func (t *text) rules(i int) {
	p := &t.report.Phases[i]
	t.mismatches(p)
	t.problems(p)
	shown := append(splits(p), contradictions(p)...) // the table has them, and among dozens of rules chance alone contradicts one or two
	t.sentences(slices.DeleteFunc(sentences(p), func(s sentence) bool { return slices.Contains(shown, s.text) }))
	t.Blank()
	t.ruleTable(p)
	t.Blank()
	for _, line := range uncovered(p) {
		t.Paragraph(line, "")
	}
	if t.verbose {
		for j := range p.Calls {
			t.details(p, &p.Calls[j])
		}
	}
}

// ruleHeads are the heads of the columns of a table of rules.
var ruleHeads = []string{"match", "what becomes of it", "fails", "measured", "tries"}

// The widths of the columns that fold.
const matchWidth, becomesWidth = 24, 26

// ruleTable writes a table of the rules, below the hosts that they are for.
func (t *text) ruleTable(p *reports.Phase) {
	groups := entered(p)
	all, others := ruled(p), (*ruleRow)(nil)
	if !t.verbose {
		all, others = withoutRule(all)
	}
	for i := range all {
		r := &all[i]
		host := ruleHost(&r.Call)
		if len(groups) == 0 || groups[len(groups)-1].Title != host {
			groups = append(groups, terminal.Group{Title: host})
		}
		at := &groups[len(groups)-1]
		if r.Verdict == reports.Fail {
			at.Colour = colours[reports.Fail]
		}
		at.Rows = append(at.Rows, r.lines(alone(all, i))...)
	}
	if others != nil {
		groups = append(groups, terminal.Group{Title: "between services", Rows: others.lines(false)})
	}
	t.Table(ruleHeads, groups...)
}

// edge is the caller of requests: the load generator, or the stand-in of a caller in the mesh.
const edge = "edge"

// entered are the services at which requests enter past every proxy, so that no rule is for them.
func entered(p *reports.Phase) (groups []terminal.Group) {
	for i := range p.Calls {
		if c := &p.Calls[i]; c.Rule == nil && c.From == edge {
			asks := "requests enter here"
			if c.Verdict != reports.Pass {
				asks = verdictWord(c.Verdict) + " " + asks
			}
			group := terminal.Group{Title: c.To, Rows: [][]string{{asks, "past every proxy", Probability(c.Fails.Predicted), measuredFails(c), ""}}}
			if c.Verdict == reports.Fail {
				group.Colour = colours[reports.Fail]
			}
			groups = append(groups, group)
		}
	}
	return groups
}

// mostWithoutRule is how many rows of calls between services a table has for which no file has a rule.
const mostWithoutRule = 12

// withoutRule joins the rows of calls between services that passed, and for which no file has a rule, where there are many of them.
func withoutRule(all []ruleRow) (rest []ruleRow, joined *ruleRow) {
	for i := range all {
		r := &all[i]
		if r.From == edge || r.Rule.File != "" || r.Verdict != reports.Pass {
			rest = append(rest, *r)
			continue
		}
		if joined == nil {
			one := *r
			joined = &one
			continue
		}
		joined.join(&r.Call)
		joined.others++
	}
	if joined == nil || joined.others < mostWithoutRule {
		return all, nil
	}
	return rest, joined
}

// ruleRow is the calls of all requests that meet one rule, wherever they enter.
type ruleRow struct {
	reports.Call
	// others is how many more rows, of other calls between services, were joined with it.
	others int
}

// ruled are the rows of a phase, in the order of their hosts and of the places of their rules.
func ruled(p *reports.Phase) (all []ruleRow) {
	for _, j := range byHost(p) {
		c := &p.Calls[j]
		if n := len(all) - 1; n >= 0 && sameRule(all[n].Rule, c.Rule) && c.Rule.File != "" && all[n].From == c.From && (all[n].To == c.To || len(c.Rule.Destinations) == 0) {
			all[n].join(c)
			continue
		}
		all = append(all, ruleRow{Call: *c})
	}
	return all
}

// join adds other calls under the same rule.
func (r *ruleRow) join(c *reports.Call) {
	both := float64(r.Fails.N + c.Fails.N)
	mean := func(a, b float64) float64 {
		if both == 0 {
			return a
		}
		return (a*float64(r.Fails.N) + b*float64(c.Fails.N)) / both
	}
	r.Fails.Predicted, r.MeanTries = mean(r.Fails.Predicted, c.Fails.Predicted), mean(r.MeanTries, c.MeanTries)
	if r.Fails.K, r.Fails.N = r.Fails.K+c.Fails.K, r.Fails.N+c.Fails.N; r.Fails.N > 0 {
		measured := float64(r.Fails.K) / float64(r.Fails.N)
		r.Fails.Measured = &measured
	}
	if r.Verdict != c.Verdict {
		r.Verdict = reports.Worst(r.Verdict, c.Verdict)
	}
	r.MostTries, r.Cohorts = max(r.MostTries, c.MostTries), slices.Concat(r.Cohorts, c.Cohorts)
}

// byHost are the calls of requests that a rule is for, in the order of their hosts and of the places of their rules.
func byHost(p *reports.Phase) (order []int) {
	for j := range p.Calls {
		if p.Calls[j].Rule != nil {
			order = append(order, j)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := &p.Calls[a], &p.Calls[b]
		return cmp.Or(cmp.Compare(ruleHost(x), ruleHost(y)), unwritten(x)-unwritten(y), cmp.Compare(x.Rule.File, y.Rule.File), cmp.Compare(x.Rule.Line, y.Rule.Line), ofService(x)-ofService(y), cmp.Compare(x.From, y.From))
	})
	return order
}

// ofService is 1 for the calls of services, which stand behind those of requests.
func ofService(c *reports.Call) int {
	if c.From == edge {
		return 0
	}
	return 1
}

// unwritten is 1 for calls that no file has a rule for: they stand last.
func unwritten(c *reports.Call) int {
	if c.Rule.File == "" {
		return 1
	}
	return 0
}

// ruleHost is the host of a row of the table: those of the rule, without the domain of the cluster, or the service where no rule is.
func ruleHost(c *reports.Call) string {
	var hosts []string
	for _, host := range c.Rule.Hosts {
		hosts = append(hosts, strings.TrimSuffix(strings.TrimSuffix(host, ".svc.cluster.local"), ".default"))
	}
	if len(hosts) == 0 {
		return cmp.Or(c.To, "other hosts")
	}
	return strings.Join(hosts, ", ")
}

// alone reports whether a row is the only one of a written rule for its host.
func alone(all []ruleRow, row int) bool {
	for i := range all {
		if i != row && unwritten(&all[i].Call) == 0 && ruleHost(&all[i].Call) == ruleHost(&all[row].Call) {
			return false
		}
	}
	return true
}

// lines is a rule in lines: what it asks for and where it stands, what it does with a request, and how often that fails.
func (c *ruleRow) lines(alone bool) [][]string {
	r := c.Rule
	asks := cmp.Or(r.Match, "every other request")
	if alone && r.Match == "" {
		asks = "every request"
	}
	if len(r.Hosts) == 0 {
		asks = "no rule is for it"
	}
	if c.Verdict != reports.Pass {
		asks = verdictWord(c.Verdict) + " " + asks
	}
	left := terminal.Cell(asks, matchWidth)
	if r.File != "" {
		left = append(left, terminal.Cell(place(filepath.Base(r.File), r.Line), matchWidth)...)
	}
	switch by := enters(c.Cohorts); {
	case c.others > 0:
		left = terminal.Cell(fmt.Sprintf("%d calls, each by itself, and no rule is for any", c.others+1), matchWidth)
	case c.From != edge:
		left = append(left, terminal.Cell("called by "+c.From, matchWidth)...)
	case by != "":
		left = append(left, terminal.Cell(by, matchWidth)...)
	}
	becomes := c.becomes()
	fails, measured, tries := Probability(c.Fails.Predicted), measuredFails(&c.Call), c.tries()
	var rows [][]string
	for i := range max(len(left), len(becomes)) {
		row := []string{at(left, i), at(becomes, i), "", "", ""}
		if i == 0 {
			row[2], row[3], row[4] = fails, measured, tries
		}
		rows = append(rows, row)
	}
	return rows
}

// becomes is what a rule does with a request, in lines of a cell.
func (c *ruleRow) becomes() (all []string) {
	if c.others > 0 {
		return []string{"Istio's default"}
	}
	for _, text := range becoming(&c.Call) {
		all = append(all, terminal.Cell(text, becomesWidth)...)
	}
	return all
}

// measuredFails is how often calls failed; empty where none was measured.
func measuredFails(c *reports.Call) string {
	if c.Fails.Measured == nil {
		return ""
	}
	return Probability(*c.Fails.Measured)
}

// tries is how many tries a request has on the whole, of how many at most. Of the calls of services it is how many tries the called service
// receives for each request that enters, where no other calls lead there.
func (c *ruleRow) tries() string {
	switch {
	case c.MostTries > 1:
		return fmt.Sprintf("%s of %d", withoutZeros(strconv.FormatFloat(c.MeanTries, 'f', 2, 64)), c.MostTries)
	case c.MostTries > 0:
		return withoutZeros(strconv.FormatFloat(c.MeanTries, 'f', 2, 64))
	case c.Tries != nil && c.From != edge && c.others == 0:
		return withoutZeros(strconv.FormatFloat(c.Tries.Predicted, 'f', 2, 64)) + "/req"
	}
	return ""
}

// enters says by which gateway all requests of some cohorts enter; empty where some are those of callers in the mesh.
func enters(cohorts []string) (by string) {
	for _, cohort := range cohorts {
		_, gateway, ok := strings.Cut(cohort, ", by gateway ")
		if !ok || by != "" && by != gateway {
			return ""
		}
		by = gateway
	}
	if by == "" {
		return ""
	}
	return "by gateway " + by
}

// becoming says in short lines what a rule does with a request: where it goes, with what, and how often.
func becoming(c *reports.Call) (all []string) {
	r := c.Rule
	if r.Delays > 0 {
		all = append(all, fmt.Sprintf("%s held back %s s", Percent(r.Delays), seconds(r.Delay)))
	}
	if r.Aborts > 0 {
		all = append(all, fmt.Sprintf("%s answered %d", Percent(r.Aborts), r.AbortStatus))
	}
	if r.Aborts < 1 {
		all = append(all, leads(r))
	}
	if s := measuredSplit(c.Split); s != "" {
		all = append(all, s, "drawn "+byUnit(c.Split))
	}
	if len(r.Rewrites) > 0 {
		all = append(all, "as "+strings.Join(r.Rewrites, ", "))
	}
	all = append(all, r.Mirrors...)
	switch {
	case r.Retries > 0 && r.Covers500:
		all = append(all, fmt.Sprintf("%s on %s", counted(int64(r.Retries), "retry"), covering(r.RetryOn)))
	case r.Retries > 0 && !r.DefaultRetries:
		all = append(all, fmt.Sprintf("%s, none on 500", counted(int64(r.Retries), "retry")))
	}
	if r.PerTry > 0 {
		all = append(all, fmt.Sprintf("a try ends after %s s", seconds(r.PerTry)))
	}
	if r.Timeout > 0 {
		all = append(all, fmt.Sprintf("all ends after %s s", seconds(r.Timeout)))
	}
	return all
}

// covering is the part of a retryOn that covers an answer of 500, or the whole where no part of it is plain.
func covering(retryOn string) string {
	for _, part := range strings.Split(retryOn, ",") {
		if part == "5xx" || part == "500" {
			return part
		}
	}
	return retryOn
}

// measuredSplit is how a split was measured: "measured 80.4 %, 19.6 %"; empty where nothing was.
func measuredSplit(s *reports.Split) string {
	if s == nil || s.Balanced {
		return ""
	}
	var all []string
	for i := range s.Parts {
		if s.Parts[i].Measured == nil {
			return ""
		}
		all = append(all, strconv.FormatFloat(100**s.Parts[i].Measured, 'f', 1, 64)+" %")
	}
	return "measured " + strings.Join(all, ", ")
}

// seconds is a time of a rule, which is written in milliseconds.
func seconds(s float64) string { return strconv.FormatFloat(s, 'f', -1, 64) }

// leads says where a rule leads: "v1 80 %, v3 20 %", "the proxy answers 503".
func leads(r *reports.Rule) string {
	if len(r.Destinations) == 0 {
		if r.Answer == 0 {
			return "no answer"
		}
		return r.Policy
	}
	var all []string
	for i := range r.Destinations {
		d := &r.Destinations[i]
		name := d.Name
		if _, subset, ok := strings.Cut(name, " subset "); ok {
			name = subset
		}
		name = strings.TrimSuffix(strings.TrimSuffix(name, ".svc.cluster.local"), ".default")
		if len(r.Destinations) > 1 {
			name += " " + Percent(d.Share)
		}
		name += met(d)
		all = append(all, name)
	}
	return "to " + strings.Join(all, ", ")
}

// met says how requests are sent to a destination, and what answers in place of a service: " (nobody: 503)".
func met(d *reports.Destination) string {
	switch {
	case d.Status == http.StatusBadRequest:
		return fmt.Sprintf(" (HTTP at a port of TLS: %d)", d.Status)
	case d.TLS && d.Status != 0:
		return fmt.Sprintf(" (TLS fails: %d)", d.Status)
	case d.TLS:
		return " (by TLS)"
	case d.Status != 0:
		return fmt.Sprintf(" (nobody: %d)", d.Status)
	}
	return ""
}

// uncovered says how many cases of the rules were met, and which were not.
func uncovered(p *reports.Phase) (lines []string) {
	met, all := p.Coverage()
	if all == 0 {
		return nil
	}
	verb := "were"
	if met == 1 {
		verb = "was"
	}
	lines = []string{fmt.Sprintf("%d of %s %s met: each rule, each way that it leads, each try.", met, counted(int64(all), "case"), verb)}
	whys := map[string][]string{}
	var order []string
	for j := range p.Calls {
		c := &p.Calls[j]
		for k := range c.Branches {
			if b := &c.Branches[k]; b.Why != "" {
				if whys[b.Why] == nil {
					order = append(order, b.Why)
				}
				whys[b.Why] = append(whys[b.Why], callName(p, c)+": "+b.Name)
			}
		}
	}
	for _, why := range order {
		names := whys[why]
		text := names[0]
		if len(names) > 1 {
			text += fmt.Sprintf(" and %d more", len(names)-1)
		}
		lines = append(lines, fmt.Sprintf("Not met, since %s: %s.", why, text))
	}
	return lines
}
