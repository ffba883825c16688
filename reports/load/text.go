package load

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/render"
	"github.com/hellochaos/hellochaos/reports/terminal"
)

var colours = map[reports.Verdict]terminal.Colour{reports.Pass: terminal.Green, reports.Fail: terminal.Red, reports.Inconclusive: terminal.Yellow}

// Text writes the report for people, in 80 columns: the verdict and the counts first. It says the same without colour.
func Text(w io.Writer, r *Report, colour bool) error {
	t := &terminal.Text{Coloured: colour}
	word, of, summary := r.headline()
	t.Headline(word, of, summary)
	t.Paragraph(r.about(), "")
	if r.Aborted != "" {
		t.Paragraph(r.abortedEarly(), "  ! ")
	}
	for i := range r.Incomplete {
		t.Paragraph(r.Incomplete[i].text(), "  ! ")
	}
	for _, warning := range r.Warnings {
		t.Paragraph(warning+".", "  ! ")
	}
	if len(r.Expectations) > 0 {
		t.Blank()
	}
	for i := range r.Expectations {
		e := &r.Expectations[i]
		t.Headline(strings.ToUpper(string(e.Verdict)), colours[e.Verdict], e.measured())
		if e.Verdict != reports.Pass {
			t.Paragraph(strings.ToUpper(e.Why[:1])+e.Why[1:]+".", "  ")
		}
	}
	t.Blank()
	t.Table(timesHeads, terminal.Group{Rows: r.times()})
	for _, of := range r.tables() {
		if len(of.Rows) > 0 {
			t.Blank()
			t.Table(of.Heads, terminal.Group{Rows: of.Rows})
		}
	}
	t.Blank()
	for _, f := range r.facts() {
		t.Paragraph(f[1], fmt.Sprintf("%-13s", f[0]))
	}
	t.Blank()
	t.Paragraph(r.legend(), "")
	_, err := io.WriteString(w, t.String())
	return err
}

// headline is the first line: its word, and what it is about.
func (r *Report) headline() (word string, of terminal.Colour, text string) {
	failed := 0
	var first string
	for _, e := range r.Expectations {
		if e.Verdict == r.Verdict {
			if failed++; failed == 1 {
				first = e.Text
			}
		}
	}
	of = colours[r.Verdict]
	switch all := len(r.Expectations); {
	case r.Interrupted != "":
		return "INTERRUPTED", terminal.Yellow, fmt.Sprintf("%s after %s of %s requests: the figures are of what was answered until then",
			r.Interrupted, render.Count(r.Requests.Sent), render.Count(r.Requests.Planned))
	case len(r.Incomplete) > 0:
		return "INCOMPLETE", terminal.Yellow, fmt.Sprintf("%d of %d workers died: %s", len(r.Incomplete), r.Workers, r.counts())
	case r.Verdict == reports.Pass:
		return "PASS", of, fmt.Sprintf("%s: %s", met(all), r.counts())
	case r.Verdict == reports.Fail:
		return "FAIL", of, unmet(failed, all, first, "is not met", "are not met")
	case r.Verdict != "":
		return "INCONCLUSIVE", of, unmet(failed, all, first, "cannot be judged", "cannot be judged")
	case r.Limited:
		return "GENERATOR-LIMITED", terminal.Yellow, r.counts()
	}
	return "DONE", terminal.None, r.counts()
}

// unmet says what became of some of all expectations, and which one is the first of these. is and are say it of one and of several.
func unmet(some, all int, first, is, are string) string {
	if some == 1 {
		return fmt.Sprintf("1 of %s %s: %s", plural(all, "expectation", "expectations"), is, first)
	}
	return fmt.Sprintf("%d of %d expectations %s, the first of them: %s", some, all, are, first)
}

func met(all int) string {
	if all == 1 {
		return "the expectation is met"
	}
	return fmt.Sprintf("all %d expectations are met", all)
}

func plural(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// counts says how many requests were sent, and how many failed.
func (r *Report) counts() string {
	return fmt.Sprintf("%s sent, %s good, %s failed", requests(r.Requests.Sent), render.Count(r.Requests.OK), render.Count(r.Requests.Failed))
}

func requests(n int64) string {
	if n == 1 {
		return "1 request"
	}
	return render.Count(n) + " requests"
}

// about says what was requested, and at which rate.
func (r *Report) about() string {
	to := "several targets"
	switch n := len(r.Targets); {
	case n == 1:
		to = r.Targets[0].Method + " " + r.Targets[0].URL
	case n > 1:
		to = fmt.Sprintf("%s targets, the first one %s %s", render.Count(int64(n)), r.Targets[0].Method, r.Targets[0].URL)
	}
	if r.Recording != "" {
		return fmt.Sprintf("%s: %s at %s/s to %s", r.Recording, requests(r.Requests.Sent), perSecond(r.Rate.Sent), to)
	}
	if r.Workers > 0 {
		to += fmt.Sprintf(", by %d workers", r.Workers)
	}
	if r.Closed {
		return fmt.Sprintf("closed loop: %s in flight, each followed by the next, %s/s: %s", requests(int64(r.Connections.Most)), perSecond(r.Rate.Sent), to)
	}
	if n := len(r.Phases); n > 1 {
		return fmt.Sprintf("%s in %d phases, %s/s in the mean: %s", requests(r.Requests.Planned), n, perSecond(r.Rate.Sent), to)
	}
	return fmt.Sprintf("%s at %s/s, and %s/s achieved: %s", requests(r.Requests.Planned), perSecond(r.Rate.Planned), perSecond(r.Rate.Sent), to)
}

// text says which worker died, and what is missing because of that.
func (w *Worker) text() string {
	return fmt.Sprintf("worker %d of %d died (%s): of its %s, %s are missing in all figures.", w.Number, w.Of, w.Why, requests(w.Planned), render.Count(w.Missing))
}

// abortedEarly says why the attack ended before its end.
func (r *Report) abortedEarly() string {
	return fmt.Sprintf("the attack ended after %s of %s requests, since %s cannot be met any more.", render.Count(r.Requests.Sent), render.Count(r.Requests.Planned), r.Aborted)
}

// measured says what was expected and measured: "p99 <= 250ms: measured 4.2ms (3.9ms to 4.6ms)".
func (e *Expectation) measured() string {
	if e.Measured == nil {
		return e.Text + ": no data"
	}
	text := e.Text + ": measured " + e.Unit.text(*e.Measured)
	if e.Interval != nil && e.Interval.Lo < e.Interval.Hi {
		text += fmt.Sprintf(" (%s to %s)", e.Unit.text(e.Interval.Lo), e.Unit.text(e.Interval.Hi))
	}
	return text
}

func (u Unit) text(v float64) string {
	switch u {
	case Seconds:
		return render.Duration(v)
	case PerSecond:
		return perSecond(v) + "/s"
	}
	return render.Percent(v)
}

// perSecond is a rate with one decimal below 10,000, and three significant digits below 1.
func perSecond(v float64) string {
	if v < 1 {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	if v >= 10_000 {
		return render.Count(int64(v + 0.5))
	}
	text := strconv.FormatFloat(v, 'f', 1, 64)
	whole, decimal, _ := strings.Cut(text, ".")
	n, _ := strconv.ParseInt(whole, 10, 64) // FormatFloat wrote it
	if decimal == "0" {
		return render.Count(n)
	}
	return render.Count(n) + "." + decimal
}

// times are the rows of the table of latencies.
func (r *Report) times() (rows [][]string) {
	at := func(d *Distribution, q int) string {
		if q >= len(d.Quantiles) {
			return "-"
		}
		return render.Duration(d.Quantiles[q].Seconds)
	}
	most := func(d *Distribution) string {
		if d.N == 0 {
			return "-"
		}
		return render.Duration(d.Max)
	}
	ok := &r.Latency.OK
	for q := range max(len(ok.Quantiles), len(r.Latency.Failed.Quantiles)) {
		of := &r.Latency.Failed
		if q < len(ok.Quantiles) {
			of = ok
		}
		interval := "-"
		if i := of.Quantiles[q].Interval; of == ok && i != nil {
			interval = render.Duration(i.Lo) + " to " + render.Duration(i.Hi)
		}
		rows = append(rows, []string{"p" + strconv.FormatFloat(100*of.Quantiles[q].Q, 'g', 4, 64), at(ok, q), interval, at(&r.Service.OK, q), at(&r.Latency.Failed, q)})
	}
	return append(rows, []string{"max", most(ok), "", most(&r.Service.OK), most(&r.Latency.Failed)})
}

// timesHeads are those of the table of latencies.
var timesHeads = []string{"", "latency", "95 % interval", "service time", "failed"}

// tables are those of phases, targets and statuses. A single status has no table, since its figures are those of all.
func (r *Report) tables() []table {
	heads := func(of string) []string { return []string{of, "requests", "failed", "p50", "p99", "max"} }
	all := []table{{"Phases", []string{"phase", "planned", "good", "failed", "skipped", "p50", "p99", "max"}, r.phases()}, {"Targets", heads("target"), rows(r.ByTarget)}}
	if len(r.ByStatus) > 1 {
		all = append(all, table{"Statuses", heads("status"), rows(r.ByStatus)})
	}
	return all
}

// phases are the rows of the phases.
func (r *Report) phases() (rows [][]string) {
	for i := range r.Phases {
		p := &r.Phases[i]
		row := []string{p.Name, render.Count(p.Planned), render.Count(p.OK), render.Count(p.Failed), render.Count(p.Skipped)}
		if p.Limited {
			row = append(row, "void", "void", "void")
		} else {
			row = append(row, p.Latency.cells()...)
		}
		rows = append(rows, row)
	}
	return rows
}

// cells are the median, the 99th percentile and the maximum.
func (d *Distribution) cells() (all []string) {
	if d.N == 0 {
		return []string{"-", "-", "-"}
	}
	for _, q := range d.Quantiles {
		if q.Q == 0.5 || q.Q == 0.99 {
			all = append(all, render.Duration(q.Seconds))
		}
	}
	return append(all, render.Duration(d.Max))
}

// rows are those of targets or statuses.
func rows(of []Row) (all [][]string) {
	for i := range of {
		row := &of[i]
		all = append(all, append([]string{row.Name, render.Count(row.Requests), render.Count(row.Failed)}, row.Latency.cells()...))
	}
	return all
}

// facts are the lines below the table, each with its name.
func (r *Report) facts() (all [][2]string) {
	add := func(name, format string, arguments ...any) {
		all = append(all, [2]string{name, fmt.Sprintf(format, arguments...)})
	}
	q := &r.Requests
	if r.Closed {
		add("requests", "%s sent in a closed loop, in which nothing is planned", render.Count(q.Sent))
	} else if r.Recording == "" {
		text := fmt.Sprintf("%s planned, %s sent, %s skipped", render.Count(q.Planned), render.Count(q.Sent), render.Count(q.Skipped))
		if q.GivenUp > 0 {
			text += fmt.Sprintf(", %s given up in flight", render.Count(q.GivenUp))
		}
		add("requests", "%s", text)
	}
	failed := ""
	if q.FailedShare != nil {
		failed = fmt.Sprintf(": %s (%s to %s)", render.Percent(float64(q.Failed)/float64(q.OK+q.Failed)), render.Percent(q.FailedShare.Lo), render.Percent(q.FailedShare.Hi))
	}
	add("answers", "%s good (%s/s), %s failed%s", render.Count(q.OK), perSecond(r.Rate.OK), render.Count(q.Failed), failed)
	if len(r.Statuses) > 0 {
		var texts []string
		for _, status := range slices.Sorted(maps.Keys(r.Statuses)) {
			texts = append(texts, fmt.Sprintf("%d: %s", status, render.Count(r.Statuses[status])))
		}
		add("statuses", "%s", strings.Join(texts, ", "))
	}
	for i, e := range r.Errors {
		name, first := "", ""
		if i == 0 {
			name = "errors"
		}
		if e.First != "" {
			first = ", first: " + e.First
		}
		add(name, "%s: %s%s", e.Class, render.Count(e.Count), first)
	}
	add("bytes", "%s in, %s out", render.Count(r.BytesIn), render.Count(r.BytesOut))
	if c := r.Connections; c != nil {
		add("connections", "%s opened; at most %s in flight, of %s", render.Count(int64(c.Opened)), requests(int64(c.MostInFlight)), render.Count(int64(c.Most)))
	}
	if c := r.Clocks; c != nil {
		add("clocks", "those of the workers are between %s and %s of this machine's", apart(c.Lo), apart(c.Hi))
	}
	if !r.FromStart && !r.Closed {
		add("schedule", "requests left %s (p50) to %s (p99) late, and %s of them more than 20ms", render.Duration(r.Schedule.LagMedian), render.Duration(r.Schedule.LagP99), render.Percent(r.Schedule.LateShare))
	}
	return all
}

// legend says what the columns are.
func (r *Report) legend() string {
	text := "latency: of good answers, from the planned start of each request; service time: from when it was sent; failed: the latency of the others."
	for i := range r.Phases {
		if r.Phases[i].Warmup {
			text += " What was measured in the warm-up is in its row alone."
		}
		if r.Phases[i].Limited {
			text += " void: the load generator did not keep the schedule of the phase."
			break
		}
	}
	if r.Closed {
		text = "latency: of good answers, from when a request was sent. In a closed loop a slow answer delays the requests after it, so that what users would have waited meanwhile is in no latency (coordinated omission): it finds how much can be answered, and not how fast."
	}
	if r.FromStart {
		text = "latency: of good answers, from when a request was sent. The file does not say when it was planned, so that what it waited before is in no latency."
	}
	for i := range r.Expectations {
		if confidence := r.Expectations[i].Confidence; confidence > 0 {
			return text + fmt.Sprintf(" Expectations are judged by intervals of %.4g %%; all others are of 95 %%.", 100*confidence)
		}
	}
	return text
}

// apart says how far a clock is ahead of another one.
func apart(seconds float64) string {
	if seconds < 0 {
		return render.Duration(-seconds) + " behind"
	}
	return render.Duration(seconds) + " ahead"
}
