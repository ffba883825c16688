package compare

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// conclude sorts the rows by rank, and sets the word and the summary of the comparison.
func (c *Comparison) conclude() {
	slices.SortStableFunc(c.Rows, func(a, b Row) int { return cmp.Compare(a.rank(), b.rank()) })
	count := c.Counts()
	open := c.open()
	c.Word = wordOf(count, len(open) > 0 || len(c.Rows) == 0)
	switch {
	case c.Word == Worse:
		c.Summary = fmt.Sprintf("NEW is worse than OLD in %d of %s; the first is %s", count[Worse], metrics(len(c.Rows)), c.Rows[0].name())
	case len(open) > 0:
		c.Summary = fmt.Sprintf("no metric of NEW is worse, but not all could be decided: %s", open[0])
		if len(open) > 1 {
			c.Summary += fmt.Sprintf(", and %d more", len(open)-1)
		}
	case len(c.Rows) == 0:
		c.Summary = "nothing could be compared"
	case c.Word == Better:
		c.Summary = fmt.Sprintf("NEW is better than OLD in %d of %s, and worse in none; the first is %s", count[Better], metrics(len(c.Rows)), c.Rows[0].name())
	default:
		c.Summary = "NEW is the same as OLD in all " + metrics(len(c.Rows))
		if count[Unclear] > 0 {
			var open []*Row
			for i := range c.Rows {
				if c.Rows[i].Word == Unclear {
					open = append(open, &c.Rows[i])
				}
			}
			c.Summary = fmt.Sprintf("NEW is the same as OLD in %d of %s; not decided, and not counted: %s", count[Same], metrics(len(c.Rows)), sumUp(open))
		}
	}
	if n := len(c.rules); n > 0 {
		c.Summary += fmt.Sprintf(". %d of the rules, by host and match, differ", n)
		if n == 1 {
			c.Summary = strings.TrimSuffix(c.Summary, "differ") + "differs"
		}
	}
}

// wordOf returns the word of a comparison whose rows have these words. open is true where a row that counts is unclear, or where data
// that should be there are missing.
func wordOf(count map[Word]int, open bool) Word {
	switch {
	case count[Worse] > 0:
		return Worse
	case open:
		return Unclear
	case count[Better] > 0:
		return Better
	}
	return Same
}

func metrics(n int) string {
	if n == 1 {
		return "1 metric"
	}
	return fmt.Sprintf("%d metrics", n)
}

// Counts returns how many rows have each word.
func (c *Comparison) Counts() map[Word]int {
	count := map[Word]int{}
	for i := range c.Rows {
		count[c.Rows[i].Word]++
	}
	return count
}

// open returns the rows and the missing data because of which the comparison is unclear.
func (c *Comparison) open() []string {
	var all []string
	for i := range c.Rows {
		if r := &c.Rows[i]; r.Gates && r.Word == Unclear {
			all = append(all, r.name())
		}
	}
	for _, e := range c.Excluded {
		if e.Gates {
			all = append(all, e.String())
		}
	}
	return all
}

// name returns the row's metric with its phase. The metric is quoted, because it may have commas and colons in it.
func (r *Row) name() string {
	return fmt.Sprintf("%q of phase %s", r.of(), r.Phase)
}

// of returns the row's metric after the calls that it is about.
func (r *Row) of() string {
	if r.Call == "" {
		return r.Metric
	}
	return r.Call + ": " + r.Metric
}

// String returns what was not compared, and why.
func (e Exclusion) String() string {
	return fmt.Sprintf("%s: %s: %s", e.Phase, e.What, e.Why)
}

// rank returns the place of a row in the order: worse, better, unclear and counting, unclear and not counting, same.
func (r *Row) rank() int {
	switch {
	case r.Word == Worse:
		return 0
	case r.Word == Better:
		return 1
	case r.Word == Unclear && r.Gates:
		return 2
	case r.Word == Unclear:
		return 3
	}
	return 4
}

// Refusal returns a line for each setting in which the scenarios differ, with both values. It is empty where they may be compared.
func (c *Comparison) Refusal() string {
	var lines []string
	for _, m := range c.Mismatches {
		lines = append(lines, m.String())
	}
	return strings.Join(lines, "\n")
}

// String returns the name of what differs, and both values.
func (m Mismatch) String() string { return fmt.Sprintf("%s: OLD %s, NEW %s", m.Name, m.Old, m.New) }
