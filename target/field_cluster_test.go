package target_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
)

// Why the pair of a field is not shown on a cluster.
const (
	setsUp    = "its pair has objects of Kubernetes or of Gateway API, or of another namespace: rows of the contract show these"
	encrypted = "its pair has a gateway with TLS, or a host outside that speaks TLS"
	doors     = "its pair has two Gateways, one of another name, or a port that the ingress gateway does not have"
	holds     = "its pair needs a request that hangs while others are sent"
	chance    = "which of several endpoints a request reaches is Envoy's, and its pair shows nothing else"
	ofMesh    = "without it the setting of the whole mesh holds, which is the cluster's, and the pair has Istio's default"
	counted   = "its pair shows in the counts of tries alone"
	logged    = "its pair shows in the access log alone"
	sidecars  = "its pair needs a connection that breaks, and the sidecar of the called pod answers 503 for it"
)

// onlyEmbedded are the fields whose pair cannot be shown on a cluster though it has objects of Istio alone.
var onlyEmbedded = map[string]string{
	"ConsistentHashLB.ringHash": chance, "ConsistentHashLB.maglev": chance, "ConsistentHashLB.minimumRingSize": chance, "RingHash.minimumRingSize": chance,
	"MagLev.tableSize":              chance,
	"DestinationRule.trafficPolicy": chance, "Subset.trafficPolicy": chance, "TrafficPolicy.loadBalancer": chance, "TrafficPolicy.portLevelSettings": chance,
	"PortTrafficPolicy.port": chance, "PortTrafficPolicy.loadBalancer": chance, "LoadBalancerSettings.simple": chance, "LoadBalancerSettings.consistentHash": chance,
	"ConsistentHashLB.useSourceIp": chance, "HTTPCookie.path": chance, "HTTPCookie.ttl": chance,
	"SimpleLB.RANDOM": chance, "SimpleLB.ROUND_ROBIN": chance,
	"Sidecar.outboundTrafficPolicy": ofMesh,
	"Gateway.metadata.name":         doors,
	"HTTPRoute.mirror":              counted, "HTTPRoute.mirrors": counted, "HTTPRoute.mirrorPercentage": counted, "HTTPRoute.mirrorPercent": counted,
	"HTTPMirrorPolicy.destination": counted, "HTTPMirrorPolicy.percentage": counted,
	"HTTPRetry.retryIgnorePreviousHosts": logged, "HTTPFaultInjection.delay": logged, "Delay.percentage": logged, "Delay.percent": logged,
	"OutlierDetection.splitExternalLocalOriginErrors": sidecars, "OutlierDetection.consecutiveLocalOriginFailures": sidecars,
}

// onCluster says why the pair of a field is not shown on a cluster; empty: it is.
func (p *pair) onCluster(t *testing.T, field manifests.Field) (whyNot string) {
	t.Helper()
	if why := onlyEmbedded[field.String()]; why != "" {
		return why
	}
	both := p.without + p.with
	objects := append(documentsOf(t, p.without), documentsOf(t, p.with)...)
	switch {
	case p.held != nil:
		return holds
	case slices.ContainsFunc(objects, func(o manifests.Object) bool { return o.Kubernetes != nil || o.Meta.Namespace != "" }):
		return setsUp
	case strings.Contains(both, "protocol: HTTPS") || strings.Contains(both, "protocol: TLS"):
		return encrypted
	case strings.Contains(both, "number: 8080, name: other") || gatewaysOf(documentsOf(t, p.without)) > 1 || gatewaysOf(documentsOf(t, p.with)) > 1:
		return doors
	}
	return ""
}

func documentsOf(t *testing.T, policy string) []manifests.Object {
	t.Helper()
	objects, err := manifests.Parse("policy.yaml", []byte(policy))
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

func gatewaysOf(objects []manifests.Object) (n int) {
	for i := range objects {
		if objects[i].Kind == "Gateway" {
			n++
		}
	}
	return n
}
