package terminal

import (
	"slices"
	"strings"
	"testing"
)

// A message is folded at 80 columns, and nothing that a user copies is broken.
func TestMessage(t *testing.T) {
	long := strings.Repeat("word ", 13) + "end of"
	for name, c := range map[string]struct {
		line string
		want []string
	}{
		"short":      {"note: as it is", []string{"note: as it is"}},
		"words":      {"  " + long + " a line that", []string{"  " + long + " a line", "    that"}},
		"a quote":    {long + " 'hellochaos list breaks' (see there)", []string{long, "  'hellochaos list breaks' (see there)"}},
		"possessive": {long + " frontend's own calls", []string{long, "  frontend's own calls"}},
		"unclosed":   {long + " 'tis a line of", []string{long + " 'tis a", "  line of"}},
		"a command":  {long + ": hellochaos verify -f " + strings.Repeat("x", 80), []string{long + ":", "  hellochaos verify -f " + strings.Repeat("x", 80)}},
		"command":    {"    hellochaos verify -f " + strings.Repeat("x ", 80), []string{"    hellochaos verify -f " + strings.Repeat("x ", 80)}},
		"a sentence": {"-c: hellochaos has " + long + " a line", []string{"-c: hellochaos has " + long[:59], "  word end of a line"}},
		"one word":   {strings.Repeat("x", 100), []string{strings.Repeat("x", 100)}},
	} {
		if got := Message(c.line); !slices.Equal(got, c.want) {
			t.Errorf("%s:\ngot  %q\nwant %q", name, got, c.want)
		}
	}
}
