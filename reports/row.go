package reports

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// columns are the heads of a stage's table.
var columns = []string{"check", "predicted", "before", "after", "catches", "verdict"}

// row is a check as a line of that table.
func row(c *Check) []string {
	return []string{c.Name, predicted(c), measured(c, c.Before), measured(c, c.After), catches(c), verdictWord(c.Verdict)}
}

// verdictWord is a verdict as a table's cell; a long word would not fit.
func verdictWord(v Verdict) string {
	return map[Verdict]string{Pass: "PASS", Fail: "FAIL", Inconclusive: "INCONC."}[v]
}

// predicted is one value where both phases predict the same.
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

// measured is a number with the half-width of its interval, the longer side of it.
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

// catches is the smallest deviation that the check would have found nine times in ten, after the stage where both phases
// have one.
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

// value is a number in a check's unit: a share, or a time with three significant digits.
func value(c *Check, v float64) string {
	switch {
	case c.Unit != "seconds":
		return Probability(v)
	case v >= 1:
		return strconv.FormatFloat(v, 'f', 2, 64) + "s"
	}
	return strconv.FormatFloat(1000*v, 'f', max(0, 1-int(math.Log10(max(1, 10*v)))), 64) + "ms"
}

// Probability is a share as tables have it, with three significant digits, four decimals at most, and no zero before the point.
func Probability(p float64) string {
	decimals := 3
	switch {
	case p > 0 && p < 0.0001:
		return strconv.FormatFloat(p, 'g', 2, 64)
	case p < 0.1:
		decimals = 4
	}
	s := strconv.FormatFloat(p, 'f', decimals, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	if trimmed := strings.TrimPrefix(s, "0."); trimmed != s {
		return "." + trimmed
	}
	return s
}
