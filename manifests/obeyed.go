package manifests

import (
	networking "istio.io/api/networking/v1alpha3"
)

// destinationRule is what the DestinationRules of a host in one namespace define together.
type destinationRule struct {
	subsets map[string]subset         // by name
	policy  *networking.TrafficPolicy // nil where none of them has one
}

func (r *Rules) addDestinationRule(o *Object, spec *networking.DestinationRule) {
	host := qualify(spec.Host, o.namespace())
	if r.destinations[host] == nil {
		r.destinations[host] = make(map[string]*destinationRule)
	}
	rule := r.destinations[host][o.namespace()]
	if rule == nil {
		rule = &destinationRule{subsets: make(map[string]subset)}
		r.destinations[host][o.namespace()] = rule
	}
	for _, s := range spec.Subsets {
		if _, ok := rule.subsets[s.Name]; !ok {
			rule.subsets[s.Name] = subset{s.Labels, s.TrafficPolicy}
		}
	}
	if rule.policy == nil {
		rule.policy = spec.TrafficPolicy
	}
}

// destinationRule is what the proxies of a namespace obey for a host: what stands in their own namespace, or else in the first of the
// namespaces that Looked lists. A proxy of the root namespace has no turn of its own. It is nil where no DestinationRule holds
// (PushContext.destinationRule in Istio's pilot/pkg/model/push_context.go).
func (r *Rules) destinationRule(host, namespace string) *destinationRule {
	of := r.destinations[host]
	if rule := of[namespace]; rule != nil && namespace != rootNamespace {
		return rule
	}
	if of == nil {
		return nil
	}
	for _, looked := range r.Looked(host) {
		if rule := of[looked]; rule != nil {
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
