package render

import (
	"fmt"
	"io"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/terminal"
)

// TextOptions are how a report is written as text.
type TextOptions struct {
	// Colour is true for a terminal that shows colours. Without colours the text says the same.
	Colour bool
	// Columns is the width of the terminal, 0 where the text is for a file or a pipe.
	Columns int
	// Verbose adds the details of each call: predictions and intervals, branches, waits, splits and ledgers, and it shows every row of
	// every phase.
	Verbose bool
}

// Text writes a report for people: the verdict first, then what is wrong with the manifests, then phase by phase a table with a row for
// each call, phases that fail first. A phase with which the next one is only compared has no table of its own, since the next table has
// its numbers. The text is laid out for the columns of the terminal, from 80 to 140.
func Text(w io.Writer, r *reports.Report, o TextOptions) error {
	t := &text{Text: terminal.Text{Coloured: o.Colour, Wide: o.Columns}, verbose: o.Verbose, report: r}
	t.head()
	t.expectations()
	t.changes()
	t.findings(reports.SeverityError)
	t.bases()
	for _, i := range order(r, o.Verbose) {
		if r.Scenario.Derived {
			t.rules(i)
			continue
		}
		t.phase(i)
	}
	t.findings(reports.SeverityWarning)
	t.links()
	_, err := io.WriteString(w, t.String())
	return err
}

// text is a report that is being written.
type text struct {
	terminal.Text
	verbose bool
	report  *reports.Report
}

func (t *text) head() {
	r := t.report
	t.Headline(HeadlineWord(r), colours[r.Verdict], r.Summary)
	for _, line := range notJudgedTimes(r) {
		t.Headline("NOT JUDGED", terminal.Yellow, line)
	}
	for _, line := range about(r) {
		t.Paragraph(line, "")
	}
	lead := ""
	for _, line := range notRestored(r) {
		t.Paragraph(line, lead)
		lead = "  "
	}
}

// findings writes what is wrong with the manifests.
func (t *text) findings(severity reports.Severity) {
	first := true
	for i := range t.report.Findings {
		if f := &t.report.Findings[i]; f.Severity == severity {
			if first {
				t.Blank()
			}
			first = false
			t.Headline(strings.ToUpper(string(f.Severity)), severities[f.Severity], Finding(f))
		}
	}
}

// expectations writes what came of what the user expects, under the verdict, since it may decide the verdict.
func (t *text) expectations() {
	for i := range t.report.Expectations {
		e := &t.report.Expectations[i]
		if i == 0 {
			t.Blank()
		}
		t.Headline(verdictWord(e.Verdict), colours[e.Verdict], expectation(t.report, e))
		if e.Verdict != reports.Pass || t.verbose {
			t.Paragraph(sentenceOf(e.Why), "  ")
		}
		if e.Note != "" {
			t.Paragraph(sentenceOf(e.Note), "  ")
		}
	}
}

// bases writes the warnings of the phases that have no table.
func (t *text) bases() {
	if t.verbose {
		return
	}
	for i, line := range baseLines(t.report) {
		if i == 0 {
			t.Blank()
		}
		t.Paragraph(line, "! ")
	}
}

// phase writes one phase. What explains a failure stands before the table.
func (t *text) phase(i int) {
	p := &t.report.Phases[i]
	t.Blank()
	t.Headline(verdictWord(reports.Worst(p.Verdict)), colours[reports.Worst(p.Verdict)], p.Name+": "+p.Title)
	if shown := proof(p); (t.verbose || p.Verdict != reports.Pass) && !strings.Contains(t.report.Summary, shown) {
		t.Paragraph(strings.ToUpper(shown[:1])+shown[1:]+".", "  ")
	}
	all := sentences(p)
	if p.Verdict != reports.Pass {
		t.mismatches(p)
		t.problems(p)
		t.sentences(all)
		t.calls(i)
	} else {
		t.calls(i)
		t.problems(p)
		t.sentences(all)
	}
	if cost := price(phaseBefore(t.report, i), p); cost != "" {
		t.Paragraph(cost, "  ")
	}
	if t.verbose {
		for j := range p.Calls {
			t.details(p, &p.Calls[j])
		}
	}
}

// most is how many problems of one kind the text has of a phase where details are not asked for.
const most = 4

// mismatches writes the first call of each kind that met something else than the rules allow.
func (t *text) mismatches(p *reports.Phase) {
	for i := range p.Mismatches {
		if i == most && !t.verbose {
			t.Paragraph(fmt.Sprintf("%s more, which --verbose prints", counted(int64(len(p.Mismatches)-most), "kind")), "  ! ")
			break
		}
		m := &p.Mismatches[i]
		t.Paragraph(deviation(m), "  ! ")
		for _, line := range [][2]string{{"rule", ruleOf(m)}, {"expected", m.Expected}, {"met", m.Met}} {
			if line[1] != "" {
				t.Paragraph(line[1], fmt.Sprintf("    %-10s", line[0]))
			}
		}
		if m.Again != "" {
			t.Address(m.Again, "    again     ")
		}
	}
}

// problems writes why checks of a phase failed or have no verdict.
func (t *text) problems(p *reports.Phase) {
	all := problems(p)
	for i, line := range all {
		if i == most && !t.verbose {
			t.Paragraph(fmt.Sprintf("%s more, which --verbose prints", counted(int64(len(all)-most), "problem")), "  ! ")
			break
		}
		t.Paragraph(line, "  ! ")
	}
}

func (t *text) sentences(all []sentence) {
	for _, one := range all {
		if one.mark == '=' && !t.verbose {
			continue
		}
		lead := "  "
		if one.mark != ' ' {
			lead += string(one.mark) + " "
		}
		t.Paragraph(one.text, lead)
	}
}

// calls writes the table of a phase. Where not all calls passed, the rows stand below their verdict, failures first. Rows that are as in
// the table of the phase before are only named.
func (t *text) calls(i int) {
	p := &t.report.Phases[i]
	if len(p.Calls) == 0 {
		return
	}
	rows := map[reports.Verdict][]row{}
	var same []string
	for j := range p.Calls {
		c := &p.Calls[j]
		if !t.verbose && p.Verdict == reports.Pass && c.Verdict == reports.Pass && sameAsBefore(t.report, i, c) && !t.report.Phases[i-1].Base {
			same = appendNew(same, callName(p, c))
			continue
		}
		rows[c.Verdict] = append(rows[c.Verdict], newRow(t.report, i, j))
	}
	var groups []rowGroup
	for _, verdict := range []reports.Verdict{reports.Fail, reports.Inconclusive, reports.NotJudged, reports.Pass} {
		if len(rows[verdict]) > 0 {
			groups = append(groups, rowGroup{title: verdictWord(verdict), colour: colours[verdict], rows: rows[verdict]})
		}
	}
	totals := totalRows(t.report, i)
	if len(rows[reports.Pass]) > 0 && len(groups) == 1 {
		groups[0] = rowGroup{rows: append(groups[0].rows, totals...)}
	} else if len(totals) > 0 {
		groups = append(groups, rowGroup{title: "all requests", rows: totals})
	}
	t.table(groups)
	if len(same) > 0 {
		t.Paragraph("as before: "+strings.Join(same, ", "), "")
	}
}

// links writes the links to other programs, and the remarks: what went wrong beside the run.
func (t *text) links() {
	r := t.report
	if len(r.Links)+len(r.Remarks) > 0 {
		t.Blank()
	}
	for _, l := range r.Links {
		t.Paragraph(l.Title, "")
		t.Address(l.URL, "  ")
	}
	for _, remark := range r.Remarks {
		t.Paragraph(remark, "! ")
	}
}

// colours has the colour of each verdict, severities that of each severity.
var (
	colours    = map[reports.Verdict]terminal.Colour{reports.Pass: terminal.Green, reports.Fail: terminal.Red, reports.Inconclusive: terminal.Yellow, reports.NotJudged: terminal.Yellow}
	severities = map[reports.Severity]terminal.Colour{reports.SeverityError: terminal.Red, reports.SeverityWarning: terminal.Yellow}
)
