package manifests

import (
	"strings"
	"testing"
)

func TestNormalPath(t *testing.T) {
	for target, want := range map[string]string{
		"/": "/", "": "", "/a": "/a", "/a?b/../c": "/a?b/../c", "/a/../foo?x=1": "/foo?x=1", "/a/./b": "/a/b", "/a/..": "/",
		"/a/.": "/a/", "/../a": "/a", "/../..": "/", "/a//b": "/a//b", "/a//b/../c": "/a//c", "//h/../foo": "//foo",
		`/a\b?\`: `/a/b?\`, "/a/%2E%2e/b": "/b", "/a%2F..%2Ffoo": "/a%2F..%2Ffoo", "/.a/..b": "/.a/..b", "/a/b/../": "/a/",
		"/%41": "/%41", "/a#b": "/a", "/#?a": "/", "/a?b#c": "/a?b", "/a?": "/a?",
	} {
		if got := NormalPath(target); got != want {
			t.Errorf("NormalPath(%q) = %q, want %q", target, got, want)
		}
	}
}

// FuzzNormalPath checks that no dot segments are left, and that NormalPath does not change its own result.
func FuzzNormalPath(f *testing.F) {
	for _, seed := range []string{"/a/../foo?x=1", `/a/%2e.\.?`, "/%2e#", "/a/%252e"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, target string) {
		target = "/" + target
		got := NormalPath(target)
		path, _, _ := strings.Cut(got, "?")
		for segment := range strings.SplitSeq(path, "/") {
			if segment == "." || segment == ".." {
				t.Errorf("%q: got %q with a dot segment", target, got)
			}
		}
		if again := NormalPath(got); again != got || !strings.HasPrefix(got, "/") {
			t.Errorf("%q: got %q, and %q of that", target, got, again)
		}
	})
}
