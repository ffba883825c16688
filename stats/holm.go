package stats

import (
	"fmt"
	"slices"
)

// Holm adjusts the p-values of a family of tests (Holm, "A simple sequentially rejective multiple test procedure", Scand. J.
// Statistics 6, 1979). If every hypothesis whose adjusted p-value is at most alpha is rejected, the probability to reject any
// true hypothesis of the family is at most alpha, however the tests depend on each other. The results are in the order of the
// arguments, which are not changed. Holm panics on a p-value outside [0, 1].
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		if !(p[i] >= 0 && p[i] <= 1) {
			panic(fmt.Sprintf("stats: p-value %v, want one in [0, 1]", p[i]))
		}
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case p[a] < p[b]:
			return -1
		case p[a] > p[b]:
			return 1
		}
		return 0
	})
	adjusted := make([]float64, len(p))
	worst := 0.0
	for rank, i := range order {
		worst = max(worst, min(1, float64(len(p)-rank)*p[i]))
		adjusted[i] = worst
	}
	return adjusted
}
