package render

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/junit"
)

// JUnit writes a report as JUnit's XML: a suite for each phase with a case for each check, finding, expectation and change, and a suite for the run
// itself. A check that fails is a failure, and so is a finding that is an error. A check that is inconclusive is an error, since it
// neither passed nor failed. A check that was not judged is skipped.
func JUnit(w io.Writer, r *reports.Report) error {
	all := junit.Suites{Name: "hellochaos", Time: junit.Seconds(r.Elapsed), Suites: []junit.Suite{runSuite(r)}}
	for i := range r.Phases {
		all.Suites = append(all.Suites, phaseSuite(r, i))
	}
	for i := range all.Suites {
		all.Suites[i].Properties = properties(r)
	}
	if err := all.Write(w); err != nil {
		return fmt.Errorf("writing the report as JUnit's XML: %w", err)
	}
	return nil
}

// newCase returns a case that passed. It has no time: the checks of a phase are made of the same requests.
func newCase(suite, name string) junit.Case {
	return junit.Case{Name: name, Class: "hellochaos." + suite}
}

// runSuite has two cases for the whole run: that it was completed, and that the target was put back. It also has the findings of phases
// that the report does not have.
func runSuite(r *reports.Report) junit.Suite {
	completed, restored := newCase("run", "completed"), newCase("run", "restored")
	if r.Error != "" || r.Aborted {
		kind := "aborted"
		if r.Error != "" {
			kind = "error"
		}
		completed.Error = &junit.Problem{Message: r.Summary, Type: kind, Text: r.Error}
	}
	lines := notRestored(r)
	if r.Restored == reports.NotRestored {
		restored.Error = &junit.Problem{Message: "not all was put back", Type: "not restored", Text: strings.Join(lines, "\n")}
	}
	s := junit.Suite{Name: "run", Time: junit.Seconds(r.Elapsed), Cases: []junit.Case{completed, restored}}
	s.Timestamp = r.Started.UTC().Format("2006-01-02T15:04:05")
	missing := func(name string) bool {
		return !slices.ContainsFunc(r.Phases, func(p reports.Phase) bool { return p.Name == name })
	}
	s.Cases = slices.Concat(s.Cases, findingCases(r, "run", missing), expectationCases(r, "run", missing), changeCases(r, "run", missing))
	s.Out = strings.Join(append([]string{Headline(r)}, about(r)...), "\n")
	return s
}

func phaseSuite(r *reports.Report, i int) junit.Suite {
	p := &r.Phases[i]
	suite := junit.Suite{Name: p.Name, Time: junit.Seconds(p.Applied + p.Elapsed)}
	if !p.Started.IsZero() {
		suite.Timestamp = p.Started.UTC().Format("2006-01-02T15:04:05")
	}
	var verdicts []reports.Verdict
	for _, check := range p.Checks() {
		verdicts = append(verdicts, check.Verdict)
		suite.Cases = append(suite.Cases, checkCase(p, &check))
	}
	suite.Cases = append(suite.Cases, findingCases(r, p.Name, func(name string) bool { return name == p.Name })...)
	suite.Cases = append(suite.Cases, expectationCases(r, p.Name, func(name string) bool { return name == p.Name })...)
	suite.Cases = append(suite.Cases, changeCases(r, p.Name, func(name string) bool { return name == p.Name })...)
	// The verdict of the phase does not always follow from its checks: it may have been interrupted, or have no check.
	if reports.Worst(verdicts...) != p.Verdict || len(verdicts) == 0 {
		verdict := newCase(p.Name, "verdict of the phase")
		why := p.Undecided
		if why == "" {
			why = r.Summary
		}
		judge(&verdict, p.Verdict, why, strings.Join(p.Words, "\n"))
		suite.Cases = append(suite.Cases, verdict)
	}
	out := []string{proof(p)}
	for _, one := range sentences(p) {
		out = append(out, one.text)
	}
	suite.Out = strings.Join(out, "\n")
	return suite
}

// checkCase returns the case of a check. Of calls that deviated it has the first one of each kind.
func checkCase(p *reports.Phase, check *reports.Check) junit.Case {
	c := newCase(p.Name, check.Name)
	c.Out = check.Text
	var why []string
	if check.Note != "" {
		why = append(why, check.Note)
	}
	if check.Verdict == reports.Fail {
		for i := range p.Mismatches {
			if m := &p.Mismatches[i]; strings.HasSuffix(check.Name, ": each call") && m.From == check.Call.From && m.To == check.Call.To && m.Rule == ruleName(check.Call) {
				why = append(why, deviation(m), "rule: "+ruleOf(m), "expected: "+m.Expected, "met: "+m.Met, "again: "+m.Again)
			}
		}
		why = append(why, p.Words...)
	}
	judge(&c, check.Verdict, check.Text, strings.Join(why, "\n"))
	if check.Verdict == reports.NotJudged {
		c.Skipped.Message = check.Note
	}
	return c
}

// ruleName returns the name of a call's rule as mismatches have it.
func ruleName(c *reports.Call) string {
	if c.Rule == nil {
		return ""
	}
	return c.Rule.Name
}

// findingCases returns a case for each finding of the phases that in names.
func findingCases(r *reports.Report, suite string, in func(phase string) bool) (all []junit.Case) {
	for i := range r.Findings {
		f := &r.Findings[i]
		if !in(f.Phase) {
			continue
		}
		c := newCase(suite, "finding: "+join([]string{f.ID, f.Object}))
		if f.Severity == reports.SeverityError {
			c.Failure = &junit.Problem{Message: Finding(f), Type: "finding"}
		} else {
			c.Out = Finding(f)
		}
		all = append(all, c)
	}
	return all
}

// expectationCases returns a case for each expectation of the phases that in names.
func expectationCases(r *reports.Report, suite string, in func(phase string) bool) (all []junit.Case) {
	for i := range r.Expectations {
		e := &r.Expectations[i]
		if !in(e.Phase) {
			continue
		}
		c := newCase(suite, "expectation: "+e.Text)
		c.Out = expectation(r, e)
		judge(&c, e.Verdict, c.Out, e.Why)
		all = append(all, c)
	}
	return all
}

// changeCases returns a case for each change of which the later phase is one that in names.
func changeCases(r *reports.Report, suite string, in func(phase string) bool) (all []junit.Case) {
	for i := range r.Changes {
		ch := &r.Changes[i]
		if !in(ch.Later()) {
			continue
		}
		c := newCase(suite, "change: "+ch.Title())
		c.Out = changeLine(ch)
		judge(&c, ch.Verdict, c.Out, strings.Join(ch.Words, "\n"))
		all = append(all, c)
	}
	return all
}

// judge makes a case a failure, an error or a skipped one where its verdict is not a pass.
func judge(c *junit.Case, v reports.Verdict, message, text string) {
	switch v {
	case reports.Pass:
	case reports.NotJudged:
		c.Skipped = &junit.Problem{Message: message, Type: string(v)}
	case reports.Fail:
		c.Failure = &junit.Problem{Message: message, Type: string(v), Text: text}
	default:
		c.Error = &junit.Problem{Message: message, Type: string(reports.Inconclusive), Text: text}
	}
}

// properties returns the settings, the target and the versions of a run.
func properties(r *reports.Report) []junit.Property {
	s := r.Settings
	var all []junit.Property
	add := func(name, value string) { all = append(all, junit.Property{Name: name, Value: value}) }
	add("seed", strconv.FormatUint(s.Seed, 10))
	add("fail", Probability(s.Fail))
	add("hang", Probability(s.Hang))
	add("cascade", s.Cascade)
	add("exclude", Probability(s.Exclude))
	for _, name := range slices.Sorted(maps.Keys(s.Parameters)) {
		add(name, s.Parameters[name])
	}
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
