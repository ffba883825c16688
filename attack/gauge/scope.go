package gauge

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/expect"
	"github.com/hellochaos/hellochaos/reports/load"
	"github.com/hellochaos/hellochaos/spelling"
)

// scope is the part of the requests that an expectation is about, where that is not all, or a share other than that of the failed ones.
type scope struct {
	phases  []bool // by phase; nil: all but the warm-up
	targets []bool // by target; nil: all
	status  string // of expect.Statuses; "": the failed ones are counted
	begins  time.Duration
	lasts   time.Duration // of the phases; 0: as long as the attack
}

// scoped counts the requests of a scope, with windows of its own, of which its intervals are made.
type scoped struct {
	*scope
	tally *tally
}

// scopeWindows is how many windows of time a scope has at most: 28 KB each.
const scopeWindows = 60

// scopesOf are the scopes of expectations, nil for one that is about all requests. The error joins a line for each name that the attack does not
// have, with those that it has.
func scopesOf(wanted []expect.Expectation, phases []attack.Phase, targets []attack.Cohort) (all []*scope, err error) {
	var problems []error
	for i := range wanted {
		w := &wanted[i]
		if w.Phase == "" && w.Target == "" && w.Kind != expect.Statuses {
			all = append(all, nil)
			continue
		}
		s := &scope{status: w.Status}
		problems = append(problems, s.inPhase(w, phases), s.toTarget(w, targets))
		all = append(all, s)
	}
	return all, errors.Join(problems...)
}

func (s *scope) inPhase(w *expect.Expectation, phases []attack.Phase) error {
	if w.Phase == "" {
		return nil
	}
	s.phases = make([]bool, len(phases))
	var names []string
	begins := time.Duration(0)
	for i := range phases {
		names = append(names, phases[i].Name)
		if s.phases[i] = phases[i].Name == w.Phase; s.phases[i] {
			if s.lasts == 0 {
				s.begins = begins
			}
			s.lasts += phases[i].Duration
		}
		begins += phases[i].Duration
	}
	switch {
	case s.lasts > 0:
		return nil
	case len(names) == 0:
		return fmt.Errorf("--expect %s: the attack has no phases; --rate 100:10s,200:10s makes phases \"100\" and \"200\"", w.Text)
	}
	return fmt.Errorf("--expect %s: there is no phase %q: the phases are %s%s", w.Text, w.Phase, strings.Join(names, ", "), spelling.DidYouMean(w.Phase, names))
}

func (s *scope) toTarget(w *expect.Expectation, targets []attack.Cohort) error {
	if w.Target == "" {
		return nil
	}
	s.targets = make([]bool, len(targets))
	var names []string
	for i := range targets {
		called := namesOf(&targets[i])
		names = append(names, called[0])
		s.targets[i] = slices.Contains(called, w.Target)
	}
	if slices.Contains(s.targets, true) {
		return nil
	}
	const most = 10
	listed := strings.Join(names[:min(most, len(names))], ", ")
	if more := len(names) - most; more > 0 {
		listed += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Errorf("--expect %s: there is no target %q: the targets are %s%s; a target is named by that, by its URL, or by the path of it, in double quotes where it has blanks or signs",
		w.Text, w.Target, listed, spelling.DidYouMean(w.Target, names))
}

// namesOf are the names of a target, the first of which is that of its row.
func namesOf(of *attack.Cohort) []string {
	method := of.Method
	if method == "" {
		method = "GET"
	}
	names := []string{method + " " + of.URL, of.URL}
	if at, err := url.Parse(of.URL); err == nil {
		names = append(names, at.RequestURI())
	}
	return names
}

// newScoped are empty counts of the scopes, nil where there is none.
func newScoped(scopes []*scope) (all []*scoped) {
	for _, s := range scopes {
		if s == nil {
			all = append(all, nil)
			continue
		}
		t := newTally()
		t.mostWindows, t.begin = scopeWindows, s.begins
		all = append(all, &scoped{s, t})
	}
	return all
}

// add counts an observation of a target in a phase (-1: there are none) if it is of the scope.
func (s *scoped) add(o *attack.Observation, target, phase int, warmup bool) {
	if s.phases == nil && warmup || s.phases != nil && !s.phases[phase] || s.targets != nil && !s.targets[target] {
		return
	}
	if s.status == "" {
		s.tally.add(o)
		return
	}
	counted := *o // the requests with the status are counted as the failed ones of all others are
	code := strconv.Itoa(o.Status)
	if code == s.status || strings.HasSuffix(s.status, "xx") && o.Status >= 100 && code[0] == s.status[0] {
		counted.Status, counted.Error = 599, ""
	} else {
		counted.Status, counted.Error = 200, ""
	}
	s.tally.add(&counted)
}

// report has the figures of a scope that an expectation may be about. whole is the report of all.
func (s *scoped) report(whole *load.Report) *load.Report {
	t := s.tally
	r := &load.Report{Requests: load.Requests{OK: t.requests() - t.failed, Failed: t.failed, Sent: t.requests()}, Latency: load.Outcomes{OK: t.ok.latency.report()}}
	took := s.lasts.Seconds()
	if s.phases == nil {
		r.Requests.Skipped, r.Requests.Sent = whole.Requests.Skipped, whole.Requests.Sent // whose they were is not known
		if whole.Rate.OK > 0 {
			took = float64(whole.Requests.OK) / whole.Rate.OK
		}
	}
	for i := range whole.Phases {
		if s.phases != nil && s.phases[i] {
			r.Requests.Skipped += whole.Phases[i].Skipped
		}
	}
	if took > 0 {
		r.Rate.OK = float64(r.Requests.OK) / took
	}
	r.Limited = attack.Limited(t.requests(), t.late, r.Requests.Skipped)
	return r
}
