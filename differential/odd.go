package differential

import (
	"maps"
	"slices"
	"strings"
)

// odd are texts and numbers that somebody may write by mistake, most of which are right in some fields and wrong in others.
var (
	oddTexts   = []string{"", "*", "~", ".", "a_b", "*.example", "*example", "a.*", "UPPER", "-a", "a..b", "one.", "x y", "a/b", "./*", "*/*", "~/*", "mesh", "1", "5xx", "503", "999", "0s", "1ns", "-1s", "1h", "/", "http", "HTTP", "(", "host", ":authority", ":path", "x-envoy-a", "%a%", strings.Repeat("a", 64), strings.Repeat("a.", 130) + "a", "a.b.c/d", "10.0.0.1", "*.10.0.0.1", "::1"}
	oddNumbers = []int{0, 1, -1, 100, 101, 199, 200, 599, 600, 65535, 65536, 70000}
)

// twisted is an object in which some parts are odd, or are left out.
func (d draw) twisted(o tree) tree {
	twisted := maps.Clone(o)
	for range 1 + d.IntN(2) {
		spots := spotsOf(twisted["spec"], nil)
		if len(spots) == 0 {
			return twisted
		}
		twisted["spec"] = d.twist(twisted["spec"], spots[d.IntN(len(spots))])
	}
	return twisted
}

// spot is the way to a part of an object: keys of maps and indices of lists.
type spot []any

// spotsOf are the ways to all parts of a part.
func spotsOf(part any, way spot) (all []spot) {
	switch p := part.(type) {
	case tree:
		for _, key := range slices.Sorted(maps.Keys(p)) {
			inner := append(slices.Clone(way), key)
			all = append(append(all, inner), spotsOf(p[key], inner)...)
		}
	case []any:
		for i := range p {
			inner := append(slices.Clone(way), i)
			all = append(append(all, inner), spotsOf(p[i], inner)...)
		}
	}
	return all
}

// twist is a copy of a part in which what is at a spot is odd.
func (d draw) twist(part any, way spot) any {
	switch p := part.(type) {
	case tree:
		key := way[0].(string)
		less := maps.Clone(p)
		switch {
		case len(way) > 1:
			less[key] = d.twist(p[key], way[1:])
		case d.chance(0.25):
			delete(less, key)
		case d.chance(0.1):
			delete(less, key)
			less[d.one(oddTexts...)] = p[key]
		default:
			less[key] = d.odd(p[key])
		}
		return less
	case []any:
		i := way[0].(int)
		less := slices.Clone(p)
		switch {
		case len(way) > 1:
			less[i] = d.twist(p[i], way[1:])
		case d.chance(0.2):
			return slices.Delete(less, i, i+1)
		case d.chance(0.2):
			return append(less, p[i])
		default:
			less[i] = d.odd(p[i])
		}
		return less
	}
	return d.odd(part)
}

// odd is an odd value of the same type.
func (d draw) odd(value any) any {
	switch value.(type) {
	case string:
		return d.one(oddTexts...)
	case int:
		return oddNumbers[d.IntN(len(oddNumbers))]
	case tree:
		return tree{}
	case []any:
		return []any{}
	}
	return value
}
