package findings

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// docs/findings.md has a whole row for each finding, with its severity, and none for a finding that does not exist.
func TestPage(t *testing.T) {
	text, err := os.ReadFile("../../docs/findings.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "| HC") {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, cells[0])
		severity := "error"
		if strings.HasPrefix(cells[0], "HC2") {
			severity = "warning"
		}
		if len(cells) != 5 || slices.Contains(cells, "") || cells[1] != severity {
			t.Errorf("the row of %s has the cells %q, want five, of which the second is %s", cells[0], cells, severity)
		}
	}
	if want := ids(t); !slices.Equal(rows, want) {
		t.Errorf("the page has rows for\n%v, and there are\n%v", rows, want)
	}
}
