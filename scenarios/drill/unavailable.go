package drill

import (
	"fmt"
	"net/http"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
	"github.com/hellochaos/hellochaos/service/trail"
)

// unavailableCalls is how many calls are answered 503 by every try.
const unavailableCalls = 20

// longestWaits is how long the waits between the tries of a call may take.
const longestWaits = 5 * time.Second

// place is where a rule stands.
type place struct {
	file string
	line int
}

// unavailables are the checks of rules with retries whose retryOn covers no answer of 500, each rule by the first way that can show it. The
// tries of other requests fail with 500 alone, so that nothing else shows whether such a rule sends a call again.
func unavailables(rules *manifests.Rules, ways []*oracle.Call) (all []Drill) {
	at := map[place]int{}
	for i, way := range ways {
		if r := way.Rule; r == nil || r.File == "" || r.Retry.Default || r.Retry.Attempts == 0 || r.Retry.Covers(manifests.Failure{Status: http.StatusInternalServerError}) {
			continue
		}
		key := place{way.Rule.File, way.Rule.Line}
		before, seen := at[key]
		if seen && all[before].Why == "" {
			continue
		}
		d := unavailable(rules, way)
		if d.Cohort = i; seen {
			all[before] = d
			continue
		}
		at[key] = len(all)
		all = append(all, d)
	}
	return all
}

// unavailable checks how many tries a call has of which each is answered 503.
func unavailable(rules *manifests.Rules, way *oracle.Call) Drill {
	s, ok := subject(rules, way)
	if !ok {
		s = Subject{Name: way.Host, Rule: way.Rule}
	}
	s.Endpoints = &manifests.Endpoints{Rule: way.Rule.Name, File: way.Rule.File, Line: way.Rule.Line}
	d := Drill{Subject: s, Kind: Unavailable, Rate: crowdRate, Parts: []manifests.Coupling{manifests.Pools, manifests.Ejections}}
	if way.Rule.OfHTTPRoute() {
		d.Kind = UnavailableCodes
	}
	waits := time.Duration(0)
	for n := range way.Rule.Retry.Attempts {
		waits += way.Rule.Retry.BackOff(n + 1)
	}
	switch limit, each := way.Rule.Timeout, way.Rule.Retry.PerTry; {
	case !ok:
		d.Why = "it leads to several destinations, to nobody, behind a fault, or to services that make calls of their own"
		return d
	case waits > longestWaits:
		d.Why = fmt.Sprintf("its waits between tries take up to %v", waits)
		return d
	case limit > 0 && limit < waits+time.Second || each > 0 && each < time.Second/2:
		d.Why = "a time limit of its rule may end a call before its last try"
		return d
	}
	d.Requests = pinned(unavailableCalls, "*="+trail.PinUnavailable)
	d.judge = byAnswers(s.judgeUnavailable)
	return d
}

// judgeUnavailable: each call must have as many tries as the rule allows for an answer of 503.
func (s *Subject) judgeUnavailable(answers []Answer) Finding {
	retry, tries := &s.Rule.Retry, 1
	if retry.Covers(manifests.Failure{Status: http.StatusServiceUnavailable}) {
		tries += retry.Attempts
	}
	for i := range answers {
		switch a := &answers[i]; {
		case a.Pod == "" && (s.Rule.Timeout > 0 || retry.PerTry > 0):
			return undecided("a request ended with status %d, and no pod answered it: a time limit may have ended it", a.Status)
		case a.Pod == "" || a.Status != http.StatusServiceUnavailable:
			return wrong("a call of which each try is answered 503 ended with status %d at try %d", a.Status, a.Attempt)
		case a.Attempt != tries:
			return wrong("a call of which each try was answered 503 had %s, and %s with %s allows %s", triesOf(a.Attempt), covering(s.Rule),
				counted(retry.Attempts, "attempt"), triesOf(tries))
		}
	}
	if tries == 1 {
		return Finding{Right: counted(len(answers), "call") + " of which each try was answered 503 had 1 try, since it covers no 503"}
	}
	return Finding{Right: counted(len(answers), "call") + " of which each try was answered 503 had " + triesOf(tries) + " each"}
}

// covering is what says which answers are sent again, in the words of the rule's object.
func covering(r *manifests.Rule) string {
	if !r.OfHTTPRoute() {
		return fmt.Sprintf("retryOn %q", r.Retry.On)
	}
	if codes := r.Retry.Codes(); len(codes) > 0 {
		return fmt.Sprintf("retry.codes %v", codes)
	}
	return "a retry without codes"
}

// triesOf is a number of tries in words.
func triesOf(n int) string {
	if n == 1 {
		return "1 try"
	}
	return fmt.Sprintf("%d tries", n)
}
