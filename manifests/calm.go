package manifests

import (
	networking "istio.io/api/networking/v1alpha3"
)

// Coupling is a part of a trafficPolicy that makes what becomes of a call depend on other calls.
type Coupling int

// The parts.
const (
	Pools     Coupling = iota // connectionPool and retryBudget: a call is refused, or not sent again, because of those under way
	Ejections                 // outlierDetection: a call is refused, or goes elsewhere, because of those that failed
)

// Calm is a copy of objects without these parts of their DestinationRules. All else that they say holds as before: settings of a port still
// replace those of its host where nothing is left of them. Objects that have none of the parts are not copied.
func Calm(objects []Object, parts ...Coupling) []Object {
	calm := make([]Object, len(objects))
	for i := range objects {
		calm[i] = objects[i]
		spec, ok := objects[i].Istio.(*networking.DestinationRule)
		if !ok || !coupled(spec, parts) {
			continue
		}
		calm[i] = objects[i].Clone()
		spec = calm[i].Istio.(*networking.DestinationRule)
		spec.TrafficPolicy = uncoupled(spec.TrafficPolicy, parts)
		for _, s := range spec.Subsets {
			s.TrafficPolicy = uncoupled(s.TrafficPolicy, parts)
		}
	}
	return calm
}

// coupled reports whether a DestinationRule has any of the parts.
func coupled(spec *networking.DestinationRule, parts []Coupling) bool {
	has := func(p *networking.TrafficPolicy) bool {
		all := []settings{{pool: p.GetConnectionPool(), outlier: p.GetOutlierDetection(), budget: p.GetRetryBudget()}}
		for _, at := range p.GetPortLevelSettings() {
			all = append(all, settings{pool: at.ConnectionPool, outlier: at.OutlierDetection})
		}
		for _, s := range all {
			for _, part := range parts {
				if part == Pools && (s.pool != nil || s.budget != nil) || part == Ejections && s.outlier != nil {
					return true
				}
			}
		}
		return false
	}
	found := has(spec.TrafficPolicy)
	for _, s := range spec.Subsets {
		found = found || has(s.TrafficPolicy)
	}
	return found
}

// uncoupled takes the parts from a policy. Without anything it is nil, since Istio refuses an empty one.
func uncoupled(p *networking.TrafficPolicy, parts []Coupling) *networking.TrafficPolicy {
	if p == nil {
		return nil
	}
	for _, part := range parts {
		if part == Pools {
			p.ConnectionPool, p.RetryBudget = nil, nil
		} else {
			p.OutlierDetection = nil
		}
		for _, at := range p.PortLevelSettings {
			if part == Pools {
				at.ConnectionPool = nil
			} else {
				at.OutlierDetection = nil
			}
			if at.LoadBalancer == nil && at.ConnectionPool == nil && at.OutlierDetection == nil && at.Tls == nil {
				at.LoadBalancer = &networking.LoadBalancerSettings{}
			}
		}
	}
	if p.LoadBalancer == nil && p.ConnectionPool == nil && p.OutlierDetection == nil && p.RetryBudget == nil && p.Tls == nil && p.PortLevelSettings == nil {
		return nil
	}
	return p
}
