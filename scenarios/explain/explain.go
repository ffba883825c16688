// Package explain puts the results of a run into words. It knows the report and nothing else, so that whatever it says can be read off
// the numbers and rules beside it; no service and no stage has a name here.
package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
)

// Phase returns sentences that say what happened in a phase and why: first what deviates from the manifests, then what the rules that
// are new in the phase do. A phase that is only compared with has the former alone.
func Phase(r *reports.Report, i int) []string {
	s := &story{report: r, number: i, phase: &r.Phases[i]}
	if i > 0 {
		s.former = &r.Phases[i-1]
	}
	s.deviations()
	for j := range s.phase.Calls {
		s.failures(&s.phase.Calls[j])
	}
	if !s.phase.Base {
		s.rules()
		s.promise()
		s.policies()
	}
	return s.words
}

// story is a phase that is being put into words.
type story struct {
	report *reports.Report
	number int
	phase  *reports.Phase
	former *reports.Phase // nil in the first phase
	words  []string
}

// say adds a sentence, unless it is there already.
func (s *story) say(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	text = strings.ToUpper(text[:1]) + text[1:]
	if !slices.Contains(s.words, text) {
		s.words = append(s.words, text)
	}
}

// before is the call of the phase before that leads to the same service; nil where there is none, or several.
func (s *story) before(c *reports.Call) (former *reports.Call) {
	if s.former == nil {
		return nil
	}
	for i := range s.former.Calls {
		other := &s.former.Calls[i]
		if other.From != c.From || !reports.SameService(other.To, c.To) {
			continue
		}
		if former != nil {
			return nil
		}
		former = other
	}
	return former
}

// promise says where the manifests do not do what the scenario's own do.
func (s *story) promise() {
	if !s.phase.PromiseBroken {
		return
	}
	var unlike []string
	add := func(what string, share *reports.Share) {
		if share.OffPromise() {
			unlike = append(unlike, fmt.Sprintf("%s with probability %s, where it promises %s", what, number(share.Predicted), number(*share.Promised)))
		}
	}
	for i := range s.phase.Shares {
		add(s.phase.Shares[i].Name, &s.phase.Shares[i])
	}
	for i := range s.phase.Calls {
		c := &s.phase.Calls[i]
		add("a call to "+s.phase.Label(c)+" fails", &c.Fails)
		if c.Split == nil {
			continue
		}
		for j := range c.Split.Parts {
			add("a call to "+s.phase.Label(c)+" goes to "+c.Split.Parts[j].Name, &c.Split.Parts[j].Share)
		}
	}
	if len(unlike) > 0 {
		s.say("The manifests do not do what the scenario promises: %s.", strings.Join(unlike, "; "))
	}
}
