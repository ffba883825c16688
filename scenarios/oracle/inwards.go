package oracle

import "slices"

// Inwards are the rows that calls going these ways can lead to, callers before those that they call: a row comes as late as its
// longest way from the edge lets it.
func (w *Ways) Inwards(ways ...*Call) []int {
	depth := make([]int, len(w.Rows))
	for i := range depth {
		depth[i] = -1
	}
	met := map[*Call]int{}
	var visit func(c *Call, at int)
	visit = func(c *Call, at int) {
		if before, ok := met[c]; ok && before >= at {
			return
		}
		met[c] = at
		depth[c.Row] = max(depth[c.Row], at)
		c.each(func(next *Call) { visit(next, at+1) })
	}
	for _, first := range ways {
		visit(first, 0)
	}
	var rows []int
	for row := range depth {
		if depth[row] >= 0 {
			rows = append(rows, row)
		}
	}
	slices.SortStableFunc(rows, func(a, b int) int { return depth[a] - depth[b] })
	return rows
}

// each visits the calls that a call can lead to, as its callees make them.
func (c *Call) each(visit func(next *Call)) {
	for i := range c.Destinations {
		for _, w := range c.Destinations[i].Workloads {
			for _, step := range w.Steps {
				for _, next := range step {
					visit(next)
				}
			}
		}
	}
}

// Ours are the services of ours that calls going these ways can meet, callers before those that they call.
func (w *Ways) Ours(ways ...*Call) (names []string) {
	for _, row := range w.Inwards(ways...) {
		for i := range w.Rows[row].Destinations {
			for _, at := range w.Rows[row].Destinations[i].Workloads {
				if at.Ours && !slices.Contains(names, at.Service) {
					names = append(names, at.Service)
				}
			}
		}
	}
	return names
}
