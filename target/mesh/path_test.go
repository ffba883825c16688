package mesh

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestNormalized(t *testing.T) {
	for uri, want := range map[string]string{
		"/":                        "/",
		"/foo?x=/../y":             "/foo?x=/../y",
		"/a/../foo?x=1":            "/foo?x=1",
		"/a/./b":                   "/a/b",
		"/a/b/..":                  "/a/",
		"/../..":                   "/",
		"/a/%2e%2E/foo":            "/foo",
		"/a%2F..%2Ffoo":            "/a%2F..%2Ffoo",
		"/a//b/../c":               "/a//c",
		"//host/../foo":            "//foo",
		"/a/.hidden?q":             "/a/.hidden?q",
		"http://host/a/../foo?x=1": "/foo?x=1",
		"http://host":              "/",
		"*":                        "/*",
	} {
		parsed, err := url.ParseRequestURI(uri)
		if err != nil {
			t.Fatal(err)
		}
		if got := normalized(&http.Request{RequestURI: uri, URL: parsed}); got != want {
			t.Errorf("%s: got %s, want %s", uri, got, want)
		}
	}
}

// FuzzNormalized holds the path against what it promises: no dot segments are left, and the rest is as it was.
func FuzzNormalized(f *testing.F) {
	f.Add("/a/../foo?x=1")
	f.Add("/a/%2e./.?")
	f.Fuzz(func(t *testing.T, uri string) {
		parsed, err := url.ParseRequestURI(uri)
		if err != nil {
			return // net/http lets no such request in
		}
		got := normalized(&http.Request{RequestURI: uri, URL: parsed})
		path, _, _ := strings.Cut(got, "?")
		for segment := range strings.SplitSeq(path, "/") {
			if segment == "." || segment == ".." {
				t.Errorf("%q: got %q with a dot segment", uri, got)
			}
		}
		if !strings.HasPrefix(got, "/") {
			t.Errorf("%q: got %q, want a path", uri, got)
		}
	})
}
