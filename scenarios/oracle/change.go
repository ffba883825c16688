package oracle

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios/graph"
	"github.com/hellochaos/hellochaos/service/trail"
)

// Change is the calls that requests can lead to while one set of rules takes the place of another. Proxies take the new rules one by one,
// so that each call meets its caller's old rules or its new ones, whatever the calls before it met.
type Change struct {
	// Before and After are the ways under the old rules and under the new ones. Each call of one has as its Twin the same call of the other.
	Before, After *Ways
}

// NewChange reads who calls whom. Both sets of rules must have the same workloads: a change of policies does not replace pods. The error
// joins all Deployments whose environment is wrong.
func NewChange(before, after *manifests.Rules) (*Change, error) {
	var c Change
	var err error
	if c.Before, err = NewWays(before); err != nil {
		return nil, err
	}
	if c.After, err = NewWays(after); err != nil {
		return nil, err
	}
	c.Before.twin, c.After.twin = c.After, c.Before
	c.After.after = true
	return &c, nil
}

// Enter compiles the way of the requests of a cohort: the call under the old rules, whose Twin is that under the new ones. The error says
// that nothing stands at the entry under one of the two, or that calls under a mixture of both lead back to themselves.
func (c *Change) Enter(entry manifests.Entry, request manifests.Request) (*Call, error) {
	first, err := c.Before.Enter(entry, request)
	if err != nil {
		return nil, err
	}
	if first.Twin, err = c.After.Enter(entry, request); err != nil {
		return nil, err
	}
	first.Twin.Twin = first
	return first, nil
}

// pair compiles the twin of a call under the rules of the other ways, where there are other ways.
func (w *Ways) pair(c *Call, of *graph.Workload, call *graph.Call, header http.Header) (err error) {
	if w.twin == nil {
		return nil
	}
	at := w.twin.graph.Of(of.Workload)
	if at == nil {
		return fmt.Errorf("there is a Deployment %s under one of the two sets of rules alone", of.Name)
	}
	c.Twin, err = w.twin.call(at, call, header)
	return err
}

// Told is what one call showed that was made while the rules changed.
type Told struct {
	// Way is the call under one of the sets of rules that explain it; where neither does, under the new rules.
	Way *Call
	// Caller is the app whose proxy sent the call, followed by "." and its namespace where that is not manifests.Namespace; or Edge. Host is
	// what it called.
	Caller, Host string
	// Pod is the pod of the caller, followed by "." and its namespace as Caller is; empty where the answer does not say it. Connection and Turn
	// are those of trail.Call.
	Pod              string
	Connection, Turn int
	// Old and New: the old rules and the new ones explain what the call met. Mismatch says what the new ones expect where they do not.
	Old, New bool
	Mismatch *Mismatch
	// Open: a time limit ran out, or may have, so that it is not known which of the two the call met.
	Open bool
	// From and To bound when the proxy looked its rules up, since the request was sent: no proxy knows of a call before its request was
	// sent, and a call was looked up before the service that answered it began to.
	From, To time.Duration
	// Elapsed is how long the caller waited for the answer.
	Elapsed time.Duration
}

// Changing judges one request that was sent while the rules changed: first is its way (Change.Enter). tell is called for every call that the
// answer shows, callers before what they called, as long as one of the two sets of rules explains each of them: below a call that neither
// explains nothing is known.
func (j *Judge) Changing(request *Request, first *Call, observed *trail.Call, tell func(*Told)) {
	c := changing{walk: walk{Request: request}, tell: tell}
	c.judge([]*Call{first, first.Twin}, sender{app: Edge}, observed, path(j.buffer[:0]), observed.Elapsed)
}

// changing follows one request that was sent while the rules changed.
type changing struct {
	walk
	tell func(*Told)
}

// sender is the app that made a call, and its pod where that is known.
type sender struct{ app, pod string }

// judge holds a call against each way that it may have gone. There may be more than two: where the two sets of rules send different headers,
// a service's own calls meet other rules, too. ended is when the answer of the call was there at the latest, since the request was sent.
func (w *changing) judge(ways []*Call, caller sender, o *trail.Call, p path, ended time.Duration) {
	told := Told{Way: ways[0], Caller: caller.app, Pod: caller.pod, Connection: o.Connection, Turn: o.Turn, Host: ways[0].Host, To: ended, Elapsed: o.Elapsed}
	if o.Hop != nil {
		told.To = max(0, ended-o.Hop.Elapsed)
	}
	var at []*Workload
	for _, c := range ways {
		answered := w.one(c, o, p)
		e := &w.evidence
		switch {
		case e.Mismatch != nil:
			if c.after {
				told.Mismatch = e.Mismatch.orElse(told.Mismatch)
			}
			continue
		case c.after:
			told.New = true
		default:
			told.Old = true
		}
		told.Way, told.Open = c, told.Open || e.Open
		if answered != nil {
			at = append(at, answered)
		}
	}
	if told.New {
		told.Mismatch = nil
	}
	if !told.Old && !told.New {
		told.Way = ways[len(ways)-1]
	}
	w.tell(&told)
	if o.Hop != nil && len(at) > 0 {
		w.under(at, o.Hop, p.try(o.Hop.Attempt), ended)
	}
}

// orElse is a mismatch with one of several ways that a call may have gone; earlier is that with those before, nil where there are none.
func (m *Mismatch) orElse(earlier *Mismatch) *Mismatch {
	if earlier == nil {
		return m
	}
	if earlier.Expected != m.Expected {
		earlier.Expected += ", or " + m.Expected
	}
	return earlier
}

// under judges the calls of a try that was delivered, at any of the workloads as which whoever answered it is known.
func (w *changing) under(at []*Workload, hop *trail.Hop, p path, ended time.Duration) {
	for i := range hop.Calls {
		var old, changed []*Call
		for _, workload := range at {
			for _, c := range called(workload, hop.Calls[i].Number) {
				if c.after {
					c = c.Twin
				}
				if !slices.Contains(old, c) {
					old, changed = append(old, c), append(changed, c.Twin)
				}
			}
		}
		if len(old) > 0 {
			w.judge(append(old, changed...), senderOf(at[0], hop), &hop.Calls[i], p.call(hop.Calls[i].Number), ended)
		}
	}
}

// senderOf names the app of a workload, and the pod that answered as it. On the embedded mesh, whose services run in no pod, one proxy sends
// the calls of all pods of an app; on a cluster each pod has a proxy.
func senderOf(w *Workload, answered *trail.Hop) sender {
	s := sender{cmp.Or(w.Labels["app"], w.Service), answered.Pod}
	if w.Namespace != manifests.Namespace {
		s.app += "." + w.Namespace
		if s.pod != "" {
			s.pod += "." + w.Namespace
		}
	}
	return s
}

// called are the calls with a number of a workload: one, or none.
func called(w *Workload, number int) (calls []*Call) {
	for _, step := range w.Steps {
		for _, c := range step {
			if c.Number == number {
				calls = append(calls, c)
			}
		}
	}
	return calls
}
