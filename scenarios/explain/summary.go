package explain

import (
	"fmt"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
)

// Summary returns the verdict of a report in one sentence, without a full stop.
func Summary(r *reports.Report) string {
	switch {
	case r.Error != "":
		return "the target failed: " + r.Error
	case r.Aborted && len(r.Phases) == 0:
		return "interrupted before the first phase"
	case r.Aborted:
		return "interrupted in phase " + r.Phases[len(r.Phases)-1].Name
	case r.Verdict == reports.Fail:
		return failed(r)
	case r.Verdict == reports.Pass:
		text := met(r) + hitless(r) + expectationsHold(r)
		if cases := held(r); cases != "" {
			text += ", and " + cases
		}
		return text + broken(r)
	}
	text := "no verdict: " + undecided(r)
	if cases := held(r); cases != "" {
		text += "; " + cases
	}
	return text
}

// requests is how many requests were judged.
func requests(r *reports.Report) (n int64) {
	for i := range r.Phases {
		n += int64(r.Phases[i].Observed)
	}
	return n
}

// met says that each request met what the manifests say, but for those that lost a connection, and for calls that a time limit may
// have decided.
func met(r *reports.Report) string {
	n := requests(r)
	if n == 1 {
		return "the one request met what the manifests say"
	}
	lost, open := int64(0), int64(0)
	for i := range r.Phases {
		for j := range r.Phases[i].Mismatches {
			lost += r.Phases[i].Mismatches[j].Count
		}
		for j := range r.Phases[i].Calls {
			open += r.Phases[i].Calls[j].Open
		}
	}
	text := fmt.Sprintf("each of %s requests met what the manifests say", count(n))
	if lost > 0 { // so few that they count as an incident
		text = fmt.Sprintf("all but %s of %s requests met what the manifests say, and those lost a connection", count(lost), count(n))
	}
	if open > 0 {
		text += fmt.Sprintf(", apart from %s that a time limit may have decided", counted(open, "call"))
	}
	return text
}

// broken says in which phases that is not what the scenario promises.
func broken(r *reports.Report) string {
	var names []string
	for i := range r.Phases {
		if r.Phases[i].PromiseBroken {
			names = append(names, r.Phases[i].Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return ", but that is not what the scenario promises: see " + list(names)
}

// failed says what failed: deviations first, then errors of the manifests, then other checks.
func failed(r *reports.Report) string {
	var parts []string
	if text := deviating(r); text != "" {
		parts = append(parts, text)
	}
	errors, first := errorsOf(r, func(id string) bool { return id != caseNotMet })
	switch {
	case errors == 1:
		parts = append(parts, "1 error in the manifests, "+first)
	case errors > 1:
		parts = append(parts, fmt.Sprintf("%s errors in the manifests, first %s", count(errors), first))
	}
	if text := unsteady(r); text != "" {
		parts = append(parts, text)
	}
	wrong, unmet := errorsOf(r, func(id string) bool { return id == caseNotMet })
	missed := expected(r, reports.Fail, "is not met", "are not met")
	switch {
	case len(parts) > 0 || wrong > 0:
	case phasesAre(r, reports.Pass) && missed != "":
		parts, missed = append(parts, met(r)+", but "+missed), ""
	case phasesAre(r, reports.Fail) || missed == "":
		parts = append(parts, checks(r, reports.Fail, "contradicts the manifests", "contradict the manifests"))
	}
	if missed != "" {
		parts = append(parts, missed)
	}
	if text := held(r); text != "" {
		if wrong > 0 {
			text += ", the first that does not is " + unmet
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}

// caseNotMet is the finding that a test case of the user does not hold (scenarios/cases).
const caseNotMet = "HC301"

// errorsOf is how many findings with some ids are errors, and the first of them.
func errorsOf(r *reports.Report, of func(id string) bool) (n int64, first string) {
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Severity != reports.SeverityError || !of(f.ID) {
			continue
		}
		if n++; n > 1 {
			continue
		}
		first = f.ID + " of " + f.Object
		if f.ID == caseNotMet {
			first = strings.TrimPrefix(f.Object, "test case ")
		}
		if f.File != "" {
			first += fmt.Sprintf(" (%s)", place(f.File, f.Line))
		}
	}
	return n, first
}

// held says how many test cases hold; empty where there are none.
func held(r *reports.Report) string {
	switch {
	case r.Cases == nil:
		return ""
	case r.Cases.All == 1:
		return fmt.Sprintf("%d of 1 test case holds", r.Cases.Held)
	}
	return fmt.Sprintf("%d of %s test cases hold", r.Cases.Held, count(int64(r.Cases.All)))
}

// phasesAre reports whether the verdict of all phases together is this one.
func phasesAre(r *reports.Report, verdict reports.Verdict) bool {
	var all []reports.Verdict
	for i := range r.Phases {
		all = append(all, r.Phases[i].Verdict)
	}
	return reports.Worst(all...) == verdict
}

// expectationsHold says that all expectations are met; "" where nothing was expected.
func expectationsHold(r *reports.Report) string {
	switch n := len(r.Expectations); n {
	case 0:
		return ""
	case 1:
		return ", and the expectation is met"
	default:
		return fmt.Sprintf(", and all %d expectations are met", n)
	}
}

// expected says how many expectations have a verdict, with the predicate for one and for several, and the first of them; "" where none has.
func expected(r *reports.Report, verdict reports.Verdict, one, several string) string {
	of, first := 0, ""
	for i := range r.Expectations {
		if e := &r.Expectations[i]; e.Verdict == verdict {
			if of++; of == 1 {
				first = e.Text
			}
		}
	}
	switch {
	case of == 0:
		return ""
	case len(r.Expectations) == 1:
		return fmt.Sprintf("the expectation %s: %s", one, first)
	case of == 1:
		return fmt.Sprintf("1 of %d expectations %s: %s", len(r.Expectations), one, first)
	}
	return fmt.Sprintf("%d of %d expectations %s, the first of them: %s", of, len(r.Expectations), several, first)
}

// deviating says how many calls met something else than the manifests say, and the first of them. One request may have several.
func deviating(r *reports.Report) string {
	var wrong int64
	var first *reports.Mismatch
	for i := range r.Phases {
		for j := range r.Phases[i].Mismatches {
			m := &r.Phases[i].Mismatches[j]
			wrong += m.Count
			if first == nil {
				first = m
			}
		}
	}
	if wrong == 0 {
		return ""
	}
	at := ""
	if first.File != "" {
		at = " (" + place(first.File, first.Line) + ")"
	}
	return fmt.Sprintf("%s of %s met something else than the manifests say, first %s: %s%s", counted(wrong, "call"), counted(requests(r), "request"), first.To, first.Kind, at)
}

// checks says how many checks have a verdict, with the predicate for one and for several, and the first of them.
func checks(r *reports.Report, verdict reports.Verdict, one, several string) string {
	of, all, first := 0, 0, ""
	for i := range r.Phases {
		for _, c := range r.Phases[i].Checks() {
			all++
			if c.Verdict != verdict {
				continue
			}
			if of++; of == 1 {
				first = fmt.Sprintf("%q in phase %s", c.Name, r.Phases[i].Name)
				if c.Note != "" {
					first += " (" + c.Note + ")"
				}
			}
		}
	}
	if of == 0 {
		return "nothing was judged"
	}
	what := several
	if of == 1 {
		what = one
	}
	return fmt.Sprintf("%s of %s %s, first %s", count(int64(of)), counted(int64(all), "check"), what, first)
}

// undecided says why there is no verdict.
func undecided(r *reports.Report) string {
	for i := range r.Phases {
		if p := &r.Phases[i]; p.Undecided != "" {
			return fmt.Sprintf("phase %s: %s", p.Name, p.Undecided)
		}
	}
	if requests(r) == 0 {
		return "no request was sent"
	}
	if changes := changesAre(r, reports.Inconclusive); len(changes) > 0 && phasesAre(r, reports.Pass) {
		return fmt.Sprintf("the change %s: %s", changes[0].Title(), changes[0].Why)
	}
	if text := expected(r, reports.Inconclusive, "could not be decided", "could not be decided"); text != "" && phasesAre(r, reports.Pass) {
		return text
	}
	return checks(r, reports.Inconclusive, "could not be decided", "could not be decided")
}
