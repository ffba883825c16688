package mesh

import (
	"slices"
	"sync/atomic"

	"github.com/hellochaos/hellochaos/manifests"
)

// hostPicks is how many endpoints a retry picks at most to find one that was not tried yet; it takes the last one. This was
// measured on real Istio, whose configuration has host_selection_retry_max_attempts 5.
const hostPicks = 5

// cluster is a destination as one proxy sees it.
type cluster struct {
	known     bool // false when no object defines the destination
	balancer  string
	sidecar   bool // whether the endpoints have a sidecar that takes the connections, as pods of the mesh do
	endpoints []*upstream
	turn      atomic.Uint64 // how many picks ROUND_ROBIN has made
}

// pick chooses the endpoint of a try. tried are the endpoints of the tries before it; previousHosts says that it should avoid
// them.
func (c *cluster) pick(d *draws, tried []*upstream, previousHosts bool) *upstream {
	if len(c.endpoints) == 1 {
		return c.endpoints[0]
	}
	draw := 0
	for picks := 1; ; picks++ {
		endpoint := c.balance(func() float64 {
			draw++
			return d.numbered("endpoint", len(tried)*2*hostPicks+draw)
		})
		if !previousHosts || picks == hostPicks || !slices.Contains(tried, endpoint) {
			return endpoint
		}
	}
}

// balance is one choice of the load balancer. LEAST_REQUEST draws two endpoints, which may be the same, and chooses the one with
// fewer requests under way (Envoy's LeastRequestLoadBalancer::unweightedHostPick).
func (c *cluster) balance(draw func() float64) *upstream {
	n := len(c.endpoints)
	random := func() *upstream { return c.endpoints[int(draw()*float64(n))] }
	switch c.balancer {
	case "ROUND_ROBIN":
		return c.endpoints[(c.turn.Add(1)-1)%uint64(n)]
	case "RANDOM":
		return random()
	}
	first, second := random(), random()
	if second.active.Load() < first.active.Load() {
		return second
	}
	return first
}

// cluster is a destination as the proxy sees it. It is made once for each view and destination.
func (v *view) cluster(d *manifests.Destination) *cluster {
	key := clusterKey{v.rules.Endpoints(d), d.TLS}
	if made, ok := v.clusters.Load(key); ok {
		return made.(*cluster)
	}
	made, _ := v.clusters.LoadOrStore(key, v.newCluster(key))
	return made.(*cluster)
}

// clusterKey identifies a cluster of a proxy.
type clusterKey struct {
	*manifests.Endpoints
	tls *manifests.Origination
}

func (v *view) newCluster(e clusterKey) *cluster {
	c := &cluster{known: e.Known, balancer: e.Balancer, sidecar: e.External == "" && e.tls == nil}
	opens := v.opener(e.tls, true)
	if e.External == "" {
		for _, pod := range v.pods.replicasOf(e.Workloads) {
			c.endpoints = append(c.endpoints, v.proxy.upstream(pod.server.address, opens))
		}
		return c
	}
	pods, ours := v.pods.serving(v.rules, e.External)
	if !ours {
		address := e.External
		if v.proxy.sealed {
			address = "" // dialling no address is an error, as is a name that DNS does not know
		}
		c.endpoints = []*upstream{v.proxy.upstream(address, v.opener(e.tls, false))}
	}
	for _, pod := range pods {
		address := pod.server.address
		if v.rules.Certificate(e.External) != nil {
			address = pod.secure.address
		}
		c.endpoints = append(c.endpoints, v.proxy.upstream(address, opens))
	}
	return c
}
