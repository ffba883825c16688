package mesh

import (
	"context"
	"io"
	"maps"
	"net/http"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/service/trail"
)

var (
	keyForwardedFor = http.CanonicalHeaderKey(trail.HeaderForwardedFor)
	keyInternal     = http.CanonicalHeaderKey("x-envoy-internal")
)

// mirrorCut bounds how long a copy is waited for whose rule has no timeout, so that one that never ends is not under way for ever.
const mirrorCut = time.Minute

// mirror sends copies of the first try of a call to the mirrors of its rule. One number decides about all of them, as in Envoy, which
// takes that of the stream (FilterUtility::shouldShadow in router.cc): of two mirrors with the same share, both get a copy or neither.
// Nobody waits for the answers. A body of which the end is not here yet is not copied.
func (c *call) mirror(request *outgoing) {
	if len(c.rule.Mirrors) == 0 || request.rest != nil {
		return
	}
	draw := c.draws.draw("mirror")
	for i := range c.rule.Mirrors {
		if m := &c.rule.Mirrors[i]; draw < m.Share {
			c.sendCopy(m, request)
		}
	}
}

// sendCopy sends one copy. Envoy drops it without a word where there is no such cluster or no endpoint.
func (c *call) sendCopy(m *manifests.Mirror, request *outgoing) {
	cluster := c.view.cluster(&m.Destination)
	draws := c.draws
	draws.service = m.Host
	endpoint := cluster.pick(&draws, nil, false, c.key)
	if !cluster.known || endpoint == nil {
		return
	}
	copied := *request
	copied.header = copyHeader(request.header, c.view.proxy.server.address)
	long := c.rule.Timeout
	if long == 0 {
		long = mirrorCut
	}
	c.view.proxy.open.Add(1)
	go func() {
		defer c.view.proxy.open.Add(-1)
		ctx, cancel := context.WithTimeout(context.Background(), long)
		defer cancel()
		send := endpoint.send
		if cluster.breaker != nil {
			send = func(ctx context.Context, request *outgoing, perTry time.Duration) (*http.Response, error) {
				return cluster.breaker.send(ctx, endpoint, request, perTry)
			}
		}
		response, err := send(ctx, &copied, 0)
		if err != nil {
			failure, _ := broken(err, cluster.sidecar)
			cluster.report(ctx, endpoint, failure)
			return
		}
		cluster.report(ctx, endpoint, manifests.Failure{Status: response.StatusCode})
		_, _ = io.Copy(io.Discard, response.Body) // nobody wants to know how it ends
		response.Body.Close()
	}()
}

// copyHeader is the header of a copy: that of the first try, with the proxy's own address at the end of x-forwarded-for, and
// x-envoy-internal (AsyncStreamImpl::sendHeaders in Envoy's async_client_impl.cc).
func copyHeader(header http.Header, own string) http.Header {
	copied := maps.Clone(header)
	appendAddress(copied, own)
	copied[keyInternal] = []string{"true"}
	return copied
}
