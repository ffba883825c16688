package compare

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/reports/render"
)

// cells are a row's numbers as tables print them.
type cells struct{ Old, New, Difference, P, Needed string }

func (r *Row) cells() cells {
	c := cells{Old: r.number(r.Old), New: r.number(r.New)}
	switch {
	case r.Difference == nil:
	case r.Interval == nil:
		c.Difference = r.delta(*r.Difference)
	default:
		half := math.Max(*r.Difference-r.Interval.Lo, r.Interval.Hi-*r.Difference)
		c.Difference = r.delta(*r.Difference) + " ±" + r.size(half)
		if r.tenfold(*r.Difference) {
			c.Difference = fmt.Sprintf("%s ±%.2g", r.delta(*r.Difference), half)
		}
	}
	switch {
	case r.PHolm != nil:
		c.P = pValue(*r.PHolm)
	case r.settled && r.Kind != Verdict:
		c.P = "exact"
	}
	if r.Needed > 0 {
		c.Needed = rounded(r.Needed)
	}
	return c
}

// number returns the value of one report in the row's unit.
func (r *Row) number(v Value) string {
	switch {
	case r.Kind == Verdict:
		return string(v.Verdict)
	case r.Kind == Outcomes && v.Value == nil:
		return render.Count(v.N) + " sent"
	case r.Kind == Outcomes:
		return render.Count(v.K) + " differ"
	case v.Value == nil:
		return "no data"
	case r.Kind == Coverage:
		return fmt.Sprintf("%d of %d", v.K, v.N)
	case r.Kind == Violations:
		return strconv.FormatInt(v.K, 10) + wrong
	case r.timed():
		return latency(*v.Value)
	case r.Kind == Tries:
		return strconv.FormatFloat(*v.Value, 'f', 2, 64)
	}
	if r.ofViolations {
		return render.Probability(*v.Value) + wrong
	}
	return render.Probability(*v.Value)
}

// wrong follows a number of violations, or their share. The metric names what should happen, so the number alone would be read as the
// number of times that it happened.
const wrong = " wrong"

// latency returns a latency with three significant digits.
func latency(seconds float64) string {
	switch {
	case seconds > 90: // A request times out after a minute at most, and is in the highest bin: its latency is not known.
		return "timeout"
	case seconds >= 1:
		return strconv.FormatFloat(seconds, 'f', 2, 64) + "s"
	}
	ms := 1000 * seconds
	return strconv.FormatFloat(ms, 'f', max(0, 2-int(math.Floor(math.Log10(max(1, ms))))), 64) + "ms"
}

// delta returns a difference with its sign. The difference of a time that has grown more than tenfold is the ratio of new to old.
func (r *Row) delta(d float64) string {
	if r.tenfold(d) {
		return fmt.Sprintf("×%.3g", d+1)
	}
	return render.Signed(d, r.size(math.Abs(d)))
}

// tenfold reports whether a difference is that of a time so much longer that a percentage of it would have four digits.
func (r *Row) tenfold(d float64) bool { return r.timed() && d >= 9.995 }

// size returns how large a difference is, without a sign, in the row's unit.
func (r *Row) size(d float64) string {
	switch {
	case r.timed():
		return fmt.Sprintf("%.0f%%", 100*d)
	case r.Kind == Violations, r.Kind == Coverage:
		return fmt.Sprintf("%.0f", d)
	case r.Kind == Tries:
		return fmt.Sprintf("%.2f", d)
	}
	return render.Probability(d)
}

func pValue(p float64) string {
	if p < 0.001 {
		return "<0.001"
	}
	return strconv.FormatFloat(p, 'f', 3, 64)
}

// rounded returns a number of requests rounded up to two significant digits, since the number is an estimate.
func rounded(n int64) string {
	unit := int64(1)
	for n/unit >= 100 {
		unit *= 10
	}
	return strconv.FormatInt((n+unit-1)/unit*unit, 10)
}

// margins returns sentences that explain the words and numbers of the table.
func (c *Comparison) margins() string {
	floor := ""
	if c.LatencyFloor > 0 {
		floor = fmt.Sprintf(" (%v at least)", time.Duration(c.LatencyFloor*float64(time.Second)))
	}
	violations := ""
	if slices.ContainsFunc(c.Rows, func(r Row) bool { return r.Kind == Violations || r.ofViolations }) {
		violations = "The number before \"wrong\" counts the calls, or the tries of a ledger, that contradict the manifests. "
	}
	predicted := ""
	if c.Policies {
		predicted = "Predictions are exact, and have no margin. "
	}
	return violations + predicted + fmt.Sprintf("A metric is the same where the whole interval of its difference is within the margin: %s for shares, %.3g %% for tries per request, "+
		"from %.3g %% less to %.3g %% more%s for times. "+
		"It is worse or better where the whole interval lies beyond the margin and p is at most %[7]s; p is adjusted by Holm's procedure for %[6]d tests. "+
		"Intervals have a confidence of 0.95. The column \"needs\" has about how many requests a phase needs so that a metric is no longer unclear.",
		render.Probability(c.Margin), 100*c.Margin, 100*c.LatencyMargin/(1+c.LatencyMargin), 100*c.LatencyMargin, floor, c.Family, render.Probability(c.Alpha))
}

// sides returns a line for each of the two reports, and one for what they have in common.
func (c *Comparison) sides() []string {
	line := func(name string, s Side) string {
		return fmt.Sprintf("%s %s: %s, %d requests, seed %d, %s", name, s.Name, s.Ended, s.Requests, s.Seed, s.Started.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	all := []string{line("OLD", c.Old), line("NEW", c.New)}
	if c.Paired > 0 {
		all = append(all, fmt.Sprintf("Both sent the same requests: %s of them were compared one by one.", render.Count(int64(c.Paired))))
	}
	return all
}

// warnings returns what must be known before the numbers are read.
func (c *Comparison) warnings() []string {
	var all []string
	for _, m := range c.Mismatches {
		all = append(all, "the scenarios differ, and are compared because of --force: "+m.String())
	}
	all = append(all, c.Unknown...)
	if c.unpaired != "" {
		all = append(all, c.unpaired)
	}
	return all
}

// changes returns a line for each difference that is allowed.
func (c *Comparison) changes() []string {
	var all []string
	for _, m := range c.Changes {
		all = append(all, m.String())
	}
	return all
}

// leftOut returns what was not compared: each reason once, after all phases that it concerns.
func (c *Comparison) leftOut() []string {
	var order []string
	where := map[string][]string{}
	for _, e := range c.Excluded {
		what := e.What + ": " + e.Why
		if where[what] == nil {
			order = append(order, what)
		}
		where[what] = append(where[what], e.Phase)
	}
	for i, what := range order {
		order[i] = strings.Join(where[what], ", ") + ": " + what
	}
	return order
}
