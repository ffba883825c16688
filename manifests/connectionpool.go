package manifests

import (
	networking "istio.io/api/networking/v1alpha3"
)

// Pool are the limits of a connectionPool and of a retryBudget, by which a proxy refuses calls rather than queue them: Envoy's circuit breakers. Each holds for all
// endpoints of a destination together, in each proxy by itself. 0 is no limit (Istio's applyConnectionPool takes 0 for the default, which is
// 2^32-1).
type Pool struct {
	// Connections is how many connections the proxy makes at most (maxConnections). Each endpoint may have one in any case.
	Connections int
	// Pending is how many calls may wait for a connection (http1MaxPendingRequests), those included whose connection is being made.
	Pending int
	// Requests is how many calls may be under way at endpoints (http2MaxRequests, which Envoy holds HTTP/1.1 to as well).
	Requests int
	// Retries is how many calls may be in a retry at a time, from the decision to send it again until it ends (maxRetries).
	Retries int
	// RequestsPerConnection is after how many requests a connection is closed (maxRequestsPerConnection).
	RequestsPerConnection int
	// Budget, unless it is nil, holds in place of Retries (retryBudget).
	Budget *RetryBudget
}

// poolOf is what a connectionPool and a retryBudget set; nil where they set no limit.
func poolOf(settings *networking.ConnectionPoolSettings, budget *networking.TrafficPolicy_RetryBudget) *Pool {
	http := settings.GetHttp()
	p := Pool{Connections: int(settings.GetTcp().GetMaxConnections()), Pending: int(http.GetHttp1MaxPendingRequests()), Requests: int(http.GetHttp2MaxRequests()),
		Retries: int(http.GetMaxRetries()), RequestsPerConnection: int(http.GetMaxRequestsPerConnection()), Budget: budgetOf(budget)}
	if p == (Pool{}) {
		return nil
	}
	return &p
}

// Bounds reports whether there is a limit besides a retryBudget.
func (p *Pool) Bounds() bool {
	without := *p
	without.Budget = nil
	return without != (Pool{})
}

// AtOnce is how many calls can be under way at so many endpoints at the same time; 0 is no limit.
func (p *Pool) AtOnce(endpoints int) int {
	most := p.Connections
	if most > 0 {
		most = max(most, endpoints)
	}
	if p.Requests > 0 && (most == 0 || p.Requests < most) {
		most = p.Requests
	}
	return most
}

// checkPool refuses what Istio's validateConnectionPool refuses, and values that this package does not execute.
func (d *document) checkPool(field string, settings *networking.ConnectionPoolSettings) {
	if settings == nil {
		return
	}
	http, tcp := settings.Http, settings.Tcp
	if http == nil && tcp == nil {
		d.problem(field, "must have http or tcp, since Istio refuses it without any")
	}
	d.checkValue(field+".http.h2UpgradePolicy", http.GetH2UpgradePolicy())
	for _, number := range []struct {
		name  string
		value int32
	}{
		{"http.http1MaxPendingRequests", http.GetHttp1MaxPendingRequests()}, {"http.http2MaxRequests", http.GetHttp2MaxRequests()},
		{"http.maxRequestsPerConnection", http.GetMaxRequestsPerConnection()}, {"http.maxRetries", http.GetMaxRetries()},
		{"http.maxConcurrentStreams", http.GetMaxConcurrentStreams()}, {"tcp.maxConnections", tcp.GetMaxConnections()},
	} {
		if number.value < 0 {
			d.problem(field+"."+number.name, "must not be below 0, not %d", number.value)
		}
	}
	if keep := http.GetHttp2KeepAlive(); keep != nil && (keep.Interval == nil || keep.Timeout == nil) {
		d.problem(field+".http.http2KeepAlive", "must have interval and timeout, since Istio refuses it without one of them")
	}
}
