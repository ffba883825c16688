package target_test

import (
	"strings"

	"github.com/hellochaos/hellochaos/service"
)

// limitRows are what Envoy does at the limits of a connectionPool and of a retryBudget. Its threads share the counters of a limit, and each of
// them has a connection of its own to a pod, also beyond maxConnections: a sidecar has two threads, and the embedded mesh counts as one.
func limitRows() []row {
	const tight, wide = "connectionPool: {tcp: {maxConnections: 1}, http: {http1MaxPendingRequests: 1}}", "connectionPool: {tcp: {maxConnections: 99}, http: {http1MaxPendingRequests: 99}}"
	short := func(host string) string { return rules(host, to(host)+", timeout: 2s") }
	// crowd: eight calls come at once and hang. One at least gets a connection, and one at most waits for another.
	crowd := func(host string, refused span) exchange {
		return exchange{request: request{host: host, header: script("hang").header}, times: 8, parallel: 8,
			want: want{Statuses: map[int]span{503: refused, 504: {8 - refused.high, 8 - refused.low}}, Flagged: map[string]span{"UO": refused}}}
	}
	again := func(host, wait string) string {
		return rules(host, to(host)+", retries: {attempts: 1, backoff: "+wait+", retryOn: 5xx}")
	}
	// failing: four calls fail at once, and are to be sent again. The waits are so long that one more at most finds the first one done.
	failing := func(host string, refused span) exchange {
		return exchange{request: request{host: host, header: map[string]string{service.HeaderScript: "500,200"}}, times: 4, parallel: 4,
			want: want{Statuses: map[int]span{500: refused, 200: {4 - refused.high, 4 - refused.low}}, Flagged: map[string]span{"UO": refused}}}
	}
	some, none := span{2, 3}, span{0, 0}
	port := func(settings string) string { return ", portLevelSettings: [{port: {number: 8081}, " + settings + "}]" }
	return []row{
		{"connectionPool: connections and who waits for one", short("one") + policyOf("one", tight) + short("three") + policyOf("three", wide) + short("twin") + policyOf("twin", tight+port(wide)), []exchange{
			crowd("one", span{5, 7}), crowd("three", none), crowd("twin:8081", none)}},
		{"maxRetries, and a retryBudget in its place", again("one", "4s") + policyOf("one", "connectionPool: {http: {maxRetries: 1}}") +
			again("three", "1ms") + policyOf("three", "connectionPool: {http: {maxRetries: 99}}") +
			again("frontend", "4s") + policyOf("frontend", "connectionPool: {http: {maxRetries: 99}}, retryBudget: {percent: 1, minRetryConcurrency: 1}") +
			again("twin", "1ms") + policyOf("twin", "connectionPool: {http: {maxRetries: 1}}, retryBudget: {percent: 1, minRetryConcurrency: 99}"), []exchange{
			failing("one", some), failing("three", none), failing("frontend", some), failing("twin", none)}},
	}
}

// policyOf is a DestinationRule of the name of its host, with a trafficPolicy.
func policyOf(host, policy string) string {
	return strings.Replace(policyFor(host, policy), "{name: named}", "{name: "+host+"}", 1)
}

// hashRows: calls with the same key go to one pod, and without a key to all of them. Which pod a key gets is not asked.
func hashRows() []row {
	hash := func(settings string) string { return "loadBalancer: {consistentHash: {" + settings + "}}" }
	at := func(host, path, name, value string, pods int64) exchange {
		return exchange{request: request{host: host, path: path, header: map[string]string{name: value}}, times: 30, want: want{Status: 200, Pods: exactly(pods)}}
	}
	port := ", portLevelSettings: [{port: {number: 8081}, " + hash("httpCookie: {name: user, path: /a, ttl: 60s}") + "}]"
	return []row{
		{"consistentHash", policyOf("three", hash("httpHeaderName: x-user")) + policyOf("two", hash("useSourceIp: true")) + policyOf("twin", hash("httpQueryParameterName: user")+port), []exchange{
			at("three", "/", "x-user", "a", 1), at("three", "/", "x-user", "b", 1), at("three", "/", "x-other", "a", 3),
			at("two", "/", "x-user", "a", 1),
			at("twin", "/?user=a", "x-user", "a", 1), at("twin", "/?other=a", "x-user", "a", 2),
			at("twin:8081", "/", "cookie", "user=a", 1), at("twin:8081", "/", "cookie", "other=a", 2)}},
	}
}

// balancerRows: the simple load balancers whose names mean the default.
func balancerRows() []row {
	simple := func(name string) string { return "loadBalancer: {simple: " + name + "}" }
	halves := func(host string) exchange {
		return exchange{request: request{host: host}, times: 300, parallel: 4, want: want{Status: 200, Versions: map[string]span{"a": {105, 195}, "b": {105, 195}}}}
	}
	return []row{
		{"LEAST_REQUEST, LEAST_CONN and UNSPECIFIED", policyOf("two", simple("LEAST_REQUEST")) +
			policyOf("twin", simple("UNSPECIFIED")+", portLevelSettings: [{port: {number: 8081}, "+simple("LEAST_CONN")+"}]"), []exchange{halves("two"), halves("twin"), halves("twin:8081")}},
	}
}
