package trail

import (
	"strconv"
	"strings"
)

// Probability reads a decimal number in [0,1], as HeaderFail and HeaderHang have it. NaN and infinities fail the
// comparison; hexadecimal numbers and digit separators are strconv's own.
func Probability(text string) (p float64, ok bool) {
	p, err := strconv.ParseFloat(text, 64)
	if err != nil || !(p >= 0 && p <= 1) || strings.ContainsAny(text, "xX_") {
		return 0, false
	}
	return p, true
}
