package render

import (
	"fmt"
	"math"
	"path"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
)

// row is the calls of a phase as a row of a table: one cell for each of the columns.
type row struct {
	// call names the calls, policy what is done with them and by which line.
	call, policy, where string
	// before and now are the share of the calls that fail in the phase before and in this one; tries is how many tries the service gets
	// for each request; waits are the medians of the waits before each try, in milliseconds.
	before, now, tries, waits string
	verdict                   reports.Verdict
}

// newRow returns the row of a call.
func newRow(r *reports.Report, phase, call int) row {
	p := &r.Phases[phase]
	c := &p.Calls[call]
	policy, where := policyOf(c)
	if where != "" {
		where = place(fileNames(r)(c.Rule.File), c.Rule.Line)
	}
	one := row{call: callName(p, c), policy: policy, where: where, before: share(r.Before(phase, c)), now: share(&c.Fails), waits: inMilliseconds(c.Waits), verdict: c.Verdict}
	if c.Tries != nil {
		one.tries = factor(c.Tries.Measured)
	}
	return one
}

// callName names calls by the service that they lead to, and where several rows lead there, also by what they differ in: the caller, or
// the requests that lead to them.
func callName(p *reports.Phase, c *reports.Call) string {
	callers, alike := []string{}, 0
	for i := range p.Calls {
		if other := &p.Calls[i]; other.To == c.To {
			callers = appendNew(callers, other.From)
			if other.From == c.From {
				alike++
			}
		}
	}
	var by []string
	if len(callers) > 1 {
		by = append(by, "from "+c.From)
	}
	if alike > 1 && len(c.Cohorts) > 0 {
		by = append(by, shortened(c.Cohorts))
	}
	if len(by) == 0 {
		return c.To
	}
	return c.To + " (" + strings.Join(by, ", ") + ")"
}

// shortened returns the first of several names, and how many more there are.
func shortened(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	return fmt.Sprintf("%s, %d more", names[0], len(names)-1)
}

// policyOf returns what the caller's proxy does with a call, and the place of the rule that says so, which is empty where no file does.
func policyOf(c *reports.Call) (policy, where string) {
	switch {
	case c.Rule == nil && c.From == "edge":
		return "none: entered directly", ""
	case c.Rule == nil:
		return "none: the caller has no proxy", ""
	}
	return c.Rule.Policy, place(c.Rule.File, c.Rule.Line)
}

// fileNames returns how a table prints the path of a rule's file: without its folder, unless rules come from two files of that name.
func fileNames(r *reports.Report) func(path string) string {
	paths := map[string]string{}
	ambiguous := map[string]bool{}
	for i := range r.Phases {
		for j := range r.Phases[i].Calls {
			if rule := r.Phases[i].Calls[j].Rule; rule != nil {
				name := path.Base(rule.File)
				ambiguous[name] = ambiguous[name] || paths[name] != "" && paths[name] != rule.File
				paths[name] = rule.File
			}
		}
	}
	return func(file string) string {
		if name := path.Base(file); file != "" && !ambiguous[name] {
			return name
		}
		return file
	}
}

// place returns a line of a file, or "" without a file.
func place(file string, line int) string {
	if file != "" && line > 0 {
		return fmt.Sprintf("%s:%d", file, line)
	}
	return file
}

// share returns a measured share as tables print it. It is empty where there is none.
func share(s *reports.Share) string {
	switch {
	case s == nil:
		return ""
	case s.Measured == nil:
		return "no data"
	}
	return Probability(*s.Measured)
}

// inForce returns the policy and in brackets the line that it is from.
func (r row) inForce() string {
	if r.where == "" {
		return r.policy
	}
	return r.policy + " (" + r.where + ")"
}

// shares returns the cells of a share before and now as one.
func (r row) shares() string {
	if r.before == "" {
		return r.now
	}
	return r.before + " → " + r.now
}

// change returns a share before and now, or now alone where nothing was measured before.
func change(before, now *reports.Share) string {
	return row{before: share(before), now: share(now)}.shares()
}

// medians returns the medians of the waits before each try: "12, 38, 88 ms", or "not judged" where none was. It is empty where no wait
// has a median.
func medians(waits []reports.Wait) string {
	text := inMilliseconds(waits)
	if text != "" && text != "not judged" {
		text += " ms"
	}
	return text
}

// inMilliseconds returns medians without the unit. A try whose waits were not judged, or that has none, is a hyphen.
func inMilliseconds(waits []reports.Wait) string {
	var all []string
	judged, some := false, false
	for i := range waits {
		w := &waits[i]
		some = some || w.Measured != nil
		if w.Measured == nil || w.Verdict == reports.NotJudged {
			all = append(all, "-")
			continue
		}
		all, judged = append(all, milliseconds(*w.Measured)), true
	}
	switch {
	case judged:
		return strings.Join(all, ", ")
	case some:
		return "not judged"
	}
	return ""
}

// sameAsBefore reports whether the calls of a row are treated as in the phase before: by the same rule, with the same predictions.
func sameAsBefore(r *reports.Report, phase int, c *reports.Call) bool {
	if phase == 0 {
		return false
	}
	former := &r.Phases[phase-1]
	return slices.ContainsFunc(former.Calls, func(other reports.Call) bool {
		return other.From == c.From && other.To == c.To && slices.Equal(other.Cohorts, c.Cohorts) && sameRule(other.Rule, c.Rule) &&
			alike(other.Fails.Predicted, c.Fails.Predicted, other.Fails.PredictedError+c.Fails.PredictedError) && sameTries(other.Tries, c.Tries)
	})
}

func sameRule(a, b *reports.Rule) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Name == b.Name && a.Policy == b.Policy && a.File == b.File && a.Line == b.Line
}

func sameTries(a, b *reports.Factor) bool {
	if a == nil || b == nil {
		return a == b
	}
	return alike(a.Predicted, b.Predicted, a.PredictedError+b.PredictedError)
}

// alike reports whether two predictions are equal, as far as their errors show.
func alike(a, b, error float64) bool { return math.Abs(a-b) <= 1e-9+3*error }
