package reports

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// columns are the heads of the table of a stage's checks.
var columns = []string{"check", "predicted", "before", "after", "catches", "verdict"}

// row returns a check as a row of that table, one cell for each of columns.
func row(c *Check) []string {
	return []string{c.Name, predicted(c), measured(c, c.Before), measured(c, c.After), catches(c), verdictWord(c.Verdict)}
}

// verdictWord returns a verdict as headlines and tables print it.
func verdictWord(v Verdict) string { return strings.ToUpper(string(v)) }

// predicted returns the predictions of both phases, or one value where both predict the same.
func predicted(c *Check) string {
	if c.Kind == Ledger {
		return "exact"
	}
	var sides []string
	for _, m := range []*Measurement{c.Before, c.After} {
		if m != nil && (m.N > 0 || c.Kind == Median) {
			if v := value(c, m.Predicted); len(sides) == 0 || sides[0] != v {
				sides = append(sides, v)
			}
		}
	}
	return strings.Join(sides, "→")
}

// measured returns a number with the half-width of its interval. The two sides of an interval differ; it is the longer one.
func measured(c *Check, m *Measurement) string {
	switch {
	case m == nil:
		return ""
	case m.Measured == nil:
		return "no data"
	case c.Kind == Ledger:
		return ledgerCell(m)
	case c.Kind == Exact || m.Band.Lo == m.Band.Hi:
		return fmt.Sprintf("%d of %d", m.K, m.N)
	case m.Interval == nil:
		return value(c, *m.Measured)
	}
	half := math.Max(*m.Measured-m.Interval.Lo, m.Interval.Hi-*m.Measured)
	return value(c, *m.Measured) + " ±" + value(c, half)
}

func ledgerCell(m *Measurement) string {
	if m.N == 0 && m.K == 0 {
		return "no retries"
	}
	return fmt.Sprintf("%d of %d", m.K, m.N)
}

// catches returns the smallest deviation from the prediction that the check would have found nine times in ten. It is that of
// the phase after where both phases have one.
func catches(c *Check) string {
	for _, m := range []*Measurement{c.After, c.Before} {
		switch {
		case m == nil:
		case c.Kind == Ledger:
			return "1 try"
		case m.Detects != nil:
			return Probability(*m.Detects)
		}
	}
	return ""
}

// value returns a number in a check's unit: a share, or a time in seconds with two decimals or in milliseconds with one.
func value(c *Check, v float64) string {
	switch {
	case c.Unit != "seconds":
		return Probability(v)
	case v >= 1:
		return strconv.FormatFloat(v, 'f', 2, 64) + "s"
	}
	return strconv.FormatFloat(1000*v, 'f', 1, 64) + "ms"
}

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
