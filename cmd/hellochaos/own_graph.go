package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/openfiles"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/scenarios/isotope"
	scenario "github.com/hellochaos/hellochaos/scenarios/run"
	"github.com/hellochaos/hellochaos/service/trail"
	"github.com/hellochaos/hellochaos/target/mesh"
)

// withGraph adds the services of a topology to the objects of the user's files. The error names what both have.
func withGraph(objects []manifests.Object, t *isotope.Topology) ([]manifests.Object, error) {
	type identity struct{ kind, namespace, name string }
	written := map[identity]*manifests.Object{}
	for i := range objects {
		o := &objects[i]
		written[identity{o.Kind, o.InNamespace(), o.Meta.Name}] = o
	}
	services := t.Objects()
	var problems manifests.Problems
	for i := range services {
		o := &services[i]
		if other := written[identity{o.Kind, o.InNamespace(), o.Meta.Name}]; other != nil {
			problems = append(problems, manifests.Problem{File: other.File, Line: other.Line, Object: other.Name(),
				Text: fmt.Sprintf("is a service of the graph, too (%s:%d): leave it out of the files, or out of the graph", o.File, o.Line)})
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return slices.Concat(services, objects), nil
}

// entering are the requests that enter at the entries of a topology.
func entering(t *isotope.Topology) (all []scenarios.Cohort) {
	for _, s := range t.Entries() {
		all = append(all, scenarios.Cohort{Name: "enter " + s.Host(), Entry: manifests.Entry{Service: s.Host()}})
	}
	return all
}

// longestGraph is how long requests through a graph may be sent, unless the user allows more with --duration.
const longestGraph = time.Minute

// bound keeps a run through a graph to what this machine can do: in time, and in open files and sockets. What the topology says and has
// another meaning here becomes a remark. The error says that the fewest requests take longer than is begun unasked: to plan them would
// take minutes, too.
func (o *ownRules) bound(options *scenario.Options, pace *scenario.Pace) error {
	options.Longest = cmp.Or(options.Attack.Duration, longestGraph)
	pace.Capacity /= 2 // a call costs twice as much where hundreds are under way at once, and each answer tells of all below it (docs/performance.md)
	least, calls := scenario.LeastNatural(o.phase.Cohorts)*len(o.graph.Entries())/turns(o.phase.Cohorts), o.graph.Calls()
	unlimited := options.Attack.Duration == 0 && options.Attack.MaxRequests == 0 && options.Request == ""
	if seconds := float64(least) * calls / pace.Capacity; unlimited && seconds > longestGraph.Seconds() {
		return fmt.Errorf("%s: at least %d requests enter, and each leads to %.6g calls: that takes %.0f s or more, and more than %.0f s are not begun unasked: --duration says for how long to send",
			o.graph.File, least, calls-1, seconds, longestGraph.Seconds())
	}
	if allowed, known := openfiles.Allowed(); known {
		pace.Connections = 1
		for pace.Connections < mostAtOnce && uint64(o.openFiles(pace.Connections+1)) <= allowed {
			pace.Connections++
		}
	}
	o.remark(o.graph.Remarks...)
	if options.Cascade == trail.Absorb && o.graph.Calls() > 1 {
		o.remark("A service of isotope answers 500 when a call of its own fails, and makes no later ones. It does so with --cascade propagate; this run has --cascade absorb.")
	}
	return nil
}

// remark adds sentences that are not there yet: each point of a grid has the same ones.
func (o *ownRules) remark(texts ...string) {
	for _, text := range texts {
		if !slices.Contains(o.remarks, text) {
			o.remarks = append(o.remarks, text)
		}
	}
}

// turns is how many requests are sent until each cohort has had its turns.
func turns(cohorts []scenarios.Cohort) (sum int) {
	for i := range cohorts {
		sum += cohorts[i].Often()
	}
	return sum
}

// mostAtOnce is a number of requests at once that no run reaches.
const mostAtOnce = 1 << 10

// openFiles is how many files and sockets this process has open at most while so many requests are in flight.
func (o *ownRules) openFiles(inFlight int) int {
	if o.graph == nil {
		return mesh.OpenFiles(inFlight)
	}
	return mesh.OpenFilesOfGraph(o.graph.Pods(), o.graph.Calls(), inFlight)
}

// announceGraph prints where requests enter, what follows, and how much of it runs here, before anything is started.
func announceGraph(w io.Writer, t *isotope.Topology) {
	var names []string
	for _, s := range t.Entries() {
		names = append(names, s.Name)
	}
	if more := len(names) - mostExamples; more > 0 {
		names = append(names[:mostExamples], fmt.Sprintf("%d more", more))
	}
	fmt.Fprintf(w, "graph %s: services: %d, pods: %d, calls that follow each request: %.6g (where none is sent again); requests enter at %s\n",
		t.File, len(t.Services), t.Pods(), t.Calls()-1, strings.Join(names, ", "))
	if t.Capped != "" {
		fmt.Fprintf(w, "note: %s\n", t.Capped)
	}
}
