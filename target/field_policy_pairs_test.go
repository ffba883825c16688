package target_test

import (
	"strings"

	"github.com/hellochaos/hellochaos/service"
)

// policy is a DestinationRule for a host with a trafficPolicy.
func policy(host, text string) string {
	return destinationRule("host: " + host + ", trafficPolicy: {" + text + "}")
}

// held is the pair with a request that hangs at one while the others are sent.
func (p pair) heldAtOne(words string) pair {
	q := script(words)
	p.held = &q
	return p
}

// connectionPoolPairs are those of limits. While a request hangs at one, a limit of one is reached.
func connectionPoolPairs() map[string]pair {
	one := func(without, with string, requests ...request) pair {
		return pair{without: policy("one", without), with: policy("one", with), requests: requests}
	}
	http := func(before, after string) pair {
		return one("connectionPool: {http: {"+before+"}}", "connectionPool: {http: {"+after+"}}", get("one", "one")...)
	}
	tcp := func(before, after string) pair {
		return one("connectionPool: {tcp: {"+before+"}}", "connectionPool: {tcp: {"+after+"}}", get("one", "one")...)
	}
	ports := func(settings string) string { return "portLevelSettings: [{port: {number: 80}, " + settings + "}]" }
	// The request that hangs has the only connection, and those of another rule wait for it until they time out.
	impatient := rules("one", "match: [{headers: {"+service.HeaderScript+": {exact: hang}}}], "+to("one"), to("one")+", timeout: 300ms")
	wait := func(p pair) pair {
		p.without, p.with, p.requests = impatient+p.without, impatient+p.with, get("one")
		return p.heldAtOne("hang")
	}
	// Of three calls that are made at the same time one waits for the only connection, and one more where it may.
	crowd := slow + many + policy("slow", "connectionPool: {tcp: {maxConnections: 1}, http: {maxRetries: 9}}")
	all := request{host: "many", header: map[string]string{"accept": "application/json", "cascade": "propagate"}}
	again := rules("one", to("one")+", retries: {attempts: 1, retryOn: 5xx}")
	retries := one("connectionPool: {http: {http2MaxRequests: 9}}", "connectionPool: {http: {http2MaxRequests: 9, maxRetries: 1}}", script("500,200"))
	retries.without, retries.with = again+retries.without, again+retries.with
	// While a call is in a retry, and hangs, a second one may be in one only if the budget has room for it.
	budget := func(without, with string) pair {
		p := one(without, with, script("500,200"))
		p.without, p.with = again+p.without, again+p.with
		return p.heldAtOne("500,hang")
	}
	keep := "http2KeepAlive: {interval: 1s, timeout: 1s}"
	return map[string]pair{
		"TrafficPolicy.connectionPool":         one("loadBalancer: {}", "loadBalancer: {}, connectionPool: {http: {http2MaxRequests: 1}}", get("one")...).heldAtOne("hang"),
		"PortTrafficPolicy.connectionPool":     one(ports("loadBalancer: {}"), ports("loadBalancer: {}, connectionPool: {http: {http2MaxRequests: 1}}"), get("one")...).heldAtOne("hang"),
		"ConnectionPoolSettings.http":          one("connectionPool: {tcp: {maxConnections: 9}}", "connectionPool: {tcp: {maxConnections: 9}, http: {http2MaxRequests: 1}}", get("one")...).heldAtOne("hang"),
		"ConnectionPoolSettings.tcp":           wait(one("connectionPool: {http: {maxRetries: 9}}", "connectionPool: {http: {maxRetries: 9}, tcp: {maxConnections: 1}}")),
		"TCPSettings.maxConnections":           wait(tcp("connectTimeout: 1s", "connectTimeout: 1s, maxConnections: 1")),
		"HTTPSettings.http1MaxPendingRequests": edited(crowd, "maxRetries: 9", "maxRetries: 9, http1MaxPendingRequests: 1", all),
		"HTTPSettings.http2MaxRequests":        http("maxRetries: 9", "maxRetries: 9, http2MaxRequests: 1").heldAtOne("hang"),
		"HTTPSettings.maxRetries":              retries.heldAtOne("500,hang"),

		"TrafficPolicy.retryBudget":       budget("loadBalancer: {}", "loadBalancer: {}, retryBudget: {percent: 0, minRetryConcurrency: 1}"),
		"RetryBudget.percent":             budget("retryBudget: {percent: 0, minRetryConcurrency: 1}", "retryBudget: {percent: 100, minRetryConcurrency: 1}"),
		"RetryBudget.minRetryConcurrency": budget("retryBudget: {percent: 0, minRetryConcurrency: 2}", "retryBudget: {percent: 0, minRetryConcurrency: 1}"),

		"TCPSettings.connectTimeout":            tcp("maxConnections: 9", "maxConnections: 9, connectTimeout: 1s"),
		"TCPSettings.tcpKeepalive":              tcp("maxConnections: 9", "maxConnections: 9, tcpKeepalive: {time: 10s}"),
		"TCPSettings.maxConnectionDuration":     tcp("maxConnections: 9", "maxConnections: 9, maxConnectionDuration: 1s"),
		"TCPSettings.idleTimeout":               tcp("maxConnections: 9", "maxConnections: 9, idleTimeout: 0s"),
		"TcpKeepalive.probes":                   tcp("tcpKeepalive: {time: 10s}", "tcpKeepalive: {time: 10s, probes: 2}"),
		"TcpKeepalive.time":                     tcp("tcpKeepalive: {time: 10s}", "tcpKeepalive: {time: 20s}"),
		"TcpKeepalive.interval":                 tcp("tcpKeepalive: {time: 10s}", "tcpKeepalive: {time: 10s, interval: 1s}"),
		"HTTPSettings.maxRequestsPerConnection": http("maxRetries: 9", "maxRetries: 9, maxRequestsPerConnection: 1"),
		"HTTPSettings.idleTimeout":              http("maxRetries: 9", "maxRetries: 9, idleTimeout: 1s"),
		"HTTPSettings.h2UpgradePolicy":          http("maxRetries: 9", "maxRetries: 9, h2UpgradePolicy: DO_NOT_UPGRADE"),
		"HTTPSettings.useClientProtocol":        http("maxRetries: 9", "maxRetries: 9, useClientProtocol: true"),
		"HTTPSettings.maxConcurrentStreams":     http("maxRetries: 9", "maxRetries: 9, maxConcurrentStreams: 1"),
		"HTTPSettings.http2KeepAlive":           http("maxRetries: 9", "maxRetries: 9, "+keep),
		"ConnectionKeepalive.interval":          http(keep, strings.Replace(keep, "interval: 1s", "interval: 2s", 1)),
		"ConnectionKeepalive.timeout":           http(keep, strings.Replace(keep, "timeout: 1s", "timeout: 2s", 1)),
		"H2UpgradePolicy.DEFAULT":               http("h2UpgradePolicy: DO_NOT_UPGRADE", "h2UpgradePolicy: DEFAULT"),
		"H2UpgradePolicy.DO_NOT_UPGRADE":        http("h2UpgradePolicy: DEFAULT", "h2UpgradePolicy: DO_NOT_UPGRADE"),
	}
}

// slow is a Service that takes 300 ms for each request, and many one that calls it three times at the same time.
var (
	slow = working("slow", "{name: CALLS, value: '[]'}, {name: WORK_DURATION, value: 300ms}")
	many = working("many", `{name: CALLS, value: '[[{"url":"http://slow/"},{"url":"http://slow/"},{"url":"http://slow/"}]]'}`)
)

// working is a Service and a Deployment of the chain with these variables.
func working(app, env string) string {
	return serviceOf(app) + `
apiVersion: apps/v1
kind: Deployment
metadata: {name: ` + app + `}
spec:
  selector: {matchLabels: {app: ` + app + `}}
  template:
    metadata: {labels: {app: ` + app + `, version: v1}}
    spec: {containers: [{name: app, image: hello-service, env: [{name: SERVICE_NAME, value: ` + app + `-v1}, ` + env + `]}]}
---
`
}

// ejectionPairs are those of outlierDetection. An endpoint that is ejected meets no request: the proxy answers 503 with flag UH.
func ejectionPairs() map[string]pair {
	outlier := func(without, with string, requests ...request) pair {
		return pair{without: policy("one", "outlierDetection: {"+without+"}"), with: policy("one", "outlierDetection: {"+with+"}"), requests: requests}
	}
	one := func(without, with string, words ...string) pair {
		var requests []request
		for _, word := range words {
			requests = append(requests, script(word))
		}
		return outlier(without, with, append(requests, get("one")...)...)
	}
	// A request that is held back for 100 ms comes before the last one.
	later := func(without, with string) pair {
		const delayed = "fault: {delay: {fixedDelay: 100ms, percentage: {value: 100}}}, "
		p := outlier(without, with, script("500"), request{host: "three"}, request{host: "one"})
		p.without, p.with = rules("three", delayed+to("three"))+p.without, rules("three", delayed+to("three"))+p.with
		return p
	}
	broken := request{host: hiddenHost, header: script("reset").header}
	outside := func(without, with string) pair {
		text := func(settings string) string {
			return serviceEntry + policy(hiddenHost, "outlierDetection: {"+settings+"}")
		}
		return pair{without: text(without), with: text(with), requests: []request{broken, {host: hiddenHost}}}
	}
	ports := func(settings string) string { return "portLevelSettings: [{port: {number: 80}, " + settings + "}]" }
	const first = "maxEjectionPercent: 100, consecutive5xxErrors: 1"
	failed := append([]request{script("500")}, get("one")...)
	return map[string]pair{
		"TrafficPolicy.outlierDetection":                  {without: policy("one", "loadBalancer: {}"), with: policy("one", "loadBalancer: {}, outlierDetection: {"+first+"}"), requests: failed},
		"PortTrafficPolicy.outlierDetection":              {without: policy("one", ports("loadBalancer: {}")), with: policy("one", ports("loadBalancer: {}, outlierDetection: {"+first+"}")), requests: failed},
		"OutlierDetection.consecutive5xxErrors":           one("maxEjectionPercent: 100", first, "500"),
		"OutlierDetection.consecutiveGatewayErrors":       one("maxEjectionPercent: 100", "maxEjectionPercent: 100, consecutiveGatewayErrors: 1", "500", "503"),
		"OutlierDetection.maxEjectionPercent":             one("consecutive5xxErrors: 1", "consecutive5xxErrors: 1, maxEjectionPercent: 100", "500"),
		"OutlierDetection.minHealthPercent":               one(first, first+", minHealthPercent: 50", "500"),
		"OutlierDetection.interval":                       later(first+", baseEjectionTime: 1ms", first+", baseEjectionTime: 1ms, interval: 1ms"),
		"OutlierDetection.baseEjectionTime":               later(first+", interval: 1ms", first+", interval: 1ms, baseEjectionTime: 1ms"),
		"OutlierDetection.splitExternalLocalOriginErrors": outside(first, first+", splitExternalLocalOriginErrors: true"),
		"OutlierDetection.consecutiveLocalOriginFailures": outside(first+", splitExternalLocalOriginErrors: true", first+", splitExternalLocalOriginErrors: true, consecutiveLocalOriginFailures: 1"),
		"OutlierDetection.consecutiveErrors":              one("maxEjectionPercent: 100", "maxEjectionPercent: 100, consecutiveErrors: 1", "500"),
	}
}

// hashPairs are those of consistentHash. The pods of two are told apart by their versions.
func hashPairs() map[string]pair {
	hash := func(settings string) string {
		return policy("two", "loadBalancer: {consistentHash: {"+settings+"}}")
	}
	header := func(values ...string) (all []request) {
		for _, value := range values {
			all = append(all, request{host: "two", path: "/?a=" + value + "&b=1", header: map[string]string{"x-a": value, "x-b": "1", "cookie": "a=" + value + "; b=1"}})
		}
		return all
	}
	same := header("1", "1", "1", "1", "1", "1", "1", "1", "1", "1", "1", "1")
	each := header("1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12")
	among := func(without, with string, requests []request) pair {
		return pair{without: hash(without), with: hash(with), requests: requests}
	}
	const name, cookie = "httpHeaderName: x-a", "httpCookie: {name: c, ttl: 1m}"
	return map[string]pair{
		"LoadBalancerSettings.consistentHash":     {without: policy("two", "loadBalancer: {}"), with: hash(name), requests: same},
		"ConsistentHashLB.httpHeaderName":         among(name, "httpHeaderName: x-b", each),
		"ConsistentHashLB.httpQueryParameterName": among("httpQueryParameterName: a", "httpQueryParameterName: b", each),
		"ConsistentHashLB.httpCookie":             among("httpCookie: {name: a}", "httpCookie: {name: b}", each),
		"ConsistentHashLB.useSourceIp":            among("useSourceIp: false", "useSourceIp: true", same),
		"HTTPCookie.name":                         among("httpCookie: {name: a}", "httpCookie: {name: b}", each),
		"HTTPCookie.path":                         among(cookie, strings.Replace(cookie, "ttl: 1m", "ttl: 1m, path: /a", 1), each[:1]),
		"HTTPCookie.ttl":                          among(cookie, strings.Replace(cookie, "ttl: 1m", "ttl: 2m", 1), each[:1]),
		"ConsistentHashLB.ringHash":               among(name, name+", ringHash: {minimumRingSize: 10}", each),
		"ConsistentHashLB.maglev":                 among(name, name+", maglev: {tableSize: 101}", each),
		"ConsistentHashLB.minimumRingSize":        among(name, name+", minimumRingSize: 10", each),
		"RingHash.minimumRingSize":                among(name+", ringHash: {minimumRingSize: 10}", name+", ringHash: {minimumRingSize: 20}", each),
		"MagLev.tableSize":                        among(name+", maglev: {tableSize: 101}", name+", maglev: {tableSize: 103}", each),
	}
}
