package manifests

import "strings"

// normalisePath is the path that Envoy's routes look at: without query and fragment, and normalised as Istio's default
// (pathNormalization BASE) does: backslashes are slashes, "." and ".." segments are resolved. Repeated slashes stay.
func normalisePath(path string) string {
	if i := strings.IndexAny(path, "?#"); i >= 0 {
		path = path[:i]
	}
	if !strings.Contains(path, "/.") && !strings.ContainsAny(path, `\%`) {
		return path
	}
	path = dots.Replace(path)
	if !strings.Contains(path, "/.") {
		return path
	}
	var kept []string
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, segment := range segments {
		last := i == len(segments)-1
		switch segment {
		case "..":
			if len(kept) > 0 {
				kept = kept[:len(kept)-1]
			}
		case ".":
		default:
			kept = append(kept, segment)
			continue
		}
		if last {
			kept = append(kept, "") // "/a/.." is "/", and "/a/." is "/a/"
		}
	}
	return "/" + strings.Join(kept, "/")
}

// dots writes backslashes and escaped dots plainly, so that they are seen as segments.
var dots = strings.NewReplacer(`\`, "/", "%2e", ".", "%2E", ".")
