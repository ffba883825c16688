package render

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/terminal"
)

// rowGroup is rows that stand together below a title, which may be empty.
type rowGroup struct {
	title  string
	colour terminal.Colour
	rows   []row
}

// totalRows returns the rows that follow those of the calls: the shares of the requests as a whole, and in the last one how many branches
// were met. The share of the edge is left out where a single call leads in, since it has the same numbers.
func totalRows(r *reports.Report, phase int) (all []row) {
	p := &r.Phases[phase]
	for i := range p.Shares {
		s := &p.Shares[i]
		if sameNumbers(p, s) {
			continue
		}
		all = append(all, row{call: strings.TrimSuffix(s.Name, " fails"), before: share(shareBefore(r, phase, s.Name)), now: share(s)})
	}
	met, branches := p.Coverage()
	if branches == 0 {
		return all
	}
	if len(all) == 0 {
		all = []row{{}}
	}
	last := &all[len(all)-1]
	last.policy = fmt.Sprintf("branches met: %d of %d", met, branches)
	return all
}

// sameNumbers reports whether a share is that of the only call that enters.
func sameNumbers(p *reports.Phase, s *reports.Share) bool {
	entries, same := 0, false
	for i := range p.Calls {
		if c := &p.Calls[i]; c.From == "edge" {
			entries++
			same = c.Fails.K == s.K && c.Fails.N == s.N && s.Name == reports.EdgeFails
		}
	}
	return entries == 1 && same
}

// shareBefore returns the share of that name in the phase before, or nil.
func shareBefore(r *reports.Report, phase int, name string) *reports.Share {
	if phase == 0 {
		return nil
	}
	former := &r.Phases[phase-1]
	for i := range former.Shares {
		if former.Shares[i].Name == name {
			return &former.Shares[i]
		}
	}
	return nil
}

// heads are the heads of the columns.
var heads = row{call: "call", now: "fails", tries: "tries/req", waits: "waits (ms)", policy: "policy in force"}

// numbers returns the cells of the columns of numbers that any row has: of a row, and of the heads.
func numbers(groups []rowGroup) (of func(row) []string, head []string) {
	var before, tries, waits bool
	for _, g := range groups {
		for _, one := range g.rows {
			before, tries, waits = before || one.before != "", tries || one.tries != "", waits || one.waits != ""
		}
	}
	of = func(r row) (cells []string) {
		if before {
			arrow := ""
			if r.before != "" {
				arrow = "→ "
			}
			cells = append(cells, r.before, arrow+r.now)
		} else {
			cells = append(cells, r.now)
		}
		if tries {
			cells = append(cells, r.tries)
		}
		if waits {
			cells = append(cells, r.waits)
		}
		return cells
	}
	head = of(heads)
	if before {
		head[0], head[1] = head[1], ""
	}
	return of, head
}

// table writes rows in columns. The last column has the policies, and takes what the others leave of the width.
func (t *text) table(groups []rowGroup) {
	indent := 0
	for _, g := range groups {
		if g.title != "" {
			indent = 2
		}
	}
	best := arrange(groups, t.Columns()-indent, 32)
	for _, name := range []int{24, 18, 14} {
		if other := arrange(groups, t.Columns()-indent, name); other.lines < best.lines {
			best = other
		}
	}
	t.Table(best.head, best.groups...)
}

// arranged is a table in cells that fit the width.
type arranged struct {
	head   []string
	groups []terminal.Group
	lines  int
}

// arrange folds the names of calls to a width, and policies to the width that the other columns leave.
func arrange(groups []rowGroup, width, name int) arranged {
	cells, head := numbers(groups)
	widest := make([]int, len(head))
	names := 0
	widen := func(call string, numbers []string) {
		for i, cell := range numbers {
			widest[i] = max(widest[i], utf8.RuneCountInString(cell))
		}
		for _, line := range terminal.Cell(call, name) {
			names = max(names, utf8.RuneCountInString(line))
		}
	}
	widen(heads.call, head)
	for _, g := range groups {
		for _, r := range g.rows {
			widen(r.call, cells(r))
		}
	}
	rest := width - names
	for _, w := range widest {
		rest -= w + 2
	}
	rest = max(rest-2, 12)
	l := arranged{head: append(append([]string{heads.call}, head...), heads.policy)}
	for _, g := range groups {
		group := terminal.Group{Title: g.title, Colour: g.colour}
		for _, r := range g.rows {
			group.Rows = append(group.Rows, folded(terminal.Cell(r.call, name), cells(r), terminal.Cell(r.inForce(), rest))...)
		}
		l.lines += len(group.Rows)
		l.groups = append(l.groups, group)
	}
	return l
}

// folded returns a row whose first and last cells have several lines as several rows.
func folded(names, numbers, policy []string) (rows [][]string) {
	for i := range max(len(names), len(policy)) {
		line := make([]string, 0, len(numbers)+2)
		line = append(line, at(names, i))
		for _, number := range numbers {
			if i > 0 {
				number = ""
			}
			line = append(line, number)
		}
		rows = append(rows, append(line, at(policy, i)))
	}
	return rows
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}

// details writes what is known of a call below its name.
func (t *text) details(p *reports.Phase, c *reports.Call) {
	t.Blank()
	t.Paragraph(fmt.Sprintf("%s, called by %s: %s", callName(p, c), c.From, verdictWord(c.Verdict)), "  ")
	for _, d := range details(c) {
		t.Paragraph(d.text, fmt.Sprintf("    %-9s ", d.name))
	}
}
