package explain

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
)

// rules says what the rules do that are new in the phase. Of calls that failed it says nothing: what went wrong is told.
func (s *story) rules() {
	var fresh []*reports.Call
	for i := range s.phase.Calls {
		if c := &s.phase.Calls[i]; c.Rule != nil && c.Mismatched == 0 && c.Verdict != reports.Fail && s.isNew(c) {
			fresh = append(fresh, c)
		}
	}
	for _, c := range fresh {
		if among := s.alike(c); len(among) > 1 {
			for _, other := range among {
				if other.Mismatched > 0 || other.Verdict == reports.Fail {
					continue
				}
				s.say("The %s %s (%s).", callsOf(other), goes(other.Rule), rule(other.Rule))
			}
		} else {
			s.leads(c)
		}
	}
	s.retries(fresh)
	s.entered(fresh)
	for _, c := range fresh {
		s.limits(c)
		s.fault(c)
	}
}

// isNew reports whether the rule of a call does not hold for such calls in the phase before. In the first phase none is new.
func (s *story) isNew(c *reports.Call) bool {
	return s.former != nil && !slices.ContainsFunc(s.former.Calls, func(other reports.Call) bool {
		return other.From == c.From && reports.SameService(other.To, c.To) && other.Rule != nil && reflect.DeepEqual(other.Rule, c.Rule)
	})
}

// alike are the rows of calls from the same service to the same one that have a rule: more than one where the rule depends on the
// request.
func (s *story) alike(c *reports.Call) (all []*reports.Call) {
	for i := range s.phase.Calls {
		if other := &s.phase.Calls[i]; other.From == c.From && reports.SameService(other.To, c.To) && other.Rule != nil {
			all = append(all, other)
		}
	}
	return all
}

// callsOf names the calls of a row, with the cohorts that lead to them.
func callsOf(c *reports.Call) string {
	if len(c.Cohorts) == 0 {
		return calls(c.From, c.To)
	}
	return calls(c.From, c.To) + " of " + cohorts(c.Cohorts)
}

// every names all calls of a row.
func every(c *reports.Call) string {
	if c.From == edge {
		return "every request"
	}
	return "every call to " + c.To
}

// ownAnswer is the status that the caller's proxy answers to every call itself, 0 where it breaks the connection; false where
// somebody else may answer.
func ownAnswer(r *reports.Rule) (status int, always bool) {
	if r.Answer != 0 || len(r.Destinations) == 0 {
		return r.Answer, true
	}
	for i := range r.Destinations {
		if r.Destinations[i].Status == 0 {
			return 0, false
		}
	}
	return r.Destinations[0].Status, true
}

// goes says what becomes of the calls of a rule, as a predicate.
func goes(r *reports.Rule) string {
	status, always := ownAnswer(r)
	switch {
	case r.Aborts >= 1:
		return fmt.Sprintf("are aborted with %d", r.AbortStatus)
	case always && status == 0:
		return "get no answer"
	case always:
		return fmt.Sprintf("are answered %d by the proxy", status)
	}
	text := "go to " + destinations(r)
	if r.Aborts > 0 {
		text += fmt.Sprintf(", but for %s that are aborted with %d", percent(r.Aborts), r.AbortStatus)
	}
	return text
}

// destinations lists where a rule leads, with shares where there are several.
func destinations(r *reports.Rule) string {
	if len(r.Destinations) == 1 {
		return short(r.Destinations[0].Name)
	}
	var all []string
	for i := range r.Destinations {
		all = append(all, fmt.Sprintf("%s (%s)", short(r.Destinations[i].Name), percent(r.Destinations[i].Share)))
	}
	return list(all)
}

// leads says where the calls of a row go, whose rule does not depend on the request.
func (s *story) leads(c *reports.Call) {
	r, who := c.Rule, proxy(c.From, s.phase.Entry)
	status, always := ownAnswer(r)
	former := s.before(c)
	switch {
	case r.Aborts >= 1: // no call gets to a destination
	case always && r.Why != "" && status == 0:
		s.say("%s breaks the connection of %s: %s.", who, every(c), r.Why)
	case always && r.Why != "":
		s.say("%s itself answers %d to %s: %s.", who, status, every(c), r.Why)
	case always && len(r.Destinations) > 0:
		s.say("%s answers %d to %s, since nobody is where %s leads.", who, status, every(c), rule(r))
	case always:
		s.say("%s itself answers %d to %s, as %s says.", who, status, every(c), rule(r))
	case r.Why != "":
		s.say("%s lets calls to %s out: %s.", who, c.To, r.Why)
		if former != nil && former.Rule != nil && former.Mismatched == 0 {
			if status, answered := ownAnswer(former.Rule); answered && former.Rule.Why != "" {
				s.say("In phase %s it answered %d: %s.", s.former.Name, status, former.Rule.Why)
			}
		}
	case former != nil && former.Rule != nil && reflect.DeepEqual(former.Rule.Destinations, r.Destinations): // as before
	case len(r.Destinations) > 1:
		s.say("Of the %s %s (%s).", calls(c.From, c.To), s.spread(r), rule(r))
	default:
		s.narrowed(c, former)
	}
}

// spread says how a rule spreads calls, as a clause.
func (s *story) spread(r *reports.Rule) string {
	var all []string
	for i := range r.Destinations {
		d := &r.Destinations[i]
		if d.Status != 0 {
			all = append(all, fmt.Sprintf("%s are answered %d, since nobody is at %s", percent(d.Share), d.Status, short(d.Name)))
			continue
		}
		all = append(all, fmt.Sprintf("%s go to %s", percent(d.Share), short(d.Name)))
	}
	return list(all)
}

// narrowed says that calls go to fewer versions than before.
func (s *story) narrowed(c, former *reports.Call) {
	if former == nil || former.Rule == nil || len(former.Rule.Destinations) != 1 {
		return
	}
	were := former.Rule.Destinations[0].Versions
	if now := c.Rule.Destinations[0].Versions; len(now) > 0 && len(now) < len(were) {
		s.say("Every call from %s to %s goes to version %s (%s). In phase %s the load balancer picked among %s.", c.From, c.To, list(now), rule(c.Rule), s.former.Name, list(were))
	}
}

// retried is what the retries of a rule come to, alike for all calls that are told of together.
type retried struct {
	was, is     float64 // how often such calls fail, before and now, as predicted; -1 where nothing is known
	retries     int
	on          string
	covers      bool
	byDefault   bool
	onlyByTries bool // a call fails only when all its tries do
	unretried   bool // such calls were sent again in the phase before, and fail on their way alone
	httpRoute   bool // the rule is one of an HTTPRoute, which names statuses alone
}

// retries says what the retries of new rules come to.
func (s *story) retries(fresh []*reports.Call) {
	var order []retried
	of := map[retried][]*reports.Call{}
	for _, c := range fresh {
		if c.Verdict != reports.Pass {
			continue
		}
		key := s.retried(c)
		if of[key] == nil {
			order = append(order, key)
		}
		of[key] = append(of[key], c)
	}
	for _, key := range order {
		s.retry(key, of[key])
	}
}

func (s *story) retried(c *reports.Call) retried {
	rounded := func(p float64) float64 { return math.Round(p*1e9) / 1e9 } // what is alike but for rounding is alike
	r, was, is := c.Rule, -1.0, -1.0
	if former := s.report.Before(s.number, c); former != nil {
		was = rounded(former.Predicted)
	}
	if c.Fails.N > 0 {
		is = rounded(c.Fails.Predicted)
	}
	lost := slices.ContainsFunc(r.Destinations, func(d reports.Destination) bool { return d.Status != 0 })
	former := s.before(c)
	return retried{unretried: !lost && r.Aborts == 0 && !r.Covers500 && former != nil && former.Rule != nil && former.Rule.Covers500,
		was: was, is: is, retries: r.Retries, on: r.RetryOn, httpRoute: strings.HasPrefix(r.Name, "HTTPRoute "), covers: r.Covers500, byDefault: r.DefaultRetries,
		onlyByTries: !lost && r.Aborts == 0 && r.Timeout == 0 && (s.report.Settings.Hang == 0 || r.PerTry == 0 || r.CoversTimeouts)}
}

// retry says what retries that come to the same do to calls.
func (s *story) retry(key retried, of []*reports.Call) {
	var names, places []string
	for _, c := range of {
		if !slices.Contains(names, c.To) {
			names = append(names, c.To)
		}
		if at := place(c.Rule.File, c.Rule.Line); c.Rule.File != "" && !slices.Contains(places, at) {
			places = append(places, at)
		}
	}
	at := ""
	if len(places) > 0 {
		at = " (" + list(places) + ")"
	}
	switch {
	case key.retries == 0 || key.was < 0 || key.is < 0 || s.report.Settings.Fail == 0 && s.report.Settings.Hang == 0:
	case key.byDefault && key.unretried && key.is > key.was:
		s.say("Calls to %s fail with probability %s, where it was %s: the rule has no retries of its own%s, and Istio's default sends no call again that was answered 500.", list(names), number(key.is), number(key.was), at)
	case key.byDefault:
	case !key.covers && s.report.Settings.Fail > 0 && key.httpRoute:
		s.say("A call to %s that is answered 500 is not sent again: retry.codes has no 500%s. An HTTPRoute's calls are sent again for the statuses of its codes, and where no connection could be made.", either(names), at)
	case !key.covers && s.report.Settings.Fail > 0:
		s.say("A call to %s that is answered 500 is not sent again: retryOn %q covers no 500%s. Today's Istio sends such a call again only where retryOn has 5xx or 500.", either(names), key.on, at)
	case key.is < key.was && key.onlyByTries:
		s.say("Calls to %s fail with probability %s, where it was %s: a failed call is sent again up to %s%s, so that it fails only when all %s do.", list(names), number(key.is), number(key.was), times(key.retries), at, tries(key.retries+1))
	case key.is < key.was:
		s.say("Calls to %s fail with probability %s, where it was %s: a failed call is sent again up to %s%s.", list(names), number(key.is), number(key.was), times(key.retries), at)
	}
}

// entered says that requests enter past every proxy, where failed calls are sent again elsewhere.
func (s *story) entered(fresh []*reports.Call) {
	if s.report.Settings.Fail == 0 || !slices.ContainsFunc(fresh, func(c *reports.Call) bool { return c.Rule.Covers500 }) {
		return
	}
	for i := range s.phase.Calls {
		if c := &s.phase.Calls[i]; c.From == edge && c.Rule == nil && c.Mismatched == 0 {
			s.say("Requests enter at %s from outside the mesh: no proxy is on their way, so that nobody sends a failed one again.", c.To)
		}
	}
}

// limits says which time limits a rule sets, where tries hang, or where the whole call has one.
func (s *story) limits(c *reports.Call) {
	r := c.Rule
	if r.Timeout > 0 {
		of := calls(c.From, c.To)
		if slices.ContainsFunc(s.alike(c), func(other *reports.Call) bool { return other.Rule.Timeout != r.Timeout }) {
			of = callsOf(c)
		}
		s.say("The %s end after %s s, with all their tries; then %s answers 504.", of, number(r.Timeout), proxy(c.From, s.phase.Entry))
	}
	if s.report.Settings.Hang == 0 || r.PerTry == 0 {
		return
	}
	for i := range s.phase.Calls {
		if caller := &s.phase.Calls[i]; caller.To == c.From && caller.Rule != nil && caller.Rule.PerTry > 0 && caller.Rule.PerTry <= r.PerTry {
			s.say("The %s s of a try of %s end later than those of the try of %s that waits for it, which began earlier: where %s hangs, both are cut, and it is the call to %s that may be sent again.", number(r.PerTry), c.To, c.From, c.To, c.From)
			return
		}
	}
	then := ", and the call is answered 504"
	if r.CoversTimeouts {
		then = " and sent again"
	}
	s.say("A try of %s that takes longer than %s s is cut%s.", c.To, number(r.PerTry), then)
}

// fault says what a rule injects. Aborts of rules that depend on the request are told with the rule.
func (s *story) fault(c *reports.Call) {
	r := c.Rule
	if r.Delays > 0 {
		s.say("%s holds back %s to %s for %s s (%s).", proxy(c.From, s.phase.Entry), ofAll(r.Delays), c.To, number(r.Delay), rule(r))
	}
	if r.Aborts == 0 {
		return
	}
	if len(s.alike(c)) == 1 {
		s.say("%s aborts %s to %s with %d (%s).", proxy(c.From, s.phase.Entry), ofAll(r.Aborts), c.To, r.AbortStatus, rule(r))
	}
	if r.Retries > 0 && !r.DefaultRetries {
		s.say("An aborted call to %s is not sent again: a proxy injects the fault before it looks at the retries.", c.To)
	}
}
