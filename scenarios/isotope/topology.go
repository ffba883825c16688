// Package isotope reads the topology files of Istio's load generator isotope (istio/tools, isotope/example-topologies) as graphs: which
// services there are, and what each of them calls. It knows the form of these files, and makes Services and Deployments of them, whose
// stand-ins make the calls. It must not know rules of a mesh, how requests are sent, or what came of them.
package isotope

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/service/calls"
	"github.com/hellochaos/hellochaos/service/trail"
)

// Bounds of a topology.
const (
	// maxFile is the size of the largest accepted file in bytes. A thousand services with their calls have 42 KB.
	maxFile = 1 << 20
	// MostServices is how many services a topology may have: each is a server, and a proxy, on this machine.
	MostServices = 1000
	// MostReplicas is how many pods a service has at most here, as every workload that a stand-in runs for (standins.MostReplicas).
	MostReplicas = 3
	// mostPods is how many pods all services have together; beyond it each has one.
	mostPods = 1000
	// mostSleep is the longest sleep.
	mostSleep = time.Minute
	// mostProblems is the number of problems after which no more are noted.
	mostProblems = 100
)

// Port is that of every service, as isotope's own converter has it (convert/pkg/consts: ServicePort).
const Port = 8080

// Topology is a graph of services.
type Topology struct {
	// File is the name of the file.
	File string
	// Services are in the order of the file.
	Services []Service
	// Capped is a sentence that says of how many replicas none runs here; empty where all do. Remarks has it, too.
	Capped string
	// Remarks are sentences about what the file says and has no meaning here, or another one.
	Remarks []string
}

// Service is a service of a topology.
type Service struct {
	Name, Namespace string
	// Line is where it begins.
	Line int
	// Entry: requests from outside enter here.
	Entry bool
	// Written is how many replicas the file asks for, and Replicas how many pods there are here.
	Written, Replicas int
	// ErrorRate is the share of its tries that it answers with 500 by itself; nil where the file has none.
	ErrorRate *float64
	// Work is how long a try sleeps before it calls.
	Work time.Duration
	// Steps are its calls: steps one after another, the calls of a step side by side.
	Steps [][]Call
}

// Call is a call of a service by another one.
type Call struct {
	// To is the index of the called service.
	To   int
	Line int
	// Host is the host of the URL that is called, with its port.
	Host string
}

// Host is the full name by which a mesh knows the service.
func (s *Service) Host() string { return manifests.FullHost(s.Name, s.Namespace) }

// Load reads the topology of a file; Read says what is refused.
func Load(file string) (*Topology, error) {
	refused := func(format string, args ...any) error {
		return manifests.Problems{{File: file, Text: fmt.Sprintf(format, args...)}}
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, refused("%v", cause(err))
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, refused("%v", cause(err))
	}
	return Read(file, data)
}

// cause is an error of a file without the operation and the file's name.
func cause(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// Read reads a topology. It refuses fields that the form does not have, values that isotope refuses, calls of services that there are
// not, calls in a circle, and more than this machine can run. The error is manifests.Problems with everything that is wrong, up to a
// limit. file is for messages.
func Read(file string, data []byte) (*Topology, error) {
	r := &reader{topology: &Topology{File: file}, noted: map[string]*note{}}
	if r.read(data) {
		r.link()
		r.circles()
	}
	if len(r.problems) > 0 {
		return nil, r.problems
	}
	r.enter()
	r.tooMuch()
	if len(r.problems) > 0 {
		return nil, r.problems
	}
	r.cap()
	r.remark()
	return r.topology, nil
}

// Entries are the services at which requests enter.
func (t *Topology) Entries() (all []*Service) {
	for i := range t.Services {
		if t.Services[i].Entry {
			all = append(all, &t.Services[i])
		}
	}
	return all
}

// Pods is how many pods all services have here.
func (t *Topology) Pods() (sum int) {
	for i := range t.Services {
		sum += t.Services[i].Replicas
	}
	return sum
}

// Calls is how many services answer a request that enters at each entry, the mean over the entries: the entry itself, and all calls that
// follow from it, where nothing fails and nothing is retried.
func (t *Topology) Calls() float64 {
	below, sum, entries := t.below(), 0.0, 0
	for i := range t.Services {
		if t.Services[i].Entry {
			sum, entries = sum+below[i], entries+1
		}
	}
	return sum / float64(max(1, entries))
}

// below is, for each service, how many services answer where it is called: itself, and those that follow. There must be no circle.
func (t *Topology) below() []float64 {
	count := make([]float64, len(t.Services))
	t.inwards(func(i int) {
		count[i] = 1
		t.Services[i].each(func(c *Call) { count[i] += count[c.To] })
	})
	return count
}

// depth is, for each service, how many services call each other in a row from it on. There must be no circle.
func (t *Topology) depth() []int {
	depth := make([]int, len(t.Services))
	t.inwards(func(i int) {
		t.Services[i].each(func(c *Call) { depth[i] = max(depth[i], depth[c.To]) })
		depth[i]++
	})
	return depth
}

// inwards visits every service once, those that it calls before itself.
func (t *Topology) inwards(visit func(int)) {
	done := make([]bool, len(t.Services))
	var follow func(int)
	follow = func(i int) {
		if done[i] {
			return
		}
		done[i] = true
		t.Services[i].each(func(c *Call) { follow(c.To) })
		visit(i)
	}
	for i := range t.Services {
		follow(i)
	}
}

// each hands over the calls of a service.
func (s *Service) each(of func(*Call)) {
	for _, step := range s.Steps {
		for i := range step {
			of(&step[i])
		}
	}
}

// circles notes the calls by which a service calls itself in the end.
func (r *reader) circles() {
	const open, done = 1, 2
	state := make([]int, len(r.topology.Services))
	var way []int
	var follow func(int)
	follow = func(i int) {
		state[i], way = open, append(way, i)
		r.topology.Services[i].each(func(c *Call) {
			switch state[c.To] {
			case open:
				r.problem(c.Line, "service "+r.topology.Services[i].Name, "", "calls go in a circle: %s. A request would never end: take one of these calls out", r.circle(way, c.To))
			case 0:
				follow(c.To)
			}
		})
		state[i], way = done, way[:len(way)-1]
	}
	for i := range r.topology.Services {
		if state[i] == 0 {
			follow(i)
		}
	}
}

// longestCircle is how many services of a circle are named at most.
const longestCircle = 12

// circle is the way from a service to itself: "a → b → a".
func (r *reader) circle(way []int, back int) string {
	var names []string
	for i := len(way) - 1; i >= 0; i-- {
		names = append([]string{r.topology.Services[way[i]].Name}, names...)
		if way[i] == back {
			break
		}
	}
	if more := len(names) - longestCircle; more > 0 {
		names = append(names[:longestCircle-1], fmt.Sprintf("(%d more)", more), names[len(names)-1])
	}
	return strings.Join(append(names, r.topology.Services[back].Name), " → ")
}

// enter makes entries of the services that nobody calls, where the file has no entry.
func (r *reader) enter() {
	t := r.topology
	if len(t.Entries()) > 0 {
		return
	}
	called := make([]bool, len(t.Services))
	for i := range t.Services {
		t.Services[i].each(func(c *Call) { called[c.To] = true })
	}
	var names []string
	for i := range t.Services {
		if !called[i] {
			t.Services[i].Entry = true
			names = append(names, t.Services[i].Name)
		}
	}
	r.said = append(r.said, fmt.Sprintf("No service has isEntrypoint: requests enter where nobody else calls: %s.", list(names)))
}

// tooMuch refuses calls of which no answer can tell, and more of them than a stand-in can make.
func (r *reader) tooMuch() {
	t := r.topology
	below, depth := t.below(), t.depth()
	for i := range t.Services {
		s := &t.Services[i]
		own := 0
		s.each(func(*Call) { own++ })
		if own > calls.Max {
			r.problem(s.Line, "service "+s.Name, "script", "has %d calls: at most %d are accepted", own, calls.Max)
		}
		switch {
		case !s.Entry:
		case below[i] > trail.MaxHops:
			r.problem(s.Line, "service "+s.Name, "", "a request that enters here leads to %.6g calls: at most %d fit into an answer, by which each of them is judged", below[i], trail.MaxHops)
		case depth[i] > trail.MaxDepth:
			r.problem(s.Line, "service "+s.Name, "", "from here on %d services call each other in a row: at most %d are accepted", depth[i], trail.MaxDepth)
		}
	}
}

// cap sets how many pods each service has here.
func (r *reader) cap() {
	t := r.topology
	written, pods, most, capped := 0, 0, MostReplicas, 0
	for i := range t.Services {
		written, pods = written+t.Services[i].Written, pods+min(t.Services[i].Written, MostReplicas)
	}
	if pods > mostPods {
		most = 1
	}
	pods = 0
	for i := range t.Services {
		s := &t.Services[i]
		if s.Replicas = min(s.Written, most); s.Replicas < s.Written {
			capped++
		}
		pods += s.Replicas
	}
	if capped > 0 {
		t.Capped = fmt.Sprintf("numReplicas: the file asks for %d pods, and %d run on this machine: at most %d for each service, and one each where that were more than %d.",
			written, pods, MostReplicas, mostPods)
		r.said = append(r.said, t.Capped)
	}
}
