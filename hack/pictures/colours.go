package main

import (
	"cmp"
	"image/color"
	"maps"
	"slices"
)

// most returns the n colours that are counted most often.
func most(counts map[color.RGBA]int, n int) []color.RGBA {
	all := slices.SortedFunc(maps.Keys(counts), func(a, b color.RGBA) int { return cmp.Compare(counts[b], counts[a]) })
	return all[:min(n, len(all))]
}
