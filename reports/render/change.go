package render

import (
	"fmt"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hellochaos/hellochaos/reports"
)

// changeLine is what calls met while rules changed, in one line.
func changeLine(c *reports.Change) string {
	if c.Calls == 0 {
		return c.Title() + ": " + c.Why
	}
	text := fmt.Sprintf("%s: %s, %s lost, %s old after new", c.Title(), counted(c.Calls, "call"), Count(c.Lost), Count(c.OldAfterNew))
	if n := c.Late + c.Early; n > 0 {
		text += fmt.Sprintf(", %s at a wrong time", Count(n))
	}
	return text
}

// changeTimes says how much a change showed, and when each proxy gave its last answer by the old rules: "602 calls tell old from new, 13
// requests mixed; last old answer: frontend 60 ms".
func changeTimes(c *reports.Change) string {
	text := fmt.Sprintf("%s tell old from new, %s mixed", counted(c.Evidence, "call"), counted(c.Mixed, "request"))
	var last []string
	for i := range c.Proxies {
		if p := &c.Proxies[i]; p.LastOld != nil {
			last = append(last, fmt.Sprintf("%s %s ms", p.Name, milliseconds(*p.LastOld)))
		}
	}
	if len(last) > 0 {
		text += "; last old answer: " + strings.Join(last, ", ")
	}
	return text
}

// changeWords are the sentences about a change; none where its line says all.
func changeWords(c *reports.Change) []string {
	if c.Calls == 0 {
		return nil
	}
	return c.Words
}

// changes writes what calls met while rules changed, under the verdict, since it may decide the verdict.
func (t *text) changes() {
	for i := range t.report.Changes {
		c := &t.report.Changes[i]
		if i == 0 {
			t.Blank()
		}
		t.Headline(verdictWord(c.Verdict), colours[c.Verdict], changeLine(c))
		if c.Calls > 0 {
			t.Paragraph(changeTimes(c), "  ")
		}
		if c.Verdict == reports.Pass && !t.verbose {
			continue
		}
		for _, words := range changeWords(c) {
			t.Paragraph(words, "  ")
		}
	}
}

// collectChange sends what calls met while rules changed.
func collectChange(c *reports.Change, to chan<- prometheus.Metric) {
	metricChangeSays.emitState(to, states, c.Verdict, c.From, c.To)
	metricChanged.Emit(to, float64(c.Calls), c.From, c.To)
	for _, kind := range []struct {
		name  string
		count int64
	}{{"lost", c.Lost}, {"old after new", c.OldAfterNew}, {"old after the change", c.Late}, {"new before the change", c.Early}} {
		metricChangeLost.Emit(to, float64(kind.count), c.From, c.To, kind.name)
	}
	for i := range c.Proxies {
		if p := &c.Proxies[i]; p.LastOld != nil {
			metricChangeLast.Emit(to, *p.LastOld, c.From, c.To, p.Name)
		}
	}
}
