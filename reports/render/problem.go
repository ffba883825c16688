package render

import (
	"fmt"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
)

// Finding returns a finding as one text: its place, its object and what is wrong.
func Finding(f *reports.Finding) string {
	text := f.Object + ": " + f.Text
	if where := place(f.File, f.Line); where != "" {
		text = where + ": " + text
	}
	return fmt.Sprintf("%s (%s)", text, f.ID)
}

// deviation returns what deviated, how often, when and in which requests, and which request was the first.
func deviation(m *reports.Mismatch) string {
	text := fmt.Sprintf("%s: %s, %s", m.To, m.Kind, counted(m.Count, "call"))
	if len(m.Cohorts) > 0 {
		text += fmt.Sprintf(" of the requests %q", strings.Join(m.Cohorts, ", "))
	}
	if m.LastAt > m.FirstAt {
		text += fmt.Sprintf(" between %.1f s and %.1f s of the phase", m.FirstAt, m.LastAt)
	}
	text += "; the first is "
	if m.Call != "" {
		text += "call " + m.Call + " of "
	}
	text += "request " + m.Request
	if m.Probe {
		text += ", a probe"
	}
	return text
}

// ruleOf returns the rule of a mismatch and the line that it begins at.
func ruleOf(m *reports.Mismatch) string {
	if where := place(m.File, m.Line); where != "" {
		return m.Rule + ", " + where
	}
	return m.Rule
}

// notJudgedLead begins the line of a check that was not judged.
const notJudgedLead = "not judged: "

// problems returns a line for each check of a phase that failed, has no verdict or was not judged, with its reason. Left out are calls
// that the mismatches of the phase report, times where requests left late, which the head of a report has, times of rules that are not
// new, and branches that were left out by choice. In a phase that fails, only failures are returned: more requests would not change its
// verdict.
func problems(p *reports.Phase) (failed []string) {
	var open []string
	for i := range p.Calls {
		c := &p.Calls[i]
		name := callName(p, c)
		add := func(verdict reports.Verdict, texts ...string) {
			text := name + ": " + join(texts)
			switch verdict {
			case reports.Pass:
			case reports.Fail:
				failed = append(failed, text)
			case reports.NotJudged:
				open = append(open, notJudgedLead+text)
			default:
				open = append(open, text)
			}
		}
		if c.Requests != reports.Fail || c.Mismatched == 0 {
			add(c.Requests, either(c.Note, judged(c)))
		}
		if rare := rarelyMet(c); rare != "" {
			add(reports.Inconclusive, rare)
		}
		if c.Split != nil {
			add(c.Split.Verdict, "split: "+spread(c.Split), c.Split.Note)
		}
		for j := range c.Waits {
			if w := &c.Waits[j]; w.Verdict != reports.NotJudged || !p.Late && len(c.Branches) > 0 {
				add(w.Verdict, fmt.Sprintf("waits before try %d: %s", w.Try, waited(w)), w.Note)
			}
		}
		if c.Ledger != nil {
			add(c.Ledger.Verdict, "ledger", either(c.Ledger.Note, ledger(c.Ledger)))
		}
	}
	for i := range p.Policies {
		switch c := &p.Policies[i]; c.Verdict {
		case reports.Fail:
			failed = append(failed, c.Label()+": "+c.Text)
		case reports.Inconclusive:
			open = append(open, c.Label()+": "+c.Text)
		}
	}
	if p.Verdict == reports.Fail {
		return failed
	}
	return append(failed, open...)
}

// either returns a note, or a text where there is none.
func either(note, text string) string {
	if note != "" {
		return note
	}
	return text
}

// join joins the texts that are not empty by a colon.
func join(texts []string) string {
	var all []string
	for _, text := range texts {
		if text != "" {
			all = append(all, text)
		}
	}
	return strings.Join(all, ": ")
}

// rarelyMet names the branches of a call that were to be met more often.
func rarelyMet(c *reports.Call) string {
	var all []string
	for _, b := range c.Branches {
		if b.Verdict == reports.Inconclusive || b.Verdict == reports.Fail {
			all = append(all, fmt.Sprintf("%s (%s of %s)", b.Name, Count(b.Met), Count(b.Wanted)))
		}
	}
	if len(all) == 0 {
		return ""
	}
	return "branches that were met too rarely: " + strings.Join(all, ", ")
}
