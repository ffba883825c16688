package manifests

import "strings"

// NormalPath is a request's target as Envoy looks at it and forwards it, normalised as Istio's default (pathNormalization
// BASE) does: backslashes are slashes, "." and ".." segments, escaped or not, are resolved, a fragment is dropped.
// Repeated slashes and the query stay. target begins with a slash; NormalPath of its result changes nothing.
func NormalPath(target string) string {
	target, _, _ = strings.Cut(target, "#")
	path, query, asked := strings.Cut(target, "?")
	if !strings.Contains(path, "/.") && !strings.ContainsAny(path, `\%`) {
		return target
	}
	if path = dots.Replace(path); strings.Contains(path, "/.") {
		path = resolved(path)
	}
	if asked {
		path += "?" + query
	}
	return path
}

// dots writes backslashes and escaped dots plainly, so that they are seen as segments.
var dots = strings.NewReplacer(`\`, "/", "%2e", ".", "%2E", ".")

// resolved is a path without "." and ".." segments (RFC 3986 5.2.4).
func resolved(path string) string {
	var kept []string
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, segment := range segments {
		if segment != "." && segment != ".." {
			kept = append(kept, segment)
			continue
		}
		if segment == ".." && len(kept) > 0 {
			kept = kept[:len(kept)-1]
		}
		if i == len(segments)-1 {
			kept = append(kept, "") // "/a/.." is "/", and "/a/." is "/a/"
		}
	}
	return "/" + strings.Join(kept, "/")
}
