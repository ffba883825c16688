package load

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/render"
	"github.com/hellochaos/hellochaos/reports/terminal"
	"github.com/hellochaos/hellochaos/stats"
)

// Margins are the largest differences that still count as the same: of shares and of rates, as a part of the old rate; of latencies as a part
// of the old one, and in seconds whatever that is.
type Margins struct{ Share, Latency, LatencyFloor float64 }

// Comparison is what is different between two attacks.
type Comparison struct {
	Old  string       `json:"old"` // the names of the reports
	New  string       `json:"new"`
	Rows []Difference `json:"rows"`
	// Mismatches are sentences about what else differs, so that the two are not comparable.
	Mismatches []string `json:"mismatches,omitempty"`
	strict     bool
}

// Difference is a metric of both. Word is better, worse, same or unclear.
type Difference struct {
	Metric   string          `json:"metric"`
	Unit     Unit            `json:"unit"`
	Old      *float64        `json:"old,omitempty"`
	New      *float64        `json:"new,omitempty"`
	Interval *stats.Interval `json:"interval,omitempty"` // of new minus old, 95 %; nil where it was counted, or where there are too few data
	Word     string          `json:"word"`
	Why      string          `json:"why,omitempty"` // it is unclear
	rare     bool            // a quantile that few attacks can tell
}

// The words of a Difference.
const (
	better, worse, same, unclear = "better", "worse", "same", "unclear"
)

// Compare compares two attacks. strict makes the comparison unclear where a rare quantile is unclear, too.
func Compare(before, after *Report, m Margins, strict bool) *Comparison {
	c := &Comparison{strict: strict, Mismatches: mismatches(before, after)}
	for i, name := range []string{"p50", "p90", "p99", "p99.9"} {
		c.Rows = append(c.Rows, latencyDifference(name, i, before, after, m))
	}
	c.Rows = append(c.Rows, errorsDifference(before, after, m), rateDifference(before, after, m))
	return c
}

// mismatches says what of two attacks must be alike, and is not.
func mismatches(a, b *Report) (all []string) {
	if a.Closed != b.Closed {
		all = append(all, "one of them is a closed loop, and the other one has a schedule")
	}
	if a.FromStart != b.FromStart {
		all = append(all, "the latencies of one of them count from the planned start, and those of the other one from when a request was sent")
	}
	if x, y := a.Rate.Planned, b.Rate.Planned; !a.Closed && !b.Closed && math.Abs(x-y) > 0.01*max(x, y) {
		all = append(all, fmt.Sprintf("the planned rates are %s/s and %s/s", perSecond(x), perSecond(y)))
	}
	return all
}

// latencyDifference compares a quantile of the latency of good answers.
func latencyDifference(name string, at int, before, after *Report, m Margins) Difference {
	d := Difference{Metric: name, Unit: Seconds, rare: at > 2, Word: unclear}
	value := func(r *Report) *Quantile {
		if at < len(r.Latency.OK.Quantiles) {
			return &r.Latency.OK.Quantiles[at]
		}
		return nil
	}
	x, y := value(before), value(after)
	if x != nil {
		d.Old = &x.Seconds
	}
	if y != nil {
		d.New = &y.Seconds
	}
	switch {
	case before.Limited || after.Limited:
		d.Why = "a load generator did not keep its schedule"
	case x == nil || y == nil:
		d.Why = "there is no good answer"
	case x.Interval == nil || y.Interval == nil:
		d.Why = "the answers are too few"
	default:
		d.judge(stats.Difference(stats.Estimate{Value: x.Seconds, Interval: *x.Interval}, stats.Estimate{Value: y.Seconds, Interval: *y.Interval}), max(m.Latency*x.Seconds, m.LatencyFloor))
	}
	return d
}

// errorsDifference compares the shares of requests that failed.
func errorsDifference(before, after *Report, m Margins) Difference {
	d := Difference{Metric: "errors", Unit: Share, Word: unclear, Why: "there is no request"}
	share := func(r *Report) stats.Estimate {
		v := float64(r.Requests.Failed) / float64(r.Requests.OK+r.Requests.Failed)
		return stats.Estimate{Value: v, Interval: *r.Requests.FailedShare}
	}
	if before.Requests.FailedShare == nil || after.Requests.FailedShare == nil {
		return d
	}
	d.Why = ""
	x, y := share(before), share(after)
	d.Old, d.New = &x.Value, &y.Value
	d.judge(stats.Difference(x, y), m.Share)
	return d
}

// rateDifference compares how many good answers came a second, which is counted and not estimated.
func rateDifference(before, after *Report, m Margins) Difference {
	d := Difference{Metric: "good answers", Unit: PerSecond, Old: &before.Rate.OK, New: &after.Rate.OK, Word: same}
	switch change := after.Rate.OK - before.Rate.OK; {
	case change > m.Share*before.Rate.OK:
		d.Word = better
	case change < -m.Share*before.Rate.OK:
		d.Word = worse
	}
	return d
}

// judge says which word a difference has, of which less is better.
func (d *Difference) judge(e stats.Estimate, margin float64) {
	d.Interval = &e.Interval
	switch {
	case e.Interval.Lo > margin:
		d.Word = worse
	case e.Interval.Hi < -margin:
		d.Word = better
	case e.Interval.Lo >= -margin && e.Interval.Hi <= margin:
		d.Word = same
	default:
		d.Word, d.Why = unclear, "the interval of the difference lies across the margin"
	}
}

// Word is that of the whole: the worst.
func (c *Comparison) Word() string {
	found := map[string]bool{}
	for i := range c.Rows {
		if d := &c.Rows[i]; d.Word != unclear || !d.rare || c.strict {
			found[d.Word] = true
		}
	}
	for _, word := range []string{worse, unclear, better} {
		if found[word] {
			return word
		}
	}
	return same
}

// ExitCode is that of compare-reports: 0 the same or better, 1 worse, 3 unclear.
func (c *Comparison) ExitCode() int {
	switch c.Word() {
	case worse:
		return reports.ExitFail
	case unclear:
		return reports.ExitInconclusive
	}
	return reports.ExitPass
}

// Text writes the comparison for people.
func (c *Comparison) Text(w io.Writer, colour bool) error {
	t := &terminal.Text{Coloured: colour}
	colours := map[string]terminal.Colour{better: terminal.Green, same: terminal.Green, worse: terminal.Red, unclear: terminal.Yellow}
	t.Headline(strings.ToUpper(c.Word()), colours[c.Word()], fmt.Sprintf("%s (new) against %s (old)", c.New, c.Old))
	for _, mismatch := range c.Mismatches {
		t.Paragraph(mismatch+".", "  ! ")
	}
	t.Blank()
	var rows [][]string
	for i := range c.Rows {
		rows = append(rows, c.Rows[i].cells())
	}
	t.Table([]string{"", "old", "new", "difference, 95 %", "", ""}, terminal.Group{Rows: rows})
	_, err := io.WriteString(w, t.String())
	return err
}

// cells are a row of the table.
func (d *Difference) cells() []string {
	text := func(v *float64) string {
		if v == nil {
			return "-"
		}
		return d.Unit.text(*v)
	}
	signed := func(v float64) string {
		if v < 0 {
			return "-" + d.Unit.text(-v)
		}
		return "+" + d.Unit.text(v)
	}
	interval := "-"
	if d.Interval != nil && d.Unit == Share { // points of a percentage
		interval = render.Percent(d.Interval.Lo) + " to " + render.Percent(d.Interval.Hi)
	} else if d.Interval != nil {
		interval = signed(d.Interval.Lo) + " to " + signed(d.Interval.Hi)
	}
	return []string{d.Metric, text(d.Old), text(d.New), interval, d.Word, d.Why}
}

// JSON writes the comparison.
func (c *Comparison) JSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(c)
}
