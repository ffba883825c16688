package sweep

import (
	"fmt"
	"io"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/junit"
	"github.com/hellochaos/hellochaos/reports/render"
)

// JUnit writes a grid as JUnit's XML: a suite a point, with a case for its verdict, for each hop and for each expectation. What fails is a
// failure, what is inconclusive an error, and what was not judged is skipped.
func JUnit(w io.Writer, s *Report) error {
	all := junit.Suites{Name: "hellochaos sweep", Time: junit.Seconds(s.Elapsed)}
	for i := range s.Points {
		all.Suites = append(all.Suites, s.suite(i))
	}
	if len(s.Points) < s.Planned {
		rest := junit.Case{Name: "all points were run", Class: "hellochaos.sweep", Error: &junit.Problem{Message: s.Summary, Text: s.Error}}
		all.Suites = append(all.Suites, junit.Suite{Name: "grid", Cases: []junit.Case{rest}})
	}
	if err := all.Write(w); err != nil {
		return fmt.Errorf("writing the grid as JUnit's XML: %w", err)
	}
	return nil
}

// suite is that of a point.
func (s *Report) suite(point int) junit.Suite {
	p := &s.Points[point]
	name := s.At(point)
	suite := junit.Suite{Name: name, Time: junit.Seconds(p.Elapsed), Out: p.Summary}
	add := func(what string, verdict reports.Verdict, message, why string) {
		c := junit.Case{Name: what, Class: "hellochaos." + name, Out: message}
		problem := &junit.Problem{Message: message, Type: string(verdict), Text: why}
		switch verdict {
		case reports.Pass:
		case reports.Fail:
			c.Failure = problem
		case reports.NotJudged:
			c.Skipped = problem
		default:
			c.Error = problem
		}
		suite.Cases = append(suite.Cases, c)
	}
	verdict := p.Verdict
	if p.ExitCode != reports.ExitPass && verdict == reports.Pass { // all passed, and something was not put back
		verdict = reports.Inconclusive
	}
	add("verdict", verdict, p.Word+": "+p.Summary, p.Again)
	for _, phase := range p.Phases {
		for _, h := range phase.Hops {
			n := number{true, h.Fails.Predicted, h.Fails.Measured, nil, h.Verdict}
			add(phase.Name+": "+h.Name, h.Verdict, "share of failed calls, predicted → measured: "+n.cell(render.Probability), "")
		}
	}
	for i := range p.Expectations {
		e := &p.Expectations[i]
		add("expectation: "+e.Text, e.Verdict, render.Expected(e), e.Why)
	}
	return suite
}
