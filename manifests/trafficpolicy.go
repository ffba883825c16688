package manifests

import (
	"fmt"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
)

// subset is a subset of a DestinationRule.
type subset struct {
	labels map[string]string
	policy policy
}

// policy is a trafficPolicy, and the object and the field where it stands. Without one all is empty.
type policy struct {
	*networking.TrafficPolicy
	from  *Object
	field string
}

// settings are what takes effect of a policy for a port.
type settings struct {
	balancer *networking.LoadBalancerSettings
	pool     *networking.ConnectionPoolSettings
	outlier  *networking.OutlierDetection
	budget   *networking.TrafficPolicy_RetryBudget // that no settings of a port have
	tls      *networking.ClientTLSSettings
	from     *Object // that has tls, at field
	field    string
}

// empty reports whether nothing is set.
func (s *settings) empty() bool {
	return s.balancer == nil && s.pool == nil && s.outlier == nil && s.budget == nil && s.tls == nil
}

// settingsOf are those of a port of a host, or of one of its subsets (Istio's MergeSubsetTrafficPolicy). What a policy says of
// a port replaces all that it says besides, also where it leaves a part out, and what a subset says comes before what the host says. A subset's
// settings of a port leave the host's retryBudget, which they cannot have (MergeTrafficPolicy in Istio's pilot/pkg/model/destination_rule.go).
func settingsOf(host, subset policy, port int) settings {
	all, _ := host.at(port)
	own, replaces := subset.at(port)
	if own.balancer != nil || replaces {
		all.balancer = own.balancer
	}
	if own.pool != nil || replaces {
		all.pool = own.pool
	}
	if own.outlier != nil || replaces {
		all.outlier = own.outlier
	}
	if own.budget != nil {
		all.budget = own.budget
	}
	if own.tls != nil || replaces {
		all.tls, all.from, all.field = own.tls, own.from, own.field
	}
	return all
}

// at are the settings of a policy for a port, and whether the policy has some of that port.
func (p policy) at(port int) (settings, bool) {
	for i, of := range p.GetPortLevelSettings() {
		if int(of.GetPort().GetNumber()) == port {
			return settings{of.LoadBalancer, of.ConnectionPool, of.OutlierDetection, nil, of.Tls, p.from, fmt.Sprintf("%s.portLevelSettings[%d]", p.field, i)}, true
		}
	}
	return settings{p.GetLoadBalancer(), p.GetConnectionPool(), p.GetOutlierDetection(), p.GetRetryBudget(), p.GetTls(), p.from, p.field}, false
}

// tlsSettings calls each with every TLS setting of a DestinationRule, the field where it stands, and the only port for which it is; 0 where
// it is for every port.
func tlsSettings(spec *networking.DestinationRule, each func(field string, port int, tls *networking.ClientTLSSettings)) {
	of := func(field string, policy *networking.TrafficPolicy) {
		if policy.GetTls() != nil {
			each(field+".tls", 0, policy.Tls)
		}
		for i, p := range policy.GetPortLevelSettings() {
			if p.Tls != nil {
				each(fmt.Sprintf("%s.portLevelSettings[%d].tls", field, i), int(p.GetPort().GetNumber()), p.Tls)
			}
		}
	}
	of("spec.trafficPolicy", spec.TrafficPolicy)
	for i, s := range spec.Subsets {
		of(fmt.Sprintf("spec.subsets[%d].trafficPolicy", i), s.TrafficPolicy)
	}
}

// checkTrafficPolicy refuses what Istio's validateTrafficPolicy refuses, and settings that this package does not execute.
func (d *document) checkTrafficPolicy(field string, given *networking.TrafficPolicy) {
	if given == nil {
		return
	}
	own := settings{balancer: given.LoadBalancer, pool: given.ConnectionPool, outlier: given.OutlierDetection, budget: given.RetryBudget, tls: given.Tls}
	if own.empty() && given.PortLevelSettings == nil && !d.goesBeyond(field) {
		d.problem(field, "must not be empty, since Istio refuses it: set loadBalancer, connectionPool, outlierDetection, retryBudget, tls or portLevelSettings, or remove trafficPolicy")
	}
	d.checkSettings(field, own)
	for i, p := range given.PortLevelSettings {
		place := fmt.Sprintf("%s.portLevelSettings[%d]", field, i)
		d.checkPort(place+".port.number", int(p.GetPort().GetNumber()))
		at := settings{balancer: p.LoadBalancer, pool: p.ConnectionPool, outlier: p.OutlierDetection, tls: p.Tls}
		if at.empty() && !d.goesBeyond(place) {
			d.problem(place, "must have loadBalancer, connectionPool, outlierDetection or tls, since Istio refuses it without any")
		}
		d.checkSettings(place, at)
	}
}

// checkSettings checks what a policy says of a port, or of all.
func (d *document) checkSettings(field string, s settings) {
	if s.balancer.GetSimple() == networking.LoadBalancerSettings_PASSTHROUGH {
		d.problem(field+".loadBalancer.simple", "PASSTHROUGH is not supported by hellochaos: a proxy sends each request to the address for which its connection was made (Envoy's cluster "+
			"type ORIGINAL_DST), past the subset and the host of the rule, and what is there is known to the cluster's DNS alone; accepted: %s", strings.Join(supportedValues["SimpleLB"], ", "))
	} else {
		d.checkValue(field+".loadBalancer.simple", s.balancer.GetSimple())
	}
	d.checkHash(field+".loadBalancer.consistentHash", s.balancer)
	d.checkPool(field+".connectionPool", s.pool)
	d.checkOutlierDetection(field+".outlierDetection", s.outlier)
	d.checkBudget(field+".retryBudget", s.budget)
}
