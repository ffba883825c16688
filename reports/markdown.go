package reports

import (
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/printable"
	"github.com/hellochaos/hellochaos/reports/terminal"
)

// Markdown writes a report for a comment on a pull request or a step summary, in GitHub's dialect: the words and numbers
// are those of Text.
func Markdown(w io.Writer, r *Report) error {
	m := &markdown{}
	m.line("## %s: %s\n", HeadlineWord(r), EscapeMarkdown(r.Summary))
	m.line("%s\n", EscapeMarkdown(strings.Join(about(r), " ")))
	m.list(notRestored(r))
	for i := range r.Stages {
		m.stage(&r.Stages[i])
	}
	m.links(r)
	m.reproduce(r)
	_, err := io.WriteString(w, m.String())
	return err
}

// markdown is a report that is being written.
type markdown struct{ strings.Builder }

func (m *markdown) line(format string, args ...any) { fmt.Fprintf(m, format+"\n", args...) }

func (m *markdown) list(texts []string) {
	for _, text := range texts {
		m.line("- %s", EscapeMarkdown(text))
	}
	if len(texts) > 0 {
		m.line("")
	}
}

func (m *markdown) stage(s *Stage) {
	m.line("### %s: %s\n", strings.ToUpper(string(s.Verdict)), EscapeMarkdown(s.Name+": "+s.Title))
	if len(s.Checks) > 0 {
		m.cells(columns)
		m.line("|%s", strings.Repeat(" --- |", len(columns)))
		for i := range s.Checks {
			m.cells(row(&s.Checks[i]))
		}
		m.line("")
	}
	for _, one := range sentences(s) {
		lead := map[rune]string{'!': "**!** ", '=': "**=** "}[one.mark]
		m.line("- %s%s", lead, EscapeMarkdown(one.text))
	}
	m.line("")
}

func (m *markdown) cells(texts []string) {
	m.WriteString("|")
	for _, text := range texts {
		m.WriteString(" " + EscapeMarkdown(text) + " |")
	}
	m.line("")
}

// links writes the links and remarks after a line of text. Without that line Markdown would add them to the list before.
func (m *markdown) links(r *Report) {
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
func (m *markdown) reproduce(r *Report) {
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

// reproduction returns the command of a run as a shell reads it. Where the seed was drawn at random, it is added.
func reproduction(r *Report) string {
	var words []string
	seeded := false
	for _, word := range r.Command {
		words = append(words, printable.Word(word))
		seeded = seeded || word == "--seed" || strings.HasPrefix(word, "--seed=")
	}
	if !seeded && len(words) > 0 {
		words = append(words, fmt.Sprintf("--seed %d", r.Settings.Seed))
	}
	return strings.Join(words, " ")
}

// versions returns the versions of the software that was tested, sorted by name.
func versions(r *Report) []string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(r.Target.Versions)) {
		lines = append(lines, name+" "+r.Target.Versions[name])
	}
	return lines
}
