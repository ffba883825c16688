package manifests

import (
	"strings"
	"testing"
)

// TestBalancerOfPortsAndSubsets checks the load balancer of ports and subsets: Istio's MergeSubsetTrafficPolicy.
func TestBalancerOfPortsAndSubsets(t *testing.T) {
	const least, round, random = "LEAST_REQUEST", "ROUND_ROBIN", "RANDOM"
	set := func(simple string) string { return "loadBalancer: {simple: " + simple + "}" }
	at81 := func(settings string) string { return "portLevelSettings: [{port: {number: 81}, " + settings + "}]" }
	for name, c := range map[string]struct {
		host, subset       string // traffic policies
		at80, at81         string
		subset80, subset81 string
	}{
		"none":                         {"", "", least, least, least, least},
		"of the host":                  {set(round), "", round, round, round, round},
		"of the subset":                {set(round), set(random), round, round, random, random},
		"of the subset alone":          {"", set(random), least, least, random, random},
		"of a port":                    {set(round) + ", " + at81(set(random)), "", round, random, round, random},
		"a port inherits nothing":      {set(round) + ", " + at81("tls: {mode: DISABLE}"), "", round, least, round, least},
		"a subset's port":              {set(round), at81(set(random)), round, round, round, random},
		"a subset's port, no balancer": {set(round), at81("tls: {mode: DISABLE}"), round, round, round, least},
		"a subset without a balancer":  {set(round), "tls: {mode: DISABLE}", round, round, round, round},
		"a subset over a port":         {set(round) + ", " + at81(set(random)), set(least), round, random, least, least},
	} {
		rule := "{host: backend, subsets: [{name: s"
		if c.subset != "" {
			rule += ", trafficPolicy: {" + c.subset + "}"
		}
		rule += "}]"
		if c.host != "" {
			rule += ", trafficPolicy: {" + c.host + "}"
		}
		r := rulesOf(t, twoPorts, specOf("DestinationRule", rule+"}"))
		for _, d := range []struct {
			subset, want string
			port         int
		}{{"", c.at80, 80}, {"", c.at81, 81}, {"s", c.subset80, 80}, {"s", c.subset81, 81}} {
			got := r.Endpoints(&Destination{Host: "backend.default.svc.cluster.local", Subset: d.subset, Port: d.port}).Balancer
			if got != d.want {
				t.Errorf("%s: port %d, subset %q: %s, want %s", name, d.port, d.subset, got, d.want)
			}
		}
	}
}

// Of several DestinationRules for a host the first trafficPolicy holds, whatever it leaves out.
func TestFirstTrafficPolicyHolds(t *testing.T) {
	r := rulesOf(t, specOf("DestinationRule", "{host: backend, trafficPolicy: {tls: {mode: DISABLE}}}"),
		strings.Replace(specOf("DestinationRule", "{host: backend, trafficPolicy: {loadBalancer: {simple: RANDOM}}}"), "{name: m}", "{name: second}", 1))
	if got := r.Endpoints(&Destination{Host: "backend.default.svc.cluster.local", Port: 80}).Balancer; got != "LEAST_REQUEST" {
		t.Errorf("the balancer is %s", got)
	}
}
