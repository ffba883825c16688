// Package junit writes JUnit's XML in the form that Jenkins, GitLab and Surefire read. It knows suites, cases and how they are counted.
// It must not know what they test.
package junit

import (
	"encoding/xml"
	"io"
	"strconv"
)

// Suites is a whole file. Write fills in its counts.
type Suites struct {
	XMLName  xml.Name `xml:"testsuites"`
	Name     string   `xml:"name,attr"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Errors   int      `xml:"errors,attr"`
	Time     Seconds  `xml:"time,attr"`
	Suites   []Suite  `xml:"testsuite"`
}

// Suite is a group of cases, such as those of a stage.
type Suite struct {
	Name     string  `xml:"name,attr"`
	Tests    int     `xml:"tests,attr"`
	Failures int     `xml:"failures,attr"`
	Errors   int     `xml:"errors,attr"`
	Skipped  int     `xml:"skipped,attr"`
	Time     Seconds `xml:"time,attr"`
	// Timestamp is the time at which the suite began, in UTC: "2026-01-02T15:04:05".
	Timestamp  string     `xml:"timestamp,attr,omitempty"`
	Properties []Property `xml:"properties>property"`
	Cases      []Case     `xml:"testcase"`
	Out        string     `xml:"system-out,omitempty"`
}

// Property is a name with a value that describes a suite.
type Property struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

// Case is one test. It passed where Skipped, Error and Failure are all nil.
type Case struct {
	Name    string   `xml:"name,attr"`
	Class   string   `xml:"classname,attr"`
	Time    Seconds  `xml:"time,attr"`
	Skipped *Problem `xml:"skipped"`
	Error   *Problem `xml:"error"`
	Failure *Problem `xml:"failure"`
	Out     string   `xml:"system-out,omitempty"`
}

// Problem is the reason for which a case did not pass.
type Problem struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// Seconds is a time in seconds, which is written with three decimals.
type Seconds float64

// MarshalText implements encoding.TextMarshaler.
func (s Seconds) MarshalText() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(s), 'f', 3, 64), nil
}

// Suite returns the suite with a name. It adds one where there is none.
func (s *Suites) Suite(name string) *Suite {
	for i := range s.Suites {
		if s.Suites[i].Name == name {
			return &s.Suites[i]
		}
	}
	s.Suites = append(s.Suites, Suite{Name: name})
	return &s.Suites[len(s.Suites)-1]
}

// Write counts the cases and writes the file.
func (s *Suites) Write(w io.Writer) error {
	s.Tests, s.Failures, s.Errors = 0, 0, 0
	for i := range s.Suites {
		one := &s.Suites[i]
		one.count()
		s.Tests, s.Failures, s.Errors = s.Tests+one.Tests, s.Failures+one.Failures, s.Errors+one.Errors
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(s); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (s *Suite) count() {
	s.Tests, s.Failures, s.Errors, s.Skipped = len(s.Cases), 0, 0, 0
	for _, c := range s.Cases {
		switch {
		case c.Failure != nil:
			s.Failures++
		case c.Error != nil:
			s.Errors++
		case c.Skipped != nil:
			s.Skipped++
		}
	}
}
