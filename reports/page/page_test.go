package page

import (
	"html/template"
	"strings"
	"testing"
)

// A page shows characters that a reader's program would obey as escapes; a text of a picture is cut after that.
func TestObeyedCharacters(t *testing.T) {
	pages := template.Must(Shell().Parse(`{{define "p"}}<p>{{.}}</p>` + "\n" + `<p>next</p>{{end}}`))
	var out strings.Builder
	if err := Write(&out, pages, "p", "a\u202eb\x1b\tc\x00"); err != nil {
		t.Fatal(err)
	}
	if want := "<p>a\\u202eb\\u001b\\tc\uFFFD</p>\n<p>next</p>"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
	if got := Cut("a\u202ebc", 5); got != `a\u2…` {
		t.Errorf("cut to %q", got)
	}
	if got := TextWidth("\u202e"); got != TextWidth("abcdef") {
		t.Errorf("%g wide, want six characters", got)
	}
}
