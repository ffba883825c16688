package render

import (
	"fmt"
	"io"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/terminal"
)

// Findings writes what is wrong with some rules for people, errors first. rules is how many there are, and remarks are sentences about
// what is not known of them.
func Findings(w io.Writer, all []reports.Finding, rules int, remarks []string, o TextOptions) error {
	t := &terminal.Text{Coloured: o.Colour, Wide: o.Columns}
	errors := int64(0)
	for i := range all {
		if all[i].Severity == reports.SeverityError {
			errors++
		}
	}
	text := fmt.Sprintf("%s in %s", counted(errors, "error"), counted(int64(rules), "rule"))
	if warnings := int64(len(all)) - errors; warnings > 0 {
		text += " and " + counted(warnings, "warning")
	}
	verdict := reports.Pass
	if errors > 0 {
		verdict = reports.Fail
	}
	t.Headline(verdictWord(verdict), colours[verdict], text)
	for i := range all {
		t.Blank()
		t.Headline(strings.ToUpper(string(all[i].Severity)), severities[all[i].Severity], Finding(&all[i]))
	}
	if len(remarks) > 0 {
		t.Blank()
	}
	for _, remark := range remarks {
		t.Paragraph(remark, "! ")
	}
	_, err := io.WriteString(w, t.String())
	return err
}
