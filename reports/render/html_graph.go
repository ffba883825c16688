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

// edgeLabel returns the lines of text about an arrow.
func edgeLabel(e *reports.Edge, all []reports.Edge) []string {
	var total int64
	for i := range all {
		if all[i].From == e.From && all[i].To == e.To {
			total += all[i].Calls
		}
	}
	calls := counted(e.Calls, "call")
	if total > e.Calls {
		calls += fmt.Sprintf(", %.1f %%", 100*float64(e.Calls)/float64(total))
	}
	lines := []string{calls}
	if e.Calls > 0 {
		lines = append(lines, fmt.Sprintf("%s failed, %s", Count(e.Failed), Probability(float64(e.Failed)/float64(e.Calls))))
	}
	if e.Tries == nil {
		return append(lines, "tries not counted")
	}
	tries := Count(*e.Tries) + " tries"
	if e.FailedTries != nil {
		tries += fmt.Sprintf(", %s with 5xx", Count(*e.FailedTries))
	}
	return append(lines, tries)
}

// picture draws the calls of one phase: arrows first, so that they lead behind the boxes that they pass.
func (g *graph) picture(id string, phase *reports.Phase) *page.Picture {
	p := &page.Picture{ID: id, Title: "service graph, " + phase.Name, Width: g.width, Height: g.height}
	of := map[graphEdge]*reports.Edge{}
	most := int64(1)
	for i := range phase.Edges {
		e := &phase.Edges[i]
		of[identity(e)] = e
		most = max(most, e.Calls)
	}
	starts, ends := g.ports()
	for _, lane := range g.edges {
		if e := of[lane]; e != nil {
			thick := 1 + int(math.Round(4*float64(e.Calls)/float64(most)))
			p.Draw(fmt.Sprintf("call thick-%d", thick), g.arrow(lane, starts[lane], ends[lane]))
		}
	}
	for _, lane := range g.edges {
		if of[lane] != nil {
			p.Draw("head", "M"+page.Pixels(ends[lane]-6)+" "+page.Pixels(g.nodes[lane.to].top-8)+"h12l-6 8z")
		}
	}
	var words []string
	for _, layer := range g.layers {
		for _, n := range layer {
			if n.service != "" {
				words = append(words, g.drawService(p, n, of, phase.Edges)...)
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
// answered no call of the phase is drawn dashed.
func (g *graph) drawService(p *page.Picture, n *graphNode, of map[graphEdge]*reports.Edge, edges []reports.Edge) (words []string) {
	p.Rectangle("service", n.left, n.top, n.width, n.height)
	p.Text("strong", n.left+graphPadding+4, n.top+graphService-6, page.Cut(n.service, fitting(n.width-2*graphPadding-8)))
	for i, c := range n.columns {
		left, y := n.left+graphPadding+float64(i)*(g.lane+graphPadding), n.top+graphService
		called := slices.ContainsFunc(c.lanes, func(lane graphEdge) bool { return of[lane] != nil })
		p.Rectangle(map[bool]string{true: "version", false: "version none"}[called], left, y, g.lane, n.height-graphService-graphPadding)
		cut := func(s string) string { return page.Cut(s, fitting(g.lane-12)) }
		if n.headHeight() > 0 {
			p.Text("label", left+8, y+graphVersion-5, cut(cmp.Or(c.version, "no version's answer")))
			y += n.headHeight()
		}
		for _, lane := range c.lanes {
			words = append(words, g.drawCalls(p, n, lane, of[lane], edges, left+8, y, cut)...)
			y += n.blockHeight()
		}
	}
	return words
}

// drawCalls writes the numbers of an arrow into the box of the called service, and returns them in words.
func (g *graph) drawCalls(p *page.Picture, n *graphNode, lane graphEdge, e *reports.Edge, edges []reports.Edge, x, y float64, cut func(string) string) []string {
	if n.callers() > 1 {
		p.Text("tick", x, y+page.LineHeight, cut("from "+lane.from))
		y += page.LineHeight
	}
	if e == nil {
		p.Text("note", x, y+page.LineHeight, "no call")
		return nil
	}
	label := edgeLabel(e, edges)
	for i, line := range label {
		class := "label"
		if i == 1 && e.Failed > 0 && e.Calls > 0 {
			class = "label failed"
		}
		p.Text(class, x, y+page.LineHeight*float64(i+1), line)
	}
	return []string{fmt.Sprintf("%s to %s: %s", e.From, strings.TrimSpace(e.To+" "+e.Version), strings.Join(label, ", "))}
}
