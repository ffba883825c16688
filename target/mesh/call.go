package mesh

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
)

// maxReplay is how large a body may be, in bytes, for its call to be sent again.
const maxReplay = 1 << 20

// call is one logical request through a proxy: its rule, chosen once, and its tries.
type call struct {
	view       *view
	rule       *manifests.Rule
	path       string
	downstream *http.Request
	draws      draws
	tried      []*upstream        // the endpoint of each try so far
	end        context.CancelFunc // frees the route timeout's timer; nil when there is none
}

// run decides a call in Envoy's order: the proxy's own answers, faults, cluster, endpoint, tries. The answer's body
// may be read until finish.
func (c *call) run(ctx context.Context) answer {
	switch {
	case c.rule.Direct != nil && c.rule.Direct.Reset:
		return own(statusNone, "", c.rule.Direct.Flags, c.rule.Direct.Detail)
	case c.rule.Direct != nil:
		flags, _ := strings.CutPrefix(c.rule.Direct.Flags, "-")
		return own(c.rule.Direct.Status, c.rule.Direct.Body, flags, c.rule.Direct.Detail)
	case c.rule.Redirect != nil:
		return c.redirect()
	}
	arm := &c.rule.Split[0]
	c.draws.service = arm.Host
	if len(c.rule.Split) > 1 {
		arm = c.rule.Pick(c.draws.draw("weight"))
	}
	if c.rule.Fault == nil {
		return c.forward(ctx, c.view.cluster(arm))
	}
	delayed, fault := c.fault(ctx)
	if fault == nil {
		a := c.forward(ctx, c.view.cluster(arm))
		fault = &a
	}
	if delayed {
		fault.flags = joined(flagDelayed, fault.flags)
	}
	return *fault
}

// finish frees what the call holds.
func (c *call) finish() {
	if c.end != nil {
		c.end()
	}
}

// forward sends the call to a cluster, once or more often.
func (c *call) forward(ctx context.Context, cluster *cluster) answer {
	switch {
	case !cluster.known:
		return own(http.StatusServiceUnavailable, "", flagNoCluster, detailNoCluster)
	case len(cluster.endpoints) == 0:
		return own(http.StatusServiceUnavailable, textNoHealthy, flagNoHealthy, detailNoHealthy)
	}
	request, err := c.outgoing()
	if err != nil {
		return left()
	}
	if c.rule.Timeout > 0 { // it starts when the whole request is here
		ctx, c.end = context.WithTimeout(ctx, c.rule.Timeout)
	}
	return c.send(ctx, cluster, request)
}

// outgoing is the request as the tries send it. Its body is read first, so that a retry can send it again.
func (c *call) outgoing() (*outgoing, error) {
	from := c.downstream
	request := &outgoing{method: from.Method, path: c.path, host: from.Host, header: forwarded(from.Header, c.view.proxy.gateway)}
	if from.ContentLength == 0 {
		return request, nil
	}
	var err error
	if request.body, err = io.ReadAll(io.LimitReader(from.Body, maxReplay+1)); err != nil {
		return nil, err
	}
	if len(request.body) > maxReplay {
		request.rest, request.length = from.Body, from.ContentLength
	}
	return request, nil
}

// send makes the tries of a call until one is not to be sent again, and returns the last one's answer.
func (c *call) send(ctx context.Context, cluster *cluster, request *outgoing) answer {
	retry, retries := &c.rule.Retry, c.rule.Retry.Attempts
	if request.rest != nil {
		retries = 0
	}
	for {
		endpoint := cluster.pick(&c.draws, c.tried, retry.PreviousHosts)
		c.tried = append(c.tried, endpoint)
		failure, a := c.try(ctx, cluster, endpoint, request)
		switch {
		case ctx.Err() != nil:
			a.discard()
			return c.ended(ctx)
		case retries == 0 || !retry.Covers(failure):
			return a
		case len(c.tried) > retries:
			a.exhaust()
			return a
		}
		a.discard()
		if !wait(ctx, c.backOff()) {
			return c.ended(ctx)
		}
	}
}

// try sends the request once.
func (c *call) try(ctx context.Context, cluster *cluster, endpoint *upstream, request *outgoing) (manifests.Failure, answer) {
	request.header[keyAttempt] = []string{strconv.Itoa(len(c.tried))}
	perTry := c.rule.Retry.PerTry
	if perTry > 0 {
		request.header[headerExpectedTimeout] = []string{strconv.FormatInt(perTry.Milliseconds(), 10)}
	}
	response, err := endpoint.send(ctx, request, perTry)
	if err != nil {
		return broken(err, cluster.sidecar)
	}
	limited := response.Header[headerRateLimited] != nil
	return manifests.Failure{Status: response.StatusCode, RateLimited: limited}, via(response)
}

// backOff is the wait before the next try: whole milliseconds, uniform below the policy's bound (Envoy's
// JitteredExponentialBackOffStrategy::nextBackOffMs).
func (c *call) backOff() time.Duration {
	n := len(c.tried)
	bound := float64(c.rule.Retry.BackOff(n))
	return time.Duration(c.draws.numbered("back-off", n) * bound).Truncate(time.Millisecond)
}

// wait waits for d, or returns false when ctx ends first.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// ended is what a call ends with when its context did: the route timeout's answer, or none when the caller went away.
func (c *call) ended(ctx context.Context) answer {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return own(http.StatusGatewayTimeout, textTimeout, flagTimeout, detailTimeout)
	}
	return left()
}

// left is the end of a call whose caller went away.
func left() answer { return own(statusNone, "", flagDownstreamLeft, detailDownstreamLeft) }

// redirect is the answer of a redirect rule. The query stays unless the rule's URI has one of its own (Envoy's
// RouteEntryImplBase::newUri).
func (c *call) redirect() answer {
	to, uri := c.rule.Redirect, c.path
	if to.URI != "" {
		uri = to.URI
		if _, query, ok := strings.Cut(c.path, "?"); ok && !strings.Contains(to.URI, "?") {
			uri += "?" + query
		}
	}
	host := c.downstream.Host
	if to.Authority != "" {
		host = to.Authority
	}
	a := own(to.Status, "", "", detailDirect)
	a.header = http.Header{"Location": {"http://" + host + uri}}
	return a
}
