package manifests

import (
	"fmt"

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

// settings are what a policy says of the connections to a port. field is where they stand.
type settings struct {
	balancer *networking.LoadBalancerSettings
	tls      *networking.ClientTLSSettings
	from     *Object
	field    string
}

// balancerOf and tlsOf are the load balancer and the TLS of a port of a host, or of one of its subsets (Istio's MergeSubsetTrafficPolicy).
// What a policy says of a port replaces all that it says besides, also where it leaves a part out, and what a subset says comes before what
// the host says.
func balancerOf(host, subset policy, port int) *networking.LoadBalancerSettings {
	s, _ := host.at(port)
	if own, replaces := subset.at(port); own.balancer != nil || replaces {
		s = own
	}
	return s.balancer
}

func tlsOf(host, subset policy, port int) settings {
	s, _ := host.at(port)
	if own, replaces := subset.at(port); own.tls != nil || replaces {
		s = own
	}
	return s
}

// at are the settings of a policy for a port, and whether the policy has some of that port.
func (p policy) at(port int) (settings, bool) {
	for i, of := range p.GetPortLevelSettings() {
		if int(of.GetPort().GetNumber()) == port {
			return settings{of.LoadBalancer, of.Tls, p.from, fmt.Sprintf("%s.portLevelSettings[%d]", p.field, i)}, true
		}
	}
	return settings{p.GetLoadBalancer(), p.GetTls(), p.from, p.field}, false
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
