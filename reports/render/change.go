package render

import (
	"fmt"
	"math"
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

// changeFacts are how much a change showed, and when each proxy gave its last answer by the old rules, in two lines; none where nothing was
// sent.
func changeFacts(c *reports.Change) []string {
	if c.Calls == 0 {
		return nil
	}
	var last []string
	for i := range c.Proxies {
		if p := &c.Proxies[i]; p.LastOld != nil {
			last = append(last, fmt.Sprintf("%s %s ms", p.Name, milliseconds(*p.LastOld)))
		}
	}
	seen := fmt.Sprintf("evidence: %s calls; mixed requests: %s", Count(c.Evidence), Count(c.Mixed))
	if worst := c.LeastWatched(); worst != nil {
		seen += fmt.Sprintf("; a gap below %.0f ms may go unseen", math.Ceil(1000*worst.Unwatched))
	}
	if len(last) == 0 {
		last = []string{"none seen"}
	}
	applied := fmt.Sprintf("last old answers: %s; applied in %s ms", strings.Join(last, ", "), milliseconds(c.Applied))
	if widest := c.Widest(); widest != nil && c.ByConnection {
		applied += fmt.Sprintf("; connections to one proxy at least %s ms apart", milliseconds(widest.Spread))
	}
	return []string{seen, applied}
}

// changeWords are the facts and sentences about a change; none where its line says all.
func changeWords(c *reports.Change) []string {
	if c.Calls == 0 {
		return nil
	}
	return append(changeFacts(c), c.Words...)
}

// changes writes what calls met while rules changed, under the verdict, since it may decide the verdict.
func (t *text) changes() {
	for i := range t.report.Changes {
		c := &t.report.Changes[i]
		if i == 0 {
			t.Blank()
		}
		t.Headline(verdictWord(c.Verdict), colours[c.Verdict], changeLine(c))
		words := changeWords(c)
		if c.Verdict == reports.Pass && !t.verbose {
			words = changeFacts(c)
		}
		for _, line := range words {
			t.Paragraph(line, "  ")
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
