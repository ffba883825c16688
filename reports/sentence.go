package reports

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/reports/terminal"
)

// sentence is one sentence of a report. It is the same in every format for people.
type sentence struct {
	// mark is the kind of the sentence: '!' a warning that must be known beside the numbers, '=' another source that agrees with
	// them, ' ' what happened and why.
	mark rune
	text string
}

// HeadlineWord returns the first word of the output: the verdict, or how the run ended where it did not end well.
func HeadlineWord(r *Report) string {
	switch {
	case r.Restored == NotRestored:
		return "NOT RESTORED"
	case r.Error != "":
		return "ERROR"
	case r.Aborted:
		return "ABORTED"
	}
	return strings.ToUpper(string(r.Verdict))
}

// Headline returns HeadlineWord and the summary on one line.
func Headline(r *Report) string { return HeadlineWord(r) + "  " + terminal.Plain(r.Summary) }

// about returns lines that report what was tested, with which settings, and how it was put back.
func about(r *Report) []string {
	requests := 0
	for _, s := range r.Stages {
		for _, p := range s.Phases {
			requests += p.Sent
		}
	}
	s := r.Settings
	first := fmt.Sprintf("%s: %d requests in %.1f s; fail %s, ", r.Target.Detail, requests, r.Elapsed, Probability(s.Fail))
	if s.Hang > 0 {
		first += "hang " + Probability(s.Hang) + ", "
	}
	lines := []string{first + fmt.Sprintf("%s, seed %d", s.Cascade, s.Seed)}
	if r.Target.Deviation != "" {
		lines = append(lines, "The mesh is wrong on purpose: --break "+r.Target.Deviation+".")
	}
	if back := r.Restoration; back != nil && back.Problem == "" {
		lines = append(lines, fmt.Sprintf("Put back in %.1f s: %s.", back.Elapsed, back.Detail))
	}
	return lines
}

// notRestored returns lines that report what was not put back. Each difference has a line of its own.
func notRestored(r *Report) []string {
	if r.Restoration == nil || r.Restoration.Problem == "" {
		return nil
	}
	return strings.Split("Not all was put back: "+strings.TrimRight(r.Restoration.Problem, "\n"), "\n")
}

// sentences returns the sentences that follow the table of a stage.
func sentences(s *Stage) []sentence {
	var all []sentence
	for _, p := range s.Phases {
		for _, warning := range p.Warnings {
			all = append(all, sentence{'!', p.Name + ": " + warning})
		}
		for _, incident := range unsaid(s, &p) {
			all = append(all, sentence{'!', p.Name + ": " + incident})
		}
		for _, compared := range p.Compared {
			all = append(all, sentence{'=', p.Name + ": " + compared + "."})
		}
	}
	for _, words := range s.Words {
		all = append(all, sentence{' ', words})
	}
	for _, note := range notes(s) {
		all = append(all, sentence{'!', note})
	}
	if line := amplification(s.Amplification); line != "" {
		all = append(all, sentence{' ', line})
	}
	return all
}

// unsaid returns the incidents of a phase that the stage's words do not report. A stage that was interrupted has no words.
func unsaid(s *Stage, p *Phase) []string {
	return slices.DeleteFunc(slices.Clone(p.Incidents), func(incident string) bool {
		return slices.ContainsFunc(s.Words, func(words string) bool { return strings.Contains(words, incident) })
	})
}

// notes returns the notes of a stage's checks, each once, after the names of the checks that have it. The notes of undecided checks
// are left out where the stage fails: more requests would not change its verdict.
func notes(s *Stage) []string {
	var order []string
	about := map[string][]string{}
	for _, c := range s.Checks {
		for _, m := range []*Measurement{c.Before, c.After} {
			if m == c.Before && c.After != nil && c.After.Note != "" {
				continue // one note for each check
			}
			if m == nil || m.Note == "" || s.Verdict == Fail && m.Verdict == Inconclusive || strings.HasPrefix(m.Note, "void") {
				continue // the phase reports once why none of its checks has a verdict
			}
			if about[m.Note] == nil {
				order = append(order, m.Note)
			}
			if !slices.Contains(about[m.Note], c.Name) {
				about[m.Note] = append(about[m.Note], c.Name)
			}
		}
	}
	for i, note := range order {
		order[i] = strings.Join(about[note], ", ") + ": " + note
	}
	return order
}

func amplification(rows []Amplification) string {
	var parts []string
	for _, a := range rows {
		if a.After != nil {
			parts = append(parts, fmt.Sprintf("%s %.2f (%.2f)", a.Hop, a.After.Measured, a.After.Predicted))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "Tries per request, measured (predicted): " + strings.Join(parts, ", ") + "."
}
