package main

import (
	"cmp"
	"image/color"
	"maps"
	"slices"
)

// most returns the n colours that are counted most often. A strong colour counts more than a grey: the marks of failures are few pixels, and the
// edges of letters have many greys, of which the nearest will do.
func most(counts map[color.RGBA]int, n int) []color.RGBA {
	weight := func(c color.RGBA) int {
		strength := int(max(c.R, c.G, c.B)) - int(min(c.R, c.G, c.B))
		return counts[c] * (1 + strength*strength/64)
	}
	all := slices.SortedFunc(maps.Keys(counts), func(a, b color.RGBA) int { return cmp.Compare(weight(b), weight(a)) })
	return all[:min(n, len(all))]
}
