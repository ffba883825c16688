package destination

import (
	"errors"
	"net/url"
	"regexp"
	"strings"
)

// BaseURL reads the address of a program to which reports link: http or https, a host, and the path below which the program is served,
// if any. The error never repeats the text, which may have a password in it.
func BaseURL(text string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || strings.ContainsAny(text, "?#") {
		return nil, errors.New("must be an absolute URL such as http://127.0.0.1:3000 or https://example.org/grafana, without ? and #")
	}
	u.Path = strings.TrimRight(u.Path, "/")
	u.RawPath = ""
	return u, nil
}

// WithoutPassword returns a URL that may be printed: without user and password.
func WithoutPassword(u *url.URL) string {
	bare := *u
	bare.User = nil
	return bare.String()
}

var userInfo = regexp.MustCompile(`(://)[^/?#\s]*@`)

// HideUserInfo removes user and password from every URL in a text, such as an argument of a command line.
func HideUserInfo(text string) string { return userInfo.ReplaceAllString(text, "${1}…@") }
