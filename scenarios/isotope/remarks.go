package isotope

import (
	"fmt"
	"strings"
)

// What a file can say that has no meaning here, or another one: sentences that follow the place.
const (
	sizes       = "requestSize, responseSize and size: requests are GET without a body, and an answer has the trail of its calls."
	grpc        = "type grpc: every service is called with HTTP/1.1."
	probability = "probability: a call is made always. A share of the calls that is not made cannot be told from one that is lost."
	rbac        = "numRbacPolicies: isotope makes random policies of them, and one more that allows everything. None is made here."
	cluster     = "cluster: all services run in one mesh."
	hostname    = "hostname: no service of the file has this host at port 8080, and the call is for the host of its service."
	drawnSleep  = "sleep by a distribution: such a sleep is left out."
	lateSleep   = "sleep after a call: it is slept before the first call, so that a try takes as long."
	besideSleep = "sleep beside calls: it is left out."
)

// note counts the places of a field without a meaning here.
type note struct{ count, line int }

// note notes a place, where it is one.
func (r *reader) note(text string, line int, is bool) {
	if !is {
		return
	}
	n := r.noted[text]
	if n == nil {
		n = &note{line: line}
		r.noted[text] = n
	}
	n.count, n.line = n.count+1, min(n.line, line)
}

// remark makes the remarks of the topology.
func (r *reader) remark() {
	t := r.topology
	t.Remarks = r.said
	for _, text := range r.inOrder() {
		n := r.noted[text]
		what, why, _ := strings.Cut(text, ": ")
		times := ""
		if n.count > 1 {
			times = fmt.Sprintf("first of %d places ", n.count)
		}
		t.Remarks = append(t.Remarks, fmt.Sprintf("%s (%s%s:%d): %s", what, times, t.File, n.line, why))
	}
	if names := t.unreached(); len(names) > 0 {
		t.Remarks = append(t.Remarks, fmt.Sprintf("No request that enters reaches %s.", list(names)))
	}
}

// inOrder are the notes one after another.
func (r *reader) inOrder() (all []string) {
	for _, text := range []string{sizes, grpc, probability, rbac, cluster, hostname, drawnSleep, lateSleep, besideSleep} {
		if r.noted[text] != nil {
			all = append(all, text)
		}
	}
	return all
}

// unreached are the services that no request reaches.
func (t *Topology) unreached() (names []string) {
	reached := make([]bool, len(t.Services))
	var follow func(int)
	follow = func(i int) {
		if !reached[i] {
			reached[i] = true
			t.Services[i].each(func(c *Call) { follow(c.To) })
		}
	}
	for i := range t.Services {
		if t.Services[i].Entry {
			follow(i)
		}
	}
	for i := range t.Services {
		if !reached[i] {
			names = append(names, t.Services[i].Name)
		}
	}
	return names
}

// mostNamed is how many names a sentence has at most.
const mostNamed = 8

// list is names as a part of a sentence.
func list(names []string) string {
	if more := len(names) - mostNamed; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:mostNamed], ", "), more)
	}
	return strings.Join(names, ", ")
}
