package printable

import (
	"bytes"
	"encoding/json"
	"errors"
	"os/exec"
	"strings"
	"testing"
)

// hostile are names that command a terminal, a log or a shell, with what is shown of them.
var hostile = []struct{ text, line string }{
	{"plain name, with ümlaut and 漢字", "plain name, with ümlaut and 漢字"},
	{"a\nb\r\nc\td", `a\nb\r\nc\td`},
	{"\x1b[2J\x1b]0;title\a", `\u001b[2J\u001b]0;title\u0007`},
	{"del\x7f c1\u009b2J", `del\u007f c1\u009b2J`},
	{"raw c1 \x9b2J", `raw c1 \x9b2J`},
	{"right\u202eleft\u2066\u200f\u061c", `right\u202eleft\u2066\u200f\u061c`},
	{"lines\u2028and\u2029paragraphs\u0085next", `lines\u2028and\u2029paragraphs\u0085next`},
	{"nul\x00", `nul\u0000`},
}

func TestLine(t *testing.T) {
	for _, c := range hostile {
		if got := Line(c.text); got != c.line {
			t.Errorf("Line(%q) = %s, want %s", c.text, got, c.line)
		}
	}
}

// A shell reads every word back as it was, and the command has no character that a terminal obeys.
func TestWord(t *testing.T) {
	shell, err := exec.LookPath("bash")
	if err != nil {
		t.Fatal(err)
	}
	words := []string{"", "plain", "-n", "a b", "it's", `back\slash`, "$(touch evil)", "`id`", "x;rm -rf ~", "a\n---\nkind: Evil", "##[error]", "###[x]##vso[y]", "*", "~", "!1", "'\n", "\\\n'"}
	for _, c := range hostile {
		if c.text != "nul\x00" { // no shell's word can have it
			words = append(words, c.text)
		}
	}
	for _, word := range words {
		command := Word(word)
		if strings.ContainsFunc(command, obeyed) || anywhere.MatchString(command) {
			t.Errorf("Word(%q) = %q has a character that is obeyed", word, command)
		}
		got, err := exec.Command(shell, "-c", "export LC_ALL=C.UTF-8; printf %s "+command).Output()
		if err != nil || string(got) != word {
			t.Errorf("bash reads %s as %q (%v), want %q", command, got, err, word)
		}
	}
}

func TestWriter(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"two\nlines\twith tabs\n", "two\nlines\twith tabs\n"},
		{"no line break", "no line break"},
		{"\x1b[2J\r\u202e\n", "\\u001b[2J\\r\\u202e\n"},
		{"::error::x\n", "\\u003a:error::x\n"},
		{"hellochaos: a\n  ::error file=x::y\n", "hellochaos: a\n  \\u003a:error file=x::y\n"},
		{"a name ::error::x\n", "a name ::error::x\n"}, // within a line GitHub does not look for it
		{"std::string is no command, ::before{} neither\n::before{}\n", "std::string is no command, ::before{} neither\n::before{}\n"},
		{"x ##[error]y ##vso[task.complete]z\n## a heading\n", "x \\u0023#[error]y \\u0023#vso[task.complete]z\n## a heading\n"},
	} {
		var whole, bytewise bytes.Buffer
		w := NewWriter(&whole)
		if _, err := w.Write([]byte(c.in)); err != nil {
			t.Fatal(err)
		}
		_ = w.Flush()
		w = NewWriter(&bytewise)
		for i := range len(c.in) { // nothing depends on how it is cut
			_, _ = w.Write([]byte{c.in[i]})
		}
		_ = w.Flush()
		if whole.String() != c.want || bytewise.String() != c.want {
			t.Errorf("%q is printed as %q, byte by byte %q, want %q", c.in, whole.String(), bytewise.String(), c.want)
		}
	}
}

// JSON means the same after it was printed.
func TestWriterJSON(t *testing.T) {
	for _, c := range append(hostile, struct{ text, line string }{"##[error] ::error::", ""}) {
		want := strings.ToValidUTF8(c.text, "\uFFFD")
		data, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var printed bytes.Buffer
		w := NewWriter(&printed)
		_, _ = w.Write(data)
		_ = w.Flush()
		var got string
		if err := json.Unmarshal(printed.Bytes(), &got); err != nil || got != want {
			t.Errorf("%s is printed as %s, which is %q (%v), want %q", data, printed.Bytes(), got, err, want)
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestWriterError(t *testing.T) {
	w := NewWriter(full{})
	if _, err := w.Write([]byte("a line\n")); err == nil {
		t.Error("a line that could not be written is no error")
	}
	if _, err := w.Write([]byte("the rest")); err != nil {
		t.Errorf("what is kept gives %v", err)
	}
	if err := w.Flush(); err == nil {
		t.Error("the rest that could not be written is no error")
	}
}
