package proxy

import (
	"net/netip"
	"testing"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/hellochaos/hellochaos/differential/envoy"
)

// A proxy that asks for its routes and endpoints gets a configuration that has them, and what Istio made stays as it is.
func TestConfig(t *testing.T) {
	manager, err := anypb.New(&hcm.HttpConnectionManager{RouteSpecifier: &hcm.HttpConnectionManager_Rds{Rds: &hcm.Rds{RouteConfigName: "80"}},
		HttpFilters: []*hcm.HttpFilter{{Name: "istio.alpn", ConfigType: &hcm.HttpFilter_TypedConfig{TypedConfig: &anypb.Any{TypeUrl: istios + "alpn"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	chain := &listener.FilterChain{Filters: []*listener.Filter{{Name: "http", ConfigType: &listener.Filter_TypedConfig{TypedConfig: manager}}}}
	eds := &cluster.Cluster{Name: "a", ClusterDiscoveryType: &cluster.Cluster_Type{Type: cluster.Cluster_EDS}}
	p := &envoy.Proxy{
		Listeners: []*listener.Listener{{Name: "0.0.0.0_80", Address: socket("0.0.0.0", 80), FilterChains: []*listener.FilterChain{chain}}, {Name: "virtualInbound"},
			{Name: outbound, Address: socket("0.0.0.0", 15001)}},
		Routes:   map[string]*route.RouteConfiguration{"80": {Name: "80"}},
		Clusters: map[string]*cluster.Cluster{"a": eds, "inbound|80||": {Name: "inbound|80||"}},
		Endpoints: map[string]*endpoint.ClusterLoadAssignment{"a": {Endpoints: []*endpoint.LocalityLbEndpoints{{LbEndpoints: []*endpoint.LbEndpoint{{
			HostIdentifier: &endpoint.LbEndpoint_Endpoint{Endpoint: &endpoint.Endpoint{Address: socket("10.2.0.1", 3000)}}}}}}}},
	}
	var asked string
	b, err := config(p, func(address string) netip.AddrPort {
		asked = address
		return netip.MustParseAddrPort("127.0.0.1:4000")
	})
	if err != nil {
		t.Fatal(err)
	}
	listeners, clusters := b.StaticResources.Listeners, b.StaticResources.Clusters
	if len(listeners) != 2 || listeners[0].GetAddress().GetSocketAddress().GetPortValue() != 80 || listeners[1].GetAddress().GetSocketAddress().GetPortValue() != 0 {
		t.Fatalf("listeners %v: want that of port 80 and the one of the pod at any port", listeners)
	}
	made := new(hcm.HttpConnectionManager)
	if err := listeners[0].FilterChains[0].Filters[0].GetTypedConfig().UnmarshalTo(made); err != nil || made.GetRouteConfig().GetName() != "80" || len(made.HttpFilters) != 0 {
		t.Errorf("%v, %v: want the routes 80, and no filter of Istio", made, err)
	}
	if len(clusters) != 1 || clusters[0].GetType() != cluster.Cluster_STATIC || asked != "10.2.0.1:3000" ||
		clusters[0].LoadAssignment.Endpoints[0].LbEndpoints[0].GetEndpoint().GetAddress().GetSocketAddress().GetPortValue() != 4000 {
		t.Errorf("clusters %v: want one with the endpoint at port 4000 in place of %s", clusters, asked)
	}
	if eds.GetType() != cluster.Cluster_EDS || chain.Filters[0].GetTypedConfig() != manager {
		t.Error("what Istio made was changed")
	}
	delete(p.Routes, "80")
	if _, err := config(p, func(string) netip.AddrPort { return netip.AddrPort{} }); err == nil {
		t.Error("a listener whose routes are missing was accepted")
	}
}
