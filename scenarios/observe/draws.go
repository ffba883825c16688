package observe

import "github.com/hellochaos/hellochaos/scenarios/oracle"

// mostConnections is how many connections of a row are remembered, so that the memory does not grow with them; further ones tell nothing.
const mostConnections = 4096

// Draws are what the natural calls of one row on the same connection were led to. They tell whether the mesh draws for each request: then calls
// of one connection go different ways. Connections are told by pods of a cluster alone (trail.Call).
type Draws struct {
	// Followed counts the calls on a connection that had one of the row before, Switched those of them that went another way than its first.
	Followed, Switched int64
	// Several: not all connections led their first calls the same way.
	Several bool

	firsts map[link]way
}

// link is a connection of a pod to its proxy.
type link struct {
	pod    string
	number int
}

// way is what was drawn for a call: the destination, -1 where a fault aborted it, and the workload where only these differ.
type way struct{ destination, workload int }

// see counts what was drawn for a natural call.
func (d *Draws) see(e *oracle.Evidence) {
	if e.Pod == "" || e.Observed.Connection == 0 || e.Destination < 0 && !e.Aborted {
		return
	}
	at := way{e.Destination, 0}
	if len(e.Way.Destinations) == 1 && !e.Aborted {
		at.workload = e.Workload
	}
	first, known := d.firsts[link{e.Pod, e.Observed.Connection}]
	switch {
	case known:
		d.Followed++
		if first != at {
			d.Switched++
		}
	case len(d.firsts) < mostConnections:
		if d.firsts == nil {
			d.firsts = map[link]way{}
		}
		for _, other := range d.firsts {
			d.Several = d.Several || other != at
			break // all are the same until Several is true
		}
		d.firsts[link{e.Pod, e.Observed.Connection}] = at
	}
}
