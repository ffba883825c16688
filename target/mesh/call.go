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

// maxReplay is the largest body, in bytes, of a call that can be sent again.
const maxReplay = 1 << 20

// call is one logical request through a proxy: its rule, chosen once, and its tries.
type call struct {
	view       *view
	rule       *manifests.Rule
	to         *manifests.Destination // nil while none is chosen
	request    manifests.Request      // for which the rule was chosen
	downstream *http.Request
	draws      draws
	tried      []*upstream        // the endpoint of each try so far
	end        context.CancelFunc // frees the route timeout's timer; nil when there is none
	key        string             // by which endpoints are chosen; "" where none is asked for
	retrying   *breaker           // that counts the call as one in a retry; nil where none does
}

// run carries out a call in Envoy's order: answers that the proxy gives itself, faults, cluster, endpoint, tries. The answer's
// body may be read until finish is called.
func (c *call) run(ctx context.Context) answer {
	switch {
	case c.rule.Direct != nil && c.rule.Direct.Reset:
		return proxyAnswer(statusNone, "", c.rule.Direct.Flags, c.rule.Direct.Detail)
	case c.rule.Direct != nil:
		flags, _ := strings.CutPrefix(c.rule.Direct.Flags, "-")
		return proxyAnswer(c.rule.Direct.Status, c.rule.Direct.Body, flags, c.rule.Direct.Detail)
	case c.rule.Redirect != nil:
		return c.redirect()
	}
	c.to = &c.rule.Split[0]
	c.draws.service = c.to.Host
	if len(c.rule.Split) > 1 {
		c.to = c.rule.Pick(c.draws.draw("weight"))
	}
	if c.rule.Fault == nil {
		return c.forward(ctx, c.view.cluster(c.to))
	}
	delayed, fault := c.fault(ctx)
	if fault == nil {
		a := c.forward(ctx, c.view.cluster(c.to))
		fault = &a
	}
	if delayed {
		fault.flags = joined(flagDelayed, fault.flags)
	}
	return *fault
}

// changeAnswer makes the rule's changes in the headers of an answer, whoever gave it (Envoy's filter manager makes them in the proxy's
// own answers, too).
func (c *call) changeAnswer(a *answer) {
	changes := c.rule.Answer
	if c.to != nil {
		changes = c.to.Answer
	}
	if len(changes) == 0 {
		return
	}
	own := a.body == nil && a.text != ""
	if own { // Envoy's prepareLocalReply gives its own answers a Content-Type after the changes
		a.header = nil
	}
	if a.header = changes.Changed(a.header); own && a.header["Content-Type"] == nil {
		a.header["Content-Type"] = textPlain
	}
}

// finish frees what the call holds.
func (c *call) finish() {
	if c.end != nil {
		c.end()
	}
	c.settle()
}

// forward sends the call to a cluster, and sends it again as the retry policy says.
func (c *call) forward(ctx context.Context, cluster *cluster) (a answer) {
	switch {
	case !cluster.known:
		return proxyAnswer(c.rule.NoDestination(), "", flagNoCluster, detailNoCluster)
	case len(cluster.endpoints) == 0:
		return proxyAnswer(http.StatusServiceUnavailable, textNoHealthy, flagNoHealthy, detailNoHealthy)
	}
	request, err := c.outgoing()
	if err != nil {
		return callerLeft()
	}
	if cluster.keyed && !c.view.broken.ignored.keys {
		key, cookie := c.keyed()
		c.key = key
		if cookie != "" {
			defer func() { a.addCookie(cookie) }()
		}
	}
	if c.rule.Timeout > 0 { // the timeout starts when the whole request has arrived
		ctx, c.end = context.WithTimeout(ctx, c.rule.Timeout)
	}
	return c.send(ctx, cluster, request)
}

// outgoing is the request that the tries send. It reads the body first, so that a retry can send the body again.
func (c *call) outgoing() (*outgoing, error) {
	from := c.downstream
	request := &outgoing{method: from.Method, header: forwarded(from, c.view.proxy.gateway)}
	c.to.Request.Apply(request.header)
	request.host, request.path = c.rule.Rewritten(&c.request, c.to)
	if c.rule.Rewrite.Rewrites() {
		request.header[headerOriginalPath] = []string{c.request.Path}
	}
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

// send makes the tries of a call until the policy sends no further one, and returns the answer of the last try.
func (c *call) send(ctx context.Context, cluster *cluster, request *outgoing) answer {
	retry, retries := &c.rule.Retry, c.rule.Retry.Attempts
	if request.rest != nil {
		retries = 0
	}
	for {
		endpoint := cluster.pick(&c.draws, c.tried, retry.PreviousHosts, c.key)
		if endpoint == nil {
			return proxyAnswer(http.StatusServiceUnavailable, textNoHealthy, flagNoHealthy, detailNoHealthy)
		}
		c.tried = append(c.tried, endpoint)
		told := c.tell(endpoint)
		failure, a := c.try(ctx, cluster, endpoint, request)
		c.told(told, failure)
		switch {
		case ctx.Err() != nil:
			a.discard()
			return c.ended(ctx)
		case retries == 0 || !retry.Covers(failure):
			return a
		case len(c.tried) > retries:
			a.exhaust()
			return a
		case !c.mayRetry(cluster):
			a.flags = joined(a.flags, flagOverflow)
			return a
		}
		a.discard()
		if !wait(ctx, c.backOff()) {
			return c.ended(ctx)
		}
	}
}

// try sends the request once. The failure describes the outcome for the retry policy, which decides whether it is one.
func (c *call) try(ctx context.Context, cluster *cluster, endpoint *upstream, request *outgoing) (manifests.Failure, answer) {
	request.header[keyAttempt] = []string{strconv.Itoa(len(c.tried))}
	perTry := c.rule.Retry.PerTry
	if perTry > 0 {
		request.header[headerExpectedTimeout] = []string{strconv.FormatInt(perTry.Milliseconds(), 10)}
	}
	if len(c.tried) == 1 {
		c.mirror(request)
	}
	var response *http.Response
	var err error
	if cluster.breaker == nil {
		response, err = endpoint.send(ctx, request, perTry)
	} else {
		response, err = cluster.breaker.send(ctx, endpoint, request, perTry)
	}
	if err != nil {
		failure, a := broken(err, cluster.sidecar)
		cluster.report(ctx, endpoint, failure)
		return failure, a
	}
	failure := manifests.Failure{Status: response.StatusCode, RateLimited: response.Header[headerRateLimited] != nil}
	cluster.report(ctx, endpoint, failure)
	return failure, via(response)
}

// mayRetry reports whether the limits of a cluster let the call be sent again. The call counts as one in a retry until it ends, or until
// the next retry is decided (Envoy's RetryStateImpl::shouldRetry).
func (c *call) mayRetry(cluster *cluster) bool {
	c.settle()
	if cluster.breaker == nil {
		return true
	}
	if !cluster.breaker.retry() {
		return false
	}
	c.retrying = cluster.breaker
	return true
}

// settle ends the retry that the call is in, if any.
func (c *call) settle() {
	if c.retrying != nil {
		c.retrying.retried()
		c.retrying = nil
	}
}

// report tells the detector of a cluster how a try ended, unless its caller went away.
func (c *cluster) report(ctx context.Context, endpoint *upstream, failure manifests.Failure) {
	switch {
	case c.detector == nil, errors.Is(ctx.Err(), context.Canceled):
	case ctx.Err() != nil: // the rule's timeout (onResponseTimeout)
		c.detector.report(endpoint, manifests.Failure{PerTryTimeout: true})
	default:
		c.detector.report(endpoint, failure)
	}
}

// backOff is the wait before the next try: a whole number of milliseconds, drawn uniformly below the policy's bound, as in Envoy's
// JitteredExponentialBackOffStrategy::nextBackOffMs.
func (c *call) backOff() time.Duration {
	n := len(c.tried)
	bound := float64(c.rule.Retry.BackOff(n))
	return time.Duration(c.draws.numbered("back-off", n) * bound).Truncate(time.Millisecond)
}

// wait waits for d and returns true. It returns false at once when ctx ends first.
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

// ended is the answer to a call whose context has ended: that of the rule's timeout, or none when the caller went away.
func (c *call) ended(ctx context.Context) answer {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return proxyAnswer(http.StatusGatewayTimeout, textTimeout, flagTimeout, detailTimeout)
	}
	return callerLeft()
}

// callerLeft is the answer to a call whose caller went away, which nobody receives.
func callerLeft() answer {
	return proxyAnswer(statusNone, "", flagDownstreamLeft, detailDownstreamLeft)
}

// redirect is the answer of a redirect rule. The query of the request stays unless the rule's URI has a query (Envoy's
// RouteEntryImplBase::newUri). A sidecar believes the scheme that x-forwarded-proto names (mutateRequestHeaders of Envoy's
// conn_manager_utility.cc).
func (c *call) redirect() answer {
	to, uri := c.rule.Redirect, c.request.Path
	switch {
	case to.Prefix != nil:
		uri = to.Prefix.Of(&c.request)
	case to.URI != "":
		uri = to.URI
		if _, query, ok := strings.Cut(c.request.Path, "?"); ok && !strings.Contains(to.URI, "?") {
			uri += "?" + query
		}
	}
	a := proxyAnswer(to.Status, "", "", detailDirect)
	scheme := schemeOf(c.downstream)
	forwarded := strings.Join(c.downstream.Header["X-Forwarded-Proto"], ",")
	told := strings.ToLower(forwarded)
	if !c.view.proxy.gateway && (told == "http" || told == "https") {
		scheme = told
	}
	if c.view.proxy.gateway || forwarded == "" { // the proxy says it
		forwarded = scheme
	}
	a.header = http.Header{"Location": {to.Location(scheme, forwarded, c.downstream.Host, uri)}}
	return a
}
