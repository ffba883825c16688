package render

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/printable"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/terminal"
)

// HeadlineWord returns the first word of the output: the verdict, or how the run ended where it did not end well.
func HeadlineWord(r *reports.Report) string {
	switch {
	case r.Restored == reports.NotRestored:
		return "NOT RESTORED"
	case r.Error != "":
		return "ERROR"
	case r.Aborted:
		return "ABORTED"
	}
	return verdictWord(r.Verdict)
}

// Headline returns HeadlineWord and the summary on one line.
func Headline(r *reports.Report) string { return HeadlineWord(r) + "  " + terminal.Plain(r.Summary) }

// verdictWord returns a verdict as headlines and tables print it.
func verdictWord(v reports.Verdict) string { return strings.ToUpper(string(v)) }

// about returns lines that report what was tested, with which settings, and how it was put back.
func about(r *reports.Report) []string {
	requests := 0
	for i := range r.Phases {
		requests += r.Phases[i].Sent
	}
	s := r.Settings
	first := fmt.Sprintf("%s: %s in %.1f s; fail %s, ", r.Target.Detail, counted(int64(requests), "request"), r.Elapsed, Probability(s.Fail))
	if s.Hang > 0 {
		first += "hang " + Probability(s.Hang) + ", "
	}
	lines := []string{first + fmt.Sprintf("%s, seed %d", s.Cascade, s.Seed)}
	if r.Target.Deviation != "" {
		lines = append(lines, "The mesh is wrong on purpose: --break "+r.Target.Deviation+".")
	}
	if bound := excluded(r); bound != "" {
		lines = append(lines, bound)
	}
	if back := r.Restoration; back != nil && back.Problem == "" {
		lines = append(lines, fmt.Sprintf("Put back in %.1f s: %s.", back.Elapsed, back.Detail))
	}
	return lines
}

// excluded returns what the calls without a mismatch exclude in the phases that pass, as one sentence. It is empty where no phase
// excludes anything, and where the run does not pass: there it would be read as a bound of what failed.
func excluded(r *reports.Report) string {
	if r.Verdict != reports.Pass {
		return ""
	}
	most := 0.0
	var former *reports.Phase
	for i := range r.Phases {
		p := &r.Phases[i]
		if p.Verdict == reports.Pass && !p.Base {
			most = max(most, bound(former, p))
		}
		former = p
	}
	if most == 0 || most > 0.5 { // so few calls exclude nothing that anybody would suspect
		return ""
	}
	return fmt.Sprintf("Had %s of the calls under a new rule deviated, 1 run in 1,000 would miss it.", Percent(most))
}

// bound returns the largest share of deviating calls that is not excluded for a rule that the phase before does not have. It is 0 where the
// phase has no such rule. former is nil for the first phase.
func bound(former, p *reports.Phase) (most float64) {
	for i := range p.Calls {
		c := &p.Calls[i]
		if c.Rule == nil || c.Excludes == nil || former != nil && slices.ContainsFunc(former.Calls, func(other reports.Call) bool {
			return other.From == c.From && other.To == c.To && sameRule(other.Rule, c.Rule)
		}) {
			continue
		}
		most = max(most, *c.Excludes)
	}
	return most
}

// notRestored returns lines that report what was not put back. Each difference has a line of its own.
func notRestored(r *reports.Report) []string {
	if r.Restoration == nil || r.Restoration.Problem == "" {
		return nil
	}
	return strings.Split("Not all was put back: "+strings.TrimRight(r.Restoration.Problem, "\n"), "\n")
}

// notJudgedTimes returns a line for each reason for which the waits of retries were not judged in phases that sent requests late, with the
// phases and the calls.
func notJudgedTimes(r *reports.Report) []string {
	var reasons []string
	phases, calls := map[string][]string{}, map[string][]string{}
	for i := range r.Phases {
		p := &r.Phases[i]
		for j := range p.Calls {
			for _, w := range p.Calls[j].Waits {
				if !p.Late || w.Verdict != reports.NotJudged || w.Measured == nil {
					continue
				}
				reasons = appendNew(reasons, w.Note)
				phases[w.Note] = appendNew(phases[w.Note], p.Name)
				calls[w.Note] = appendNew(calls[w.Note], p.Calls[j].To)
			}
		}
	}
	for i, why := range reasons {
		reasons[i] = fmt.Sprintf("the times of retries (%s, in %s)", list(calls[why]), list(phases[why]))
		if why != "" {
			reasons[i] += ": " + why
		}
	}
	return reasons
}

// appendNew appends a text to a list that does not have it yet.
func appendNew(list []string, text string) []string {
	if slices.Contains(list, text) {
		return list
	}
	return append(list, text)
}

// proof returns in one sentence what the requests of a phase showed.
func proof(p *reports.Phase) string {
	deviations := int64(0)
	for i := range p.Mismatches {
		deviations += p.Mismatches[i].Count
	}
	requests := counted(int64(p.Observed), "request")
	switch {
	case p.Observed == 0:
		return "no request was sent"
	case deviations > 0:
		return fmt.Sprintf("%s of %s met something else than the manifests say", counted(deviations, "call"), requests)
	case p.Verdict != reports.Pass:
		return fmt.Sprintf("none of %s met something else than the manifests say", requests)
	case p.Observed == 1:
		return "one request met what the manifests say"
	}
	return fmt.Sprintf("each of %s met what the manifests say", requests)
}

// sentence is one sentence of a report. It is the same in every format for people.
type sentence struct {
	// mark is the kind of the sentence: '!' a problem or a warning that must be known beside the numbers, '=' another source that agrees
	// with them, ' ' what happened and why.
	mark rune
	text string
}

// sentences returns the sentences that follow the table of a phase.
func sentences(p *reports.Phase) (all []sentence) {
	add := func(mark rune, texts ...string) {
		for _, text := range texts {
			all = append(all, sentence{mark, text})
		}
	}
	if p.Undecided != "" {
		add('!', p.Undecided)
	}
	add(' ', p.Words...)
	if p.PromiseBroken && len(p.Words) == 0 { // otherwise the words say by how much
		add('!', "The manifests do not do what the scenario promises.")
	}
	add('!', p.Warnings...)
	add('!', unsaid(p)...)
	add(' ', splits(p)...)
	add(' ', contradictions(p)...)
	add('=', p.Compared...)
	return all
}

// unsaid returns the incidents of a phase that its other sentences do not report.
func unsaid(p *reports.Phase) []string {
	return slices.DeleteFunc(slices.Clone(p.Incidents), func(incident string) bool {
		return strings.Contains(p.Undecided, incident) || slices.ContainsFunc(p.Words, func(words string) bool { return strings.Contains(words, incident) })
	})
}

// splits returns how the calls of rules with weights were spread. A split that did not pass is among the problems of the phase.
func splits(p *reports.Phase) (all []string) {
	for i := range p.Calls {
		if c := &p.Calls[i]; c.Split != nil && !c.Split.Balanced && c.Split.Verdict == reports.Pass {
			all = append(all, "Split of "+callName(p, c)+": "+spread(c.Split)+".")
		}
	}
	return all
}

// baseLines returns the warnings and incidents of the phases that have no table, nor sentences, of their own.
func baseLines(r *reports.Report) (all []string) {
	for i := range r.Phases {
		p := &r.Phases[i]
		if !isBackground(p) {
			continue
		}
		for _, line := range append(slices.Clone(p.Warnings), p.Incidents...) {
			all = append(all, p.Name+": "+line)
		}
	}
	return all
}

// isBackground reports whether a phase is only what the next one is compared with, and nothing is wrong with its calls.
func isBackground(p *reports.Phase) bool { return p.Base && p.Verdict == reports.Pass }

// worstFirst is the order in which phases are shown.
var worstFirst = []reports.Verdict{reports.Fail, reports.Inconclusive, reports.Pass}

// order returns the numbers of the phases that have a table, failures first. Phases that are in the background are left out unless all are
// asked for.
func order(r *reports.Report, all bool) (numbers []int) {
	for _, verdict := range worstFirst {
		for i := range r.Phases {
			if p := &r.Phases[i]; reports.Worst(p.Verdict) == verdict && (all || !isBackground(p)) {
				numbers = append(numbers, i)
			}
		}
	}
	return numbers
}

// contradictions returns in one sentence the predictions that the intervals of the measured shares do not have. Shares are not judged by
// it: at 95 %, chance does it once among twenty.
func contradictions(p *reports.Phase) []string {
	var all []string
	add := func(name string, s *reports.Share) {
		if s.Measured != nil && s.Interval != nil && (s.Predicted < s.Interval.Lo-2*s.PredictedError || s.Predicted > s.Interval.Hi+2*s.PredictedError) {
			all = append(all, name+" "+Probability(s.Predicted))
		}
	}
	for i := range p.Calls {
		add(callName(p, &p.Calls[i]), &p.Calls[i].Fails)
	}
	for i := range p.Shares {
		if s := &p.Shares[i]; !sameNumbers(p, s) {
			add(strings.TrimSuffix(s.Name, " fails"), s)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return []string{"Predicted shares that are outside of the measured 95 % intervals: " + strings.Join(all, ", ") + "."}
}

// reproduction returns the command of a run as a shell reads it. Where the seed was drawn at random, it is added.
func reproduction(r *reports.Report) string {
	var words []string
	seeded := false
	for _, word := range r.Command {
		words = append(words, printable.Word(word))
		seeded = seeded || word == "--seed" || strings.HasPrefix(word, "--seed=")
	}
	if !seeded && len(words) > 0 {
		words = append(words, fmt.Sprintf("--seed %d", r.Settings.Seed))
	}
	return strings.Join(words, " ")
}

// versions returns the versions of the software that was tested, sorted by name.
func versions(r *reports.Report) []string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(r.Target.Versions)) {
		lines = append(lines, name+" "+r.Target.Versions[name])
	}
	return lines
}
