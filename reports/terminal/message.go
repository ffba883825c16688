package terminal

import (
	"slices"
	"strings"
)

// Message folds a line of a message at blanks into lines of at most Width characters, of which all but the first are indented further
// than the line itself. What a user may copy is not broken: a word, what stands between quotation marks, and a command line at the end,
// which begins with "hellochaos" or "kubectl" behind a colon. Where it is longer than a line, it has one of its own, which is as long.
func Message(line string) []string {
	text := strings.TrimLeft(line, " ")
	indent := line[:len(line)-len(text)]
	if len([]rune(line)) <= Width || command(text) {
		return []string{line}
	}
	lines, rest := []string(nil), indent
	for i, word := range unbroken(text) {
		switch {
		case i == 0:
			rest += word
		case len([]rune(rest))+1+len([]rune(word)) > Width:
			lines, rest = append(lines, rest), indent+"  "+word
		default:
			rest += " " + word
		}
	}
	return append(lines, rest)
}

// verbs follow "hellochaos" in a sentence about it. No command has such a name.
var verbs = []string{"does", "executes", "has", "runs"}

// command reports whether a text is a command line that messages print.
func command(text string) bool {
	program, rest, _ := strings.Cut(text, " ")
	next, _, _ := strings.Cut(rest, " ")
	return rest != "" && (program == "kubectl" || program == "hellochaos" && !slices.Contains(verbs, next))
}

// unbroken are the parts of a text between which a line may be broken.
func unbroken(text string) (parts []string) {
	words := strings.Split(text, " ")
	for i := 0; i < len(words); i++ {
		end := i
		switch {
		case i > 0 && strings.HasSuffix(words[i-1], ":") && command(strings.Join(words[i:], " ")):
			end = len(words) - 1
		case words[i] != "":
			end = closing(words, i)
		}
		parts, i = append(parts, strings.Join(words[i:end+1], " ")), end
	}
	return parts
}

// closing is the word with the quotation mark that closes one at the beginning of a word; the word itself where it begins with none, or
// where none closes it.
func closing(words []string, at int) int {
	word := strings.TrimLeft(words[at], "(")
	for _, mark := range []string{"'", `"`} {
		if !strings.HasPrefix(word, mark) {
			continue
		}
		closes := func(w string) bool { return strings.HasSuffix(strings.TrimRight(w, ".,;:)?"), mark) }
		if len(word) > 1 && closes(word) {
			return at
		}
		if n := slices.IndexFunc(words[at+1:], closes); n >= 0 {
			return at + 1 + n
		}
	}
	return at
}
