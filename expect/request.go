package expect

import (
	"slices"
	"strings"
)

// Methods are those that the text of a request may begin with, beside GET, which it need not name.
var Methods = []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

// Request is a request that a text spells out, so that it can be sent whether a rule is for it or not.
type Request struct {
	// Method is GET where the text has none, and Path "/"; it may have a query.
	Method, Host, Path string
	// Header are the headers in their order, each a name and a value.
	Header [][2]string
	// Place says where it enters, as the names of derived requests end: ", by gateway shop" or ", from namespace shop"; empty where it
	// enters wherever its host is known.
	Place string
}

// RequestOf reads "POST shop.example.com /checkout x-canary: true". The text is a request where a method, a path or a header stands beside
// the host; ok is false for any other text, which is a name.
func RequestOf(text string) (r Request, ok bool) {
	for _, begin := range []string{", by gateway ", ", from namespace "} {
		if at := strings.LastIndex(text, begin); at >= 0 && !strings.ContainsAny(text[at+len(begin):], " ,") {
			text, r.Place = text[:at], text[at:]
		}
	}
	words := strings.Fields(text)
	if len(words) > 0 && slices.Contains(Methods, words[0]) {
		r.Method, words = words[0], words[1:]
	}
	if len(words) == 0 || !isHost(words[0]) {
		return Request{}, false
	}
	r.Host, words = words[0], words[1:]
	if len(words) > 0 && strings.HasPrefix(words[0], "/") {
		r.Path, words = words[0], words[1:]
	}
	for _, word := range words {
		name, isName := strings.CutSuffix(word, ":")
		switch last := len(r.Header) - 1; {
		case isName && isToken(name):
			r.Header = append(r.Header, [2]string{name, ""})
		case last < 0:
			return Request{}, false
		default:
			r.Header[last][1] = strings.TrimPrefix(r.Header[last][1]+" "+word, " ")
		}
	}
	if r.Method == "" && r.Path == "" && len(r.Header) == 0 {
		return Request{}, false
	}
	if r.Method == "" {
		r.Method = Methods[0]
	}
	if r.Path == "" {
		r.Path = "/"
	}
	return r, true
}

// isHost reports whether a word can be a host, with or without a port.
func isHost(word string) bool {
	return word[len(word)-1] != ':' && !strings.ContainsFunc(word, func(r rune) bool { return !isLetter(r) && !strings.ContainsRune("-._:[]", r) })
}

// isToken reports whether a word can be the name of a header.
func isToken(word string) bool {
	return word != "" && !strings.ContainsFunc(word, func(r rune) bool { return !isLetter(r) && !strings.ContainsRune("!#$%&'*+-.^_`|~", r) })
}

func isLetter(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}
