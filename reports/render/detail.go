package render

import (
	"fmt"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
)

// detail is one line of what is known of a call: what it is about, and the numbers.
type detail struct{ name, text string }

// details returns all that was predicted, measured and judged of a call.
func details(c *reports.Call) (all []detail) {
	add := func(name string, text string) { all = append(all, detail{name, text}) }
	add("rule", ruleText(c))
	if len(c.Cohorts) > 0 {
		add("requests", strings.Join(c.Cohorts, ", "))
	}
	add("fails", measuredShare(&c.Fails))
	if f := c.Tries; f != nil {
		add("tries", fmt.Sprintf("%s for each request (%s of %s), predicted %s", factor(f.Measured), counted(f.Tries, "try"), counted(f.Requests, "request"), factor(f.Predicted)+plusMinus(f.PredictedError)))
	}
	add("calls", verdictWord(c.Requests)+": "+judged(c))
	if c.Note != "" {
		add("", c.Note)
	}
	for i := range c.Branches {
		name := ""
		if i == 0 {
			name = "branches"
		}
		add(name, branch(&c.Branches[i]))
	}
	if c.Split != nil {
		add("split", withNote(verdictWord(c.Split.Verdict)+": "+spread(c.Split), c.Split.Note))
		add("unit", unitKnown(c.Split))
	}
	for i := range c.Waits {
		w := &c.Waits[i]
		add(fmt.Sprintf("try %d", w.Try), withNote(verdictWord(w.Verdict)+": "+waited(w)+fit(w), w.Note))
	}
	if c.Ledger != nil {
		add("ledger", withNote(verdictWord(c.Ledger.Verdict)+": "+ledger(c.Ledger), c.Ledger.Note))
		for _, line := range c.Ledger.Attempts {
			add("", fmt.Sprintf("attempt %d: %s, of which the policy sends %s again", line.Attempt, counted(line.Received, "try"), Count(line.Retryable)))
		}
	}
	return all
}

// withNote returns a text with its note, which may be empty.
func withNote(text, note string) string {
	if note == "" {
		return text
	}
	return text + "; " + note
}

// ruleText returns the rule of a call, its place and its time limits.
func ruleText(c *reports.Call) string {
	if c.Rule == nil {
		policy, _ := policyOf(c)
		return policy
	}
	text := c.Rule.Name
	if where := place(c.Rule.File, c.Rule.Line); where != "" {
		text += ", " + where
	}
	text += ": " + c.Rule.Policy
	if c.Rule.Why != "" {
		text += ", since " + c.Rule.Why
	}
	if c.Rule.PerTry > 0 {
		text += fmt.Sprintf("; a try may take %s", Duration(c.Rule.PerTry))
	}
	if c.Rule.Timeout > 0 {
		text += fmt.Sprintf("; a call may take %s", Duration(c.Rule.Timeout))
	}
	return text
}

// measuredShare returns a share with its counts, interval and prediction.
func measuredShare(s *reports.Share) string {
	text := "no data"
	if s.Measured != nil {
		text = fmt.Sprintf("%s (%s of %s", Probability(*s.Measured), Count(s.K), Count(s.N))
		if s.Interval != nil {
			text += ", 95 % interval " + between(*s.Interval)
		}
		text += ")"
	}
	text += ", predicted " + Probability(s.Predicted) + plusMinus(s.PredictedError)
	if s.Promised != nil {
		text += fmt.Sprintf(", %s with the scenario's own manifests", Probability(*s.Promised))
	}
	return text
}

// plusMinus returns the standard error of a prediction that was found by playing requests.
func plusMinus(error float64) string {
	if error == 0 {
		return ""
	}
	return " ±" + Probability(error)
}

// judged returns what the calls of a row showed one by one, as a clause.
func judged(c *reports.Call) string {
	text := fmt.Sprintf("%s of %s met something else than they must", Count(c.Mismatched), counted(c.Judged, "call"))
	if c.Mismatched == 0 {
		text = fmt.Sprintf("%s met what they must", counted(c.Judged-c.Open, "call"))
	}
	if c.Open > 0 {
		text += fmt.Sprintf(", %s may have been decided by a time limit", Count(c.Open))
	}
	if c.Excludes != nil {
		text += fmt.Sprintf("; %s of them would have shown a deviation, which excludes that %s deviate", Count(c.Decisive), Percent(*c.Excludes))
	}
	return text
}

// branch returns a branch with how often it was met, or why it was not.
func branch(b *reports.Branch) string {
	text := fmt.Sprintf("%s: %s: met by %s", verdictWord(b.Verdict), b.Name, counted(b.Met, "call"))
	if b.Met < b.Wanted {
		text += fmt.Sprintf(" of %s", Count(b.Wanted))
	}
	return withNote(text, b.Why)
}

// spread returns the parts of a split, measured and predicted.
func spread(s *reports.Split) string {
	var all []string
	for i := range s.Parts {
		part := &s.Parts[i]
		text := fmt.Sprintf("%s %s (%s of %s", part.Name, share(&part.Share), Count(part.K), Count(part.N))
		if !s.Balanced {
			text += ", predicted " + Probability(part.Predicted)
		}
		all = append(all, text+")")
	}
	text := strings.Join(all, ", ")
	if s.Balanced {
		text += ", as a load balancer chose"
	}
	return text + ", " + byUnit(s)
}

// byUnit says what the parts of a split were drawn for.
func byUnit(s *reports.Split) string {
	if s.Unit == "" {
		return "unit unknown"
	}
	return "by " + string(s.Unit)
}

// unitKnown is a sentence on what the parts of a split were drawn for, and how that is known.
func unitKnown(s *reports.Split) string {
	switch {
	case s.Unit == "":
		return "Whether the mesh drew for each request or for each connection is not known."
	case s.UnitFrom == reports.UnitMeasured && s.Unit == reports.ByConnection:
		return "Drawn by connection: all calls of each connection went the same way."
	case s.UnitFrom == reports.UnitMeasured:
		return "Drawn by request: calls of one connection went different ways."
	}
	return "Drawn by " + string(s.Unit) + ", as rules for HTTP are."
}

// waited returns the number of waits and their median beside the predicted one.
func waited(w *reports.Wait) string {
	if w.Measured == nil {
		return counted(w.N, "wait")
	}
	return fmt.Sprintf("%s with a median of %s, predicted %s", counted(w.N, "wait"), Duration(*w.Measured), Duration(w.Predicted))
}

// fit returns how far the distribution of waits is from the predicted one.
func fit(w *reports.Wait) string {
	if w.Measured == nil || w.Limit == 0 {
		return ""
	}
	return fmt.Sprintf("; the distributions differ by %s, where %s are allowed", Probability(w.Distance), Probability(w.Limit))
}

// ledger returns what the called service itself counted.
func ledger(l *reports.Ledger) string {
	return fmt.Sprintf("the service counted %s for %s that call for one", counted(l.Retries, "retry"), counted(l.Failures, "failure"))
}
