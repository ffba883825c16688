package trail

import (
	"strconv"
	"strings"
)

// Probability reads a decimal number in [0,1], the form of the values of HeaderFail and HeaderHang. It refuses NaN and infinities,
// and also hexadecimal numbers and digit separators, which strconv would accept.
func Probability(text string) (p float64, ok bool) {
	p, err := strconv.ParseFloat(text, 64)
	if err != nil || !(p >= 0 && p <= 1) || strings.ContainsAny(text, "xX_") {
		return 0, false
	}
	return p, true
}
