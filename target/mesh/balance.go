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

	keyed    bool      // whether a key of the call chooses its endpoint
	breaker  *breaker  // nil where a connectionPool sets no limit
	detector *detector // nil where no endpoint is ever ejected
}

// pick chooses the endpoint of a try. tried are the endpoints of the tries before it; previousHosts says that it should avoid
// them, and key is that of a keyed cluster. It is nil when all endpoints are ejected.
func (c *cluster) pick(d *draws, tried []*upstream, previousHosts bool, key string) *upstream {
	among := c.endpoints
	if c.detector != nil {
		among = c.detector.endpoints()
	}
	switch {
	case len(among) == 0:
		return nil
	case len(among) == 1:
		return among[0]
	case key != "":
		if previousHosts {
			if left := without(among, tried); len(left) > 0 {
				among = left
			}
		}
		return c.highest(among, key)
	}
	draw := 0
	for picks := 1; ; picks++ {
		endpoint := c.balance(among, func() float64 {
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
func (c *cluster) balance(among []*upstream, draw func() float64) *upstream {
	n := len(among)
	random := func() *upstream { return among[int(draw()*float64(n))] }
	if c.keyed {
		return random() // a call without a key
	}
	switch c.balancer {
	case "ROUND_ROBIN":
		return among[(c.turn.Add(1)-1)%uint64(n)]
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
	if v.broken.ignored.tls {
		key.tls = nil
	}
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
	c := &cluster{known: e.Known, balancer: e.Balancer, sidecar: len(e.External) == 0 && e.tls == nil, keyed: e.Hash != nil}
	if e.Pool != nil && !v.broken.ignored.limits {
		c.breaker = newBreaker(e.Pool)
	}
	c.endpoints = v.endpointsOf(c, e)
	if e.Ejection != nil && !v.broken.ignored.ejections {
		c.detector = newDetector(e.Ejection, c.endpoints)
	}
	return c
}

// connecting is how a cluster gets the proxy's connections to an address.
type connecting func(address string, opens *opener) *upstream

// endpointsOf are the proxy's connections to the endpoints of a cluster.
func (v *view) endpointsOf(c *cluster, e clusterKey) (all []*upstream) {
	to := connecting(v.proxy.upstream)
	if c.breaker != nil {
		to = func(address string, opens *opener) *upstream { return v.proxy.bounded(address, opens, c.breaker) }
	}
	if len(e.External) == 0 {
		for _, pod := range v.pods.replicasOf(e.Workloads) {
			all = append(all, to(pod.server.address, v.opener(e.tls, true)))
		}
	}
	for _, external := range e.External {
		all = append(all, v.outside(external, e.tls, to)...)
	}
	return all
}

// outside are the proxy's connections to an external host:port: to the pods that answer there, or else to the host itself.
func (v *view) outside(external string, tls *manifests.Origination, to connecting) (all []*upstream) {
	pods, ours := v.pods.serving(v.rules, external)
	if !ours {
		address := external
		if v.proxy.sealed {
			address = "" // dialling no address is an error, as is a name that DNS does not know
		}
		return []*upstream{to(address, v.opener(tls, false))}
	}
	for _, pod := range pods {
		address := pod.server.address
		if v.rules.Certificate(external) != nil {
			address = pod.secure.address
		}
		all = append(all, to(address, v.opener(tls, true)))
	}
	return all
}
