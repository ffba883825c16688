package compare

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// The elements of JUnit's XML.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		Skipped *junitProblem `xml:"skipped"`
		Error   *junitProblem `xml:"error"`
		Failure *junitProblem `xml:"failure"`
		Out     string        `xml:"system-out,omitempty"`
	}
	junitProblem struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes a comparison as JUnit's XML, a suite for each stage with a case for each metric: worse is a failure, unclear an
// error, or skipped where it does not count.
func JUnit(w io.Writer, c *Comparison) error {
	all := junitSuites{Name: "hellochaos compare-reports"}
	for i := range c.Rows {
		all.suite(c.Rows[i].Stage).add(junitRow(&c.Rows[i]))
	}
	for _, e := range c.Excluded {
		one := junitCase{Name: e.Phase + ": " + e.What, Class: "hellochaos.compare." + e.Stage}
		if problem := (&junitProblem{Message: e.Why}); e.Gates {
			one.Error = problem
		} else {
			one.Skipped = problem
		}
		all.suite(e.Stage).add(one)
	}
	for i := range all.Suites {
		s := &all.Suites[i]
		all.Tests, all.Failures, all.Errors = all.Tests+s.Tests, all.Failures+s.Failures, all.Errors+s.Errors
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(all); err != nil {
		return fmt.Errorf("writing the comparison as JUnit's XML: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// suite finds the suite of a stage, or adds it.
func (s *junitSuites) suite(stage string) *junitSuite {
	for i := range s.Suites {
		if s.Suites[i].Name == stage {
			return &s.Suites[i]
		}
	}
	s.Suites = append(s.Suites, junitSuite{Name: stage})
	return &s.Suites[len(s.Suites)-1]
}

func (s *junitSuite) add(c junitCase) {
	s.Cases = append(s.Cases, c)
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
}

func junitRow(r *Row) junitCase {
	n := r.cells()
	said := fmt.Sprintf("%s: OLD %s, NEW %s", r.Word, n.old, n.new)
	for _, part := range []struct{ name, text string }{{"difference", n.difference}, {"p after Holm", n.p}, {"requests that would settle it", n.needed}} {
		if part.text != "" {
			said += ", " + part.name + " " + part.text
		}
	}
	one := junitCase{Name: r.Phase + ": " + r.Metric, Class: "hellochaos.compare." + r.Stage}
	problem := &junitProblem{Message: said, Text: r.Note}
	switch {
	case r.Word == Worse:
		one.Failure = problem
	case r.Word == Unclear && r.Gates:
		one.Error = problem
	case r.Word == Unclear:
		one.Skipped = problem
	default:
		one.Out = strings.TrimSuffix(said+"\n"+r.Note, "\n")
	}
	return one
}
