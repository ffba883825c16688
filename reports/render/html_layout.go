package render

import (
	"cmp"
	"maps"
	"slices"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/page"
)

// The service graph is drawn downwards: a layer of services, the arrows of their calls, the next layer. The numbers of a call stand in
// the box of the called service, so that no arrow crosses them.
const (
	graphService = 22.0 // the height of a service's name
	graphVersion = 20.0 // the height of a version's name
	graphPadding = 6.0
	graphGap     = 20.0 // between two boxes
	graphBend    = 12.0 // the room that an arrow needs to pass a layer
	graphCalls   = 44.0 // between two layers, and more where many arrows are
	graphSweeps  = 12   // how often the order and the places of the boxes are improved
)

// graphEdge identifies an arrow of the graph in all phases.
type graphEdge struct{ from, to, version string }

func identity(e *reports.Edge) graphEdge { return graphEdge{e.From, e.To, e.Version} }

// graph has the place of each part of a service graph, of two phases together.
type graph struct {
	edges   []graphEdge
	nodes   map[string]*graphNode // services by name
	layers  [][]*graphNode        // services and bends, callers first
	bottoms []float64             // where the highest box of each layer ends
	routes  map[graphEdge][]*graphNode
	lane    float64 // the width of a version's column
	width   float64
	height  float64
}

// graphNode is a service, or the bend of an arrow in a layer that it passes.
type graphNode struct {
	service  string // empty: a bend
	layer    int
	columns  []graphColumn
	up, down []*graphNode
	left     float64
	top      float64
	width    float64
	height   float64
}

// graphColumn is the arrows that lead to one version of a service.
type graphColumn struct {
	version string
	lanes   []graphEdge
}

func (n *graphNode) middle() float64 { return n.left + n.width/2 }

// layOut places the services of a phase and of the one before it.
func layOut(all edges) *graph {
	g := &graph{nodes: map[string]*graphNode{}, routes: map[graphEdge][]*graphNode{}, lane: 132}
	g.edges = slices.Collect(maps.Keys(all.now))
	for lane := range all.before {
		if all.now[lane] == nil {
			g.edges = append(g.edges, lane)
		}
	}
	for _, lane := range g.edges {
		for _, line := range all.label(lane) {
			g.lane = max(g.lane, page.TextWidth(line)+16)
		}
	}
	slices.SortFunc(g.edges, func(a, b graphEdge) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to), cmp.Compare(versionOrder(a.version), versionOrder(b.version)))
	})
	g.addServices()
	g.addLayers()
	g.order()
	g.place()
	return g
}

// versionOrder returns the key by which versions are sorted. Answers that came from no version are last.
func versionOrder(version string) string {
	if version == "" {
		return "\uffff"
	}
	return version
}

// addServices makes a node for each service, with a column for each of its versions.
func (g *graph) addServices() {
	for _, e := range g.edges {
		for _, service := range []string{e.from, e.to} {
			if g.nodes[service] == nil {
				g.nodes[service] = &graphNode{service: service, width: g.lane + 2*graphPadding, height: graphService + graphPadding}
			}
		}
		n := g.nodes[e.to]
		at := slices.IndexFunc(n.columns, func(c graphColumn) bool { return c.version == e.version })
		if at < 0 {
			at = len(n.columns)
			n.columns = append(n.columns, graphColumn{version: e.version})
		}
		n.columns[at].lanes = append(n.columns[at].lanes, e)
	}
	for _, n := range g.nodes {
		slices.SortFunc(n.columns, func(a, b graphColumn) int { return cmp.Compare(versionOrder(a.version), versionOrder(b.version)) })
		n.width = max(1, float64(len(n.columns)))*(g.lane+graphPadding) + graphPadding
		for _, c := range n.columns {
			n.height = max(n.height, graphService+n.headHeight()+float64(len(c.lanes))*n.blockHeight()+2*graphPadding)
		}
	}
}

// headHeight is the height of the names of versions. It is 0 where the service has none.
func (n *graphNode) headHeight() float64 {
	if len(n.columns) == 1 && n.columns[0].version == "" {
		return 0
	}
	return graphVersion
}

// blockHeight is the height of the numbers of one arrow. They begin with the caller where there are several.
func (n *graphNode) blockHeight() float64 {
	if n.callers() > 1 {
		return 4*page.LineHeight + 4
	}
	return 3*page.LineHeight + 4
}

func (n *graphNode) callers() int {
	from := map[string]bool{}
	for _, c := range n.columns {
		for _, e := range c.lanes {
			from[e.from] = true
		}
	}
	return len(from)
}

// addLayers puts each service below all of its callers, and a bend into each layer that an arrow passes. Calls in a circle are not
// followed to their beginning.
func (g *graph) addLayers() {
	calls := map[string][]string{}
	for _, e := range g.edges {
		if !slices.Contains(calls[e.from], e.to) {
			calls[e.from] = append(calls[e.from], e.to)
		}
	}
	done := topological(calls, slices.Sorted(maps.Keys(g.nodes)))
	rank := map[string]int{}
	for i, service := range done {
		rank[service] = i
	}
	for _, service := range done {
		for _, to := range calls[service] {
			if rank[to] > rank[service] {
				g.nodes[to].layer = max(g.nodes[to].layer, g.nodes[service].layer+1)
			}
		}
	}
	for _, service := range done {
		g.add(g.nodes[service])
	}
	for _, e := range g.edges {
		from, to := g.nodes[e.from], g.nodes[e.to]
		route := []*graphNode{from}
		for layer := from.layer + 1; layer < to.layer; layer++ {
			bend := &graphNode{layer: layer, width: graphBend}
			g.add(bend)
			route = append(route, bend)
		}
		route = append(route, to)
		g.routes[e] = route
		for i := 1; i < len(route) && to.layer > from.layer; i++ {
			route[i-1].down, route[i].up = append(route[i-1].down, route[i]), append(route[i].up, route[i-1])
		}
	}
}

// topological returns services so that each stands behind its callers, but for calls in a circle.
func topological(calls map[string][]string, services []string) []string {
	var all []string
	seen := map[string]bool{}
	var visit func(string)
	visit = func(service string) {
		if seen[service] {
			return
		}
		seen[service] = true
		for _, to := range slices.Backward(calls[service]) {
			visit(to)
		}
		all = append(all, service)
	}
	called := map[string]bool{}
	for from, to := range calls {
		for _, service := range to {
			called[service] = called[service] || service != from
		}
	}
	for _, first := range []bool{false, true} { // Services that nobody calls are first: what they call follows them.
		for _, service := range slices.Backward(services) {
			if called[service] == first {
				visit(service)
			}
		}
	}
	slices.Reverse(all)
	return all
}

func (g *graph) add(n *graphNode) {
	for len(g.layers) <= n.layer {
		g.layers = append(g.layers, nil)
	}
	g.layers[n.layer] = append(g.layers[n.layer], n)
}

// order moves the boxes of each layer near to those that they are connected with, so that few arrows cross. It keeps the best order that
// it finds.
func (g *graph) order() {
	best, fewest := g.copyLayers(), g.crossings()
	for sweep := range graphSweeps {
		if sweep%2 == 0 {
			for _, layer := range g.layers[min(1, len(g.layers)):] {
				sortBy(layer, func(n *graphNode) []*graphNode { return n.up })
				number(layer)
			}
		} else {
			for _, layer := range slices.Backward(g.layers) {
				sortBy(layer, func(n *graphNode) []*graphNode { return n.down })
				number(layer)
			}
		}
		if n := g.crossings(); n < fewest {
			best, fewest = g.copyLayers(), n
		}
	}
	g.layers = best
}

func (g *graph) copyLayers() [][]*graphNode {
	all := make([][]*graphNode, len(g.layers))
	for i, layer := range g.layers {
		number(layer)
		all[i] = slices.Clone(layer)
	}
	return all
}

// number writes the place of each box in its layer into left, until pixels are known.
func number(layer []*graphNode) {
	for i, n := range layer {
		n.left = float64(i)
	}
}

// sortBy sorts a layer by the mean place of the boxes that each one is connected with. One without any stays where it is.
func sortBy(layer []*graphNode, of func(*graphNode) []*graphNode) {
	key := map[*graphNode]float64{}
	for _, n := range layer {
		key[n] = n.left
		if others := of(n); len(others) > 0 {
			sum := 0.0
			for _, other := range others {
				sum += other.left
			}
			key[n] = sum / float64(len(others))
		}
	}
	slices.SortStableFunc(layer, func(a, b *graphNode) int { return cmp.Compare(key[a], key[b]) })
}

// crossings counts the pairs of arrows that cross between two layers.
func (g *graph) crossings() (n int) {
	for _, layer := range g.layers {
		type line struct{ from, to float64 }
		var lines []line
		for _, node := range layer {
			for _, to := range node.down {
				lines = append(lines, line{node.left, to.left})
			}
		}
		for i, a := range lines {
			for _, b := range lines[:i] {
				if (a.from-b.from)*(a.to-b.to) < 0 {
					n++
				}
			}
		}
	}
	return n
}

// place gives each box its pixels: each as near as possible to the middle of those that it is connected with.
func (g *graph) place() {
	for _, layer := range g.layers {
		x := 0.0
		for _, n := range layer {
			n.left = x
			x += n.width + graphGap
		}
	}
	for sweep := range graphSweeps {
		if sweep%2 == 0 {
			for _, layer := range slices.Backward(g.layers) {
				align(layer, func(n *graphNode) []*graphNode { return n.down })
			}
		} else {
			for _, layer := range g.layers {
				align(layer, func(n *graphNode) []*graphNode { return n.up })
			}
		}
	}
	least, y := 0.0, 4.0
	for _, layer := range g.layers {
		least = min(least, layer[0].left)
	}
	for _, layer := range g.layers {
		height, arrows := 0.0, 0
		for _, n := range layer {
			n.left += 4 - least
			n.top = y
			g.width = max(g.width, n.left+n.width+4)
			height = max(height, n.height)
			arrows += len(n.down)
		}
		for _, n := range layer {
			if n.service == "" { // A bend leads past the whole layer.
				n.height = height
			}
		}
		g.bottoms = append(g.bottoms, y+height)
		g.height = y + height + 4
		y += height + graphCalls + min(60, 4*float64(arrows))
	}
}

// align moves the boxes of a layer towards the middle of those that they are connected with. It keeps their order and the gaps between
// them, and makes the sum of the squared distances as small as possible (pool adjacent violators).
func align(layer []*graphNode, of func(*graphNode) []*graphNode) {
	type pool struct{ sum, weight float64 }
	var pools []pool
	var sizes []int
	offset := 0.0
	offsets := make([]float64, len(layer))
	for i, n := range layer {
		wanted := n.left
		if others := of(n); len(others) > 0 {
			sum := 0.0
			for _, other := range others {
				sum += other.middle()
			}
			wanted = sum/float64(len(others)) - n.width/2
		}
		offsets[i] = offset
		pools, sizes = append(pools, pool{wanted - offset, 1}), append(sizes, 1)
		for k := len(pools) - 1; k > 0 && pools[k-1].sum/pools[k-1].weight > pools[k].sum/pools[k].weight; k-- {
			pools[k-1].sum += pools[k].sum
			pools[k-1].weight += pools[k].weight
			sizes[k-1] += sizes[k]
			pools, sizes = pools[:k], sizes[:k]
		}
		offset += n.width + graphGap
	}
	i := 0
	for k, p := range pools {
		for range sizes[k] {
			layer[i].left = p.sum/p.weight + offsets[i]
			i++
		}
	}
}
