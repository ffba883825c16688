package compare

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// conclude sorts the rows, what is worse first, and gives the whole comparison its word and sentence.
func (c *Comparison) conclude() {
	slices.SortStableFunc(c.Rows, func(a, b Row) int { return cmp.Compare(a.rank(), b.rank()) })
	count := c.Counts()
	open := c.open()
	c.Word = wordOf(count, len(open) > 0 || len(c.Rows) == 0)
	switch {
	case c.Word == Worse:
		c.Summary = fmt.Sprintf("NEW is worse than OLD in %d of %s; the first is %s", count[Worse], metrics(len(c.Rows)), c.Rows[0].name())
	case len(open) > 0:
		c.Summary = fmt.Sprintf("NEW is not found to be worse, but not all could be told: %s", open[0])
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
			c.Summary = fmt.Sprintf("NEW is the same as OLD in %d of %s; too uncertain to tell: %s", count[Same], metrics(len(c.Rows)), sumUp(open))
		}
	}
}

// wordOf is the word of rows with these words; open: something that should be settled is not.
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

// Counts are how many rows have each word.
func (c *Comparison) Counts() map[Word]int {
	count := map[Word]int{}
	for i := range c.Rows {
		count[c.Rows[i].Word]++
	}
	return count
}

// open is what keeps the comparison from being settled.
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

// name is the row's metric and where it is from, in words. Names are quoted: they may have commas and colons in them.
func (r *Row) name() string {
	return fmt.Sprintf("%q of stage %s, phase %s", r.Metric, r.Stage, r.Phase)
}

// String says what was not compared, and why.
func (e Exclusion) String() string {
	where := e.Stage
	if e.Phase != "" {
		where += ", " + e.Phase
	}
	return fmt.Sprintf("%s: %s: %s", where, e.What, e.Why)
}

// rank orders rows: worse, better, unclear, the same; among the unclear those that count first.
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

// Refusal says in what the scenarios differ, each with both values; empty: they may be compared.
func (c *Comparison) Refusal() string {
	var lines []string
	for _, m := range c.Mismatches {
		lines = append(lines, m.String())
	}
	return strings.Join(lines, "\n")
}

// String is both values of what differs.
func (m Mismatch) String() string { return fmt.Sprintf("%s: OLD %s, NEW %s", m.Name, m.Old, m.New) }
