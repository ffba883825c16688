package manifests

import "strings"

// NormalPath is the target of a request as Envoy matches and forwards it, normalised as Istio does by default (pathNormalization
// BASE): backslashes become slashes, "." and ".." segments are resolved, escaped or not, and a fragment is dropped. Repeated
// slashes and the query stay. target must begin with a slash. NormalPath does not change its own result.
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

// dots replaces backslashes and escaped dots, so that the segments can be split at slashes and compared with "." and "..".
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
