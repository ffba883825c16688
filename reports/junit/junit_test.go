package junit

import (
	"strings"
	"testing"
)

func TestWrite(t *testing.T) {
	s := Suites{Name: "all", Time: 1.5}
	one := s.Suite("one")
	one.Cases = append(one.Cases, Case{Name: "passes", Class: "c"}, Case{Name: "fails", Class: "c", Failure: &Problem{Message: "no", Type: "fail", Text: "a < b\x00"}},
		Case{Name: "unknown", Class: "c", Error: &Problem{Message: "?"}}, Case{Name: "left", Class: "c", Skipped: &Problem{Message: "why"}})
	if s.Suite("one") != one && len(s.Suites) != 1 {
		t.Error("a suite of the same name is added")
	}
	const want = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="all" tests="4" failures="1" errors="1" time="1.500">
  <testsuite name="one" tests="4" failures="1" errors="1" skipped="1" time="0.000">
    <properties></properties>
    <testcase name="passes" classname="c" time="0.000"></testcase>
    <testcase name="fails" classname="c" time="0.000">
      <failure message="no" type="fail">a &lt; b` + "\uFFFD" + `</failure>
    </testcase>
    <testcase name="unknown" classname="c" time="0.000">
      <error message="?"></error>
    </testcase>
    <testcase name="left" classname="c" time="0.000">
      <skipped message="why"></skipped>
    </testcase>
  </testsuite>
</testsuites>
`
	for range 2 { // writing does not add to the counts
		var out strings.Builder
		if err := s.Write(&out); err != nil || out.String() != want {
			t.Errorf("%v\n%s\nwant\n%s", err, out.String(), want)
		}
	}
}
