package reports

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
)

// wellFormed reads all of an XML text.
func wellFormed(text string) error {
	for decoder := xml.NewDecoder(strings.NewReader(text)); ; {
		if _, err := decoder.Token(); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}

// element is any XML element.
type element struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Children []element  `xml:",any"`
	Text     string     `xml:",chardata"`
}

func (e *element) attr(name string) string {
	for _, a := range e.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func (e *element) all(name string) (found []element) {
	for _, c := range e.Children {
		if c.XMLName.Local == name {
			found = append(found, c)
		}
	}
	return found
}

// The structure that Jenkins' and Surefire's schemas have: the children of each element in their order, and the attributes
// that must be there.
var junitSchema = map[string]struct {
	children string // a regular expression over "name,name,"
	required []string
}{
	"testsuites": {`^(testsuite,)*$`, []string{"name", "tests", "failures", "errors", "time"}},
	"testsuite":  {`^(properties,)?(testcase,)*(system-out,)?(system-err,)?$`, []string{"name", "tests", "failures", "errors", "skipped", "time"}},
	"properties": {`^(property,)+$`, nil},
	"property":   {`^$`, []string{"name", "value"}},
	"testcase":   {`^(skipped,|error,|failure,)?(system-out,)?(system-err,)?$`, []string{"name", "classname", "time"}},
	"failure":    {`^$`, []string{"message", "type"}},
	"error":      {`^$`, []string{"message", "type"}},
	"system-out": {`^$`, nil},
}

var secondsPattern = regexp.MustCompile(`^\d+\.\d{3}$`)

// holds checks an element and all below it against the structure.
func (e *element) holds(t *testing.T) {
	t.Helper()
	rule, known := junitSchema[e.XMLName.Local]
	if !known {
		t.Errorf("element %s is not in the schema", e.XMLName.Local)
	}
	children := ""
	for i := range e.Children {
		children += e.Children[i].XMLName.Local + ","
		e.Children[i].holds(t)
	}
	if !regexp.MustCompile(rule.children).MatchString(children) {
		t.Errorf("%s has %s where %s is accepted", e.XMLName.Local, children, rule.children)
	}
	for _, name := range rule.required {
		if value := e.attr(name); value == "" && name != "value" || name == "time" && !secondsPattern.MatchString(value) {
			t.Errorf("%s: %s=%q", e.XMLName.Local, name, value)
		}
	}
}

// counts holds the numbers of the suites to what they contain.
func (e *element) counts(t *testing.T) {
	t.Helper()
	total := [3]int{}
	for _, suite := range e.all("testsuite") {
		got := [3]int{}
		for _, c := range suite.all("testcase") {
			got[0]++
			got[1] += len(c.all("failure"))
			got[2] += len(c.all("error"))
		}
		for i := range got {
			total[i] += got[i]
		}
		if want := [3]string{suite.attr("tests"), suite.attr("failures"), suite.attr("errors")}; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("suite %s contains %v and says %v", suite.attr("name"), got, want)
		}
	}
	if want := [3]string{e.attr("tests"), e.attr("failures"), e.attr("errors")}; fmt.Sprint(total) != fmt.Sprint(want) {
		t.Errorf("the suites contain %v and say %v", total, want)
	}
}

func parsed(t *testing.T, r *Report) *element {
	t.Helper()
	var out strings.Builder
	if err := JUnit(&out, r); err != nil {
		t.Fatal(err)
	}
	root := new(element)
	if err := xml.Unmarshal([]byte(out.String()), root); err != nil {
		t.Fatalf("%v in\n%s", err, out.String())
	}
	if !strings.HasPrefix(out.String(), xml.Header) || root.XMLName.Local != "testsuites" {
		t.Errorf("not a document of test suites:\n%s", out.String())
	}
	root.holds(t)
	root.counts(t)
	return root
}

// outcome is how a case ended.
func outcome(root *element, suite, name string) string {
	for _, s := range root.all("testsuite") {
		for _, c := range s.all("testcase") {
			if s.attr("name") == suite && c.attr("name") == name {
				for _, kind := range []string{"failure", "error"} {
					if found := c.all(kind); len(found) > 0 {
						return kind + " " + found[0].attr("type")
					}
				}
				return "passed"
			}
		}
	}
	return "none"
}

func TestJUnit(t *testing.T) {
	for _, c := range []struct {
		name, suite, test, want string
		change                  func(*Report)
	}{
		{"a check that passes", "retry", "middleware call fails", "passed", nil},
		{"a check that fails", "retry", "middleware wait, try 2", "failure fail", nil},
		{"a check without a verdict", "retry", "backend ledger", "error inconclusive", nil},
		{"no verdict at all", "retry", "backend ledger", "error inconclusive", func(r *Report) { r.Stages[0].Checks[2].Verdict = "" }},
		{"a stage that its checks speak for", "retry", "verdict of the stage", "none", nil},
		{"a stage that was interrupted", "retry", "verdict of the stage", "error inconclusive", func(r *Report) {
			r.Stages[0].Checks, r.Stages[0].Verdict = r.Stages[0].Checks[:2], Inconclusive
		}},
		{"a stage without checks", "retry", "verdict of the stage", "error inconclusive", func(r *Report) {
			r.Stages[0].Checks, r.Stages[0].Verdict = nil, Inconclusive
		}},
		{"a run to its end", "run", "completed", "passed", nil},
		{"a run that was interrupted", "run", "completed", "error aborted", func(r *Report) { r.Aborted = true }},
		{"a run that went wrong", "run", "completed", "error error", func(r *Report) { r.Error = "no answer" }},
		{"put back", "run", "restored", "passed", nil},
		{"not put back", "run", "restored", "error not restored", func(r *Report) { r.Restored = NotRestored }},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := example()
			if c.change != nil {
				c.change(r)
			}
			if got := outcome(parsed(t, r), c.suite, c.test); got != c.want {
				t.Errorf("%s/%s: %s, want %s", c.suite, c.test, got, c.want)
			}
		})
	}
}

// The numbers of a case are those of the table, and a suite says what it was made with.
func TestJUnitNumbers(t *testing.T) {
	root := parsed(t, everything())
	suite := root.all("testsuite")[1]
	want := "predicted 0.5→0.0625, before 0.498 ±0.0213, after 0.0611 ±0.0105, catches 0.0812\n" +
		"before: k 498, n 1000, band 0.45 to 0.55\nafter: k 61, n 1000, band 0.0125 to 0.113"
	if got := suite.all("testcase")[0].all("system-out")[0].Text; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	values := map[string]string{}
	for _, p := range suite.all("properties")[0].all("property") {
		values[p.attr("name")] = p.attr("value")
	}
	for name, want := range map[string]string{"seed": "18446744073709551615", "fail": "0.5", "target": "embedded mesh", "istio": "1.31.1", "version": "v1.2.3", "break": "slow-backoff"} {
		if values[name] != want {
			t.Errorf("property %s is %q, want %q", name, values[name], want)
		}
	}
	if suite.attr("time") != "2.100" || suite.attr("timestamp") != "2026-01-02T15:04:05" || root.attr("time") != "5.250" {
		t.Errorf("time %s at %s of %s", suite.attr("time"), suite.attr("timestamp"), root.attr("time"))
	}
}

// Whatever a string holds, the XML is well formed, and what XML can hold is kept.
func TestJUnitOddStrings(t *testing.T) {
	r := everything()
	odd := "a\x00b\x1b[31m<c>&\"'\u2028]]>\xff\ufffe d"
	r.Summary, r.Error, r.Target.Detail, r.Settings.Cascade = odd, odd, odd, odd
	r.Target.Versions[odd] = odd
	r.Stages[0].Name, r.Stages[0].Words = odd, []string{odd}
	r.Stages[0].Checks[3].Name, r.Stages[0].Checks[3].After.Note = odd, odd
	root := parsed(t, r)
	name := root.all("testsuite")[1].all("testcase")[3].attr("name")
	if !strings.Contains(name, `<c>&"'`) || !strings.Contains(name, "]]>") || strings.ContainsAny(name, "\x00\x1b") {
		t.Errorf("the name became %q", name)
	}
}
