package manifests

import (
	"fmt"

	networking "istio.io/api/networking/v1alpha3"
)

// subset is a subset of a DestinationRule.
type subset struct {
	labels map[string]string
	policy *networking.TrafficPolicy // nil where it has none
	object *Object                   // that defines it
}

// settings are what takes effect of a policy for a port.
type settings struct {
	balancer *networking.LoadBalancerSettings
	pool     *networking.ConnectionPoolSettings
	outlier  *networking.OutlierDetection
}

// settingsOf are those of a port of a host, or of one of its subsets (Istio's MergeSubsetTrafficPolicy). What a policy says of
// a port replaces all that it says besides, also where it leaves a part out, and what a subset says comes before what the host says.
func settingsOf(host, subset *networking.TrafficPolicy, port int) settings {
	all, _ := settingsAt(host, port)
	own, replaces := settingsAt(subset, port)
	if own.balancer != nil || replaces {
		all.balancer = own.balancer
	}
	if own.pool != nil || replaces {
		all.pool = own.pool
	}
	if own.outlier != nil || replaces {
		all.outlier = own.outlier
	}
	return all
}

// settingsAt are those of a policy for a port, and whether the policy has settings of that port.
func settingsAt(policy *networking.TrafficPolicy, port int) (settings, bool) {
	for _, p := range policy.GetPortLevelSettings() {
		if int(p.GetPort().GetNumber()) == port {
			return settings{p.LoadBalancer, p.ConnectionPool, p.OutlierDetection}, true
		}
	}
	return settings{policy.GetLoadBalancer(), policy.GetConnectionPool(), policy.GetOutlierDetection()}, false
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

// checkTrafficPolicy refuses what Istio's validateTrafficPolicy refuses, and settings that this package does not execute.
func (d *document) checkTrafficPolicy(field string, policy *networking.TrafficPolicy) {
	if policy == nil {
		return
	}
	own, _ := settingsAt(policy, 0)
	if own == (settings{}) && policy.Tls == nil && policy.PortLevelSettings == nil && !d.goesBeyond(field) {
		d.problem(field, "must not be empty, since Istio refuses it: set loadBalancer, connectionPool, outlierDetection, tls or portLevelSettings, or remove trafficPolicy")
	}
	d.checkSettings(field, own)
	for i, p := range policy.PortLevelSettings {
		place, number := fmt.Sprintf("%s.portLevelSettings[%d]", field, i), int(p.GetPort().GetNumber())
		d.checkPort(place+".port.number", number)
		at := settings{p.LoadBalancer, p.ConnectionPool, p.OutlierDetection}
		if at == (settings{}) && p.Tls == nil && !d.goesBeyond(place) {
			d.problem(place, "must have loadBalancer, connectionPool, outlierDetection or tls, since Istio refuses it without any")
		}
		d.checkSettings(place, at)
	}
}

// checkSettings checks what a policy says of a port, or of all.
func (d *document) checkSettings(field string, s settings) {
	d.checkValue(field+".loadBalancer.simple", s.balancer.GetSimple())
	d.checkHash(field+".loadBalancer.consistentHash", s.balancer)
	d.checkPool(field+".connectionPool", s.pool)
	d.checkOutlierDetection(field+".outlierDetection", s.outlier)
}
