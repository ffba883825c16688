package stats

// crossing finds where a monotone condition turns true between lo, where it is false, and hi, where it is true. It halves the
// interval until the interval is narrower than tolerance (relative to its upper end), and returns its ends: the condition is
// false at below and true at above. It halves at most sixty times, which leaves less than one part in 10^18 of the first width.
func crossing(lo, hi, tolerance float64, turned func(float64) bool) (below, above float64) {
	below, above = lo, hi
	for range 60 {
		middle := below + (above-below)/2
		if turned(middle) {
			above = middle
		} else {
			below = middle
		}
		if above-below <= tolerance*above {
			break
		}
	}
	return below, above
}

// fewest returns the smallest count from 1 to most for which a monotone condition holds, or 0 when it holds for none. It begins at
// guess, doubles or halves from there until it has passed the smallest count, and then halves the gap.
func fewest(guess, most int64, holds func(int64) bool) int64 {
	high := min(max(guess, 1), most)
	low := int64(0)
	for !holds(high) {
		if high == most {
			return 0
		}
		low = high
		high = min(2*high, most)
	}
	for low == 0 && high > 1 {
		if holds(high / 2) {
			high /= 2
		} else {
			low = high / 2
		}
	}
	for high-low > 1 {
		if middle := low + (high-low)/2; holds(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return high
}
