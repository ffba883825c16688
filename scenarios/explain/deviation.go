package explain

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
)

// deviations says what the mesh evidently did where calls met something else than the rules allow.
func (s *story) deviations() {
	for i := range s.phase.Mismatches {
		m := &s.phase.Mismatches[i]
		if text := s.deviation(m, s.callOf(m)); text != "" {
			s.say("%s", text)
		}
	}
}

// callOf is the row of a deviation; an empty one where the report has none.
func (s *story) callOf(m *reports.Mismatch) *reports.Call {
	for i := range s.phase.Calls {
		c := &s.phase.Calls[i]
		if c.From == m.From && c.To == m.To && (c.Rule == nil && m.Rule == "" || c.Rule != nil && c.Rule.Name == m.Rule && c.Rule.Line == m.Line) {
			return c
		}
	}
	return &reports.Call{From: m.From, To: m.To}
}

// ruleOf names the rule of a deviation.
func ruleOf(m *reports.Mismatch) string {
	if m.Rule == "" {
		return "no rule"
	}
	return rule(&reports.Rule{Name: m.Rule, File: m.File, Line: m.Line})
}

// share is how many of the calls of a row deviated, as the subject of a sentence: "12 of 1,380 calls from a to b".
func share(m *reports.Mismatch, c *reports.Call) string {
	text := count(m.Count) + " " + calls(m.From, m.To)
	switch {
	case c.Judged == m.Count && m.Count > 1:
		text = "all " + text
	case c.Judged > 0:
		text = fmt.Sprintf("%s of %s %s", count(m.Count), count(c.Judged), calls(m.From, m.To))
	}
	if len(m.Cohorts) > 0 {
		text += ", all of " + cohorts(m.Cohorts) + ","
	}
	return text
}

// deviation is one or more sentences about a kind of deviation. The names of the kinds are those of reports.
func (s *story) deviation(m *reports.Mismatch, c *reports.Call) string {
	who, pattern := share(m, c), s.pattern(m, c)
	switch m.Kind {
	case "not retried":
		return s.notRetried(m, c)
	case "too many tries":
		return fmt.Sprintf("%s got try %d, where %s allows %s: more retries are in force than the manifests say%s.", who, m.Try, ruleOf(m), tries(allowed(c)), pattern)
	case "retried without cause":
		return fmt.Sprintf("%s were sent again although the try before did not fail, or failed in a way that %s does not cover%s.", who, ruleOf(m), pattern)
	case "wrong destination":
		return s.wrongDestination(m, c)
	case "answered by the proxy":
		return s.byProxy(m, c)
	case "not answered by the proxy":
		return fmt.Sprintf("%s were answered by %s, where %s lets the proxy answer itself: the rule is not in force for them%s.", who, m.By, ruleOf(m), pattern)
	case "no answer":
		return fmt.Sprintf("%s got no answer, and no rule asks for that%s.", who, pattern)
	case "no attempt count":
		return fmt.Sprintf("%s carried no attempt count: they did not come through a proxy that obeys %s, so that nothing sends them again%s.", who, ruleOf(m), pattern)
	case "unexpected attempt count":
		return fmt.Sprintf("%s carried an attempt count, although no proxy of a caller should be on their way: they came through one%s.", who, pattern)
	case "not cut by its time limit":
		return fmt.Sprintf("%s were answered by a try that took longer than %s lets a try take: the time limit is not in force for them%s.", who, ruleOf(m), pattern)
	case "delay missing":
		return fmt.Sprintf("%s were answered sooner than the delay of %s allows: the fault is not in force for them%s.", who, ruleOf(m), pattern)
	case "no trail":
		if m.Status == http.StatusNotFound {
			return fmt.Sprintf("%s were answered 404 without a trail, as a proxy answers that has no rule for the host and path of a request: %s is not in force for them. Or whoever answered is not the program that the manifests deploy%s.", who, ruleOf(m), pattern)
		}
		return fmt.Sprintf("%s were answered without a trail: whoever answered is not the program that the manifests deploy, or something on the way changed its answer%s.", who, pattern)
	case "wrong status":
		return fmt.Sprintf("%s were answered with another status than the draws of %s give: it runs another program or configuration than the manifests say, or something on the way changed the status%s.", who, m.To, pattern)
	case "wrong host", "wrong path":
		return fmt.Sprintf("%s arrived with another %s than %s sends: what it rewrites is not in force for them, or something else rewrites them%s.",
			who, strings.TrimPrefix(m.Kind, "wrong "), ruleOf(m), pattern)
	case "wrong calls":
		return fmt.Sprintf("%s were answered by a service that made other calls than its Deployment says: it runs with another configuration%s.", who, pattern)
	}
	return fmt.Sprintf("%s deviated from %s (%s)%s.", who, ruleOf(m), m.Kind, pattern)
}

// allowed is how many tries the rule of a call allows.
func allowed(c *reports.Call) int {
	if c.Rule == nil {
		return 1
	}
	return c.Rule.Retries + 1
}

const (
	// mostStray is the share of calls up to which deviating ones are strays of a rule that is in force.
	mostStray = 0.2
	// early is the share of a phase that is its beginning.
	early = 0.05
)

// pattern says how deviating calls lie in the phase, as a clause with a comma before it; empty where that says nothing.
func (s *story) pattern(m *reports.Mismatch, c *reports.Call) string {
	switch {
	case m.Count < 2 || c.Judged == 0 || m.Count == c.Judged:
		return ""
	case s.atBeginning(m):
		return fmt.Sprintf(", all within the first %s s of %s s: a proxy did not obey the rules yet when the phase began", number(m.LastAt), number(s.phase.Elapsed))
	case float64(m.Count) <= mostStray*float64(c.Judged) && m.LastAt > 0:
		return ", spread over the phase: some proxy or worker does not obey the rule for all of its calls"
	}
	return ""
}

// atBeginning reports whether all deviating calls belong to requests of the phase's beginning.
func (s *story) atBeginning(m *reports.Mismatch) bool {
	return s.former != nil && m.LastAt > 0 && m.LastAt < early*s.phase.Elapsed
}

// notRetried says which limit is in force, where the called service's own counts tell it.
func (s *story) notRetried(m *reports.Mismatch, c *reports.Call) string {
	who := share(m, c)
	if c.Rule == nil {
		return fmt.Sprintf("%s failed and were not sent again%s.", who, s.pattern(m, c))
	}
	allows := fmt.Sprintf("%s allows %d retries on %q", ruleOf(m), c.Rule.Retries, c.Rule.RetryOn)
	if c.Rule.Retries == 1 {
		allows = fmt.Sprintf("%s allows 1 retry on %q", ruleOf(m), c.Rule.RetryOn)
	}
	if l := c.Ledger; l != nil {
		last := 0
		for _, line := range l.Attempts {
			if line.Received > 0 {
				last = max(last, line.Attempt)
			}
		}
		switch {
		case last == 1:
			return fmt.Sprintf("%s failed at their first try and were not sent again, although %s: no call was sent again at all, so that retries are off, or what is in force does not cover the failure.", who, allows)
		case last > 1 && last == m.Try && last <= c.Rule.Retries:
			return fmt.Sprintf("%s failed at try %d and were not sent again, although %s: no call had more tries, so that the limit in force is %s.", who, last, allows, tries(last))
		}
	}
	return fmt.Sprintf("%s failed with tries left and were not sent again, although %s%s.", who, allows, s.pattern(m, c))
}

// wrongDestination says who answered and which rule leads there.
func (s *story) wrongDestination(m *reports.Mismatch, c *reports.Call) string {
	text := fmt.Sprintf("%s were answered by %s, to which %s does not lead", share(m, c), m.By, ruleOf(m))
	switch other, former := s.otherRule(m, c), s.before(c); {
	case other != nil && len(other.Cohorts) > 0:
		text += fmt.Sprintf(": they were treated as %s says, which is for %s", rule(other.Rule), cohorts(other.Cohorts))
	case other != nil:
		text += fmt.Sprintf(": they were treated as %s says", rule(other.Rule))
	case former != nil && former.Rule != nil && reaches(former, m.By):
		text += fmt.Sprintf(": they were treated as the rules of phase %s allow", s.former.Name)
	}
	if pattern := s.pattern(m, c); pattern != "" {
		return text + pattern + "."
	}
	switch {
	case len(m.Cohorts) > 0 && len(m.Cohorts) < len(c.Cohorts):
		return text + ". The proxy does not tell the cohorts apart as the conditions do."
	case c.Judged > 0 && float64(m.Count) > mostStray*float64(c.Judged):
		return text + ". The rule is not in force."
	}
	return text + "."
}

// otherRule is the row whose rule leads to who answered, among those of the same calls for other requests.
func (s *story) otherRule(m *reports.Mismatch, c *reports.Call) *reports.Call {
	for i := range s.phase.Calls {
		other := &s.phase.Calls[i]
		if other != c && other.From == c.From && reports.SameService(other.To, c.To) && other.Rule != nil && reaches(other, m.By) {
			return other
		}
	}
	return nil
}

// reaches reports whether a service and version may answer the calls of a row.
func reaches(c *reports.Call, by string) bool {
	return slices.ContainsFunc(c.Rule.Destinations, func(d reports.Destination) bool {
		return slices.ContainsFunc(d.Versions, func(version string) bool { return c.To+"-"+version == by })
	})
}

// byProxy says what a proxy answered that should not, or what came instead of its answer.
func (s *story) byProxy(m *reports.Mismatch, c *reports.Call) string {
	who, pattern := share(m, c), s.pattern(m, c)
	if c.Rule == nil {
		return fmt.Sprintf("%s were answered %d by something else than the service%s.", who, m.Status, pattern)
	}
	own, always := ownAnswer(c.Rule)
	switch {
	case always && c.Rule.Why != "" && own >= http.StatusInternalServerError && m.Status > 0 && m.Status < http.StatusInternalServerError:
		return fmt.Sprintf("%s were answered %d, where the proxy is to answer %d: %s. The host is reached all the same, so that outbound traffic is open%s.", who, m.Status, own, c.Rule.Why, pattern)
	case always:
		return fmt.Sprintf("%s were answered %d, where %s lets the proxy answer %d%s.", who, m.Status, ruleOf(m), own, pattern)
	case c.Rule.Why != "":
		return fmt.Sprintf("%s were answered %d by a proxy, where they are to be let out: %s. What opens the way is not in force%s.", who, m.Status, c.Rule.Why, pattern)
	case m.Status == http.StatusNotFound:
		return fmt.Sprintf("%s were answered 404 by a proxy, although %s holds for them: the proxy has no rule for the host, or none whose conditions hold%s.", who, ruleOf(m), pattern)
	case m.Status == http.StatusServiceUnavailable:
		return fmt.Sprintf("%s were answered 503 by a proxy: it knows nobody at the destination of %s, or reached nobody there%s.", who, ruleOf(m), pattern)
	}
	return fmt.Sprintf("%s were answered %d by a proxy, which %s does not ask for%s.", who, m.Status, ruleOf(m), pattern)
}
