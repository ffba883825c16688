package destination

import (
	"strings"
	"testing"
)

func TestBaseURL(t *testing.T) {
	for text, want := range map[string]string{
		"http://a:3000": "http://a:3000", " https://a/grafana/ ": "https://a/grafana", "http://u:p@a/": "http://a", "http://[::1]:3000": "http://[::1]:3000",
	} {
		u, err := BaseURL(text)
		if err != nil || WithoutPassword(u) != want {
			t.Errorf("%q: %v, %v, want %s", text, u, err, want)
		}
	}
	for _, text := range []string{"", "a:3000", "ftp://a", "http://", "http://:3000", "http://u:pa55@a?x", "http://u:pa55@a/#x", "http://u:pa55@a b", "http://u:pa55@[a", "//a", "http://a:port"} {
		if u, err := BaseURL(text); err == nil || strings.Contains(err.Error(), "pa55") {
			t.Errorf("%q: %v, %v, want an error without the password", text, u, err)
		}
	}
}

func TestHideUserInfo(t *testing.T) {
	for text, want := range map[string]string{
		"--grafana-url=http://admin:pa55@a:3000/x": "--grafana-url=http://…@a:3000/x",
		"http://pa55@a":               "http://…@a",
		"https://u:p@ss@a/b":          "https://…@a/b",
		"retry":                       "retry",
		"http://a/b@c":                "http://a/b@c",
		"me@example.org":              "me@example.org",
		"x http://u:p@a, http://v@b.": "x http://…@a, http://…@b.",
	} {
		if got := HideUserInfo(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
