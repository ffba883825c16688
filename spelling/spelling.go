// Package spelling suggests the accepted name that a user may have meant by a misspelt one. It compares letters, and must not know
// what the names are for: the suggestions for fields of manifests, commands, flags and stages all come from here.
package spelling

import (
	"fmt"
	"slices"
	"strings"
)

// DidYouMean returns ` (did you mean "x"?)` for the accepted name x that is nearest to name. It returns "" if none is near: at most
// a third of the letters of name may be wrong, and one letter may always be wrong.
func DidYouMean(name string, accepted []string) string {
	best, distance := "", max(1, len(name)/3)+1
	for _, candidate := range accepted {
		if n := editDistance(strings.ToLower(name), strings.ToLower(candidate)); n < distance {
			best, distance = candidate, n
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", best)
}

// Nearest are accepted names in the order of how near they are to a name; those that are as near as each other stay in their order.
func Nearest(name string, accepted []string) []string {
	type at struct {
		name     string
		distance int
	}
	var all []at
	for _, candidate := range accepted {
		all = append(all, at{candidate, editDistance(strings.ToLower(name), strings.ToLower(candidate))})
	}
	slices.SortStableFunc(all, func(a, b at) int { return a.distance - b.distance })
	sorted := make([]string, len(all))
	for i := range all {
		sorted[i] = all[i].name
	}
	return sorted
}

// editDistance is the smallest number of edits that turn a into b, if no letter is edited twice. An edit inserts, deletes or replaces
// a letter, or exchanges two neighbours. This is the optimal string alignment distance (Damerau 1964), computed with the table of
// Wagner and Fischer, of which three rows are kept.
func editDistance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			replaced := last[j]
			if a[i] != b[j] {
				replaced++
			}
			row[j+1] = min(replaced, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
