package manifests

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
)

// destinationRule is what the DestinationRules of a host in one namespace define together that have the same exportTo.
type destinationRule struct {
	exportTo []string          // as written, sorted
	exports  []string          // the namespaces to which they are exported; nil: all
	subsets  map[string]subset // by name
	policy   policy            // empty where none of them has one
}

// rulesOfHost are those for a host in one namespace, each with another exportTo or not merged with the ones before it.
type rulesOfHost struct{ all []*destinationRule }

// holds is the one that the proxies obey: the last one, as in Istio's SidecarScope.DestinationRule (pilot/pkg/model/sidecar.go).
func (r *rulesOfHost) holds() *destinationRule { return r.all[len(r.all)-1] }

// holdsFor is the last one of those that are exported to a namespace; nil where none is.
func (r *rulesOfHost) holdsFor(namespace string) *destinationRule {
	for _, rule := range slices.Backward(r.all) {
		if exportedTo(rule.exports, namespace) {
			return rule
		}
	}
	return nil
}

// destinationRules are those of all hosts, by fully qualified host and then by namespace.
type destinationRules map[string]map[string]*rulesOfHost

// addDestinationRules adds all DestinationRules in the order of their names: Istio merges the oldest first, and goes by name where two are of
// one age, as those of one file are (configCompareByCreationTime in its pilot/pkg/model/config.go).
func (r *Rules) addDestinationRules(objects []Object) {
	var all []*Object
	for i := range objects {
		if _, ok := objects[i].Istio.(*networking.DestinationRule); ok {
			all = append(all, &objects[i])
		}
	}
	slices.SortStableFunc(all, func(a, b *Object) int { return strings.Compare(a.Meta.Name, b.Meta.Name) })
	for _, o := range all {
		spec := o.Istio.(*networking.DestinationRule)
		r.addDestinationRule(o, spec)
		r.written = append(r.written, writtenDestinationRule(o, spec))
	}
}

func (r *Rules) addDestinationRule(o *Object, spec *networking.DestinationRule) {
	host, namespace := qualify(spec.Host, o.namespace()), o.namespace()
	if strings.HasPrefix(host, "*") && !slices.Contains(r.patterns, host) {
		r.patterns = append(r.patterns, host)
	}
	to := exports(o)
	if r.ruled[host] == nil {
		r.ruled[host] = make(map[string]bool)
	}
	for _, name := range append(slices.Clone(to), namespace) {
		r.ruled[host][name] = true
	}
	if exportedTo(to, namespace) {
		r.destinations.merge(host, o, spec)
	}
	switch {
	case !ownOnly(to, namespace):
		r.exported.merge(host, o, spec)
	case namespace == rootNamespace:
		r.rootOwn.merge(host, o, spec)
	}
}

// merge adds a DestinationRule to those for its host that have the same exportTo, where none is not the same as "*". Where the last one of all has
// another, it is one of its own as well (mergeDestinationRule in Istio's pilot/pkg/model/destination_rule.go, whose loop decides that anew at
// each).
func (d destinationRules) merge(host string, o *Object, spec *networking.DestinationRule) {
	namespace := o.namespace()
	if d[host] == nil {
		d[host] = make(map[string]*rulesOfHost)
	}
	rules := d[host][namespace]
	if rules == nil {
		rules = &rulesOfHost{}
		d[host][namespace] = rules
	}
	apart, written := true, slices.Sorted(slices.Values(spec.ExportTo))
	for _, rule := range rules.all {
		if apart = !slices.Equal(rule.exportTo, written); !apart {
			rule.add(o, spec)
		}
	}
	if apart {
		rule := &destinationRule{exportTo: written, exports: exports(o), subsets: make(map[string]subset)}
		rule.add(o, spec)
		rules.all = append(rules.all, rule)
	}
}

// add adds what a DestinationRule says. Of two subsets of one name, and of two policies, the first one holds.
func (rule *destinationRule) add(o *Object, spec *networking.DestinationRule) {
	for i, s := range spec.Subsets {
		if _, ok := rule.subsets[s.Name]; !ok {
			rule.subsets[s.Name] = subset{s.Labels, policy{s.TrafficPolicy, o, fmt.Sprintf("spec.subsets[%d].trafficPolicy", i)}}
		}
	}
	if rule.policy.TrafficPolicy == nil && spec.TrafficPolicy != nil {
		rule.policy = policy{spec.TrafficPolicy, o, "spec.trafficPolicy"}
	}
}

// destinationRule is what the proxies of a namespace obey for a host: what stands in their own namespace, or else in the first of the
// namespaces that Looked lists, of which only what is exported counts. A proxy of the root namespace looks in its own namespace first only
// for what is not exported. It is nil where no DestinationRule holds (PushContext.destinationRule in Istio's pilot/pkg/model/push_context.go).
// Behind atHomeIn stands the namespace of a hidden Service, which looks there alone before the root namespace.
func (r *Rules) destinationRule(host, namespace string) *destinationRule {
	namespace, home := strings.CutPrefix(namespace, atHomeIn)
	if namespace == rootNamespace {
		if rules := r.mostSpecific(r.rootOwn, host, namespace); rules != nil {
			return rules.holds()
		}
	} else if rules := r.mostSpecific(r.destinations, host, namespace); rules != nil {
		return rules.holds()
	}
	if r.ruled[host] == nil && longestCover(slices.Values(r.patterns), host) == "" {
		return nil
	}
	looks := []string{rootNamespace}
	if !home {
		looks = r.Looked(host, namespace)
	}
	for _, looked := range looks {
		if rules := r.mostSpecific(r.exported, host, looked); rules != nil {
			if rule := rules.holdsFor(namespace); rule != nil {
				return rule
			}
		}
	}
	return nil
}

// apart is the namespace of a proxy where it obeys other DestinationRules for a host than the proxies of most namespaces do; else "".
func (r *Rules) apart(host, namespace string) string {
	if !r.ruledFor(host, namespace) || r.destinationRule(host, namespace) == r.destinationRule(host, "") {
		return ""
	}
	return namespace
}

// ruledFor reports whether a namespace has a DestinationRule for a host, or the exportTo of one names it, or its sidecars may know another
// ServiceEntry for the host than others do.
func (r *Rules) ruledFor(host, namespace string) bool {
	return r.ownedFor(host, namespace) || r.ruled[host][namespace] || slices.ContainsFunc(r.patterns, func(pattern string) bool { return r.ruled[pattern][namespace] && covers(pattern, host) })
}

// mostSpecific are the DestinationRules of a namespace for a host: those for its own name, or else those for the longest wildcard that covers
// it. The two are not merged (MostSpecificHostMatch in Istio's pilot/pkg/model/config.go).
func (r *Rules) mostSpecific(of destinationRules, host, namespace string) *rulesOfHost {
	if rules := of[host][namespace]; rules != nil {
		return rules
	}
	longest := ""
	for _, pattern := range r.patterns {
		if len(pattern) > len(longest) && of[pattern][namespace] != nil && covers(pattern, host) {
			longest = pattern
		}
	}
	return of[longest][namespace]
}

// ruledIn are the namespaces for which ruledFor holds.
func (r *Rules) ruledIn(host string) map[string]bool {
	all := maps.Clone(r.ruled[host])
	if owned := r.ownedIn(host); owned != nil {
		maps.Copy(owned, all)
		all = owned
	}
	for _, pattern := range r.patterns {
		if !covers(pattern, host) {
			continue
		}
		if all == nil {
			all = make(map[string]bool)
		}
		maps.Copy(all, r.ruled[pattern])
	}
	return all
}
