package envoy

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	tcp "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/tcp_proxy/v3"
)

// anyAddress is the address of a listener that takes connections to every address.
const anyAddress = "0.0.0.0"

// Proxy is the configuration of one Envoy.
type Proxy struct {
	Listeners []*listener.Listener
	Routes    map[string]*route.RouteConfiguration // by name
	Clusters  map[string]*cluster.Cluster          // by name
	Endpoints map[string]*endpoint.ClusterLoadAssignment
	// Pods has the name of each pod by its address.
	Pods map[string]string
	// Gateway says that clients connect to the proxy itself. Otherwise it takes the connections of its pod to others.
	Gateway bool
}

// Meets is what a request meets. Its error says which part of the configuration this package does not know.
func (p *Proxy) Meets(q *Request) (*Outcome, error) {
	chain, err := p.chain(q)
	if err != nil || chain == nil {
		return &Outcome{Answer: "reset"}, err
	}
	for _, filter := range chain.Filters {
		config := filter.GetTypedConfig()
		switch {
		case config.MessageIs((*hcm.HttpConnectionManager)(nil)):
			manager := new(hcm.HttpConnectionManager)
			if err := config.UnmarshalTo(manager); err != nil {
				return nil, err
			}
			return p.routed(manager, q)
		case config.MessageIs((*tcp.TcpProxy)(nil)):
			proxy := new(tcp.TcpProxy)
			if err := config.UnmarshalTo(proxy); err != nil {
				return nil, err
			}
			return p.tunnelled(proxy.GetCluster(), q)
		}
	}
	return nil, fmt.Errorf("filter chain %s has no filter that sends requests on", chain.Name)
}

// chain is the filter chain that takes the connection of a plain HTTP/1.1 request; nil where no listener does. A connection that no other
// listener takes is for the one that gets those of the whole pod, which is the first of a sidecar's.
func (p *Proxy) chain(q *Request) (*listener.FilterChain, error) {
	var catchAll, anywhere, exact *listener.Listener
	for _, l := range p.Listeners {
		address := l.GetAddress().GetSocketAddress()
		switch {
		case !p.Gateway && l.UseOriginalDst.GetValue() && l.Name == "virtualOutbound":
			catchAll = l
		case l.Name == "virtualInbound" || int(address.GetPortValue()) != q.Port:
		case address.GetAddress() == anyAddress:
			anywhere = l
		case address.GetAddress() == q.Address:
			exact = l
		}
	}
	for _, l := range []*listener.Listener{exact, anywhere, catchAll} {
		if l == nil {
			continue
		}
		for _, c := range l.FilterChains {
			if takesPlainHTTP(c.GetFilterChainMatch(), q.Port) {
				return c, nil
			}
		}
		if l.DefaultFilterChain != nil {
			return l.DefaultFilterChain, nil
		}
		return nil, fmt.Errorf("no filter chain of listener %s takes plain HTTP", l.Name)
	}
	return nil, nil
}

// takesPlainHTTP reports whether a filter chain takes a connection to a port, at another pod, without TLS, in which HTTP/1.1 is spoken.
// Those for ranges of addresses are for the pod itself.
func takesPlainHTTP(m *listener.FilterChainMatch, port int) bool {
	if m == nil {
		return true
	}
	if len(m.ServerNames) > 0 || m.TransportProtocol == "tls" || len(m.PrefixRanges) > 0 || m.DestinationPort != nil && int(m.DestinationPort.Value) != port {
		return false
	}
	return len(m.ApplicationProtocols) == 0 || slices.Contains(m.ApplicationProtocols, "http/1.1")
}

// tunnelled is what becomes of a request that is sent on as bytes.
func (p *Proxy) tunnelled(name string, q *Request) (*Outcome, error) {
	to, err := p.destination(name, q)
	if err != nil {
		return nil, err
	}
	if to == "UH" || to == "NC" {
		return &Outcome{Answer: "reset"}, nil
	}
	return &Outcome{To: []Share{{1, Sent(to, q.Host, q.Path, q.Header, SomeAnswer)}}}, nil
}

// destination says where a cluster leads to.
func (p *Proxy) destination(name string, q *Request) (string, error) {
	c := p.Clusters[name]
	if c == nil {
		return "NC", nil
	}
	assignment := c.LoadAssignment
	switch c.GetType() {
	case cluster.Cluster_ORIGINAL_DST:
		return "external " + net.JoinHostPort(q.Name, strconv.Itoa(q.Port)), nil
	case cluster.Cluster_EDS:
		assignment = p.Endpoints[name]
	}
	var pods []string
	for _, locality := range assignment.GetEndpoints() {
		for _, e := range locality.LbEndpoints {
			address := e.GetEndpoint().GetAddress().GetSocketAddress()
			if pod := p.Pods[address.GetAddress()]; pod != "" {
				pods = append(pods, pod)
			} else {
				pods = append(pods, "external "+net.JoinHostPort(address.GetAddress(), strconv.Itoa(int(address.GetPortValue()))))
			}
		}
	}
	if len(pods) == 0 {
		return "UH", nil
	}
	if c.GetType() == cluster.Cluster_EDS {
		limits, err := settings(c)
		return Pods(pods, c.LbPolicy.String()) + limits.String(), err
	}
	slices.Sort(pods)
	return strings.Join(slices.Compact(pods), " "), nil
}
