package destination

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/printable"
)

// Secrets are texts that must not be printed, such as tokens and passwords.
type Secrets []string

// SecretsOf returns the password of a user, and the form in which an Authorization header has both (RFC 7617), since an answer may repeat
// that header. user may be nil.
func SecretsOf(user *url.Userinfo) Secrets {
	password, _ := user.Password()
	if password == "" {
		return nil
	}
	return Secrets{password, base64.StdEncoding.EncodeToString([]byte(user.Username() + ":" + password))}
}

// Line returns a text from elsewhere that may be printed: one line of at most most characters, in which control characters are escaped
// and credentials are replaced.
func (s Secrets) Line(text string, most int) string {
	line := []rune(printable.Line(s.hide(strings.Join(strings.Fields(text), " "))))
	if len(line) > most {
		return string(line[:most]) + "…"
	}
	return string(line)
}

// hide replaces the secrets in a text, and removes user and password from every URL in it.
func (s Secrets) hide(text string) string {
	longestFirst := slices.SortedFunc(slices.Values(s), func(a, b string) int { return len(b) - len(a) }) // A secret may be a part of another.
	for _, secret := range longestFirst {
		if len(secret) > 2 { // A shorter one occurs in any text by chance, and replacing it everywhere would reveal it.
			text = strings.ReplaceAll(text, secret, "…")
		}
	}
	return HideUserInfo(text)
}
