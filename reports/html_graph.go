package reports

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/reports/page"
)

// The service graph is drawn downwards: a layer of services, the calls to the next layer with their numbers, the next layer.
const (
	graphService = 20.0 // the height of a service's name
	graphVersion = 26.0 // the height of a version's box
	graphCalls   = 84.0 // between two layers
	graphGap     = 18.0 // between two services
)

// graphEdge identifies an arrow of the graph in all phases.
type graphEdge struct{ from, to, version string }

// graph has the place of each part of a service graph. It is computed from all phases of a stage, so that a service has the same place
// in their pictures.
type graph struct {
	layers [][]string             // services, callers first
	lanes  map[string][]graphEdge // of each service, its arrows from left to right
	left   map[string]float64
	top    map[string]float64
	lane   float64
	width  float64
	height float64
}

func name(e Edge) graphEdge { return graphEdge{e.From, e.To, e.Version} }

// layOut places the services of all phases.
func layOut(phases []Phase) *graph {
	g := &graph{lanes: map[string][]graphEdge{}, left: map[string]float64{}, top: map[string]float64{}, lane: 150}
	seen := map[graphEdge]bool{}
	for _, p := range phases {
		for _, e := range p.Edges {
			for _, line := range edgeLabel(e, p.Edges) {
				g.lane = max(g.lane, page.TextWidth(line)+22)
			}
			if !seen[name(e)] {
				seen[name(e)] = true
				g.lanes[e.To] = append(g.lanes[e.To], name(e))
			}
		}
	}
	for _, lanes := range g.lanes {
		slices.SortFunc(lanes, func(a, b graphEdge) int {
			return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(orderOf(a.version), orderOf(b.version)))
		})
	}
	g.layers = layers(seen)
	g.place()
	return g
}

// orderOf returns the key by which versions are sorted. Answers that came from no version are last.
func orderOf(version string) string {
	if version == "" {
		return "\uffff"
	}
	return version
}

// mostLayers bounds the number of layers, since services may call each other in a circle.
const mostLayers = 32

// layers puts each service below all of its callers.
func layers(edges map[graphEdge]bool) [][]string {
	depth := map[string]int{}
	for e := range edges {
		depth[e.from], depth[e.to] = 0, 0
	}
	for range mostLayers {
		for e := range edges {
			depth[e.to] = min(max(depth[e.to], depth[e.from]+1), mostLayers-1)
		}
	}
	var found [][]string
	for _, service := range slices.Sorted(maps.Keys(depth)) {
		for len(found) <= depth[service] {
			found = append(found, nil)
		}
		found[depth[service]] = append(found[depth[service]], service)
	}
	return slices.DeleteFunc(found, func(layer []string) bool { return len(layer) == 0 })
}

func (g *graph) place() {
	g.height = 4
	for _, layer := range g.layers {
		x, height := 4.0, 0.0
		for _, service := range layer {
			g.left[service], g.top[service] = x, g.height
			x += g.span(service) + graphGap
			height = max(height, g.boxHeight(service))
		}
		g.width = max(g.width, x-graphGap+4)
		g.height += height + graphCalls
	}
	g.height += 4 - graphCalls
}

// span is the width of a service's box.
func (g *graph) span(service string) float64 { return max(1, float64(len(g.lanes[service]))) * g.lane }

// versions returns how many lanes of a service lead to a version. They are the first lanes of each caller.
func (g *graph) versions(service string) (n int) {
	for _, e := range g.lanes[service] {
		if e.version != "" {
			n++
		}
	}
	return n
}

func (g *graph) boxHeight(service string) float64 {
	if g.versions(service) > 0 {
		return graphService + graphVersion + 6
	}
	return graphService + 6
}

// edgeLabel returns the lines of text at an arrow.
func edgeLabel(e Edge, all []Edge) []string {
	var total int64
	for _, other := range all {
		if other.From == e.From && other.To == e.To {
			total += other.Calls
		}
	}
	calls := fmt.Sprintf("%d calls", e.Calls)
	if total > e.Calls {
		calls += fmt.Sprintf(", %.1f %%", 100*float64(e.Calls)/float64(total))
	}
	lines := []string{calls}
	if e.Calls > 0 {
		lines = append(lines, fmt.Sprintf("%d failed, %s", e.Failed, Probability(float64(e.Failed)/float64(e.Calls))))
	}
	if e.Tries == nil {
		return append(lines, "tries not counted")
	}
	tries := fmt.Sprintf("%d tries", *e.Tries)
	if e.FailedTries != nil {
		tries += fmt.Sprintf(", %d with 5xx", *e.FailedTries)
	}
	return append(lines, tries)
}

// picture draws the calls of one phase.
func (g *graph) picture(id string, phase *Phase) *page.Picture {
	p := &page.Picture{ID: id, Title: "service graph, " + phase.Name, Width: g.width, Height: g.height}
	of := map[graphEdge]Edge{}
	most := int64(1)
	for _, e := range phase.Edges {
		of[name(e)] = e
		most = max(most, e.Calls)
	}
	var words []string
	for _, layer := range g.layers {
		for _, service := range layer {
			drawService(p, g, service, of)
			for i, lane := range g.lanes[service] {
				x := g.left[service] + float64(i)*g.lane + 12
				if e, called := of[lane]; called {
					label := edgeLabel(e, phase.Edges)
					drawCall(p, g, lane, x, 1+5*float64(e.Calls)/float64(most), label, e.Failed > 0)
					words = append(words, fmt.Sprintf("%s to %s: %s", e.From, strings.TrimSpace(e.To+" "+e.Version), strings.Join(label, ", ")))
				}
			}
		}
	}
	p.Desc = strings.Join(words, "; ") + "."
	return p
}

// drawService draws a service's box with its versions. A version that answered no call of the phase is drawn dashed.
func drawService(p *page.Picture, g *graph, service string, of map[graphEdge]Edge) {
	x, y := g.left[service], g.top[service]
	p.Rectangle("service", x, y, g.span(service), g.boxHeight(service))
	p.Text("strong", x+10, y+graphService-3, page.Cut(service, int(g.span(service)/page.Character)-3))
	if g.versions(service) == 0 {
		return
	}
	for i, lane := range g.lanes[service] {
		class, word := "version", lane.version
		if word == "" {
			class, word = "version none", "no version's answer"
		}
		if _, called := of[lane]; !called {
			class, word = "version none", word+": no call"
		}
		left := x + float64(i)*g.lane
		p.Rectangle(class, left+6, y+graphService+2, g.lane-12, graphVersion-3)
		p.Text("label", left+14, y+graphService+17, page.Cut(word, int((g.lane-22)/page.Character)))
	}
}

// drawCall draws an arrow from the caller's box down to the lane at x, as thick as its share of the calls, and its label.
func drawCall(p *page.Picture, g *graph, lane graphEdge, x, thick float64, label []string, failed bool) {
	from := g.left[lane.from] + 12
	if versions := g.versions(lane.from); versions > 1 {
		from = g.left[lane.from] + float64(versions)*g.lane/2 // The report does not have the version of the caller.
	}
	start, end := g.top[lane.from]+g.boxHeight(lane.from), g.top[lane.to]
	turn := start + 12
	half := thick / 2
	if from != x {
		p.Rectangle("call", from-half, start, thick, turn-start+half)
		p.Rectangle("call", min(from, x)-half, turn-half, max(from, x)-min(from, x)+thick, thick)
		start = turn
	}
	p.Rectangle("call", x-half, start, thick, max(0, end-7-start))
	p.Draw("call", "M"+page.Pixels(x-6)+" "+page.Pixels(end-8)+"h12l-6 8z")
	for i, line := range label {
		class := "label"
		if i == 1 && failed && strings.Contains(line, "failed") {
			class = "label failed"
		}
		p.Text(class, x+12, end-50+float64(i)*page.LineHeight, line)
	}
}
