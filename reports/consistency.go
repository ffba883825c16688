package reports

import (
	"fmt"

	"github.com/hellochaos/hellochaos/stats"
)

// maxSecond is the largest number of a second that a report may have: a phase of more than eleven days.
const maxSecond = 1_000_000

// checkConsistency finds fields that contradict each other in a report of the right form, so that no code that reads the report needs
// to check them again: the lower end of an interval is not above the upper one, bins and seconds ascend, K of a share is at most N,
// and every span follows the one that caused it.
func checkConsistency(r *Report, found *problems) {
	unique(len(r.Stages), func(i int) string { return r.Stages[i].Name }, "stages", found)
	for i := range r.Stages {
		s, place := &r.Stages[i], fmt.Sprintf("stages[%d]", i)
		unique(len(s.Checks), func(j int) string { return s.Checks[j].Name }, place+".checks", found)
		unique(len(s.Phases), func(j int) string { return s.Phases[j].Name }, place+".phases", found)
		unique(len(s.Amplification), func(j int) string { return s.Amplification[j].Hop }, place+".amplification", found)
		for j := range s.Checks {
			c := &s.Checks[j]
			checkMeasurement(c, c.Before, fmt.Sprintf("%s.checks[%d].before", place, j), found)
			checkMeasurement(c, c.After, fmt.Sprintf("%s.checks[%d].after", place, j), found)
		}
		for j := range s.Phases {
			checkPhase(&s.Phases[j], fmt.Sprintf("%s.phases[%d]", place, j), found)
		}
	}
}

// unique finds names that are in a list twice. Code that reads a report looks up entries by their names.
func unique(n int, name func(int) string, place string, found *problems) {
	seen := map[string]bool{}
	for i := range n {
		if seen[name(i)] {
			found.add(fmt.Sprintf("%s[%d]", place, i), "%s: the name is there twice, and must be there once", shown(name(i)))
		}
		seen[name(i)] = true
	}
}

func checkMeasurement(c *Check, m *Measurement, place string, found *problems) {
	if m == nil {
		return
	}
	checkInterval(&m.Band, place+".band", found)
	checkInterval(m.Interval, place+".interval", found)
	if (c.Kind == Proportion || c.Kind == Exact) && m.K > m.N {
		found.add(place+".k", "%d: must be at most n, which is %d", m.K, m.N)
	}
}

func checkInterval(i *stats.Interval, place string, found *problems) {
	if i != nil && i.Lo > i.Hi {
		found.add(place, "lo is %g and hi is %g: lo must be at most hi", i.Lo, i.Hi)
	}
}

func checkPhase(p *Phase, place string, found *problems) {
	for i, l := range p.Latency {
		checkInterval(l.Interval, fmt.Sprintf("%s.latency[%d].interval_seconds", place, i), found)
	}
	last := -1
	for i, s := range p.Seconds {
		where := fmt.Sprintf("%s.seconds[%d]", place, i)
		if s.Number <= last || s.Number > maxSecond {
			found.add(where+".number", "%d: must be larger than the number before it, and at most %d", s.Number, maxSecond)
		}
		last = s.Number
		checkBins(s.OK, where+".ok", found)
		checkBins(s.Failed, where+".failed", found)
	}
	for i, d := range p.Distributions {
		checkBins(d.Bins, fmt.Sprintf("%s.distributions[%d].bins", place, i), found)
	}
	for i, s := range p.Samples {
		for j, span := range s.Spans {
			if span.Parent >= j {
				found.add(fmt.Sprintf("%s.samples[%d].spans[%d].parent", place, i, j), "%d: must be the number of a span before this one, or -1", span.Parent)
			}
		}
	}
}

// checkBins names the first bin that is out of order, and no others: all bins after it may be out of order as well.
func checkBins(bins []Bin, place string, found *problems) {
	for i := 1; i < len(bins); i++ {
		if bins[i][0] <= bins[i-1][0] {
			found.add(fmt.Sprintf("%s[%d]", place, i), "the latency %d follows %d: the latencies of bins must ascend", bins[i][0], bins[i-1][0])
			return
		}
	}
}
