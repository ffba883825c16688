package render

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/hellochaos/hellochaos/stats"
)

// Probability returns a share as tables print it: with three significant digits and at most four decimals. A share below 0.0001 is
// printed with an exponent, such as 6.3e-06.
func Probability(p float64) string {
	decimals := 3
	switch {
	case p > 0 && p < 0.0001:
		return strconv.FormatFloat(p, 'g', 2, 64)
	case p < 0.1:
		decimals = 4
	}
	return withoutZeros(strconv.FormatFloat(p, 'f', decimals, 64))
}

// Percent returns a share in percent with at most two significant digits: "1 %", "0.25 %".
func Percent(p float64) string {
	text := strconv.FormatFloat(100*p, 'g', 2, 64)
	if v, err := strconv.ParseFloat(text, 64); err == nil && v >= 10 { // "1e+02"
		text = strconv.FormatFloat(v, 'f', -1, 64)
	}
	return text + " %"
}

// Count returns a number of things, with a comma before each three digits: "1,380".
func Count(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// counted returns a number of things with their name, in the plural where the number is not 1: "1 call", "1,380 calls", "2 tries".
func counted(n int64, thing string) string {
	if n != 1 {
		if stem, ok := strings.CutSuffix(thing, "y"); ok {
			thing = stem + "ie"
		}
		thing += "s"
	}
	return Count(n) + " " + thing
}

// between returns an interval of shares.
func between(i stats.Interval) string { return Probability(i.Lo) + " to " + Probability(i.Hi) }

// factor returns a number of tries for each request, with three significant digits, at least two decimals below 100.
func factor(v float64) string {
	if math.Abs(v) >= 100 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// milliseconds returns a time in milliseconds without its unit: with one decimal below 10, else without.
func milliseconds(seconds float64) string {
	ms := 1000 * seconds
	if math.Abs(ms) < 9.95 {
		return withoutZeros(strconv.FormatFloat(ms, 'f', 1, 64))
	}
	return strconv.FormatFloat(ms, 'f', 0, 64)
}

// withoutZeros cuts the zeros at the end of a number's fraction, and the sign of a zero.
func withoutZeros(number string) string {
	if strings.Contains(number, ".") {
		number = strings.TrimRight(strings.TrimRight(number, "0"), ".")
	}
	if number == "-0" {
		return "0"
	}
	return number
}

// Signed returns number, which is the size of v as text, with the sign of v in front: a plus sign, or a minus sign (U+2212). A
// number that was rounded to zero has no sign.
func Signed(v float64, number string) string {
	switch {
	case !strings.ContainsAny(number, "123456789"):
		return number
	case v < 0:
		return "−" + number
	}
	return "+" + number
}

// list joins names: "a", "a and b", "a, b and c".
func list(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return fmt.Sprintf("%s and %s", strings.Join(names[:len(names)-1], ", "), names[len(names)-1])
}
