package expect

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// mostBytes is how long an expectation may be.
const mostBytes = 500

// token is a word, a quoted name, or a sign such as "<=".
type token struct {
	text         string
	quoted, sign bool
}

// is reports whether a token is a word of the language, which a quoted name is not.
func (t token) is(word string) bool { return !t.quoted && t.text == word }

// signs are those of the language, longer ones before those that they begin with, each with its usual spelling.
var signs = [][2]string{{"<=", "<="}, {">=", ">="}, {"==", "="}, {"≤", "<="}, {"≥", ">="}, {"<", "<"}, {">", ">"}, {"=", "="},
	{"+/-", "±"}, {"+-", "±"}, {"±", "±"}, {"..", ".."}, {"%", "%"}}

// signAt is the sign with which a text begins, and its usual spelling; empty where it begins with none.
func signAt(text string) (written, usual string) {
	for _, s := range signs {
		if strings.HasPrefix(text, s[0]) {
			return s[0], s[1]
		}
	}
	return "", ""
}

// tokens splits an expectation. A name with blanks or signs in it stands between double quotes.
func tokens(text string) (all []token, err error) {
	switch {
	case len(text) > mostBytes:
		return nil, fmt.Errorf("%d bytes: an expectation has at most %d", len(text), mostBytes)
	case !utf8.ValidString(text):
		return nil, fmt.Errorf("%q is not UTF-8", text)
	case strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }):
		return nil, fmt.Errorf("%q has a character that is not printable", text)
	}
	for rest := strings.TrimSpace(text); rest != ""; rest = strings.TrimSpace(rest) {
		if quoted, ok := strings.CutPrefix(rest, `"`); ok {
			name, after, closed := strings.Cut(quoted, `"`)
			if !closed || name == "" {
				return nil, fmt.Errorf(`%q: a quoted name must not be empty and must end with "`, text)
			}
			all, rest = append(all, token{text: name, quoted: true}), after
			continue
		}
		if written, usual := signAt(rest); written != "" {
			all, rest = append(all, token{text: usual, sign: true}), rest[len(written):]
			continue
		}
		end := wordEnd(rest)
		all, rest = append(all, token{text: rest[:end]}), rest[end:]
	}
	return all, nil
}

// wordEnd is where the word ends with which a text begins.
func wordEnd(text string) int {
	for i, r := range text {
		if written, _ := signAt(text[i:]); written != "" || r == '"' || unicode.IsSpace(r) {
			return i
		}
	}
	return len(text)
}
