package manifests

import (
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
)

// destinationRule is what the DestinationRules of a host in one namespace define together.
type destinationRule struct {
	subsets map[string]subset         // by name
	policy  *networking.TrafficPolicy // nil where none of them has one
	object  *Object                   // that has policy; nil where there is none
	private bool                      // whether one of them is exported to its own namespace only
}

// destinationRules are those of all hosts, by fully qualified host and then by namespace.
type destinationRules map[string]map[string]*destinationRule

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
	r.destinations.merge(host, namespace, o, spec)
	switch {
	case !private(o):
		r.exported.merge(host, namespace, o, spec)
	case namespace == rootNamespace:
		r.rootOwn.merge(host, namespace, o, spec)
		fallthrough
	default:
		r.destinations[host][namespace].private = true
	}
}

// merge adds a DestinationRule to the others for its host. Of two subsets of one name, and of two policies, the first one holds.
func (d destinationRules) merge(host, namespace string, o *Object, spec *networking.DestinationRule) {
	if d[host] == nil {
		d[host] = make(map[string]*destinationRule)
	}
	rule := d[host][namespace]
	if rule == nil {
		rule = &destinationRule{subsets: make(map[string]subset)}
		d[host][namespace] = rule
	}
	for _, s := range spec.Subsets {
		if _, ok := rule.subsets[s.Name]; !ok {
			rule.subsets[s.Name] = subset{s.Labels, s.TrafficPolicy, o}
		}
	}
	if rule.policy == nil {
		rule.policy, rule.object = spec.TrafficPolicy, o
	}
}

// destinationRule is what the proxies of a namespace obey for a host: what stands in their own namespace, or else in the first of the
// namespaces that Looked lists, of which only what is exported counts. A proxy of the root namespace looks in its own namespace first only
// for what is not exported. It is nil where no DestinationRule holds (PushContext.destinationRule in Istio's pilot/pkg/model/push_context.go).
func (r *Rules) destinationRule(host, namespace string) *destinationRule {
	of := r.destinations[host]
	if namespace == rootNamespace {
		if rule := r.rootOwn[host][namespace]; rule != nil {
			return rule
		}
	} else if rule := of[namespace]; rule != nil {
		return rule
	}
	if of == nil {
		return nil
	}
	for _, looked := range r.Looked(host) {
		rule := of[looked]
		if rule != nil && rule.private {
			rule = r.exported[host][looked]
		}
		if rule != nil {
			return rule
		}
	}
	return nil
}

// apart is the namespace of a proxy where it obeys other DestinationRules for a host than the proxies of most namespaces do; else "".
func (r *Rules) apart(host, namespace string) string {
	if of := r.destinations[host]; of[namespace] == nil || r.destinationRule(host, namespace) == r.destinationRule(host, "") {
		return ""
	}
	return namespace
}
