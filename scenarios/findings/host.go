package findings

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
	"github.com/hellochaos/hellochaos/spelling"
)

// registered reports whether the mesh's registry has a host.
func (f *finder) registered(host string) bool {
	_, there := slices.BinarySearch(f.hosts, host)
	return there
}

// covers reports whether a host of a VirtualService or Gateway, which may begin with "*", covers another one.
func covers(pattern, host string) bool {
	suffix, wild := strings.CutPrefix(pattern, "*")
	return pattern == host || wild && strings.HasSuffix(host, suffix)
}

// completed is the host of the registry of whose full name a host with a dot is the beginning; empty where there is none. Istio
// completes only names without a dot (ResolveShortnameToFQDN in its pkg/config/host).
func (f *finder) completed(host string) string {
	if !strings.Contains(host, ".") {
		return ""
	}
	for _, rest := range []string{".svc.cluster.local", ".cluster.local", ".local"} {
		if full := host + rest; f.registered(full) {
			return full
		}
	}
	return ""
}

// inPlaceOf says what there is in place of a host that does not exist: the Service that its name is a part of, or all that are known.
func (f *finder) inPlaceOf(host string, known []string) string {
	if full := f.completed(host); full != "" {
		return fmt.Sprintf("Istio completes only names without a dot, so that it is not %s", full)
	}
	return thereAre(known)
}

// thereAre lists what there is.
func thereAre(known []string) string {
	switch len(known) {
	case 0:
		return "there is none"
	case 1:
		return "there is " + known[0]
	}
	return "there are " + list(known)
}

// half says that a host of an entry is a part of a full name; empty where none is, and where requests name the host so.
func (f *finder) half(e *manifests.HTTPEntry) string {
	for _, host := range e.Hosts {
		full := f.completed(host)
		named := slices.ContainsFunc(f.ways.Routed(), func(r oracle.Routed) bool {
			name, _, _ := strings.Cut(r.Request.Host, ":")
			return strings.EqualFold(name, host)
		})
		if full == "" || named {
			continue
		}
		text := fmt.Sprintf("no request meets %s: Istio completes only names without a dot, so that its host %s is not %s", e.Object, host, full)
		if routed := f.calling(full); routed != nil {
			text += fmt.Sprintf(", which %s calls; %s", callerOf(*routed), f.instead(routed.Rule))
		}
		return text + fmt.Sprintf("; write %s, or %s in namespace %s", full, firstLabel(full), namespaceOf(full))
	}
	return ""
}

// meant suggests the host that a misspelt one may have been. The first labels must be near each other, since full names have so much in
// common that all of them are.
func meant(host string, known []string) string {
	near := slices.DeleteFunc(slices.Clone(known), func(other string) bool {
		return spelling.DidYouMean(firstLabel(host), []string{firstLabel(other)}) == ""
	})
	return spelling.DidYouMean(host, near)
}

// firstLabel and namespaceOf are the parts of a Service's full name.
func firstLabel(full string) string {
	name, _, _ := strings.Cut(full, ".")
	return name
}

func namespaceOf(full string) string {
	_, rest, _ := strings.Cut(full, ".")
	return firstLabel(rest)
}

// calling is a request that a sidecar sends for a host; nil where there is none.
func (f *finder) calling(host string) *oracle.Routed {
	all := f.ways.Routed()
	for i := range all {
		if all[i].Caller.Gateway == "" && f.full(all[i]) == host {
			return &all[i]
		}
	}
	return nil
}

// otherHost says that an entry splits calls, or sends them to a subset, while its destinations are called by their own host, for which
// the entry is not; empty where that is not so.
func (f *finder) otherHost(e *manifests.HTTPEntry) string {
	for i := range e.Destinations {
		d := &e.Destinations[i]
		routed := f.calling(d.Host)
		if len(e.Destinations) == 1 && d.Subset == "" || slices.Contains(e.Hosts, d.Host) || routed == nil {
			continue
		}
		text := fmt.Sprintf("it is for %s, and %s calls its destination by host %s; %s", hostsOf(e), callerOf(*routed), short(d.Host, e.Namespace), f.instead(routed.Rule))
		if slices.ContainsFunc(e.Hosts, func(host string) bool { return firstLabel(host) == routed.Service }) {
			text += "; a rule is for the calls to its host, and not for those that its host makes"
		}
		if !unruled(routed.Rule) {
			return text + "; the rule belongs there"
		}
		if e.OfHTTPRoute() {
			return text + fmt.Sprintf("; the rule belongs into an HTTPRoute with Service %s in parentRefs", short(d.Host, e.Namespace))
		}
		return text + fmt.Sprintf("; the rule belongs under spec.hosts: [%s]", short(d.Host, e.Namespace))
	}
	return ""
}
