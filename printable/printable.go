// Package printable makes text from elsewhere harmless before it is printed. Somebody else chooses the names in a journal, in a manifest
// and in an answer of a cluster or a server. Three readers of printed text obey certain characters instead of showing them: a terminal, a
// continuous integration system that reads the log of a job, and the shell into which a user copies a command. The package knows these
// readers and their rules. It must not know what the text is about. Every package may import it.
package printable

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// obeyed reports whether a terminal obeys a character instead of showing it: a control character (C0, DEL, C1), one that changes the
// direction of writing, or one that separates lines.
func obeyed(c rune) bool {
	return unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c) || c == '\u2028' || c == '\u2029'
}

// escape returns text in which each character that is obeyed, and each byte that is not UTF-8, has the form of an escape in Go or JSON.
// The characters of kept are not escaped.
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

// Line returns a text on one line: line breaks, as \n, and all other characters that are obeyed are escaped.
func Line(text string) string { return escape(text, "") }

// unquoted matches a word that a shell reads unchanged without quotes. A word that begins with "-" is an option, and needs no quotes.
var unquoted = regexp.MustCompile(`^[A-Za-z0-9_./:=@%+,-]+$`)

// Word returns a word of a command line, quoted so that a shell reads exactly this word. A word with characters that are obeyed gets the
// form $'…', which bash, zsh and ksh read, and in which these characters are escaped.
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
