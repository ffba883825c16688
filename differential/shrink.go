package differential

import (
	"maps"
	"net/http"
	"slices"
)

// shrink makes a set of objects and a request as small as it can while differs holds: it leaves out objects, then parts of objects, then
// parts of the request. differs must hold for the input.
func shrink(policies []tree, a asked, differs func([]tree, asked) bool) ([]tree, asked) {
	for again := true; again; {
		again = false
		for i := len(policies) - 1; i >= 0; i-- {
			if less := slices.Delete(slices.Clone(policies), i, i+1); differs(less, a) {
				policies, again = less, true
			}
		}
		for i := range policies {
			for _, spec := range smaller(policies[i]["spec"]) {
				less := slices.Clone(policies)
				less[i] = maps.Clone(policies[i])
				less[i]["spec"] = spec
				if differs(less, a) {
					policies, again = less, true
					break
				}
			}
		}
	}
	for _, less := range lessAsked(a) {
		if differs(policies, less) {
			a = less
		}
	}
	return policies, a
}

// smaller are copies of a part of an object in each of which one thing is left out, the largest things first.
func smaller(part any) (all []any) {
	switch p := part.(type) {
	case tree:
		for _, key := range slices.Sorted(maps.Keys(p)) {
			less := maps.Clone(p)
			delete(less, key)
			all = append(all, less)
		}
		for _, key := range slices.Sorted(maps.Keys(p)) {
			for _, inner := range smaller(p[key]) {
				less := maps.Clone(p)
				less[key] = inner
				all = append(all, less)
			}
		}
	case []any:
		for i := range p {
			all = append(all, slices.Delete(slices.Clone(p), i, i+1))
		}
		for i := range p {
			for _, inner := range smaller(p[i]) {
				less := slices.Clone(p)
				less[i] = inner
				all = append(all, less)
			}
		}
	}
	return all
}

// lessAsked are simpler requests, of which later ones have what earlier ones changed only if the caller takes those.
func lessAsked(a asked) []asked {
	plain := a
	plain.request.Header, plain.request.Path, plain.request.Method = http.Header{}, "/", "GET"
	headers, path := a, a
	headers.request.Header = http.Header{}
	path.request.Path = "/"
	return []asked{headers, path, plain}
}
