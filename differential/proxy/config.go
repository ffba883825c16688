package proxy

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	bootstrap "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	proxyprotocol "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/proxy_protocol/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/hellochaos/hellochaos/differential/envoy"
)

const (
	loopback = "127.0.0.1"
	// outbound is the listener of a sidecar that gets all connections of its pod.
	outbound = "virtualOutbound"
	// istios is what the types of Istio's own filters begin with, or have in their TypedStruct. Envoy's releases do not have them.
	istios = "type.googleapis.com/istio."
	typed  = "type.googleapis.com/udpa.type.v1.TypedStruct"
)

// Places says where on the loopback interface somebody answers for an address of the configuration, "10.2.0.1:3000" or
// "api.example:80"; and, with "", for connections that are passed through to where their client sends them.
type Places func(address string) netip.AddrPort

// config is what Istio made for a proxy as the static configuration of an Envoy. All it changes is what there is no cluster for:
//   - connections come with the PROXY protocol, whose header says where a pod sends them, as iptables would;
//   - routes and endpoints are part of it, where Istio's proxies ask for them;
//   - endpoints are those of places;
//   - nothing is encrypted, and Istio's own filters, which Envoy's release does not have, are left out.
func config(p *envoy.Proxy, places Places) (*bootstrap.Bootstrap, error) {
	b := &bootstrap.Bootstrap{
		Node:            &core.Node{Id: "sidecar~10.2.99.99~caller~differential", Cluster: "caller"},
		Admin:           &bootstrap.Admin{Address: socket(loopback, 0)},
		StaticResources: &bootstrap.Bootstrap_StaticResources{},
	}
	for _, l := range p.Listeners {
		if l.Name == "virtualInbound" || p.Gateway && l.GetAddress().GetSocketAddress() == nil {
			continue
		}
		l, err := listening(l, p)
		if err != nil {
			return nil, err
		}
		b.StaticResources.Listeners = append(b.StaticResources.Listeners, l)
	}
	for name, c := range p.Clusters {
		if strings.HasPrefix(name, "inbound|") || name == "InboundPassthroughCluster" {
			continue
		}
		b.StaticResources.Clusters = append(b.StaticResources.Clusters, leading(c, p.Endpoints[name], places))
	}
	return b, nil
}

// listening is a listener that has its routes. Those that clients connect to get any free port of the loopback interface.
func listening(l *listener.Listener, p *envoy.Proxy) (*listener.Listener, error) {
	l = proto.Clone(l).(*listener.Listener)
	l.AccessLog = nil
	if p.Gateway || l.Name == outbound {
		l.Address = socket(loopback, 0)
	}
	if l.Name == outbound {
		filter, err := anypb.New(&proxyprotocol.ProxyProtocol{})
		if err != nil {
			return nil, err
		}
		l.ListenerFilters = []*listener.ListenerFilter{{Name: "envoy.filters.listener.proxy_protocol", ConfigType: &listener.ListenerFilter_TypedConfig{TypedConfig: filter}}}
	}
	for _, chain := range append(slices.Clone(l.FilterChains), l.DefaultFilterChain) {
		if chain == nil {
			continue
		}
		chain.Filters = slices.DeleteFunc(chain.Filters, func(f *listener.Filter) bool { return foreign(f.GetTypedConfig()) })
		for _, f := range chain.Filters {
			if err := routed(f, p); err != nil {
				return nil, fmt.Errorf("listener %s: %w", l.Name, err)
			}
		}
	}
	return l, nil
}

// routed writes the routes into a filter that asks for them, and leaves Istio's own filters out of it.
func routed(f *listener.Filter, p *envoy.Proxy) error {
	manager := new(hcm.HttpConnectionManager)
	if !f.GetTypedConfig().MessageIs(manager) {
		return nil
	}
	if err := f.GetTypedConfig().UnmarshalTo(manager); err != nil {
		return err
	}
	manager.Tracing, manager.AccessLog = nil, nil
	manager.HttpFilters = slices.DeleteFunc(manager.HttpFilters, func(f *hcm.HttpFilter) bool { return foreign(f.GetTypedConfig()) })
	if name := manager.GetRds().GetRouteConfigName(); name != "" {
		routes := p.Routes[name]
		if routes == nil {
			return fmt.Errorf("there is no route configuration %s", name)
		}
		manager.RouteSpecifier = &hcm.HttpConnectionManager_RouteConfig{RouteConfig: proto.Clone(routes).(*route.RouteConfiguration)}
	}
	with, err := anypb.New(manager)
	f.ConfigType = &listener.Filter_TypedConfig{TypedConfig: with}
	return err
}

// foreign reports whether a filter is none of Envoy's releases.
func foreign(config *anypb.Any) bool {
	return config.GetTypeUrl() == typed || strings.HasPrefix(config.GetTypeUrl(), istios)
}

// leading is a cluster with its endpoints, at the places where somebody answers for them.
func leading(c *cluster.Cluster, assignment *endpoint.ClusterLoadAssignment, places Places) *cluster.Cluster {
	c = proto.Clone(c).(*cluster.Cluster)
	c.TransportSocket, c.TransportSocketMatches, c.Filters = nil, nil, nil
	switch c.GetType() {
	case cluster.Cluster_ORIGINAL_DST:
		c.LbPolicy, c.LbConfig = cluster.Cluster_ROUND_ROBIN, nil
		c.LoadAssignment = &endpoint.ClusterLoadAssignment{Endpoints: []*endpoint.LocalityLbEndpoints{{LbEndpoints: []*endpoint.LbEndpoint{{
			HostIdentifier: &endpoint.LbEndpoint_Endpoint{Endpoint: &endpoint.Endpoint{Address: socketOf(places(""))}}}}}}}
	case cluster.Cluster_EDS:
		c.EdsClusterConfig = nil
		c.LoadAssignment = proto.Clone(assignment).(*endpoint.ClusterLoadAssignment)
	}
	if c.GetType() != cluster.Cluster_ORIGINAL_DST {
		for _, locality := range c.LoadAssignment.GetEndpoints() {
			for _, e := range locality.LbEndpoints {
				at := e.GetEndpoint().GetAddress().GetSocketAddress()
				e.GetEndpoint().Address = socketOf(places(net.JoinHostPort(at.GetAddress(), strconv.Itoa(int(at.GetPortValue())))))
			}
		}
	}
	if c.LoadAssignment == nil {
		c.LoadAssignment = new(endpoint.ClusterLoadAssignment)
	}
	c.LoadAssignment.ClusterName = c.Name
	c.ClusterDiscoveryType = &cluster.Cluster_Type{Type: cluster.Cluster_STATIC}
	return c
}

func socket(host string, port int) *core.Address {
	return &core.Address{Address: &core.Address_SocketAddress{SocketAddress: &core.SocketAddress{Address: host, PortSpecifier: &core.SocketAddress_PortValue{PortValue: uint32(port)}}}}
}

func socketOf(at netip.AddrPort) *core.Address { return socket(at.Addr().String(), int(at.Port())) }
