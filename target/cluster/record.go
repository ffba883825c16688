package cluster

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// record is what a journal says about one object.
type record struct {
	reference reference
	before    *unstructured.Unstructured // nil if the object did not exist
	// ours is the content after the last write that was completed, and pending the result of a write that was begun and may not
	// have been completed.
	ours    content
	pending *outcome
	// asked is the content that the run has asked for and seen in place last, and version the object's resourceVersion at that time; empty where
	// it was to be gone.
	asked   content
	version string
}

// settle notes that an object is as wanted.
func (r *record) settle(live, want *unstructured.Unstructured) {
	r.asked, r.version = contentOf(want), ""
	if live != nil {
		r.version = live.GetResourceVersion()
	}
}

// stands reports whether an object is as wanted without being asked for again: nobody has written it since the run found or made it so.
// An object that the run neither made nor found, and that is not there, is as wanted where none is.
func (r *record) stands(live, want *unstructured.Unstructured) bool {
	switch {
	case r.pending != nil:
		return false
	case live == nil || want == nil:
		return live == nil && want == nil && r.ours == nil
	}
	return r.version == live.GetResourceVersion() && r.asked.equal(contentOf(want))
}

// knows reports whether the run itself has left this content, so that nobody else has changed what the run wrote.
func (r *record) knows(now content) bool {
	return r.untouched(r.ours, now) || r.begun(now)
}

// begun reports whether a content is the result of the write that was begun, whatever node ports the server chose.
func (r *record) begun(now content) bool {
	return r.pending != nil && r.untouched(withoutNodePorts(r.pending.Content), withoutNodePorts(now))
}

// untouched reports whether now is what the run left: the same spec, and the labels and annotations that the run set. Other
// annotations may differ, since controllers add annotations to Services without changing a policy.
func (r *record) untouched(ours, now content) bool {
	if ours == nil || now == nil {
		return (ours == nil) == (now == nil)
	}
	if !(content{"spec": ours["spec"]}).equal(content{"spec": now["spec"]}) {
		return false
	}
	before := contentOf(r.before)
	for _, field := range []string{"labels", "annotations"} {
		b, _ := before[field].(map[string]any)
		o, _ := ours[field].(map[string]any)
		n, _ := now[field].(map[string]any)
		for _, key := range keys(b, o) {
			if b[key] != o[key] && n[key] != o[key] {
				return false
			}
		}
	}
	return true
}

// ownPart is an object's content without the labels and annotations that were neither there before the run nor are wanted by
// the run. These belong to others, and stay.
func (r *record) ownPart(u, want *unstructured.Unstructured) content {
	c := contentOf(u)
	before, wanted := contentOf(r.before), contentOf(want)
	for _, field := range []string{"labels", "annotations"} {
		some, _ := c[field].(map[string]any)
		b, _ := before[field].(map[string]any)
		w, _ := wanted[field].(map[string]any)
		for key := range some {
			if _, was := b[key]; !was {
				if _, ours := w[key]; !ours {
					delete(some, key)
				}
			}
		}
		if c != nil && len(some) == 0 {
			delete(c, field)
		}
	}
	return c
}

// withoutNodePorts is a copy of a Service's content without the ports that the server allocates.
func withoutNodePorts(c content) content {
	u := &unstructured.Unstructured{Object: map[string]any{}}
	if c == nil {
		return nil
	}
	c.into(u)
	unstructured.RemoveNestedField(u.Object, "spec", "healthCheckNodePort")
	ports, _, _ := unstructured.NestedSlice(u.Object, "spec", "ports")
	for _, p := range ports {
		if port, ok := p.(map[string]any); ok {
			delete(port, "nodePort")
		}
	}
	if len(ports) > 0 {
		_ = unstructured.SetNestedSlice(u.Object, ports, "spec", "ports")
	}
	return contentOf(u)
}

// records replays a journal. The records are in the order in which the journal first names their objects.
func records(lines []line) []*record {
	var all []*record
	known := map[reference]*record{}
	of := func(r reference) *record {
		if known[r] == nil {
			known[r] = &record{reference: r}
			all = append(all, known[r])
		}
		return known[r]
	}
	for _, l := range lines {
		switch {
		case l.Before != nil:
			r := of(l.Before.Reference)
			if l.Before.Object != nil {
				r.before = &unstructured.Unstructured{Object: l.Before.Object}
				r.ours = contentOf(r.before)
			}
		case l.Intent != nil:
			of(l.Intent.Reference).pending = l.Intent
		case l.Done != nil:
			r := of(l.Done.Reference)
			r.ours, r.pending = l.Done.Content, nil
		}
	}
	return all
}
