package reports

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hellochaos/hellochaos/reports/junit"
)

// JUnit writes a report as JUnit's XML: a suite for each stage with a case for each check, and a suite for the run itself. A check
// that fails is a failure. A check that is inconclusive is an error, since it neither passed nor failed.
func JUnit(w io.Writer, r *Report) error {
	all := junit.Suites{Name: "hellochaos", Time: junit.Seconds(r.Elapsed), Suites: []junit.Suite{runSuite(r)}}
	for i := range r.Stages {
		all.Suites = append(all.Suites, stageSuite(r, &r.Stages[i]))
	}
	for i := range all.Suites {
		all.Suites[i].Properties = properties(r)
	}
	if err := all.Write(w); err != nil {
		return fmt.Errorf("writing the report as JUnit's XML: %w", err)
	}
	return nil
}

// newCase returns a case that passed. It has no time: the checks of a stage are measured by the same requests.
func newCase(suite, name string) junit.Case {
	return junit.Case{Name: name, Class: "hellochaos." + suite}
}

// runSuite has two cases for the whole run: that it was completed, and that the target was put back.
func runSuite(r *Report) junit.Suite {
	completed, restored := newCase("run", "completed"), newCase("run", "restored")
	if r.Error != "" || r.Aborted {
		kind := "aborted"
		if r.Error != "" {
			kind = "error"
		}
		completed.Error = &junit.Problem{Message: r.Summary, Type: kind, Text: r.Error}
	}
	lines := notRestored(r)
	if r.Restored == NotRestored {
		restored.Error = &junit.Problem{Message: "not all was put back", Type: "not restored", Text: strings.Join(lines, "\n")}
	}
	s := junit.Suite{Name: "run", Time: junit.Seconds(r.Elapsed), Cases: []junit.Case{completed, restored}}
	s.Timestamp = r.Started.UTC().Format("2006-01-02T15:04:05")
	s.Out = strings.Join(append([]string{Headline(r)}, about(r)...), "\n")
	return s
}

func stageSuite(r *Report, stage *Stage) junit.Suite {
	suite := junit.Suite{Name: stage.Name}
	var verdicts []Verdict
	for i := range stage.Checks {
		c := &stage.Checks[i]
		verdicts = append(verdicts, c.Verdict)
		suite.Cases = append(suite.Cases, checkCase(stage, c))
	}
	// The stage's verdict does not always follow from its checks: it may have been interrupted, or have no check.
	if Worst(verdicts...) != stage.Verdict || len(verdicts) == 0 {
		verdict := newCase(stage.Name, "verdict of the stage")
		judge(&verdict, stage.Verdict, r.Summary, strings.Join(stage.Words, "\n"))
		suite.Cases = append(suite.Cases, verdict)
	}
	elapsed := 0.0
	for _, p := range stage.Phases {
		elapsed += p.Applied + p.Elapsed
		if suite.Timestamp == "" && !p.Started.IsZero() {
			suite.Timestamp = p.Started.UTC().Format("2006-01-02T15:04:05")
		}
	}
	suite.Time = junit.Seconds(elapsed)
	var out []string
	for _, one := range sentences(stage) {
		out = append(out, one.text)
	}
	suite.Out = strings.Join(out, "\n")
	return suite
}

// checkCase returns the case of a check, with its numbers as the table prints them.
func checkCase(stage *Stage, check *Check) junit.Case {
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
	judge(&c, check.Verdict, lines[0], strings.Join(append(why, stage.Words...), "\n"))
	return c
}

// judge makes a case a failure or an error where its verdict is not a pass.
func judge(c *junit.Case, v Verdict, message, text string) {
	switch v {
	case Pass:
	case Fail:
		c.Failure = &junit.Problem{Message: message, Type: string(v), Text: text}
	default:
		c.Error = &junit.Problem{Message: message, Type: string(Inconclusive), Text: text}
	}
}

// properties returns the settings, the target and the versions of a run.
func properties(r *Report) []junit.Property {
	s := r.Settings
	var all []junit.Property
	add := func(name, value string) { all = append(all, junit.Property{Name: name, Value: value}) }
	add("seed", strconv.FormatUint(s.Seed, 10))
	add("fail", Probability(s.Fail))
	add("hang", Probability(s.Hang))
	add("cascade", s.Cascade)
	add("target", r.Target.Detail)
	add("version", r.Tool.Version)
	add("go", r.Tool.Go)
	add("system", r.Tool.System)
	add("schema", r.Schema)
	if r.Target.Deviation != "" {
		add("break", r.Target.Deviation)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Target.Versions)) {
		add(name, r.Target.Versions[name])
	}
	return all
}
