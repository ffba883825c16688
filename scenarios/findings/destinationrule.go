package findings

import (
	"fmt"
	"slices"

	"github.com/hellochaos/hellochaos/manifests"
)

// rootNamespace is where Istio looks for rules of the whole mesh.
const rootNamespace = "istio-system"

// destinationRules finds DestinationRules that hold for no call: their host does not exist, or no proxy looks where they are.
func (f *finder) destinationRules() {
	hosts := f.rules.Hosts()
	for _, d := range f.rules.DestinationRules() {
		if !slices.Contains(hosts, d.Host) {
			known := shortAll(hosts, d.Namespace)
			why := fmt.Sprintf("there are %s", list(known))
			if full := f.completed(d.Host); full != "" {
				why = fmt.Sprintf("Istio completes only names without a dot, so that it is not %s", full)
			}
			f.addAt(ForNobody, d.Object, d.File, d.HostLine, fmt.Sprintf("host %q is not in the mesh's registry%s: no Service and no ServiceEntry that the mesh knows has it; %s", d.Written,
				meant(d.Written, known), why), unused(&d))
			continue
		}
		looked := f.looked(d.Host)
		if !slices.Contains(looked, d.Namespace) {
			f.addAt(OutOfSight, d.Object, d.File, d.Line, fmt.Sprintf("no proxy knows %s: it is in namespace %s, and for the calls to %s Istio looks in %s, the namespaces of its callers and of its "+
				"Service or ServiceEntry, and the root namespace", d.Object, d.Namespace, short(d.Host, d.Namespace), list(looked)), unused(&d), "move it to namespace "+f.home(d.Host, looked))
		}
	}
}

// home is the namespace of a host's Service or ServiceEntry, of those that are looked in: there a DestinationRule holds for every caller.
func (f *finder) home(host string, looked []string) string {
	for _, namespace := range f.rules.Looked(host) {
		if namespace != rootNamespace {
			return namespace
		}
	}
	return looked[0]
}

// looked are the namespaces in which proxies look for the DestinationRules of a host: those of its callers, and those that hold for all.
func (f *finder) looked(host string) []string {
	all := f.rules.Looked(host)
	for _, routed := range f.ways.Routed() {
		leads := slices.ContainsFunc(routed.Rule.Split, func(d manifests.Destination) bool { return d.Host == host })
		namespace := routed.Caller.Namespace
		if routed.Caller.Gateway == "" && namespace == "" {
			namespace = manifests.Namespace
		}
		if (leads || f.full(routed) == host) && namespace != "" && !slices.Contains(all, namespace) {
			all = append(all, namespace)
		}
	}
	slices.Sort(all)
	return all
}

// unused says what a DestinationRule that holds for no call does: nothing, and where its subsets are routed to, those do not exist.
func unused(d *manifests.WrittenDestinationRule) string {
	if len(d.Subsets) == 0 {
		return "it holds for 0 calls"
	}
	which := "its subset " + d.Subsets[0]
	if len(d.Subsets) > 1 {
		which = "its subsets " + list(d.Subsets)
	}
	return fmt.Sprintf("it holds for 0 calls, and it defines %s for nobody: a proxy answers 503 to all calls that a route sends to a subset that it does not know", which)
}
