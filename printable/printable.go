// Package printable makes text that came from elsewhere harmless where it is printed. Names in a journal, in a manifest, in an answer
// of a cluster or of a server are chosen by somebody else, and three readers of what is printed obey certain characters instead of
// showing them: a terminal, a continuous integration system that reads a job's log, and the shell into which a command is copied. The
// package knows these readers and their rules; it must not know what the text is about. Every package may import it.
package printable

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// obeyed reports whether a character does something where it is printed, instead of being seen: a control character (C0, DEL, C1), one
// that turns the direction of writing around, or one that separates lines.
func obeyed(c rune) bool {
	return unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c) || c == '\u2028' || c == '\u2029'
}

// escape writes text with each character that is obeyed, and each byte that is not UTF-8, as Go and JSON write it; kept are
// characters that stay as they are.
func escape(text, kept string) string {
	if utf8.ValidString(text) && !strings.ContainsFunc(text, obeyed) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		c, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case c == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case !obeyed(c) || strings.ContainsRune(kept, c):
			b.WriteRune(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\t':
			b.WriteString(`\t`)
		case c == '\r':
			b.WriteString(`\r`)
		default:
			fmt.Fprintf(&b, `\u%04x`, c)
		}
		i += size
	}
	return b.String()
}

// Line is a text on one line: line breaks and all other characters that are obeyed are escaped, a line break as \n.
func Line(text string) string { return escape(text, "") }

// unquoted is a word that a shell reads as it stands. A word that begins with "-" stays one too: it is an option.
var unquoted = regexp.MustCompile(`^[A-Za-z0-9_./:=@%+,-]+$`)

// Word is a word of a command line as a shell reads it. Where it has anything that is obeyed, it has the form $'…', which bash, zsh
// and ksh read: it gives the word back exactly, and what would be obeyed is not printed.
func Word(word string) string {
	switch {
	case unquoted.MatchString(word):
		return word
	case utf8.ValidString(word) && !strings.ContainsFunc(word, obeyed) && !anywhere.MatchString(word):
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	word = strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(word)
	return "$'" + anywhere.ReplaceAllString(escape(word, ""), `\x23$1`) + "'"
}
