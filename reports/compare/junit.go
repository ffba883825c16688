package compare

import (
	"fmt"
	"io"
	"strings"

	"github.com/hellochaos/hellochaos/reports/junit"
)

// JUnit writes a comparison as JUnit's XML, with a suite for each phase and a case for each metric. A metric that is worse is a failure.
// An unclear one is an error where it counts, and skipped where it does not.
func JUnit(w io.Writer, c *Comparison) error {
	all := junit.Suites{Name: "hellochaos compare-reports"}
	add := func(phase string, one junit.Case) {
		suite := all.Suite(phase)
		suite.Cases = append(suite.Cases, one)
	}
	for i := range c.Rows {
		add(c.Rows[i].Phase, junitRow(&c.Rows[i]))
	}
	for _, e := range c.Excluded {
		one := junit.Case{Name: e.What, Class: "hellochaos.compare." + e.Phase}
		if problem := (&junit.Problem{Message: e.Why}); e.Gates {
			one.Error = problem
		} else {
			one.Skipped = problem
		}
		add(e.Phase, one)
	}
	if err := all.Write(w); err != nil {
		return fmt.Errorf("writing the comparison as JUnit's XML: %w", err)
	}
	return nil
}

func junitRow(r *Row) junit.Case {
	n := r.cells()
	message := fmt.Sprintf("%s: OLD %s, NEW %s", r.Word, n.Old, n.New)
	for _, part := range []struct{ name, text string }{{"difference", n.Difference}, {"p after Holm", n.P}, {"requests that a phase needs", n.Needed}} {
		if part.text != "" {
			message += ", " + part.name + " " + part.text
		}
	}
	one := junit.Case{Name: r.of(), Class: "hellochaos.compare." + r.Phase}
	problem := &junit.Problem{Message: message, Text: r.Note}
	switch {
	case r.Word == Worse:
		one.Failure = problem
	case r.Word == Unclear && r.Gates:
		one.Error = problem
	case r.Word == Unclear:
		one.Skipped = problem
	default:
		one.Out = strings.TrimSuffix(message+"\n"+r.Note, "\n")
	}
	return one
}
