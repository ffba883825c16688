package reports

import (
	"fmt"

	"github.com/hellochaos/hellochaos/stats"
)

// maxSecond is the largest number of a second that a report may have: a phase of more than eleven days.
const maxSecond = 1_000_000

// checkConsistency finds fields that contradict each other in a report of the right form, so that no code that reads the report needs
// to check them again: names that must differ do, the lower end of an interval is not above the upper one, bins and seconds ascend, a
// part is at most the whole, outcomes are those of all natural requests, and every span follows the one that caused it.
func checkConsistency(r *Report, found *problems) {
	checkInterval(&r.Settings.SplitTolerance, "settings.split_tolerance", found)
	if c := r.Cases; c != nil && (c.Held < 0 || c.Held > c.All) {
		found.add("cases.held", "must be at least 0 and at most all, which is %d, not %d", c.All, c.Held)
	}
	unique(len(r.Expectations), func(i int) string { return r.Expectations[i].Text }, "expectations", found)
	for i := range r.Expectations {
		checkInterval(r.Expectations[i].Interval, fmt.Sprintf("expectations[%d].interval", i), found)
	}
	unique(len(r.Changes), func(i int) string { return r.Changes[i].Title() }, "changes", found)
	for i := range r.Changes {
		checkChange(&r.Changes[i], fmt.Sprintf("changes[%d]", i), found)
	}
	unique(len(r.Phases), func(i int) string { return r.Phases[i].Name }, "phases", found)
	for i := range r.Phases {
		p, place := &r.Phases[i], fmt.Sprintf("phases[%d]", i)
		checkJudged(p, place, found)
		checkMeasured(p.Latency, p.Seconds, p.Distributions, place, found)
		checkSpans(p.Samples, place, found)
	}
}

// checkChange looks at what calls met while rules changed.
func checkChange(c *Change, place string, found *problems) {
	atMost(c.Evidence, c.Calls, place+".evidence", "calls", found)
	atMost(c.Open, c.Calls, place+".open", "calls", found)
	atMost(c.Lost, c.Calls, place+".lost", "calls", found)
	atMost(c.Mixed, c.Requests, place+".mixed_requests", "requests", found)
	unique(len(c.Proxies), func(i int) string { return c.Proxies[i].Name }, place+".proxies", found)
	unique(len(c.Troubles), func(i int) string { return c.Troubles[i].Kind }, place+".troubles", found)
}

// checkJudged looks at what a phase judged.
func checkJudged(p *Phase, place string, found *problems) {
	unique(len(p.Shares), func(i int) string { return p.Shares[i].Name }, place+".shares", found)
	for i := range p.Shares {
		checkShare(&p.Shares[i], fmt.Sprintf("%s.shares[%d]", place, i), found)
	}
	before := found.count
	for i := range p.Calls {
		checkCall(&p.Calls[i], fmt.Sprintf("%s.calls[%d]", place, i), found)
	}
	if found.count == before { // A call with two equal branches would be reported again here.
		checks := p.Checks()
		unique(len(checks), func(i int) string { return checks[i].Name }, place+": the checks of calls", found)
	}
	if n := len(p.Outcomes); n != 0 && n != p.Natural {
		found.add(place+".outcomes", "%d bytes: must be one for each of the natural_requests, which are %d, or none", n, p.Natural)
	}
}

func checkCall(c *Call, place string, found *problems) {
	checkShare(&c.Fails, place+".fails", found)
	atMost(c.Mismatched, c.Judged, place+".mismatched", "judged", found)
	atMost(c.Open, c.Judged, place+".open", "judged", found)
	atMost(c.Decisive, c.Judged, place+".decisive", "judged", found)
	unique(len(c.Branches), func(i int) string { return c.Branches[i].Name }, place+".branches", found)
	if c.Split != nil {
		unique(len(c.Split.Parts), func(i int) string { return c.Split.Parts[i].Name }, place+".split.parts", found)
		for i := range c.Split.Parts {
			checkShare(&c.Split.Parts[i].Share, fmt.Sprintf("%s.split.parts[%d]", place, i), found)
		}
	}
	for i, w := range c.Waits {
		checkInterval(w.Interval, fmt.Sprintf("%s.waits[%d].interval_seconds", place, i), found)
		if i > 0 && w.Try <= c.Waits[i-1].Try {
			found.add(fmt.Sprintf("%s.waits[%d].try", place, i), "%d: must be larger than the one before it, which is %d", w.Try, c.Waits[i-1].Try)
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

func atMost(part, whole int64, place, of string, found *problems) {
	if part > whole {
		found.add(place, "%d: must be at most %s, which is %d", part, of, whole)
	}
}

func checkInterval(i *stats.Interval, place string, found *problems) {
	if i != nil && i.Lo > i.Hi {
		found.add(place, "lo is %g and hi is %g: lo must be at most hi", i.Lo, i.Hi)
	}
}

func checkShare(s *Share, place string, found *problems) {
	atMost(s.K, s.N, place+".k", "n", found)
	checkInterval(s.Interval, place+".interval", found)
}

// checkMeasured looks at the latencies of a phase.
func checkMeasured(latencies []Latency, seconds []Second, distributions []Distribution, place string, found *problems) {
	for i, l := range latencies {
		checkInterval(l.Interval, fmt.Sprintf("%s.latency[%d].interval_seconds", place, i), found)
	}
	last := -1
	for i, s := range seconds {
		where := fmt.Sprintf("%s.seconds[%d]", place, i)
		if s.Number <= last || s.Number > maxSecond {
			found.add(where+".number", "%d: must be larger than the number before it, and at most %d", s.Number, maxSecond)
		}
		last = s.Number
		checkBins(s.OK, where+".ok", found)
		checkBins(s.Failed, where+".failed", found)
	}
	for i, d := range distributions {
		checkBins(d.Bins, fmt.Sprintf("%s.distributions[%d].bins", place, i), found)
	}
}

func checkSpans(samples []Sample, place string, found *problems) {
	for i, s := range samples {
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
