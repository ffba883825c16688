// Package spelling finds the accepted name that a misspelt one was meant to be. It knows letters, and must not know what
// the names are for: fields of manifests, commands, flags and stages all get their suggestions here.
package spelling

import (
	"fmt"
	"strings"
)

// DidYouMean is ` (did you mean "x"?)` for the accepted name nearest to a misspelt one, and empty when none is near: where
// more than a third of the name's letters are wrong, and more than one.
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

// editDistance is the least number of letters to insert, delete or replace, or of neighbours to exchange, that turns a
// into b, where no letter is touched twice (optimal string alignment: Damerau 1964, by Wagner and Fischer's table, of which
// three rows are kept).
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
