package mesh

import (
	"net/http"
	"strings"
)

// escapedDots writes escaped dots plainly, so that they are seen as segments.
var escapedDots = strings.NewReplacer("%2e", ".", "%2E", ".")

// normalized is the request's path with its query, dot segments resolved, as Envoy's normalize_path forwards it, which
// Istio turns on. Repeated slashes and other escapes stay.
func normalized(r *http.Request) string {
	path, query, asked := strings.Cut(r.RequestURI, "?")
	if !strings.HasPrefix(path, "/") { // "http://host/path", or "*"
		path = "/" + strings.TrimPrefix(r.URL.EscapedPath(), "/")
	}
	if strings.Contains(path, "/.") || strings.Contains(path, "/%2") {
		path = resolved(escapedDots.Replace(path))
	}
	if asked {
		path += "?" + query
	}
	return path
}

// resolved is a path without "." and ".." segments (RFC 3986 5.2.4).
func resolved(path string) string {
	var kept []string
	segments := strings.Split(path[1:], "/")
	for i, segment := range segments {
		if segment != "." && segment != ".." {
			kept = append(kept, segment)
			continue
		}
		if segment == ".." && len(kept) > 0 {
			kept = kept[:len(kept)-1]
		}
		if i == len(segments)-1 { // "/a/b/.." is "/a/"
			kept = append(kept, "")
		}
	}
	return "/" + strings.Join(kept, "/")
}
