package render

import (
	"cmp"
	"embed"
	"fmt"
	"html/template"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/page"
)

//go:embed html
var htmlFiles embed.FS

var htmlPages = template.Must(page.Shell().Funcs(template.FuncMap{
	"share":        Probability,
	"percent":      Percent,
	"count":        func(n any) string { return counts(n) },
	"duration":     Duration,
	"number":       func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) },
	"rate":         significant,
	"place":        place,
	"verdict":      verdictMark,
	"sign":         verdictSign,
	"class":        verdictClass,
	"list":         list,
	"expectation":  func(r *reports.Report, e reports.Expectation) string { return expectation(r, &e) },
	"because":      sentenceOf,
	"changed":      func(c reports.Change) string { return changeLine(&c) },
	"showed":       func(c reports.Change) []string { return changeWords(&c) },
	"parts":        parts,
	"reproduction": reproduction,
	"spaced":       func(list string) string { return strings.ReplaceAll(list, ",", ", ") },
}).ParseFS(htmlFiles, "html/*.html"))

// HTML writes a report as one page that needs no other file, no network and no script. Everything on it comes from the report. Where
// the report does not have some data, the page has a sentence in their place.
func HTML(w io.Writer, r *reports.Report) error {
	return page.Write(w, htmlPages, "report.html", newReportPage(r))
}

// reportPage is the data of the page.
type reportPage struct {
	*reports.Report
	Title, Class string
	Headline     string
	About        []string
	NotRestored  []string
	NotJudged    []*notJudged
	Beside       []string    // warnings of the phases that have no section
	Phases       []phaseView // hides those of the report: the phases that have a section of their own, failures first
	Headlines    []headline  // of Phases, in the order of the run
	LateNote     string
}

func newReportPage(r *reports.Report) *reportPage {
	p := &reportPage{Report: r, Headline: HeadlineWord(r), Class: headClass(r), About: about(r), NotRestored: notRestored(r), NotJudged: newNotJudged(r), Beside: baseLines(r)}
	p.Title = "hellochaos " + p.Headline + ": " + r.Summary
	for i := range r.Phases {
		if hasSection(r, i) {
			p.Phases = append(p.Phases, newPhaseView(r, i, fmt.Sprintf("phase-%d", i+1)))
		}
	}
	failuresFirst(p.Phases)
	p.Headlines = newHeadlines(p.Phases)
	p.LateNote = lateNote(p.Headlines)
	return p
}

// failuresFirst sorts the sections as the text report does, and unfolds those that a reader must see: all that did not pass, or all where
// every phase passed.
func failuresFirst(phases []phaseView) {
	slices.SortStableFunc(phases, func(a, b phaseView) int {
		return cmp.Compare(slices.Index(worstFirst, reports.Worst(a.Verdict)), slices.Index(worstFirst, reports.Worst(b.Verdict)))
	})
	for i := range phases {
		phases[i].Open = reports.Worst(phases[i].Verdict) != reports.Pass || reports.Worst(phases[0].Verdict) == reports.Pass
	}
}

// hasSection reports whether a phase has a section of its own. A phase that the next one is only compared with has none, because all of
// its numbers stand beside those of the next one; it has one where it did not pass, or where no phase follows it.
func hasSection(r *reports.Report, phase int) bool {
	p := &r.Phases[phase]
	return !isBackground(p) || phase+1 == len(r.Phases) || len(p.Mismatches) > 0
}

// headClass returns the class that colours the head of the page. A run that did not end well never has the colour of a pass.
func headClass(r *reports.Report) string {
	switch code := r.ExitCode(); code {
	case reports.ExitPass:
		return string(reports.Pass)
	case reports.ExitInconclusive, reports.ExitAborted:
		return string(reports.Inconclusive)
	}
	return string(reports.Fail)
}

// verdictClass returns the class that colours a verdict.
func verdictClass(v reports.Verdict) string {
	switch v {
	case reports.Pass, reports.Fail, reports.Inconclusive:
		return string(v)
	}
	return "same"
}

// verdictSign returns a verdict as a sign, for readers who do not see its colour.
func verdictSign(v reports.Verdict) string {
	switch v {
	case reports.Pass:
		return "✓"
	case reports.Fail:
		return "✗"
	case reports.Inconclusive:
		return "?"
	}
	return "–"
}

// verdictMark returns a verdict as a sign and a word.
func verdictMark(v reports.Verdict) string {
	switch v {
	case reports.Pass, reports.Fail, reports.Inconclusive, reports.NotJudged:
		return verdictSign(v) + " " + verdictWord(v)
	}
	return "no verdict"
}

// counts returns a number of things, with commas.
func counts(n any) string {
	switch n := n.(type) {
	case int:
		return Count(int64(n))
	case *int64:
		return Count(*n)
	case int64:
		return Count(n)
	}
	return fmt.Sprint(n)
}

// notJudged is what could not be looked at for one reason.
type notJudged struct {
	Why string
	// What is what was not judged, Phases the phases in which it was so. What is empty where Why says it all.
	What, Phases []string
	// Alike is how many other reasons differ from Why only in their numbers.
	Alike int
	known []string
}

// newNotJudged gathers from all phases what was not judged.
func newNotJudged(r *reports.Report) []*notJudged {
	var all []*notJudged
	add := func(phase, what, why string) {
		alike := digits.ReplaceAllString(why, "0")
		at := slices.IndexFunc(all, func(n *notJudged) bool {
			return digits.ReplaceAllString(n.Why, "0") == alike && (len(n.What) > 0) == (what != "")
		})
		if at < 0 {
			at = len(all)
			all = append(all, &notJudged{Why: why})
		}
		n := all[at]
		n.Phases = appendNew(n.Phases, phase)
		n.known = appendNew(n.known, why)
		n.Alike = len(n.known) - 1
		if what != "" {
			n.What = appendNew(n.What, what)
		}
	}
	for i := range r.Phases {
		p := &r.Phases[i]
		if p.Undecided != "" {
			add(p.Name, "", p.Undecided)
		}
		for j := range p.Calls {
			notJudgedOf(&p.Calls[j], callName(p, &p.Calls[j]), func(what, why string) { add(p.Name, what, why) })
		}
	}
	return all
}

// digits are the numbers in a reason: two reasons that differ only in them are one for a reader.
var digits = regexp.MustCompile(`[0-9]+(\.[0-9]+)?`)

// notJudgedOf calls add for each check of a call that was not judged. Waits before several tries are one.
func notJudgedOf(c *reports.Call, name string, add func(what, why string)) {
	if c.Requests == reports.NotJudged {
		add(name, c.Note)
	}
	for _, b := range c.Branches {
		if b.Verdict == reports.NotJudged {
			add(name+": "+b.Name, b.Why)
		}
	}
	waits := 0
	for i := range c.Waits {
		if c.Waits[i].Verdict == reports.NotJudged {
			waits++
		}
	}
	for i := range c.Waits {
		switch w := &c.Waits[i]; {
		case w.Verdict != reports.NotJudged:
		case waits == len(c.Waits):
			add(name+": waits", w.Note)
		default:
			add(fmt.Sprintf("%s: waits before try %d", name, w.Try), w.Note)
		}
	}
	if c.Ledger != nil && c.Ledger.Verdict == reports.NotJudged {
		add(name+": ledger", c.Ledger.Note)
	}
}

// mostChecks is how many checks without a verdict are named at the head of the page. Each of them is also in the table of its phase.
const mostChecks = 6

// Names returns the names of the checks, or of the first ones and how many others there are.
func (n notJudged) Names() string {
	if len(n.What) > mostChecks+1 {
		return fmt.Sprintf("%s and %d more", strings.Join(n.What[:mostChecks], ", "), len(n.What)-mostChecks)
	}
	return list(n.What)
}

// fitting returns how many characters have room in a width of pixels.
func fitting(width float64) int { return int(width / page.Character) }
