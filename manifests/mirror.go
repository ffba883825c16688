package manifests

import (
	"fmt"
	"slices"

	networking "istio.io/api/networking/v1alpha3"
)

// Mirror is a destination that gets copies of a rule's requests. A copy is sent once, when the first try of a call is, however often the
// call is sent again, and nobody waits for its answer (Filter::continueDecodeHeaders in Envoy's router.cc).
type Mirror struct {
	// Destination is where copies go. Its Share is the share of the calls of which a copy is sent, in (0,1]; a mirror of 0 percent is none.
	// A copy has the path, the host and the headers of the first try, so that Request, Answer and Authority are empty.
	Destination
	// Line is where it stands in the file of the rule.
	Line int
}

// mirroredPart is a mirror as an http entry has it: where it stands, and the share of the calls.
type mirroredPart struct {
	field string // "mirror", "mirrors[1].destination"
	to    *networking.Destination
	share float64
}

// mirrorsOf are the mirrors of an http entry, those of 0 percent too (MirrorPercent and MirrorPercentByPolicy in Istio's
// pilot/pkg/networking/core/route/route.go: 100 percent where the entry says nothing, and mirrorPercentage before mirrorPercent).
func mirrorsOf(h *networking.HTTPRoute) (all []mirroredPart) {
	if h.Mirror != nil {
		share := 1.0
		//lint:ignore SA1019 Istio still executes the old field
		if old := h.MirrorPercent; h.MirrorPercentage != nil {
			share = h.MirrorPercentage.Value / 100
		} else if old != nil {
			share = float64(old.Value) / 100
		}
		all = append(all, mirroredPart{"mirror", h.Mirror, share})
	}
	for i, m := range h.Mirrors {
		share := 1.0
		if m.Percentage != nil {
			share = m.Percentage.Value / 100
		}
		all = append(all, mirroredPart{fmt.Sprintf("mirrors[%d].destination", i), m.Destination, share})
	}
	return all
}

// newMirrors are the mirrors of an http entry that are of more than 0 percent.
func newMirrors(w *written) (all []Mirror) {
	for i, m := range mirrorsOf(w.http) {
		if m.share > 0 {
			all = append(all, w.mirror(i, &m))
		}
	}
	return all
}

// mirror is a mirror of the entry, the one with this index among all of them.
func (w *written) mirror(index int, m *mirroredPart) Mirror {
	return Mirror{Destination{Host: qualify(m.to.GetHost(), w.from.namespace()), Subset: m.to.GetSubset(), Port: int(m.to.GetPort().GetNumber()),
		Share: m.share, denied: slices.Contains(w.deniedMirrors, index)}, w.line(m.field)}
}

// checkMirrors checks the mirrors of an http entry.
func (d *document) checkMirrors(field string, h *networking.HTTPRoute) {
	if h.Mirror != nil && len(h.Mirrors) > 0 && h.Delegate == nil { // validateRootHTTPRoute of Istio does not look at them
		d.problem(field, "must have only one of mirror and mirrors")
	}
	if h.Mirror != nil {
		d.checkDestination(field+".mirror", h.Mirror)
	}
	for i, m := range h.Mirrors {
		place := fmt.Sprintf("%s.mirrors[%d]", field, i)
		if m.Destination == nil {
			d.problem(place, "must have a destination")
		} else {
			d.checkDestination(place+".destination", m.Destination)
		}
		d.checkPercentage(place+".percentage.value", m.Percentage)
	}
	d.checkPercentage(field+".mirrorPercentage.value", h.MirrorPercentage)
	//lint:ignore SA1019 Istio still executes the old field
	if old := h.MirrorPercent; old != nil && old.Value > 100 {
		d.problem(field+".mirrorPercent", "must be from 0 to 100, not %d", old.Value)
	}
}

// inheritMirrors gives a delegate's entry the mirrors that only the entry that delegates to it has, each field by itself.
func inheritMirrors(root, delegate *networking.HTTPRoute) {
	if delegate.Mirror == nil {
		delegate.Mirror = root.Mirror
	}
	if delegate.MirrorPercentage == nil {
		delegate.MirrorPercentage = root.MirrorPercentage
	}
	//lint:ignore SA1019 Istio still executes the old field
	if delegate.MirrorPercent == nil {
		delegate.MirrorPercent = root.MirrorPercent //lint:ignore SA1019 as above
	}
	if delegate.Mirrors == nil {
		delegate.Mirrors = root.Mirrors
	}
}

// HTTPDestination is where an http entry sends requests, or copies of them.
type HTTPDestination struct {
	// Field is the path of To in the entry: "route[0].destination", "mirror", "mirrors[1].destination".
	Field string
	To    *networking.Destination
}

// Destinations are all destinations of an http entry, those of its route first.
func Destinations(h *networking.HTTPRoute) (all []HTTPDestination) {
	for i, to := range h.Route {
		if to.Destination != nil {
			all = append(all, HTTPDestination{fmt.Sprintf("route[%d].destination", i), to.Destination})
		}
	}
	for _, m := range mirrorsOf(h) {
		if m.to != nil {
			all = append(all, HTTPDestination{m.field, m.to})
		}
	}
	return all
}

// Mirror reports whether a rule has a mirror.
func (r *Rules) Mirror() bool {
	return slices.ContainsFunc(r.virtualServices, func(v virtualService) bool {
		return slices.ContainsFunc(v.routes, func(h httpRoute) bool { return len(h.rule.Mirrors) > 0 })
	})
}

// writtenMirrors are the mirrors of an http entry as they are written.
func (r *Rules) writtenMirrors(w *written, rule *Rule) (all []WrittenMirror) {
	bound := 0
	for i, m := range mirrorsOf(w.http) {
		to := WrittenMirror{Mirror: w.mirror(i, &m), Written: m.to.GetHost(), Bound: -1}
		if to.Port == 0 {
			to.Port = r.portOf(to.Host, 80)
		}
		to.from = r.someCaller(&to.Destination)
		if m.share > 0 && len(rule.Split) > 0 {
			to.Bound = bound
			bound++
		}
		all = append(all, to)
	}
	return all
}

// lonePercentage is the field of an entry that is for its mirror where it has none, and its line.
func (w *written) lonePercentage() (field string, line int) {
	switch {
	case w.http.Mirror != nil:
		return "", 0
	case w.http.MirrorPercentage != nil:
		field = "mirrorPercentage"
	//lint:ignore SA1019 Istio still executes the old field
	case w.http.MirrorPercent != nil:
		field = "mirrorPercent"
	default:
		return "", 0
	}
	return field, w.line(field)
}
