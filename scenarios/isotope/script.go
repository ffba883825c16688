package isotope

import (
	"fmt"
	"net"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/spelling"
	"github.com/hellochaos/hellochaos/yamlnode"
)

// item is a step of a script: one command, or several side by side.
type item []command

// command is a call or a sleep.
type command struct {
	line          int
	field         string
	service, host string // of a call; host is empty where the file has none
	sleep         time.Duration
	call          bool
}

// script reads the steps of a script.
func (r *reader) script(n *yaml.Node, path string) (steps []item) {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		r.mustBe(n, path, "a list of steps, each a call, a sleep, or a list of them that are done side by side")
		return nil
	}
	for i, step := range n.Content {
		at := fmt.Sprintf("%s[%d]", path, i)
		switch {
		case step.Kind != yaml.SequenceNode:
			if c, ok := r.command(step, at); ok {
				steps = append(steps, item{c})
			}
		case len(step.Content) == 0:
			r.mustBe(step, at, "a list with at least one command")
		default:
			var all item
			for j, one := range step.Content {
				if c, ok := r.command(one, fmt.Sprintf("%s[%d]", at, j)); ok {
					all = append(all, c)
				}
			}
			steps = append(steps, all)
		}
	}
	return steps
}

// command reads a call or a sleep; false where it is neither, which is noted.
func (r *reader) command(n *yaml.Node, path string) (c command, ok bool) {
	if n.Kind == yaml.SequenceNode {
		r.wrong(n, path, "is a list in a list: commands side by side cannot have others side by side in them")
		return c, false
	}
	fields := r.fields(n, path, "a call or a sleep", []string{"call", "sleep"})
	c.line = n.Line
	switch call, sleep := fields["call"], fields["sleep"]; {
	case call != nil && sleep != nil:
		r.wrong(n, path, "has a call and a sleep: write them as two steps")
	case call != nil:
		c.call = true
		return c, r.call(call, yamlnode.Join(path, "call"), &c)
	case sleep != nil:
		return c, r.sleep(sleep, yamlnode.Join(path, "sleep"), &c)
	case n.Kind == yaml.MappingNode && len(n.Content) == 0:
		r.mustBe(n, path, "a call or a sleep")
	}
	return c, false
}

// call reads a call: the name of a service, or a map with it.
func (r *reader) call(n *yaml.Node, path string, c *command) bool {
	c.field = path
	if n.Kind == yaml.ScalarNode {
		c.service = r.text(n, path)
		return c.service != ""
	}
	fields := r.fields(n, path, "the name of a service, or a map with it", []string{"service", "size", "probability", "hostname"})
	if size := fields["size"]; size != nil {
		r.size(size, yamlnode.Join(path, "size"))
	}
	if p := fields["probability"]; p != nil {
		percent := r.whole(p, yamlnode.Join(path, "probability"), 0)
		if percent > 100 {
			r.mustBe(p, yamlnode.Join(path, "probability"), "a whole number of percent from 0 to 100")
		}
		r.note(probability, p.Line, percent != 0 && percent != 100) // isotope makes a call with 0, its default, always
	}
	if host := fields["hostname"]; host != nil {
		c.host = r.text(host, yamlnode.Join(path, "hostname"))
	}
	if service := fields["service"]; service != nil {
		c.field = yamlnode.Join(path, "service")
		c.service = r.text(service, c.field)
	} else if n.Kind == yaml.MappingNode {
		r.wrong(n, yamlnode.Join(path, "service"), "is missing")
	}
	return c.service != ""
}

// sleep reads a sleep. A map is the form of later versions of isotope, by which sleeps are drawn.
func (r *reader) sleep(n *yaml.Node, path string, c *command) bool {
	if n.Kind == yaml.MappingNode {
		r.note(drawnSleep, n.Line, true)
		return false
	}
	d, err := time.ParseDuration(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil || d < 0 || d > mostSleep {
		r.mustBe(n, path, fmt.Sprintf("a duration from 0s to %v, such as 10ms", mostSleep))
		return false
	}
	c.sleep = d
	return true
}

// link makes services of the forms, and finds the services that they call.
func (r *reader) link() {
	index, names := map[string]int{}, []string(nil)
	for i := range r.forms {
		f := &r.forms[i]
		if first, ok := index[f.name]; ok && f.name != "" {
			r.problem(f.line, "service "+f.name, "", "is the name of the service in line %d, too: each service needs a name of its own", r.forms[first].line)
			continue
		}
		index[f.name] = i
		names = append(names, f.name)
	}
	for i := range r.forms {
		f := &r.forms[i]
		if f.namespace == "" {
			f.namespace = manifests.Namespace
		}
		r.topology.Services = append(r.topology.Services, Service{Name: f.name, Namespace: f.namespace, Line: f.line, Entry: f.entry, Written: f.replicas, ErrorRate: f.errorRate})
	}
	for i := range r.forms {
		s := &r.topology.Services[i]
		for _, step := range r.forms[i].script {
			r.step(s, step, index, names)
		}
	}
}

// step adds a step of a script to a service.
func (r *reader) step(s *Service, step item, index map[string]int, names []string) {
	var calls []Call
	var longest time.Duration
	for _, c := range step {
		if !c.call {
			longest = max(longest, c.sleep)
			continue
		}
		to, ok := index[c.service]
		if !ok {
			if len(r.problems) < mostProblems { // the nearest of a thousand names is not found for nothing
				r.problem(c.line, "service "+s.Name, c.field, "is %q, which is no service of the file%s", c.service, spelling.DidYouMean(c.service, names))
			}
			continue
		}
		calls = append(calls, Call{To: to, Line: c.line, Host: r.host(s, &r.topology.Services[to], &c)})
	}
	switch {
	case len(calls) == 0:
		r.note(lateSleep, step.line(), longest > 0 && len(s.Steps) > 0)
		s.Work += longest
	default:
		r.note(besideSleep, step.line(), longest > 0)
		s.Steps = append(s.Steps, calls)
	}
}

// line is where a step begins.
func (i item) line() int {
	if len(i) == 0 {
		return 0
	}
	return i[0].line
}

// host is the host of a call: the one that the file has where the mesh knows the service by it, or else its name.
func (r *reader) host(from, to *Service, c *command) string {
	port := strconv.Itoa(Port)
	if host, at, err := net.SplitHostPort(c.host); err == nil && at == port && manifests.FullHost(host, from.Namespace) == to.Host() {
		return c.host
	}
	r.note(hostname, c.line, c.host != "")
	if from.Namespace == to.Namespace {
		return net.JoinHostPort(to.Name, port)
	}
	return net.JoinHostPort(to.Host(), port)
}
