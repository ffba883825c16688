package terminal

import (
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	write := func(coloured bool) string {
		text := &Text{Coloured: coloured}
		text.Headline("PASS", Green, strings.Repeat("word ", 20)+"end")
		text.Blank()
		text.Title("worse", Red)
		text.Table([]string{"name", "n", "unit"}, Group{"FAIL", Red, [][]string{{"longer\x1b[2J", "22", "s"}}}, Group{"INCONCLUSIVE", Yellow, [][]string{{"a", "1", ""}, {"b", "2", "s"}}})
		text.Table([]string{"name", "n"}, Group{Rows: [][]string{{"b\nc", "3"}}})
		text.Paragraph(strings.Repeat("ä", 90)+" and\x07more", "  ! ")
		text.Address("http://example.org/"+strings.Repeat("x", 80)+"\x1b", "")
		return text.String()
	}
	want := "PASS  " + strings.Repeat("word ", 14) + "word\n" +
		"      " + strings.Repeat("word ", 5) + "end\n" +
		"\nworse\n  name             n   unit\nFAIL\n  longer\\u001b[2J  22  s\nINCONCLUSIVE\n  a                1\n  b                2   s\n" +
		"name  n\nb c   3\n" +
		"  ! " + strings.Repeat("ä", 90) + "\n    and\\u0007more\nhttp://example.org/" + strings.Repeat("x", 80) + "\\u001b\n"
	if got := write(false); got != want {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
	coloured := write(true)
	for _, painted := range []string{string(Green) + "PASS" + string(Reset), string(Red) + "worse" + string(Reset), string(Red) + "FAIL" + string(Reset), string(Yellow) + "INCONCLUSIVE" + string(Reset)} {
		if !strings.Contains(coloured, painted) {
			t.Errorf("lacks %q:\n%q", painted, coloured)
		}
	}
	plain := strings.NewReplacer(string(Green), "", string(Red), "", string(Yellow), "", string(Reset), "").Replace(coloured)
	if plain != want {
		t.Errorf("without its colours the coloured text is\n%q\nwant\n%q", plain, want)
	}
}
