package render

import (
	"strings"

	"github.com/hellochaos/hellochaos/reports"
)

// expectation says what was expected, and what was predicted and measured: "edge fails <= 0.01: predicted 0.5, measured 0.487 (0.391 to
// 0.584)". A run of several phases says in which one.
func expectation(r *reports.Report, e *reports.Expectation) string {
	var parts []string
	if e.Predicted != nil {
		parts = append(parts, "predicted "+quantity(*e.Predicted, e.Unit))
	}
	if e.Measured != nil {
		text := "measured " + quantity(*e.Measured, e.Unit)
		if e.Interval != nil {
			text += " (" + quantity(e.Interval.Lo, e.Unit) + " to " + quantity(e.Interval.Hi, e.Unit) + ")"
		}
		parts = append(parts, text)
	}
	if len(parts) == 0 {
		parts = append(parts, "no data")
	}
	text := e.Text + ": " + strings.Join(parts, ", ")
	if e.Of != "" {
		text += ", at " + e.Of
	}
	if len(r.Phases) > 0 && e.Phase != r.Phases[len(r.Phases)-1].Name && !strings.HasPrefix(e.Text, e.Phase+":") {
		text += ", in phase " + e.Phase
	}
	return text
}

// quantity is a number of a unit.
func quantity(v float64, unit reports.Unit) string {
	switch unit {
	case reports.UnitTries:
		return withoutZeros(factor(v))
	case reports.UnitSeconds:
		return milliseconds(v) + " ms"
	}
	return Probability(v)
}

// sentenceOf makes a sentence of a clause.
func sentenceOf(clause string) string {
	if clause == "" {
		return ""
	}
	return strings.ToUpper(clause[:1]) + clause[1:] + "."
}
