package manifests

import (
	"fmt"

	networking "istio.io/api/networking/v1alpha3"
)

// subset is a subset of a DestinationRule.
type subset struct {
	labels map[string]string
	policy *networking.TrafficPolicy // nil where it has none
}

// balancerOf is the load balancer of a port of a host, or of one of its subsets (Istio's MergeSubsetTrafficPolicy). What a policy says of
// a port replaces all that it says besides, also where it leaves a part out, and what a subset says comes before what the host says.
func balancerOf(host, subset *networking.TrafficPolicy, port int) (balancer *networking.LoadBalancerSettings) {
	balancer, _ = balancerAt(host, port)
	if own, replaces := balancerAt(subset, port); own != nil || replaces {
		balancer = own
	}
	return balancer
}

// balancerAt is the load balancer of a policy for a port, and whether the policy has settings of that port.
func balancerAt(policy *networking.TrafficPolicy, port int) (*networking.LoadBalancerSettings, bool) {
	for _, p := range policy.GetPortLevelSettings() {
		if int(p.GetPort().GetNumber()) == port {
			return p.LoadBalancer, true
		}
	}
	return policy.GetLoadBalancer(), false
}

// tlsModes calls each with the mode of every TLS setting of a DestinationRule, and the field where it stands.
func tlsModes(spec *networking.DestinationRule, each func(field string, mode networking.ClientTLSSettings_TLSmode)) {
	of := func(field string, policy *networking.TrafficPolicy) {
		if policy.GetTls() != nil {
			each(field+".tls.mode", policy.Tls.Mode)
		}
		for i, p := range policy.GetPortLevelSettings() {
			if p.Tls != nil {
				each(fmt.Sprintf("%s.portLevelSettings[%d].tls.mode", field, i), p.Tls.Mode)
			}
		}
	}
	of("spec.trafficPolicy", spec.TrafficPolicy)
	for i, s := range spec.Subsets {
		of(fmt.Sprintf("spec.subsets[%d].trafficPolicy", i), s.TrafficPolicy)
	}
}

// checkTrafficPolicy refuses what Istio's validateTrafficPolicy refuses, and load balancers that this package does not execute.
func (d *document) checkTrafficPolicy(field string, policy *networking.TrafficPolicy) {
	if policy == nil {
		return
	}
	if policy.LoadBalancer == nil && policy.Tls == nil && policy.PortLevelSettings == nil && !d.goesBeyond(field) {
		d.problem(field, "must not be empty, since Istio refuses it: set loadBalancer, tls or portLevelSettings, or remove trafficPolicy")
	}
	d.checkValue(field+".loadBalancer.simple", policy.GetLoadBalancer().GetSimple())
	for i, p := range policy.PortLevelSettings {
		place := fmt.Sprintf("%s.portLevelSettings[%d]", field, i)
		d.checkPort(place+".port.number", int(p.GetPort().GetNumber()))
		if p.LoadBalancer == nil && p.Tls == nil && !d.goesBeyond(place) {
			d.problem(place, "must have loadBalancer or tls, since Istio refuses it without any")
		}
		d.checkValue(place+".loadBalancer.simple", p.GetLoadBalancer().GetSimple())
	}
}
