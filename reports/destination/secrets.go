package destination

import (
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/printable"
)

// Secrets are texts that may not be shown: tokens, passwords.
type Secrets []string

// Line is a foreign text as it may be shown: one line of at most so many characters, without control characters and credentials.
func (s Secrets) Line(text string, most int) string {
	line := []rune(printable.Line(s.hide(strings.Join(strings.Fields(text), " "))))
	if len(line) > most {
		return string(line[:most]) + "…"
	}
	return string(line)
}

// hide takes the secrets, and the user and password of every URL, out of a text.
func (s Secrets) hide(text string) string {
	longestFirst := slices.SortedFunc(slices.Values(s), func(a, b string) int { return len(b) - len(a) }) // one may be a part of another
	for _, secret := range longestFirst {
		if len(secret) > 2 { // a shorter one would be found in any text, and its place would give it away
			text = strings.ReplaceAll(text, secret, "…")
		}
	}
	return HideUserInfo(text)
}
