package reports

import (
	"fmt"

	v1 "github.com/hellochaos/hellochaos/reports/v1"
)

// Kinds of the checks of schema 1.
const (
	oldProportion = "proportion"
	oldExact      = "exact"
	oldLedger     = "ledger"
	oldMedian     = "median"
)

// checkOldConsistency is checkConsistency for reports of schema 1.
func checkOldConsistency(r *v1.Report, found *problems) {
	unique(len(r.Stages), func(i int) string { return r.Stages[i].Name }, "stages", found)
	for i := range r.Stages {
		s, place := &r.Stages[i], fmt.Sprintf("stages[%d]", i)
		unique(len(s.Checks), func(j int) string { return s.Checks[j].Name }, place+".checks", found)
		unique(len(s.Phases), func(j int) string { return s.Phases[j].Name }, place+".phases", found)
		unique(len(s.Amplification), func(j int) string { return s.Amplification[j].Hop }, place+".amplification", found)
		unique(len(s.Policies), func(j int) string { return s.Policies[j].Hop }, place+".policies", found)
		for j := range s.Checks {
			c := &s.Checks[j]
			checkMeasurement(c, c.Before, fmt.Sprintf("%s.checks[%d].before", place, j), found)
			checkMeasurement(c, c.After, fmt.Sprintf("%s.checks[%d].after", place, j), found)
		}
		for j := range s.Phases {
			p, place := measured(&s.Phases[j]), fmt.Sprintf("%s.phases[%d]", place, j)
			checkMeasured(p.Latency, p.Seconds, p.Distributions, place, found)
			checkSpans(p.Samples, place, found)
		}
	}
}

func checkMeasurement(c *v1.Check, m *v1.Measurement, place string, found *problems) {
	if m == nil {
		return
	}
	checkInterval(&m.Band, place+".band", found)
	checkInterval(m.Interval, place+".interval", found)
	if c.Kind == oldProportion || c.Kind == oldExact {
		atMost(m.K, m.N, place+".k", "n", found)
	}
	if c.Kind == oldExact {
		atMost(m.Violations, m.N, place+".violations", "n", found)
	}
}
