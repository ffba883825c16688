package render

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/page"
)

// mostGraphWidth is the width from which on a graph is not drawn: no reader could follow its arrows. The page has its numbers.
const mostGraphWidth = 4000

// edges are those of a phase and of the one before it, by what they lead from and to.
type edges struct {
	before, now map[graphEdge]*reports.Edge
	totals      [2]map[[2]string]int64 // how many calls a service makes to another one, before and now
	compared    bool                   // there is a phase before, so that an edge without calls there is new
}

func newEdges(former, now *reports.Phase) edges {
	all := edges{compared: former != nil}
	all.now, all.totals[1] = byIdentity(now)
	if former != nil {
		all.before, all.totals[0] = byIdentity(former)
	}
	return all
}

func byIdentity(p *reports.Phase) (of map[graphEdge]*reports.Edge, totals map[[2]string]int64) {
	of, totals = map[graphEdge]*reports.Edge{}, map[[2]string]int64{}
	for i := range p.Edges {
		e := &p.Edges[i]
		of[identity(e)] = e
		totals[[2]string{e.From, e.To}] += e.Calls
	}
	return of, totals
}

// label returns the lines of text about an arrow. Each figure is that of the phase before, an arrow, and that of the phase.
func (all edges) label(lane graphEdge) (lines []string) {
	before, now := all.before[lane], all.now[lane]
	if now == nil && before == nil {
		return []string{"no call"}
	}
	calls := "no call"
	if now != nil {
		calls = counted(now.Calls, "call")
	}
	switch {
	case now == nil:
		return []string{calls + ", " + Count(before.Calls) + " before"}
	case before == nil && all.compared:
		calls += ", none before"
	default:
		if part := all.part(lane); part != "" {
			calls += ", " + part
		}
	}
	lines = append(lines, calls)
	arrow := func(of func(*reports.Edge) string) string {
		if before == nil || of(before) == "" {
			return of(now)
		}
		return of(before) + " → " + of(now)
	}
	if now.Calls > 0 {
		lines = append(lines, arrow(func(e *reports.Edge) string { return ofCalls(e, e.Failed, Probability) })+" of them fail")
	}
	if now.Tries == nil {
		return append(lines, "tries not counted")
	}
	return append(lines, arrow(func(e *reports.Edge) string {
		if e.Tries == nil {
			return ""
		}
		return ofCalls(e, *e.Tries, factor)
	})+" tries for a call")
}

// ofCalls returns a number for each call of an edge; empty where it has none.
func ofCalls(e *reports.Edge, n int64, format func(float64) string) string {
	if e.Calls == 0 {
		return ""
	}
	return format(float64(n) / float64(e.Calls))
}

// part returns which part of the calls of a service to another one meet the version of an edge. It is empty where all of them do and did.
func (all edges) part(lane graphEdge) string {
	part := func(of map[graphEdge]*reports.Edge, totals map[[2]string]int64) (string, bool) {
		e, total := of[lane], totals[[2]string{lane.from, lane.to}]
		if e == nil || total == 0 {
			return "", true
		}
		return fmt.Sprintf("%.1f %%", 100*float64(e.Calls)/float64(total)), e.Calls == total
	}
	now, whole := part(all.now, all.totals[1])
	before, wasWhole := part(all.before, all.totals[0])
	switch {
	case whole && wasWhole:
		return ""
	case before == "":
		return now
	}
	return before + " → " + now
}

// picture draws the calls of a phase, and those of the one before that are not made any more: arrows first, so that they lead behind the
// boxes that they pass.
func (g *graph) picture(id, name string, all edges) *page.Picture {
	p := &page.Picture{ID: id, Title: "service graph, " + name, Width: g.width, Height: g.height}
	most := int64(1)
	for _, e := range all.now {
		most = max(most, e.Calls)
	}
	starts, ends := g.ports()
	for _, lane := range g.edges {
		class := "call gone"
		if e := all.now[lane]; e != nil {
			class = fmt.Sprintf("call thick-%d", 1+int(math.Round(4*float64(e.Calls)/float64(most))))
		}
		p.Draw(class, g.arrow(lane, starts[lane], ends[lane]))
	}
	for _, lane := range g.edges {
		class := "head gone"
		if all.now[lane] != nil {
			class = "head"
		}
		p.Draw(class, "M"+page.Pixels(ends[lane]-6)+" "+page.Pixels(g.nodes[lane.to].top-8)+"h12l-6 8z")
	}
	var words []string
	for _, layer := range g.layers {
		for _, n := range layer {
			if n.service != "" {
				words = append(words, g.drawService(p, n, all)...)
			}
		}
	}
	p.Desc = strings.Join(words, "; ") + "."
	return p
}

// ports returns where each arrow leaves the box of its caller and where it meets the box of the called service. Arrows stand side by side
// in the order of where they come from and lead to, so that they do not cross at once.
func (g *graph) ports() (starts, ends map[graphEdge]float64) {
	starts, ends = map[graphEdge]float64{}, map[graphEdge]float64{}
	for _, layer := range g.layers {
		for _, n := range layer {
			if n.service == "" {
				continue
			}
			for i, c := range n.columns {
				lanes := slices.Clone(c.lanes)
				slices.SortStableFunc(lanes, func(a, b graphEdge) int {
					return cmp.Compare(g.routes[a][len(g.routes[a])-2].middle(), g.routes[b][len(g.routes[b])-2].middle())
				})
				left := n.left + graphPadding + float64(i)*(g.lane+graphPadding)
				for k, lane := range lanes {
					ends[lane] = left + g.lane*float64(k+1)/float64(len(lanes)+1)
				}
			}
		}
	}
	from := map[string][]graphEdge{}
	for _, e := range g.edges {
		from[e.from] = append(from[e.from], e)
	}
	for service, lanes := range from {
		n := g.nodes[service]
		next := func(e graphEdge) float64 {
			if route := g.routes[e]; len(route) > 2 {
				return route[1].middle()
			}
			return ends[e]
		}
		slices.SortStableFunc(lanes, func(a, b graphEdge) int { return cmp.Compare(next(a), next(b)) })
		apart := min(24, (n.width-24)/float64(len(lanes)))
		for k, lane := range lanes {
			starts[lane] = n.middle() + apart*(float64(k)-float64(len(lanes)-1)/2)
		}
	}
	return starts, ends
}

// arrow returns the line of a call from its caller down to the head of its arrow.
func (g *graph) arrow(lane graphEdge, from, to float64) string {
	route := g.routes[lane]
	x, y := from, route[0].top+route[0].height
	path := "M" + page.Pixels(x) + " " + page.Pixels(y)
	if bottom := g.bottoms[route[0].layer]; bottom > y { // It turns below the boxes beside its caller, which may be higher.
		path, y = path+"V"+page.Pixels(bottom), bottom
	}
	curve := func(toX, toY float64) {
		half := (toY - y) / 2
		path += "C" + page.Pixels(x) + " " + page.Pixels(y+half) + " " + page.Pixels(toX) + " " + page.Pixels(toY-half) + " " + page.Pixels(toX) + " " + page.Pixels(toY)
		x, y = toX, toY
	}
	for _, bend := range route[1 : len(route)-1] {
		curve(bend.middle(), bend.top)
		y = bend.top + bend.height
		path += "V" + page.Pixels(y)
	}
	curve(to, route[len(route)-1].top-7)
	return path
}

// drawService draws a service's box with its versions and the calls to each of them, and returns in words what they show. A version that
// answers no call of the phase is drawn dashed.
func (g *graph) drawService(p *page.Picture, n *graphNode, all edges) (words []string) {
	p.Rectangle("service", n.left, n.top, n.width, n.height)
	p.Text("strong", n.left+graphPadding+4, n.top+graphService-6, page.Cut(n.service, fitting(n.width-2*graphPadding-8)))
	for i, c := range n.columns {
		left, y := n.left+graphPadding+float64(i)*(g.lane+graphPadding), n.top+graphService
		called := slices.ContainsFunc(c.lanes, func(lane graphEdge) bool { return all.now[lane] != nil })
		p.Rectangle(map[bool]string{true: "version", false: "version none"}[called], left, y, g.lane, n.height-graphService-graphPadding)
		cut := func(s string) string { return page.Cut(s, fitting(g.lane-12)) }
		if n.headHeight() > 0 {
			p.Text("label", left+8, y+graphVersion-5, cut(cmp.Or(c.version, "no version's answer")))
			y += n.headHeight()
		}
		for _, lane := range c.lanes {
			words = append(words, g.drawCalls(p, n, lane, all, left+8, y, cut))
			y += n.blockHeight()
		}
	}
	return words
}

// drawCalls writes the numbers of an arrow into the box of the called service, and returns them in words.
func (g *graph) drawCalls(p *page.Picture, n *graphNode, lane graphEdge, all edges, x, y float64, cut func(string) string) string {
	if n.callers() > 1 {
		p.Text("tick", x, y+page.LineHeight, cut("from "+lane.from))
		y += page.LineHeight
	}
	label, now := all.label(lane), all.now[lane]
	for i, line := range label {
		class := "label"
		switch {
		case now == nil:
			class = "note"
		case i == 1 && now.Failed > 0 && now.Calls > 0:
			class = "label failed"
		}
		p.Text(class, x, y+page.LineHeight*float64(i+1), line)
	}
	return fmt.Sprintf("%s to %s: %s", lane.from, strings.TrimSpace(lane.to+" "+lane.version), strings.Join(label, ", "))
}
