package manifests

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// endpointsBy are those of backend by a trafficPolicy, and of a subset of it with one of its own.
func endpointsBy(t *testing.T, policy, subset string) (whole, part *Endpoints) {
	t.Helper()
	r := rulesOf(t, specOf("DestinationRule", "{host: backend, trafficPolicy: {"+policy+"}, subsets: [{name: a, labels: {}, trafficPolicy: {"+subset+"}}]}"))
	d := Destination{Host: "backend.default.svc.cluster.local", Port: 80}
	whole = r.Endpoints(&d)
	d.Subset = "a"
	return whole, r.Endpoints(&d)
}

// What a subset says of one part of a policy leaves the other parts of its host in force, and what it says of a port none of them
// (MergeTrafficPolicy in Istio's pilot/pkg/model/destination_rule.go).
func TestPoliciesOfSubsets(t *testing.T) {
	const host = "connectionPool: {tcp: {maxConnections: 3}}, outlierDetection: {consecutive5xxErrors: 7}"
	for _, c := range []struct{ subset, pool, ejection string }{
		{"loadBalancer: {}", "3", "7"},
		{"connectionPool: {tcp: {maxConnections: 4}}", "4", "7"},
		{"connectionPool: {http: {maxRetries: 1}}", "0", "7"},
		{"outlierDetection: {consecutive5xxErrors: 8}", "3", "8"},
		{"portLevelSettings: [{port: {number: 80}, outlierDetection: {consecutive5xxErrors: 9}}]", "none", "9"},
		{"portLevelSettings: [{port: {number: 81}, outlierDetection: {consecutive5xxErrors: 9}}], tls: {mode: DISABLE}", "3", "7"},
	} {
		_, part := endpointsBy(t, host, c.subset)
		pool, ejection := "none", "none"
		if part.Pool != nil {
			pool = fmt.Sprint(part.Pool.Connections)
		}
		if part.Ejection != nil {
			ejection = fmt.Sprint(part.Ejection.Errors)
		}
		if pool != c.pool || ejection != c.ejection {
			t.Errorf("subset with %s: %s connections and ejection after %s errors, want %s and %s", c.subset, pool, ejection, c.pool, c.ejection)
		}
	}
}

func TestPoolAndEjection(t *testing.T) {
	for policy, want := range map[string]string{
		"connectionPool: {http: {}}":                           "<nil> <nil>",
		"connectionPool: {tcp: {connectTimeout: 30ms}}":        "<nil> <nil>",
		"connectionPool: {http: {http1MaxPendingRequests: 0}}": "<nil> <nil>",
		"connectionPool: {tcp: {maxConnections: 1}, http: {http1MaxPendingRequests: 2, http2MaxRequests: 3, maxRetries: 4, maxRequestsPerConnection: 5}}": "&{1 2 3 4 5 <nil>} <nil>",
		"outlierDetection: {}": "<nil> &{5 0 0 10s 30s 10 0 0}",
		"outlierDetection: {consecutive5xxErrors: 0, consecutiveGatewayErrors: 2, interval: 1s, baseEjectionTime: 3m, maxEjectionPercent: 100, minHealthPercent: 40}": "<nil> &{0 2 0 1s 3m0s 100 40 0}",
		"outlierDetection: {splitExternalLocalOriginErrors: true}":                                    "<nil> &{5 0 5 10s 30s 10 0 0}",
		"outlierDetection: {splitExternalLocalOriginErrors: true, consecutiveLocalOriginFailures: 2}": "<nil> &{5 0 2 10s 30s 10 0 0}",
	} {
		whole, _ := endpointsBy(t, policy, "loadBalancer: {}")
		if got := fmt.Sprintf("%v %v", whole.Pool, whole.Ejection); got != want {
			t.Errorf("%s: %s, want %s", policy, got, want)
		}
	}
}

func TestHowManyAreEjected(t *testing.T) {
	for _, c := range []struct{ percent, endpoints, most int }{{10, 1, 0}, {10, 9, 0}, {10, 10, 1}, {50, 3, 1}, {67, 3, 2}, {100, 1, 1}} {
		if got := (&Ejection{Percent: c.percent}).Most(c.endpoints); got != c.most {
			t.Errorf("%d %% of %d endpoints are at most %d, want %d", c.percent, c.endpoints, got, c.most)
		}
	}
	for base, want := range map[time.Duration][]time.Duration{time.Minute: {time.Minute, 4 * time.Minute, 5 * time.Minute}, time.Hour: {time.Hour, time.Hour, time.Hour}} {
		e := &Ejection{Base: base}
		for i, n := range []int{1, 4, 9} {
			if got := e.Lasts(n); got != want[i] {
				t.Errorf("with %v the ejection number %d lasts %v, want %v", base, n, got, want[i])
			}
		}
	}
}

func TestHowManyAtOnce(t *testing.T) {
	for pool, want := range map[Pool]int{{Pending: 1}: 0, {Connections: 2}: 3, {Connections: 9}: 9, {Requests: 2}: 2, {Connections: 4, Requests: 2}: 2, {Connections: 1, Requests: 2}: 2} {
		if got := pool.AtOnce(3); got != want {
			t.Errorf("%+v: %d at once at 3 endpoints, want %d", pool, got, want)
		}
	}
}

func TestHashKey(t *testing.T) {
	header := http.Header{"X-User": {"jason"}, "Cookie": {"other=1; user=anna"}}
	for settings, want := range map[string]string{
		"httpHeaderName: x-user":                    "jason",
		"httpHeaderName: x-none":                    "",
		"httpQueryParameterName: id":                "7",
		"httpQueryParameterName: none":              "",
		"httpCookie: {name: user}":                  "anna",
		"httpCookie: {name: none, ttl: 0s}":         "",
		"useSourceIp: true":                         "127.0.0.1",
		"useSourceIp: false":                        "",
		"useSourceIp: true, ringHash: {}":           "127.0.0.1",
		"useSourceIp: true, maglev: {tableSize: 7}": "127.0.0.1",
	} {
		whole, _ := endpointsBy(t, "loadBalancer: {consistentHash: {"+settings+"}}", "connectionPool: {http: {}}")
		if got := whole.Hash.Key(header, "/a?x=1&id=7", "127.0.0.1:4711"); got != want {
			t.Errorf("%s: key %q, want %q", settings, got, want)
		}
	}
}

// A retry of a call whose only destination is chosen by a key goes there again, unless the rule says otherwise.
func TestRetriesOfAKey(t *testing.T) {
	hash := specOf("DestinationRule", "{host: backend, trafficPolicy: {loadBalancer: {consistentHash: {useSourceIp: true}}}}")
	for rule, want := range map[string]bool{
		"": true,
		"{hosts: [backend], http: [{route: [{destination: {host: backend}}]}]}":                                                          false,
		"{hosts: [backend], http: [{route: [{destination: {host: backend}}], retries: {attempts: 1, retryIgnorePreviousHosts: true}}]}":  true,
		"{hosts: [backend], http: [{route: [{destination: {host: backend}, weight: 1}, {destination: {host: middleware}, weight: 1}]}]}": true,
		"{hosts: [backend], http: [{route: [{destination: {host: middleware}}]}]}":                                                       true,
	} {
		files := []string{hash}
		if rule != "" {
			files = append(files, specOf("VirtualService", rule))
		}
		met := rulesOf(t, strings.Join(files, "\n---\n")).Table(Caller{}).Route(&Request{Host: "backend", Method: "GET", Path: "/"})
		if met.Retry.PreviousHosts != want {
			t.Errorf("%s: a retry avoids previous endpoints %v, want %v", rule, met.Retry.PreviousHosts, want)
		}
	}
}
