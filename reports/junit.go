package reports

import (
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// The elements of JUnit's XML, as Jenkins, GitLab and Surefire read it. Times are seconds.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string          `xml:"name,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Time       string          `xml:"time,attr"`
		Timestamp  string          `xml:"timestamp,attr,omitempty"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
		Out        string          `xml:"system-out,omitempty"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		Time    string        `xml:"time,attr"`
		Error   *junitProblem `xml:"error"`
		Failure *junitProblem `xml:"failure"`
		Out     string        `xml:"system-out,omitempty"`
	}
	junitProblem struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes a report as JUnit's XML: a suite for each stage with a case for each check, and a suite for the run itself. What
// contradicts the manifests is a failure; what has no verdict is an error, since nothing was shown either way.
func JUnit(w io.Writer, r *Report) error {
	all := junitSuites{Name: "hellochaos", Time: seconds(r.Elapsed), Suites: []junitSuite{runSuite(r)}}
	for i := range r.Stages {
		all.Suites = append(all.Suites, stageSuite(r, &r.Stages[i]))
	}
	for i := range all.Suites {
		all.Suites[i].Properties = properties(r)
		all.Suites[i].count()
		all.Tests += all.Suites[i].Tests
		all.Failures += all.Suites[i].Failures
		all.Errors += all.Suites[i].Errors
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(all); err != nil {
		return fmt.Errorf("writing the report as JUnit's XML: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (s *junitSuite) count() {
	s.Tests = len(s.Cases)
	for _, c := range s.Cases {
		if c.Failure != nil {
			s.Failures++
		}
		if c.Error != nil {
			s.Errors++
		}
	}
}

func seconds(s float64) string { return strconv.FormatFloat(s, 'f', 3, 64) }

// newCase is a case that passed. The checks of a stage are measured by the same requests, so the time is the suite's alone.
func newCase(suite, name string) junitCase {
	return junitCase{Name: name, Class: "hellochaos." + suite, Time: seconds(0)}
}

// runSuite has what is no stage's: that the run went to its end, and that the target was put back.
func runSuite(r *Report) junitSuite {
	completed, restored := newCase("run", "completed"), newCase("run", "restored")
	if r.Error != "" || r.Aborted {
		kind := "aborted"
		if r.Error != "" {
			kind = "error"
		}
		completed.Error = &junitProblem{Message: r.Summary, Type: kind, Text: r.Error}
	}
	lines := notRestored(r)
	if r.Restored == NotRestored {
		restored.Error = &junitProblem{Message: "not all was put back", Type: "not restored", Text: strings.Join(lines, "\n")}
	}
	s := junitSuite{Name: "run", Time: seconds(r.Elapsed), Cases: []junitCase{completed, restored}}
	s.Timestamp = r.Started.UTC().Format("2006-01-02T15:04:05")
	s.Out = strings.Join(append([]string{Headline(r)}, about(r)...), "\n")
	return s
}

func stageSuite(r *Report, stage *Stage) junitSuite {
	suite := junitSuite{Name: stage.Name}
	var verdicts []Verdict
	for i := range stage.Checks {
		c := &stage.Checks[i]
		verdicts = append(verdicts, c.Verdict)
		suite.Cases = append(suite.Cases, checkCase(stage, c))
	}
	// A stage may say more than its checks do: that it was interrupted, or has none.
	if Worst(verdicts...) != stage.Verdict || len(verdicts) == 0 {
		verdict := newCase(stage.Name, "verdict of the stage")
		verdict.judge(stage.Verdict, r.Summary, strings.Join(stage.Words, "\n"))
		suite.Cases = append(suite.Cases, verdict)
	}
	elapsed := 0.0
	for _, p := range stage.Phases {
		elapsed += p.Applied + p.Elapsed
		if suite.Timestamp == "" && !p.Started.IsZero() {
			suite.Timestamp = p.Started.UTC().Format("2006-01-02T15:04:05")
		}
	}
	suite.Time = seconds(elapsed)
	var out []string
	for _, one := range sentences(stage) {
		out = append(out, one.text)
	}
	suite.Out = strings.Join(out, "\n")
	return suite
}

// checkCase is a check with its numbers, as the table has them.
func checkCase(stage *Stage, check *Check) junitCase {
	c := newCase(stage.Name, check.Name)
	var numbers, why []string
	cells := row(check)
	for i, name := range columns[1 : len(columns)-1] {
		if cells[i+1] != "" {
			numbers = append(numbers, name+" "+cells[i+1])
		}
	}
	lines := []string{strings.Join(numbers, ", ")}
	for _, side := range []struct {
		phase string
		m     *Measurement
	}{{"before", check.Before}, {"after", check.After}} {
		if side.m == nil {
			continue
		}
		line := fmt.Sprintf("%s: k %d, n %d, ", side.phase, side.m.K, side.m.N)
		if check.Kind == Exact || check.Kind == Ledger {
			line += fmt.Sprintf("violations %d", side.m.Violations)
		} else {
			line += "band " + value(check, side.m.Band.Lo) + " to " + value(check, side.m.Band.Hi)
		}
		lines = append(lines, line)
		if side.m.Note != "" {
			why = append(why, side.phase+": "+side.m.Note)
		}
	}
	c.Out = strings.Join(lines, "\n")
	c.judge(check.Verdict, lines[0], strings.Join(append(why, stage.Words...), "\n"))
	return c
}

// judge makes a case a failure or an error, as its verdict says.
func (c *junitCase) judge(v Verdict, message, text string) {
	switch v {
	case Pass:
	case Fail:
		c.Failure = &junitProblem{Message: message, Type: string(v), Text: text}
	default:
		c.Error = &junitProblem{Message: message, Type: string(Inconclusive), Text: text}
	}
}

// properties are what a run was made with.
func properties(r *Report) []junitProperty {
	s := r.Settings
	all := []junitProperty{
		{"seed", strconv.FormatUint(s.Seed, 10)}, {"fail", Probability(s.Fail)}, {"hang", Probability(s.Hang)},
		{"cascade", s.Cascade}, {"target", r.Target.Detail}, {"version", r.Tool.Version}, {"go", r.Tool.Go},
		{"system", r.Tool.System}, {"schema", r.Schema},
	}
	if r.Target.Deviation != "" {
		all = append(all, junitProperty{"break", r.Target.Deviation})
	}
	for _, name := range slices.Sorted(maps.Keys(r.Target.Versions)) {
		all = append(all, junitProperty{name, r.Target.Versions[name]})
	}
	return all
}
