package render

import (
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/hellochaos/hellochaos/printable"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/terminal"
)

// Markdown writes a report for a comment on a pull request or a step summary, in GitHub's dialect: the words and numbers are those of
// Text, and the details of each phase are folded.
func Markdown(w io.Writer, r *reports.Report) error {
	m := &markdown{}
	m.line("## %s: %s\n", HeadlineWord(r), EscapeMarkdown(r.Summary))
	m.marked("**NOT JUDGED** ", notJudgedTimes(r))
	m.line("%s\n", EscapeMarkdown(strings.Join(about(r), " ")))
	m.list(notRestored(r))
	m.expectations(r)
	m.changes(r)
	m.findings(r, reports.SeverityError)
	m.marked("**!** ", baseLines(r))
	for _, i := range order(r, false) {
		m.phase(r, i)
	}
	m.findings(r, reports.SeverityWarning)
	m.links(r)
	m.reproduce(r)
	_, err := io.WriteString(w, m.String())
	return err
}

// markdown is a report that is being written.
type markdown struct{ strings.Builder }

func (m *markdown) line(format string, args ...any) { fmt.Fprintf(m, format+"\n", args...) }

func (m *markdown) list(texts []string) { m.marked("", texts) }

// marked writes a list whose items begin with a mark.
func (m *markdown) marked(mark string, texts []string) {
	for _, text := range texts {
		m.line("- %s%s", mark, EscapeMarkdown(text))
	}
	if len(texts) > 0 {
		m.line("")
	}
}

// expectations writes what came of what the user expects.
func (m *markdown) expectations(r *reports.Report) {
	for i := range r.Expectations {
		e := &r.Expectations[i]
		m.line("- **%s** %s", verdictWord(e.Verdict), EscapeMarkdown(expectation(r, e)+strings.TrimSpace(". "+sentenceOf(e.Why)+" "+sentenceOf(e.Note))))
	}
	if len(r.Expectations) > 0 {
		m.line("")
	}
}

// changes writes what calls met while rules changed.
func (m *markdown) changes(r *reports.Report) {
	for i := range r.Changes {
		c := &r.Changes[i]
		m.line("- **%s** %s", verdictWord(c.Verdict), EscapeMarkdown(changeLine(c)))
		for _, words := range changeWords(c) {
			m.line("  - %s", EscapeMarkdown(words))
		}
	}
	if len(r.Changes) > 0 {
		m.line("")
	}
}

// findings writes what is wrong with the manifests.
func (m *markdown) findings(r *reports.Report, severity reports.Severity) {
	var all []string
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Severity == severity {
			all = append(all, Finding(f))
		}
	}
	m.marked("**"+strings.ToUpper(string(severity))+"** ", all)
}

func (m *markdown) phase(r *reports.Report, i int) {
	p := &r.Phases[i]
	m.line("### %s: %s\n", verdictWord(reports.Worst(p.Verdict)), EscapeMarkdown(p.Name+": "+p.Title))
	shown := proof(p)
	m.line("%s.\n", EscapeMarkdown(strings.ToUpper(shown[:1])+shown[1:]))
	m.mismatches(p)
	m.marked("**!** ", problems(p))
	m.calls(r, i)
	for _, one := range sentences(p) {
		lead := ""
		if one.mark != ' ' {
			lead = "**" + string(one.mark) + "** "
		}
		m.line("- %s%s", lead, EscapeMarkdown(one.text))
	}
	if cost := price(phaseBefore(r, i), p); cost != "" {
		m.line("- %s", EscapeMarkdown(cost))
	}
	m.line("")
	m.details(p)
}

// mismatches writes the first call of each kind that met something else than the rules allow.
func (m *markdown) mismatches(p *reports.Phase) {
	for i := range p.Mismatches {
		one := &p.Mismatches[i]
		m.line("**!** %s\n", EscapeMarkdown(deviation(one)))
		for _, line := range [][2]string{{"rule", ruleOf(one)}, {"expected", one.Expected}, {"met", one.Met}} {
			if line[1] != "" {
				m.line("- %s: %s", line[0], EscapeMarkdown(line[1]))
			}
		}
		m.line("")
		if one.Again != "" {
			m.line("To send it again:\n")
			m.fence(printable.Line(one.Again))
		}
	}
}

// calls writes the table of a phase.
func (m *markdown) calls(r *reports.Report, i int) {
	p := &r.Phases[i]
	if len(p.Calls) == 0 {
		return
	}
	head := []string{"call", "policy in force", "fails", "tries/request", "median waits (ms)", "verdict"}
	m.cells(head)
	m.line("|%s", strings.Repeat(" --- |", len(head)))
	for j := range p.Calls {
		m.row(newRow(r, i, j))
	}
	for _, one := range totalRows(r, i) {
		m.row(one)
	}
	m.line("")
}

func (m *markdown) row(r row) {
	m.cells([]string{r.call, r.inForce(), r.shares(), r.tries, r.waits, verdictWord(r.verdict)})
}

// details writes what is known of each call of a phase, folded.
func (m *markdown) details(p *reports.Phase) {
	if len(p.Calls) == 0 {
		return
	}
	m.line("<details><summary>Predictions, branches, waits and ledgers</summary>\n")
	for i := range p.Calls {
		c := &p.Calls[i]
		m.line("**%s**\n", EscapeMarkdown(fmt.Sprintf("%s, called by %s: %s", callName(p, c), c.From, verdictWord(c.Verdict))))
		for _, d := range details(c) {
			text := d.text
			if d.name != "" {
				text = d.name + ": " + text
			}
			m.line("- %s", EscapeMarkdown(text))
		}
		m.line("")
	}
	m.line("</details>\n")
}

func (m *markdown) cells(texts []string) {
	m.WriteString("|")
	for _, text := range texts {
		m.WriteString(" " + EscapeMarkdown(text) + " |")
	}
	m.line("")
}

// links writes the links and remarks after a line of text. Without that line Markdown would add them to the list before.
func (m *markdown) links(r *reports.Report) {
	if len(r.Links)+len(r.Remarks) > 0 {
		m.line("Beside the run:\n")
	}
	for _, l := range r.Links {
		if !l.Followable() {
			m.line("- %s: %s", EscapeMarkdown(l.Title), EscapeMarkdown(l.URL))
			continue
		}
		// Only these characters could end an address in angle brackets.
		url := strings.NewReplacer("<", "%3C", ">", "%3E", `\`, "%5C", " ", "%20").Replace(terminal.Plain(l.URL))
		m.line("- [%s](<%s>)", EscapeMarkdown(l.Title), url)
	}
	for _, remark := range r.Remarks {
		m.line("- **!** %s", EscapeMarkdown(remark))
	}
	if len(r.Links)+len(r.Remarks) > 0 {
		m.line("")
	}
}

// reproduce writes the command that repeats the run, and the versions that the run used.
func (m *markdown) reproduce(r *reports.Report) {
	m.line("<details><summary>How to reproduce</summary>\n")
	m.fence(reproduction(r))
	with := []string{fmt.Sprintf("%s %s, %s, %s", r.Tool.Name, r.Tool.Version, r.Tool.Go, r.Tool.System)}
	with = append(with, versions(r)...)
	if r.Settings.ManifestsHash != "" {
		with = append(with, "manifests, SHA-256: "+r.Settings.ManifestsHash)
	}
	m.list(with)
	m.line("</details>")
}

// fence writes text unchanged between fences that are longer than any fence in the text.
func (m *markdown) fence(text string) {
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	m.line("%ssh\n%s\n%s\n", fence, text, fence)
}

var (
	special = regexp.MustCompile("[\\\\`*_{}\\[\\]<>#|~&!$@]")
	// opening matches what makes a line a list, a heading or a rule when the line begins with it.
	opening = regexp.MustCompile(`^(?:[-+=:]|[0-9]+[.)](?: |$))`)
	// address matches the beginning of an address, of which GitHub makes a link without any mark-up.
	address = regexp.MustCompile(`(?i)(https?|ftp|mailto|xmpp)(:)|(www)(\.)`)
)

// EscapeMarkdown returns text as one line of Markdown that shows the text unchanged: nothing in it is read as mark-up.
func EscapeMarkdown(text string) string {
	text = special.ReplaceAllStringFunc(terminal.Plain(text), func(c string) string {
		if c == "@" { // GitHub notifies a user whose name follows it.
			return "@\u2060"
		}
		return `\` + c
	})
	text = opening.ReplaceAllStringFunc(text, func(mark string) string {
		digits := strings.TrimRight(mark, "-+=:.) ")
		return digits + `\` + mark[len(digits):]
	})
	return address.ReplaceAllString(text, `$1$3\$2$4`)
}
