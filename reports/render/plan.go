package render

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/terminal"
)

// Plan writes what a run would do, for people.
func Plan(w io.Writer, p *reports.Plan, o TextOptions) error {
	t := &terminal.Text{Coloured: o.Colour, Wide: o.Columns}
	requests := counted(int64(p.Requests), "request")
	if p.Most > p.Requests {
		requests = fmt.Sprintf("about %s, at most %s", requests, Count(int64(p.Most)))
	}
	t.Headline("PLAN", terminal.None, fmt.Sprintf("%s: %s, with --fail %s, in about %s. Nothing was started.",
		p.Scenario, requests, Probability(p.Settings.Fail), max(p.Duration.Round(time.Second), time.Second)))
	for i := range p.Phases {
		t.Blank()
		planPhase(t, &p.Phases[i], i == 0)
	}
	for i := range p.Changes {
		t.Blank()
		planChange(t, &p.Changes[i])
	}
	for _, notice := range p.Notices {
		t.Blank()
		t.Paragraph(notice, "! ")
	}
	for i := range p.Findings {
		t.Blank()
		f := &p.Findings[i]
		t.Headline(strings.ToUpper(string(f.Severity)), severities[f.Severity], Finding(f))
	}
	_, err := io.WriteString(w, t.String())
	return err
}

// planPhase writes what a phase would do.
func planPhase(t *terminal.Text, p *reports.PlannedPhase, first bool) {
	title := p.Name + ": " + p.Title
	if p.Base {
		title += ". It is only compared with: no probes are sent."
	}
	t.Paragraph(title, "")
	lead := "  applies "
	if first {
		lead = "  begins with "
	}
	t.Paragraph(planObjects(p.Objects), lead)
	var shares []string
	for i := range p.Shares {
		shares = append(shares, p.Shares[i].Name+" "+Probability(p.Shares[i].Predicted))
	}
	t.Paragraph(strings.Join(shares, ", "), "  predicts ")
	t.Blank()
	planRequests(t, p)
	t.Blank()
	planCalls(t, p)
}

// planChange writes what would be sent and applied during a change.
func planChange(t *terminal.Text, c *reports.PlannedChange) {
	title := "the change " + c.From + " → " + c.To
	if c.Blocked != "" {
		t.Paragraph(title+" will have no verdict: "+c.Blocked, "")
		return
	}
	if len(c.Steps) == 0 {
		t.Paragraph(title+": both phases have the same objects, so that nothing changes", "")
		return
	}
	t.Paragraph(fmt.Sprintf("%s, and back: %v requests a second at most, while the objects are applied", title, c.Rate), "")
	t.Paragraph(planSteps(c.Steps), "  applies ")
	t.Paragraph(planSteps(c.Back), "  puts back ")
}

// planSteps names the objects of steps that follow each other.
func planSteps(steps [][]string) string {
	var parts []string
	for _, names := range steps {
		parts = append(parts, strings.Join(names, ", "))
	}
	return strings.Join(parts, "; then ")
}

// planObjects names objects, those of a file together: "retry.yaml: VirtualService frontend (5), VirtualService backend (19)". The numbers
// are lines.
func planObjects(objects []reports.PlannedObject) string {
	var files, own []string
	of := map[string][]string{}
	for _, o := range objects {
		if o.File == "" { // hellochaos adds it, perhaps one in each of several namespaces
			if !slices.Contains(own, o.Name) {
				own = append(own, o.Name)
			}
			continue
		}
		if !slices.Contains(files, o.File) {
			files = append(files, o.File)
		}
		of[o.File] = append(of[o.File], fmt.Sprintf("%s (%d)", o.Name, o.Line))
	}
	var parts []string
	for _, file := range files {
		parts = append(parts, file+": "+strings.Join(of[file], ", "))
	}
	if len(own) > 0 {
		parts = append(parts, "of hellochaos itself: "+strings.Join(own, ", "))
	}
	if len(parts) == 0 {
		return "nothing that was not in force before"
	}
	return strings.Join(parts, "; ")
}

// The widths of the columns that fold.
const planFirst, planSecond, planThird = 24, 18, 22

// planRequests writes a table of the requests of a phase.
func planRequests(t *terminal.Text, p *reports.PlannedPhase) {
	var rows [][]string
	for _, c := range p.Cohorts {
		rows = append(rows, planRow([]string{cohortName(c.Name), c.Entry, c.Request}, []int{planFirst - 4, planSecond, planThird},
			Count(int64(c.Natural)), Count(int64(c.Probes)))...)
	}
	t.Table([]string{"requests", "enter", "ask for", "natural", "probes"}, terminal.Group{Rows: rows})
}

func cohortName(name string) string {
	if name == "" {
		return "all"
	}
	return name
}

// planRow is a row of a table as lines: cells that are folded to their widths, and behind them cells of the first line.
func planRow(folded []string, widths []int, more ...string) (rows [][]string) {
	var cells [][]string
	height := 0
	for i, text := range folded {
		cells = append(cells, terminal.Cell(text, widths[i]))
		height = max(height, len(cells[i]))
	}
	for line := range height {
		var row []string
		for _, lines := range cells {
			if line < len(lines) {
				row = append(row, lines[line])
			} else {
				row = append(row, "")
			}
		}
		for _, cell := range more {
			if line > 0 {
				cell = ""
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	return rows
}

// planCalls writes a table of the calls of a phase, with the cases of their rules and the probes that meet them.
func planCalls(t *terminal.Text, p *reports.PlannedPhase) {
	var groups []terminal.Group
	for i := range p.Calls {
		c := &p.Calls[i]
		title := fmt.Sprintf("%s → %s", c.From, c.To)
		if len(c.Cohorts) > 0 {
			title += " of " + strings.Join(c.Cohorts, ", ")
		}
		policy, where := policyOf(&reports.Call{From: c.From, Rule: c.Rule})
		if where != "" {
			policy += " (" + where + ")"
		}
		g := terminal.Group{Title: title, Rows: planRow([]string{policy, planProved(p, c)}, []int{planRule, planMet}, Probability(c.Fails), factor(c.Tries))}
		for _, b := range c.Branches {
			g.Rows = append(g.Rows, planRow([]string{"- " + b.Name, planMetBy(&b)}, []int{planRule, planMet}, "", "")...)
		}
		groups = append(groups, g)
	}
	t.Table([]string{"rule, and its cases", "probes that meet it", "fails", "tries"}, groups...)
}

// The widths of the columns of calls that fold.
const planRule, planMet = 32, 26

// planProved says why a rule has no cases here.
func planProved(p *reports.PlannedPhase, c *reports.PlannedCall) string {
	switch {
	case p.Base || len(c.Branches) > 0:
		return ""
	case c.Unchanged:
		return "as in the phase before"
	}
	return "no probe"
}

// planMetBy says which probes meet a case, and how many calls of theirs.
func planMetBy(b *reports.PlannedBranch) string {
	var parts []string
	for _, by := range b.Met {
		parts = append(parts, fmt.Sprintf("%s %s", Count(by.Calls), cohortName(by.Cohort)))
	}
	switch {
	case b.Why != "":
		parts = append(parts, "not judged: "+b.Why)
	case len(parts) == 0:
		return "none"
	}
	return strings.Join(parts, ", ")
}
