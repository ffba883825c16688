package scenarios

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
)

// explanation puts a stage's result into words. It knows the report and nothing else, so that what it says can be read
// off the numbers beside it.
type explanation struct {
	stage    *reports.Stage
	settings reports.Settings
}

func (e *explanation) say(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	e.stage.Words = append(e.stage.Words, strings.ToUpper(text[:1])+text[1:])
}

func (e *explanation) passed() bool { return e.stage.Verdict == reports.Pass }

// row is a check of the report; one that the stage does not have is empty.
type row = reports.Check

func (e *explanation) check(name string) row {
	for _, c := range e.stage.Checks {
		if c.Name == name {
			return c
		}
	}
	return row{}
}

func (e *explanation) phase(name string) reports.Phase {
	for _, p := range e.stage.Phases {
		if p.Name == name {
			return p
		}
	}
	return reports.Phase{}
}

func (e *explanation) policy(hop string) reports.Policy {
	for _, p := range e.stage.Policies {
		if p.Hop == hop {
			return p
		}
	}
	return reports.Policy{Hop: hop, Rule: noProxy}
}

// explainFailures says plainly what was measured where nothing better is known.
func (e *explanation) explainFailures() {
	for _, c := range e.stage.Checks {
		for i, m := range []*reports.Measurement{c.Before, c.After} {
			if failed(m) && m.Measured != nil && c.Unit == "share" {
				e.say("%s, %s: %s where the manifests say %s.", c.Name, phaseName(i == 1), reports.Probability(*m.Measured), reports.Probability(m.Predicted))
			}
		}
	}
}

func failed(m *reports.Measurement) bool { return m != nil && m.Verdict == reports.Fail }

// before and after are a check's predictions, -1 where it has none.
func before(c row) float64 { return predictedOf(c.Before) }
func after(c row) float64  { return predictedOf(c.After) }

func predictedOf(m *reports.Measurement) float64 {
	if m == nil {
		return -1
	}
	return m.Predicted
}

// percent is a share for people, "19.6 %".
func percent(p *float64) string {
	if p == nil {
		return "none"
	}
	return strconv.FormatFloat(100**p, 'g', 3, 64) + " %"
}

func numbers(n []int) string {
	if len(n) == 0 {
		return "not kept"
	}
	text := make([]string, len(n))
	for i, v := range n {
		text[i] = strconv.Itoa(v)
	}
	return strings.Join(text, ", ") + " …"
}

func ordinal(n int) string {
	switch n {
	case 1:
		return "1st"
	case 2:
		return "2nd"
	case 3:
		return "3rd"
	}
	return strconv.Itoa(n) + "th"
}
