package sweep

import (
	"fmt"
	"io"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/render"
)

// Markdown writes a grid for a comment on a pull request or a step summary: the words and numbers are those of Text.
func Markdown(w io.Writer, s *Report) error {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("## %s: %s\n", s.Word(), render.EscapeMarkdown(s.Summary))
	line("%s\n", render.EscapeMarkdown(strings.Join(s.about(), " ")))
	items := func(texts ...string) {
		for _, text := range texts {
			line("- %s", text)
		}
		if len(texts) > 0 {
			line("")
		}
	}
	var expected, wrong []string
	for _, e := range s.expectations() {
		expected = append(expected, fmt.Sprintf("**%s** %s", strings.ToUpper(string(e.Verdict)), render.EscapeMarkdown(strings.Join(append([]string{e.Text + "."}, e.Lines...), " "))))
	}
	for i := range s.Points {
		if p := &s.Points[i]; p.ExitCode != reports.ExitPass {
			wrong = append(wrong, fmt.Sprintf("**%s** %s", p.Word, render.EscapeMarkdown(s.At(i)+": "+p.Summary)))
		}
	}
	items(expected...)
	items(wrong...)
	for _, p := range s.series() {
		line("### %s\n", render.EscapeMarkdown(p.Name+": "+p.Title))
		for _, one := range p.tables() {
			line("%s:\n", one.caption())
			markdownTable(line, append(s.firstColumns(&p, &one), columns(&one)...))
		}
		for _, remark := range p.remarks() {
			line("%s\n", render.EscapeMarkdown(remark))
		}
	}
	var findings []string
	for i := range s.Findings {
		f := &s.Findings[i]
		findings = append(findings, "**"+strings.ToUpper(string(f.Severity))+"** "+render.EscapeMarkdown(render.Finding(f)))
	}
	for _, remark := range s.Remarks {
		findings = append(findings, "**!** "+render.EscapeMarkdown(remark))
	}
	items(findings...)
	line("To reproduce: `%s`", strings.ReplaceAll(s.reproduction(), "`", "'"))
	_, err := io.WriteString(w, b.String())
	return err
}

// markdownTable writes columns as a table.
func markdownTable(line func(string, ...any), all []column) {
	row := func(of func(i int) string) {
		text := "|"
		for i := range all {
			text += " " + render.EscapeMarkdown(of(i)) + " |"
		}
		line("%s", text)
	}
	row(func(i int) string { return all[i].head })
	line("|%s", strings.Repeat(" --- |", len(all)))
	for point := range all[0].cells {
		row(func(i int) string { return all[i].cells[point] })
	}
	line("")
}
