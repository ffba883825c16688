package render

import (
	"cmp"
	"fmt"
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
	t.sentences(sentences(p))
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
	var groups []terminal.Group
	for _, j := range byHost(p) {
		c := &p.Calls[j]
		host := ruleHost(c)
		if len(groups) == 0 || groups[len(groups)-1].Title != host {
			groups = append(groups, terminal.Group{Title: host})
		}
		at := &groups[len(groups)-1]
		if c.Verdict == reports.Fail {
			at.Colour = colours[reports.Fail]
		}
		at.Rows = append(at.Rows, ruleRows(c)...)
	}
	t.Table(ruleHeads, groups...)
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
		return cmp.Or(cmp.Compare(ruleHost(x), ruleHost(y)), cmp.Compare(x.Rule.File, y.Rule.File), cmp.Compare(x.Rule.Line, y.Rule.Line))
	})
	return order
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

// ruleRows is a rule in lines: what it asks for and where it stands, what it does with a request, and how often that fails.
func ruleRows(c *reports.Call) [][]string {
	r := c.Rule
	asks := cmp.Or(r.Match, "every other request")
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
	if by := enters(c); by != "" {
		left = append(left, terminal.Cell(by, matchWidth)...)
	}
	var becomes []string
	for _, text := range becoming(r) {
		becomes = append(becomes, terminal.Cell(text, becomesWidth)...)
	}
	fails, measured, tries := Probability(c.Fails.Predicted), "", ""
	if c.Fails.Measured != nil {
		measured = Probability(*c.Fails.Measured)
	}
	if c.MostTries > 0 {
		if tries = Probability(c.MeanTries); c.MostTries > 1 {
			tries += fmt.Sprintf(" of %d", c.MostTries)
		}
	}
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

// enters says by which gateway all requests of a row enter; empty where some are those of callers in the mesh.
func enters(c *reports.Call) (by string) {
	for _, cohort := range c.Cohorts {
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
func becoming(r *reports.Rule) (all []string) {
	if r.Delays > 0 {
		all = append(all, fmt.Sprintf("%s held back %s s", Percent(r.Delays), seconds(r.Delay)))
	}
	if r.Aborts > 0 {
		all = append(all, fmt.Sprintf("%s answered %d", Percent(r.Aborts), r.AbortStatus))
	}
	if r.Aborts < 1 {
		all = append(all, leads(r))
	}
	switch {
	case r.Retries > 0 && r.Covers500:
		all = append(all, fmt.Sprintf("%s on %s", counted(int64(r.Retries), "retry"), r.RetryOn))
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

// seconds is a time of a rule, which is written in milliseconds.
func seconds(s float64) string { return strconv.FormatFloat(s, 'f', -1, 64) }

// leads says where a rule leads: "v1 80 %, v3 20 %", "nowhere: 503".
func leads(r *reports.Rule) string {
	if len(r.Destinations) == 0 {
		if r.Answer == 0 {
			return "no answer"
		}
		return fmt.Sprintf("the proxy answers %d", r.Answer)
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
		if d.Status != 0 {
			name += fmt.Sprintf(" (nobody: %d)", d.Status)
		}
		all = append(all, name)
	}
	return "to " + strings.Join(all, ", ")
}

// uncovered says how many cases of the rules were met, and which were not.
func uncovered(p *reports.Phase) (lines []string) {
	met, all := p.Coverage()
	if all == 0 {
		return nil
	}
	lines = []string{fmt.Sprintf("%d of %s were met: each rule, each way that it leads, each try.", met, counted(int64(all), "case"))}
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
