package render

import (
	"encoding/xml"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/reporttest"
)

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
	"skipped":    {`^$`, []string{"message"}},
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

func parsed(t *testing.T, r *reports.Report) *element {
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
				for _, kind := range []string{"failure", "error", "skipped"} {
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
	type change = func(*reports.Report)
	for _, c := range []struct {
		name, suite, test, want string
		report                  *reports.Report
		change                  change
	}{
		{"a check that passes", "retry", "middleware: each call", "passed", reporttest.Failed(), nil},
		{"calls that deviate", "retry", "backend: each call", "failure fail", reporttest.Failed(), nil},
		{"a ledger that does not balance", "retry", "backend: ledger", "failure fail", reporttest.Failed(), nil},
		{"a branch that was not met", "retry", "backend: all 4 tries fail", "error inconclusive", reporttest.Failed(), nil},
		{"no verdict at all", "retry", "backend: ledger", "error inconclusive", reporttest.Failed(), func(r *reports.Report) { r.Phases[1].Calls[2].Ledger.Verdict = "" }},
		{"times that were not judged", "retry", "backend: waits before try 2", "skipped not judged", reporttest.Late(), nil},
		{"a branch left out by choice", "resilience", "catalog: to v2", "skipped not judged", reporttest.Graph(), nil},
		{"a finding that is an error", "retry", "finding: unknown-subset: VirtualService middleware", "failure finding", reporttest.Findings(), nil},
		{"a finding that is a warning", "prod", "finding: default-retries: VirtualService frontend", "passed", reporttest.Findings(), nil},
		{"a finding of no phase of the report", "run", "finding: dead-rule: VirtualService backend, http[1]", "failure finding", reporttest.Findings(), func(r *reports.Report) { r.Findings[1].Phase = "canary" }},
		{"a phase that its checks speak for", "retry", "verdict of the phase", "none", reporttest.Retry(), nil},
		{"a phase that was interrupted", "retry", "verdict of the phase", "error inconclusive", reporttest.Aborted(), nil},
		{"a phase without calls", "retry", "verdict of the phase", "failure fail", reporttest.Failed(), func(r *reports.Report) { r.Phases[1].Calls = nil }},
		{"a run to its end", "run", "completed", "passed", reporttest.Failed(), nil},
		{"a run that was interrupted", "run", "completed", "error aborted", reporttest.Aborted(), nil},
		{"a run that went wrong", "run", "completed", "error error", reporttest.Broken(), nil},
		{"put back", "run", "restored", "passed", reporttest.Failed(), nil},
		{"not put back", "run", "restored", "error not restored", reporttest.NotRestored(), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.change != nil {
				c.change(c.report)
			}
			if got := outcome(parsed(t, c.report), c.suite, c.test); got != c.want {
				t.Errorf("%s/%s: %s, want %s", c.suite, c.test, got, c.want)
			}
		})
	}
}

// There is a suite for each phase and a case for each check.
func TestJUnitHasAllChecks(t *testing.T) {
	for name, r := range reporttest.Named() {
		suites := parsed(t, r).all("testsuite")
		if len(suites) != 1+len(r.Phases) {
			t.Errorf("%s: %d suites for %d phases", name, len(suites), len(r.Phases))
			continue
		}
		for i := range r.Phases {
			cases := suites[1+i].all("testcase")
			for j, check := range r.Phases[i].Checks() {
				if name != "hostile" && cases[j].attr("name") != check.Name {
					t.Errorf("%s: case %q, want %q", name, cases[j].attr("name"), check.Name)
				}
			}
		}
	}
}

// A failure has what was expected, what was met and the command that sends the call again, and a suite says what it was made with.
func TestJUnitContent(t *testing.T) {
	root := parsed(t, reporttest.Everything())
	suite := root.all("testsuite")[2]
	var deviates, ledger string
	for _, c := range suite.all("testcase") {
		if failed := c.all("failure"); len(failed) > 0 {
			switch c.attr("name") {
			case "backend: each call":
				deviates = failed[0].attr("message") + "\n" + failed[0].Text
			case "backend: ledger":
				ledger = failed[0].attr("message") + "\n" + failed[0].Text
			}
		}
	}
	for _, want := range []string{"12 met something else", `backend: not retried, 10 calls of the requests "all" between 0.0 s and 0.8 s of the phase; the first is call 0.1.2 of request 7/retry/p31, a probe` + "\n", "rule: VirtualService backend, http[0], retry.yaml:47\n",
		"expected: try 4 is sent", "met: try 3 was delivered\n", "again: hellochaos send 7/retry/88\n"} {
		if !strings.Contains(deviates, want) {
			t.Errorf("lacks %q:\n%s", want, deviates)
		}
	}
	if !strings.Contains(ledger, "152 fewer retries") || strings.Contains(ledger, "again: ") {
		t.Errorf("the ledger has\n%s", ledger)
	}
	values := map[string]string{}
	for _, p := range suite.all("properties")[0].all("property") {
		values[p.attr("name")] = p.attr("value")
	}
	for name, want := range map[string]string{"seed": "18446744073709551615", "fail": "0.5", "target": "embedded mesh", "istio": "1.31.1", "version": "v1.2.3", "break": "one-retry-less",
		"canary-weight": "20", "exclude": "0.01"} {
		if values[name] != want {
			t.Errorf("property %s is %q, want %q", name, values[name], want)
		}
	}
	if suite.attr("time") != "0.920" || suite.attr("timestamp") != "2026-01-02T03:04:05" || root.attr("time") != "2.040" {
		t.Errorf("time %s at %s of %s", suite.attr("time"), suite.attr("timestamp"), root.attr("time"))
	}
}

// Whatever a string holds, the XML is well formed, and what XML can hold is kept.
func TestJUnitOddStrings(t *testing.T) {
	r := reporttest.Everything()
	odd := "a\x00b\x1b[31m<c>&\"'\u2028]]>\xff\ufffe d"
	r.Summary, r.Error, r.Target.Detail, r.Settings.Cascade = odd, odd, odd, odd
	r.Target.Versions[odd] = odd
	r.Phases[1].Name, r.Phases[1].Words, r.Findings[0].Text = odd, []string{odd}, odd
	r.Phases[1].Calls[0].To, r.Phases[1].Calls[0].Note = odd, odd
	root := parsed(t, r)
	name := root.all("testsuite")[2].all("testcase")[0].attr("name")
	if !strings.Contains(name, `<c>&"'`) || !strings.Contains(name, "]]>") || strings.ContainsAny(name, "\x00\x1b") {
		t.Errorf("the name became %q", name)
	}
}
