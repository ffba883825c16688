package manifests

import (
	"fmt"
	"slices"
	"strings"
	"time"

	networking "istio.io/api/networking/v1alpha3"
)

// HTTPEntry is an http entry of a VirtualService as it stands in its file.
type HTTPEntry struct {
	// Object is the VirtualService, "VirtualService middleware"; Name, File and Line are those of the Rule that requests meet.
	Object, Name, File string
	Line               int
	// ObjectLine is where the VirtualService begins.
	ObjectLine int
	Namespace  string
	// Hosts are fully qualified, or begin with "*".
	Hosts []string
	// Gateways are those for which the entry is, each once; "mesh" stands for the sidecars.
	Gateways []WrittenGateway
	// Destinations are those of its route.
	Destinations []WrittenDestination
	// Mirrors are those that are written, those of 0 percent too, and LonePercentage is the field of a percentage without a mirror
	// ("mirrorPercentage"), with its line; empty where there is none.
	Mirrors            []WrittenMirror
	LonePercentage     string
	LonePercentageLine int
	// Conditions are those of its match list on headers.
	Conditions []WrittenCondition
	// Methods are those that its match list asks for with exact, each once.
	Methods []string
	Retry   Retry
	// Timeout ends a call with all its tries; 0 sets no limit. PerTry is the perTryTimeout as it is written, 0 where there is none:
	// Retry.PerTry is 0 where Envoy ignores it, too.
	Timeout, PerTry time.Duration
	// Fault is what it injects; nil injects nothing.
	Fault *Fault
	// RetriesLine, PerTryLine, TimeoutLine and AbortLine are where its retries, their perTryTimeout, its timeout and its abort stand, if
	// it has any.
	RetriesLine, PerTryLine, TimeoutLine, AbortLine int

	rules *Rules
	owner *virtualService
	index int
}

// Mesh is the name of the sidecars among gateways.
const Mesh = mesh

// WrittenGateway is a gateway's name in a VirtualService.
type WrittenGateway struct {
	// Name is "mesh" or "namespace/name".
	Name string
	Line int
}

// WrittenDestination is a destination of a route with its place in the file.
type WrittenDestination struct {
	// Destination has the port that it names, or the one that requests to port 80 lead to. It is that of a caller who knows its subset,
	// where any pod's sidecar does.
	Destination
	// Written is the host as the file has it; Field is the path of the destination in the object.
	Written, Field string
	// Weight is what the share is computed from. Unweighed says that the file has none, so that it is 0.
	Weight    int
	Unweighed bool
	// PortWritten says that the destination names a port.
	PortWritten                                bool
	HostLine, PortLine, SubsetLine, WeightLine int
}

// WrittenMirror is a mirror with its place in the file.
type WrittenMirror struct {
	// Mirror has the port that it names, or the one that requests to port 80 lead to. Share is 0 where no request is copied.
	Mirror
	// Written is the host as the file has it.
	Written string
	// Bound is the index in Rule.Mirrors of a rule that requests meet; -1 where it is not there: it gets nothing.
	Bound int
}

// HTTPEntries are the http entries of all VirtualServices, in the order of the objects.
func (r *Rules) HTTPEntries() (all []HTTPEntry) {
	for i := range r.virtualServices {
		v := &r.virtualServices[i]
		for j := range v.routes {
			all = append(all, r.httpEntry(v, j))
		}
	}
	return all
}

func (r *Rules) httpEntry(v *virtualService, j int) HTTPEntry {
	rule, w := v.routes[j].rule, v.routes[j].written
	e := HTTPEntry{Object: w.from.Name(), Name: rule.Name, File: rule.File, Line: rule.Line, ObjectLine: w.from.Line, Namespace: w.from.namespace(), Hosts: v.hosts,
		Retry: rule.Retry, Gateways: v.gatewaysOf(w), rules: r, owner: v, index: j}
	e.RetriesLine, e.PerTryLine, e.TimeoutLine, e.AbortLine = w.line("retries"), w.line("retries.perTryTimeout"), w.line("timeout"), w.line("fault.abort")
	e.Timeout, e.Fault, e.PerTry = rule.Timeout, rule.Fault, w.http.GetRetries().GetPerTryTimeout().AsDuration()
	e.Conditions, e.Methods = w.conditions()
	e.Mirrors = r.writtenMirrors(w, rule)
	e.LonePercentage, e.LonePercentageLine = w.lonePercentage()
	for k := range rule.Split {
		field := fmt.Sprintf("route[%d].destination", k)
		d := WrittenDestination{Destination: rule.Split[k], Field: w.field(field),
			HostLine: w.line(field + ".host"), PortLine: w.line(field + ".port.number"), SubsetLine: w.line(field + ".subset")}
		if k < len(w.http.Route) {
			d.Written, d.Weight = w.own().Route[k].GetDestination().GetHost(), int(w.http.Route[k].GetWeight())
			d.Unweighed, d.WeightLine = w.unweighed(k, len(rule.Split))
		}
		if d.PortWritten = d.Port != 0; !d.PortWritten {
			d.Port = r.portOf(d.Host, 80)
		}
		d.from = r.someCaller(&d.Destination)
		e.Destinations = append(e.Destinations, d)
	}
	return e
}

// someCaller is the namespace of pods whose sidecars know a destination; Namespace where none do.
func (r *Rules) someCaller(to *Destination) string {
	d := *to
	known := func(namespace string) bool {
		d.from = namespace
		return r.Endpoints(&d).Known
	}
	if known(Namespace) {
		return Namespace
	}
	for i := range r.Workloads {
		if known(r.Workloads[i].Namespace) {
			return r.Workloads[i].Namespace
		}
	}
	return Namespace
}

// gatewaysOf are the gateways of an http entry: those of its match list, or of the VirtualService. For an entry of a delegate they have the
// line of the entry, since they may stand in another file.
func (v *virtualService) gatewaysOf(w *written) (all []WrittenGateway) {
	if a := v.attached; a != nil {
		for i, name := range a.gateways {
			all = append(all, WrittenGateway{name, v.object.lines.of(fmt.Sprintf("spec.parentRefs[%d]", a.parents[i]), v.object.Line)})
		}
		return all
	}
	spec := v.object.Istio.(*networking.VirtualService)
	add := func(name, field string) {
		name = qualifyGateway(name, v.namespace)
		line := w.line("")
		if w.by == "" {
			line = v.object.lines.of(field, v.object.Line)
		}
		if !slices.ContainsFunc(all, func(g WrittenGateway) bool { return g.Name == name }) {
			all = append(all, WrittenGateway{name, line})
		}
	}
	own := len(w.http.Match) == 0
	for k, m := range w.http.Match {
		own = own || len(m.Gateways) == 0
		for l, name := range m.Gateways {
			add(name, fmt.Sprintf("spec.http[%d].match[%d].gateways[%d]", w.index, k, l))
		}
	}
	if !own {
		return all
	}
	if len(spec.Gateways) == 0 {
		add(mesh, "spec")
	}
	for k, name := range spec.Gateways {
		add(name, fmt.Sprintf("spec.gateways[%d]", k))
	}
	return all
}

// Written is the entry as its file has it, and, where it is one of a delegate, as Istio merges it with the entry that delegates to it.
// Its hosts may be short names of Namespace. The caller must not change it.
func (e *HTTPEntry) Written() *networking.HTTPRoute {
	return e.owner.routes[e.index].written.http
}

// OfHTTPRoute reports whether the entry stands for a rule of an HTTPRoute, and not for one of a VirtualService.
func (e *HTTPEntry) OfHTTPRoute() bool { return e.owner.attached != nil }

// OfHTTPRoute reports whether the rule is one of an HTTPRoute of Gateway API.
func (r *Rule) OfHTTPRoute() bool { return strings.HasPrefix(r.Name, "HTTPRoute ") }

// Delegate is the name and the namespace of the VirtualService in which the entry stands, where another one delegates to it; false where
// none does.
func (e *HTTPEntry) Delegate() (name, namespace string, delegated bool) {
	w := e.owner.routes[e.index].written
	return w.from.Meta.Name, w.from.namespace(), w.by != ""
}
