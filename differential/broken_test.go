package differential

import (
	"slices"
	"strings"
	"testing"
	"time"

	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/hellochaos/hellochaos/differential/envoy"
)

// mostBroken is how many sets a change of what Envoy gets may stay hidden in: sets may have none of what it changes.
const mostBroken = 12

// ofRoutes makes a change of every route from one of a single route.
func ofRoutes(change func(*route.Route)) func(*envoy.Proxy) {
	return func(p *envoy.Proxy) {
		for _, c := range p.Routes {
			for _, host := range c.VirtualHosts {
				for _, r := range host.Routes {
					change(r)
				}
			}
		}
	}
}

// ofRetries makes a change of every retry policy that covers a status, as Istio's default does not.
func ofRetries(change func(*route.RetryPolicy)) func(*envoy.Proxy) {
	return ofRoutes(func(r *route.Route) {
		if p := r.GetRoute().GetRetryPolicy(); p != nil && (len(p.RetriableStatusCodes) > 0 || !strings.HasPrefix(p.RetryOn, "connect-failure,refused-stream,unavailable")) {
			change(p)
		}
	})
}

// ofActions makes a change of every route that leads to a cluster.
func ofActions(change func(*route.RouteAction)) func(*envoy.Proxy) {
	return ofRoutes(func(r *route.Route) {
		if action := r.GetRoute(); action != nil {
			change(action)
		}
	})
}

// swapped leads the versions of each Service to each other's pods.
func swapped(p *envoy.Proxy) {
	for name, a := range p.Endpoints {
		if other := strings.Replace(name, "|a|", "|b|", 1); other != name && p.Endpoints[other] != nil {
			p.Endpoints[name], p.Endpoints[other] = p.Endpoints[other], a
		}
	}
}

// envoyBreaks are changes of what Envoys get that their requests must show.
var envoyBreaks = []struct {
	name   string
	change func(*envoy.Proxy)
}{
	{"one retry less", ofRetries(func(p *route.RetryPolicy) { p.NumRetries.Value = max(1, p.NumRetries.GetValue()) - 1 })},
	{"one retry more", ofRetries(func(p *route.RetryPolicy) { p.NumRetries.Value++ })},
	{"no status is retried", ofRetries(func(p *route.RetryPolicy) { p.RetryOn, p.RetriableStatusCodes = "connect-failure", nil })},
	{"every status from 500 is retried", ofRetries(func(p *route.RetryPolicy) { p.RetryOn = "5xx" })},
	{"no time limit of tries", ofRetries(func(p *route.RetryPolicy) { p.PerTryTimeout = nil })},
	{"back-offs ten times as long", ofRetries(func(p *route.RetryPolicy) {
		if p.RetryBackOff == nil { // 25 ms, Envoy's default
			p.RetryBackOff = &route.RetryPolicy_RetryBackOff{BaseInterval: durationpb.New(250 * time.Millisecond), MaxInterval: durationpb.New(2500 * time.Millisecond)}
		}
	})},
	{"no timeout", ofActions(func(a *route.RouteAction) { a.Timeout = durationpb.New(0) })},
	{"no rewrite", ofActions(func(a *route.RouteAction) { a.PrefixRewrite, a.RegexRewrite, a.HostRewriteSpecifier = "", nil, nil })},
	{"weights in the other order", ofActions(func(a *route.RouteAction) {
		clusters := a.GetWeightedClusters().GetClusters()
		for i, j := 0, len(clusters)-1; i < j; i, j = i+1, j-1 {
			clusters[i].Weight, clusters[j].Weight = clusters[j].Weight, clusters[i].Weight
		}
	})},
	{"a header is not asked for", ofRoutes(func(r *route.Route) {
		r.Match.Headers = slices.DeleteFunc(r.Match.Headers, func(h *route.HeaderMatcher) bool { return !strings.HasPrefix(h.Name, ":") })
	})},
	{"no fault", ofRoutes(func(r *route.Route) { delete(r.TypedPerFilterConfig, "envoy.filters.http.fault") })},
	{"redirects by another status", ofRoutes(func(r *route.Route) {
		if to := r.GetRedirect(); to != nil {
			to.ResponseCode = route.RedirectAction_SEE_OTHER
		}
	})},
	{"versions swapped", swapped},
}

// TestEnvoyBroken gives Envoys something else than the rules say, and must notice it.
func TestEnvoyBroken(t *testing.T) {
	at := program(t)
	for _, b := range envoyBreaks {
		j, begin := &judgement{answers: count{}, kinds: count{}}, time.Now()
		var wrong []string
		for s := *seed; len(wrong) == 0 && s < *seed+mostBroken; s++ {
			execute(t, at, s, 10, 60, b.change, j, count{})
			wrong = j.wrong()
		}
		if len(wrong) == 0 {
			t.Errorf("%s: nobody noticed it in %d requests", b.name, j.requests)
			continue
		}
		t.Logf("%s: found by %d requests in %v, with %d mismatches; the first: %s", b.name, j.requests, time.Since(begin).Round(time.Second), len(j.mismatches), wrong[0])
	}
}
