package target_test

import "github.com/hellochaos/hellochaos/service"

// policyRows are what Istio does with the limits and ejections of DestinationRules, also where their host is a wildcard.
func policyRows(namespace string) []row {
	const limit, more = "connectionPool: {http: {http2MaxRequests: 1}}", "connectionPool: {http: {http2MaxRequests: 4}}"
	short := rules("one", to("one")+", timeout: 2s")
	// crowd: four requests hang at the same time, of which some are refused at once.
	crowd := func(refused int64) exchange {
		return exchange{request: script("hang"), times: 4, parallel: 4, want: want{Statuses: map[int]span{503: {refused, refused}, 504: {4 - refused, 4 - refused}}}}
	}
	limited := func(name, policy string, refused int64) row {
		return row{"connectionPool: " + name, short + policyFor("one", policy), []exchange{crowd(refused)}}
	}
	port := func(settings string) string { return ", portLevelSettings: [{port: {number: 80}, " + settings + "}]" }
	wild := "*." + namespace + ".svc.cluster.local"
	ejected := want{Status: 503, Body: "no healthy upstream", Tries: exactly(0), Flags: "UH", Detail: "no_healthy_upstream"}
	failed := exchange{request: script("500"), want: want{Status: 500, Tries: exactly(1)}}
	then := func(w want) exchange { return exchange{request: request{host: "one"}, want: w} }
	ejects := func(name, policy string, exchanges ...exchange) row {
		return row{"outlierDetection: " + name, policyFor("one", policy), exchanges}
	}
	const once = "outlierDetection: {consecutive5xxErrors: 1, maxEjectionPercent: 100, baseEjectionTime: 1h}"
	const twice = "outlierDetection: {consecutive5xxErrors: 2, maxEjectionPercent: 100, baseEjectionTime: 1h}"
	return []row{
		limited("one request at a time", limit, 3), limited("as many as come", more, 0),
		limited("the limit of the port holds", limit+port(more), 0), limited("a limit of the port alone", "loadBalancer: {simple: RANDOM}"+port(limit), 3),
		{"DestinationRule: a wildcard", short + policyFor(wild, limit), []exchange{crowd(3)}},
		{"DestinationRule: a wildcard of others", short + policyFor("*.elsewhere.svc.cluster.local", limit), []exchange{crowd(0)}},
		{"DestinationRule: the host before a wildcard", short + policyFor(wild, limit) + policyFor("one", more), []exchange{crowd(0)}},
		ejects("one failure is enough", once, failed, then(ejected)),
		ejects("one failure is not enough", twice, failed, then(want{Status: 200, Service: "one"}), failed, failed, then(ejected)),
		ejects("a status below 500 is none", once, exchange{request: request{host: "one", header: map[string]string{service.HeaderScript: "429"}}, want: want{Status: 429}}, then(want{Status: 200, Service: "one"})),
		ejects("the ejection of the port holds", once+port(twice), failed, then(want{Status: 200, Service: "one"})),
	}
}

// policyFor is a DestinationRule for a host with a trafficPolicy.
func policyFor(host, policy string) string {
	name := "named"
	if host[0] == '*' {
		name = "wild"
	}
	return `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: ` + name + `}
spec: {host: "` + host + `", trafficPolicy: {` + policy + `}}
---
`
}
