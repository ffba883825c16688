package findings

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios"
)

// unusedDestinationRules finds DestinationRules that hold for no call: their host does not exist, or no proxy looks where they are.
func (f *finder) unusedDestinationRules() {
	for i := range f.destinationRules {
		d := &f.destinationRules[i]
		if strings.HasPrefix(d.Host, "*") {
			if slices.ContainsFunc(f.hosts, func(host string) bool { return covers(d.Host, host) }) {
				continue
			}
		}
		if !f.registered(d.Host) {
			known := shortAll(f.hosts, d.Namespace)
			f.addAt(ForNobody, d.Object, d.File, d.HostLine, fmt.Sprintf("host %q is not in the mesh's registry%s: no Service and no ServiceEntry that the mesh knows has it; %s", d.Written,
				meant(d.Written, known), f.inPlaceOf(d.Host, known)), unused(d))
			continue
		}
		f.outOfSight(d)
	}
}

// outOfSight finds a DestinationRule that Istio does not come to. One in a namespace whose pods may call the host, although none of the
// phase's requests is theirs, is none.
func (f *finder) outOfSight(d *manifests.WrittenDestinationRule) {
	if f.mayCall(d.Namespace) {
		return
	}
	var looked, all []string
	var instead *manifests.WrittenDestinationRule
	for _, caller := range f.callers(d.Host) {
		looked = f.rules.Looked(d.Host, caller)
		order := looked
		if caller != "" && !slices.Contains(looked, caller) {
			order = append([]string{caller}, looked...)
		}
		stop := f.first(d.Host, order, caller)
		if stop != nil && stop.Namespace == d.Namespace {
			return
		}
		instead, all = stop, append(all, order...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	if !slices.ContainsFunc(f.callers(d.Host), func(caller string) bool { return caller == "" || d.KnownIn(caller) }) {
		f.addAt(OutOfSight, d.Object, d.File, d.Line, fmt.Sprintf("no proxy that calls %s knows %s: its exportTo, %q, leaves them out", short(d.Host, d.Namespace), d.Object, d.ExportTo), unused(d), "add the namespaces of the callers to its exportTo")
		return
	}
	why := fmt.Sprintf("it is in namespace %s, and for the calls to %s Istio looks in %s, the namespaces of its callers and of its Service or ServiceEntry, and the root namespace",
		d.Namespace, short(d.Host, d.Namespace), list(all))
	if instead != nil && slices.Contains(all, d.Namespace) {
		why = fmt.Sprintf("for the calls to %s Istio obeys %s (%s:%d), and stops at its namespace, %s, before it comes to %s", short(d.Host, d.Namespace), instead.Object, instead.File,
			instead.Line, instead.Namespace, d.Namespace)
	}
	f.addAt(OutOfSight, d.Object, d.File, d.Line, fmt.Sprintf("no proxy knows %s: %s", d.Object, why), unused(d), "move it to namespace "+looked[0])
}

// mayCall reports whether a namespace has pods that are there to send requests as callers in the mesh.
func (f *finder) mayCall(namespace string) bool {
	return slices.ContainsFunc(f.phase.Cohorts, func(c scenarios.Cohort) bool {
		_, app, _ := strings.Cut(c.Entry.Caller, "/")
		return app != "" && slices.ContainsFunc(f.rules.Workloads, func(w manifests.Workload) bool { return w.Namespace == namespace && w.Labels["app"] == app })
	})
}

// first is a DestinationRule of a host that Istio obeys for the proxies of a caller's namespace in the first of some namespaces that have any; nil
// where none has. Where those of a namespace are not merged, since their exportTo differs, it is the last one.
func (f *finder) first(host string, namespaces []string, caller string) *manifests.WrittenDestinationRule {
	for _, namespace := range namespaces {
		for i := range slices.Backward(f.destinationRules) {
			if d := &f.destinationRules[i]; d.Host == host && d.Namespace == namespace && (caller == "" || d.KnownIn(caller)) {
				return d
			}
		}
	}
	return nil
}

// callers are the namespaces of the proxies that send calls to a host, each once. Nobody at all is "".
func (f *finder) callers(host string) (all []string) {
	for _, routed := range f.ways.Routed() {
		to := slices.IndexFunc(routed.Rule.Split, func(d manifests.Destination) bool { return d.Host == host })
		leads, namespace := to >= 0, cmp.Or(routed.Caller.Namespace, manifests.Namespace)
		if routed.Caller.Gateway != "" {
			namespace = "istio-system"
		}
		if leads {
			namespace = routed.Rule.Split[to].Caller()
		}
		if (leads || f.full(routed) == host) && !slices.Contains(all, namespace) {
			all = append(all, namespace)
		}
	}
	if len(all) == 0 {
		return []string{""}
	}
	return all
}

// unused says what a DestinationRule that holds for no call does: nothing, and where its subsets are routed to, those do not exist.
func unused(d *manifests.WrittenDestinationRule) string {
	if len(d.Subsets) == 0 {
		return "it holds for 0 calls"
	}
	which := "its subset " + d.Subsets[0].Name
	if len(d.Subsets) > 1 {
		var names []string
		for i := range d.Subsets {
			names = append(names, d.Subsets[i].Name)
		}
		which = "its subsets " + list(names)
	}
	return fmt.Sprintf("it holds for 0 calls, and it defines %s for nobody: a proxy answers 503 to all calls that a route sends to a subset that it does not know", which)
}
