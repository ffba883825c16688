package manifests

import "fmt"

// didYouMean is ` (did you mean "x"?)` for the accepted name that is most like a misspelt one. It is empty when none is like it.
func didYouMean(name string, accepted []string) string {
	best, distance := "", max(1, len(name)/3)+1
	for _, candidate := range accepted {
		if n := editDistance(name, candidate); n < distance {
			best, distance = candidate, n
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", best)
}

// editDistance is the least number of letters to insert, delete or replace that turns a into b (Levenshtein 1966, by
// Wagner and Fischer's table, one row at a time).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
