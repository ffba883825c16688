package target_test

import (
	"strings"

	"github.com/hellochaos/hellochaos/service"
)

// codeRows were read from the code of Istio 1.31 and Envoy before they were measured.
func codeRows(namespace string) (rows []row) {
	for _, part := range [][]row{rewriteRows(), headerChangeRows(), delegateRows(), listenerRows(namespace), trafficPolicyRows(), serverRows(), nameRows(namespace), unroutedRows(), mirrorRows(), sourceLabelRows(), proxyHeaderRows(), tlsRows(namespace)} {
		rows = append(rows, part...)
	}
	return rows
}

// sentAs is a request to a path of one, and what the app must receive.
func sentAs(path, host, sent string) exchange {
	return exchange{request: at(path), want: want{Status: 200, Tries: exactly(1), Flags: "-",
		Header: map[string]string{service.HeaderPath: sent, service.HeaderHost: host}}}
}

// rewriteRows: Istio's applyHTTPRouteDestination, and Envoy's rewritePathByPrefixOrRegex and finalizeHostHeader.
func rewriteRows() []row {
	uri := func(match, rewrite string) string {
		return rules("one", "match: ["+match+"], "+to("one")+", rewrite: {"+rewrite+"}", to("one"))
	}
	return []row{
		{"rewrite of a prefix", uri("{uri: {prefix: /old}}", "uri: /new"), []exchange{
			sentAs("/old", "one", "/new"), sentAs("/older/x?y=/old", "one", "/newer/x?y=/old"), sentAs("/x/old", "one", "/x/old")}},
		{"rewrite of a prefix with a slash", uri("{uri: {prefix: /old/}}", "uri: /"), []exchange{sentAs("/old/x", "one", "/x"), sentAs("/old", "one", "/old")}},
		{"rewrite of an exact path", uri("{uri: {exact: /old}}", "uri: /new"), []exchange{sentAs("/old?x=1", "one", "/new?x=1")}},
		{"rewrite of a path that a regex matched", uri(`{uri: {regex: "/o.*"}}`, "uri: /new"), []exchange{sentAs("/old/x?y=1", "one", "/new?y=1")}},
		{"rewrite without a condition on the path", rules("one", to("one")+", rewrite: {uri: /new}"), []exchange{sentAs("/x", "one", "/newx")}},
		{"each match has its own prefix", uri("{uri: {prefix: /a}}, {uri: {prefix: /bcd}}", "uri: /new"), []exchange{
			sentAs("/a/x", "one", "/new/x"), sentAs("/bcd/x", "one", "/new/x")}},
		{"rewrite by a regex", rules("one", to("one")+`, rewrite: {uriRegexRewrite: {match: "^/service/([^/]+)(/.*)$", rewrite: "\\2/instance/\\1"}}`), []exchange{
			sentAs("/service/foo/v1?q", "one", "/v1/instance/foo?q"), sentAs("/other", "one", "/other")}},
		{"rewrite of the host", rules("one", to("two/a")+", rewrite: {authority: other.example}"), []exchange{
			{request: at("/x"), want: want{Status: 200, Service: "two", Header: map[string]string{service.HeaderHost: "other.example", service.HeaderPath: "/x"}}}}},
		{"a retry is rewritten once", rules("one", "match: [{uri: {prefix: /a}}], "+to("one")+", rewrite: {uri: /a/a}, retries: {attempts: 2, backoff: 1ms, retryOn: 5xx}"), []exchange{
			{request: request{host: "one", path: "/a", header: map[string]string{service.HeaderScript: "500,500,200"}},
				want: want{Status: 200, Attempts: "1 2 3", Header: map[string]string{service.HeaderPath: "/a/a"}}}}},
		{"the path as it was", uri("{uri: {prefix: /old}}", "uri: /new"), []exchange{told("/old", "x-envoy-original-path", "/old"), told("/", "x-envoy-original-path", "-")}},
		{"rewrite at a gateway", gateway("match: [{uri: {prefix: /old}}], " + to("one") + ", rewrite: {uri: /new, authority: inside}"), []exchange{
			{request: request{from: fromGateway, host: "one.example", path: "/old/x"},
				want: want{Status: 200, Header: map[string]string{service.HeaderPath: "/new/x", service.HeaderHost: "inside"}}}}},
	}
}

// serverRows: require_tls in Istio's buildGatewayHTTPRouteConfig and Envoy's createSslRedirectPath, and the scheme of a redirect in its
// newUri. Requests enter at the first server that redirects nobody, and the others are behind the same port.
func serverRows() []row {
	redirecting := strings.Replace(gateway(to("one")), "servers: [", `servers: [{port: {number: 80, name: old, protocol: HTTP}, hosts: ["*.old.example"], tls: {httpsRedirect: true}}, `, 1)
	at := func(host, path string, w want) exchange {
		return exchange{request: request{from: fromGateway, host: host, path: path}, want: w}
	}
	return []row{
		{"a server with httpsRedirect", redirecting, []exchange{
			at("a.old.example", "/x?y=1", want{Status: 301, Flags: "-", Detail: "direct_response", Tries: exactly(0), Header: map[string]string{"Location": "https://a.old.example/x?y=1"}}),
			at("one.example", "/", want{Status: 200, Service: "one"})}},
	}
}

// told is a request to a path of one with the header x-a: 1, and what the app must have received as a header.
func told(path, name, value string) exchange {
	return exchange{request: request{host: "one", path: path, header: map[string]string{"x-a": "1", service.HeaderTell: name}},
		want: want{Status: 200, Header: map[string]string{service.HeaderTold: value}}}
}

// headerChangeRows: Istio's TranslateHeadersOperations, processDestination and processWeightedDestination, and Envoy's evaluateHeaders.
func headerChangeRows() []row {
	changed := func(name, operations, header, value string) row {
		return row{name, rules("one", to("one")+", headers: {request: {"+operations+"}}"), []exchange{told("/", header, value)}}
	}
	answered := func(name, route string, status int, kind string) row {
		return one(name, rules("one", route+", headers: {response: {set: {x-a: set}, add: {x-b: added}, remove: [content-type, location]}}"), request{host: "one"},
			want{Status: status, Header: map[string]string{"x-a": "set", "x-b": "added", "location": "", "content-type": kind}})
	}
	// sets is an operation on both requests and answers.
	sets := func(value string) string {
		return "headers: {request: {set: {x-a: " + value + "}}, response: {set: {x-b: " + value + "}}}"
	}
	own := "{destination: {host: one}, weight: 1, " + sets("own") + "}"
	ofBoth := func(name, destinations, value string) row {
		last := told("/", "x-a", value)
		last.want.Header["x-b"] = value
		return row{name, rules("one", "route: ["+destinations+"], "+sets("route")), []exchange{last}}
	}
	return []row{
		changed("set header", "set: {x-a: b}", "x-a", "b"), changed("set header that is absent", "set: {x-n: b}", "x-n", "b"),
		changed("add header", "add: {x-a: b}", "x-a", "1|b"), changed("remove header", "remove: [X-A]", "x-a", "-"),
		changed("removed before added", "remove: [x-a], add: {x-a: b}", "x-a", "b"), changed("percent sign", `set: {x-a: "5%%"}`, "x-a", "5%"),
		{"header host", rules("one", to("one")+", headers: {request: {set: {Host: other.example}}}"), []exchange{sentAs("/", "other.example", "/")}},
		{"a destination's header", rules("one", "route: ["+own+"]"), []exchange{told("/", "x-a", "own")}},
		ofBoth("a header of the rule and of its only destination", own, "own"),
		ofBoth("a header of the rule and of one of its destinations", own+", {destination: {host: two}, weight: 0}", "route"),
		answered("headers of an answer", to("one"), 200, ""), answered("headers of an unknown destination", to("nowhere"), 503, ""),
		answered("headers of an answer without pods", to("gone"), 503, "text/plain"), // Envoy's prepareLocalReply sets it at the end
		answered("headers of an abort", to("one")+", fault: {abort: {httpStatus: 418, percentage: {value: 100}}}", 418, "text/plain"),
		answered("headers of a directResponse", "directResponse: {status: 418}", 418, ""),
		answered("headers of a redirect", "redirect: {uri: /x}", 301, ""),
	}
}

// delegateRows: Istio's mergeVirtualServices and MergeHTTPRoutes.
func delegateRows() []row {
	delegate := func(name string, routes ...string) string {
		return strings.Replace(rules(name, routes...), "  hosts: [\""+name+"\"]\n", "", 1)
	}
	goes := func(path, service, version string) exchange {
		return exchange{request: at(path), want: want{Status: 200, Service: service, Version: version}}
	}
	return []row{
		{"a delegate takes what both ask for", rules("one", "match: [{uri: {prefix: /a}}], delegate: {name: to}", to("one")) + delegate("to", "match: [{uri: {prefix: /a/b}}], "+to("two/a"), to("two/b")),
			[]exchange{goes("/a/b/c", "two", "a"), goes("/a", "two", "b"), goes("/x", "one", "v1")}},
		{"a delegate that conflicts is dropped", rules("one", `match: [{uri: {regex: "/a.*"}}], delegate: {name: to}`, to("one")) + delegate("to", "match: [{uri: {prefix: /a}}], "+to("two/a")),
			[]exchange{goes("/a", "one", "v1")}},
		{"a delegate that does not exist is dropped", rules("one", "delegate: {name: nobody}", to("two/a")), []exchange{goes("/", "two", "a")}},
		{"a delegate inherits", rules("one", "match: [{uri: {prefix: /a}}], delegate: {name: to}, retries: {attempts: 2, backoff: 1ms, retryOn: 5xx}, rewrite: {uri: /new}") + delegate("to", to("one")), []exchange{
			{request: request{host: "one", path: "/a/x", header: map[string]string{service.HeaderScript: "500,500,200"}},
				want: want{Status: 200, Attempts: "1 2 3", Header: map[string]string{service.HeaderPath: "/new/x"}}}}},
		{"a VirtualService without hosts holds nowhere else", delegate("one", to("two/a")), []exchange{goes("/", "one", "v1")}},
	}
}

// listenerRows: Istio's TranslateRoute and sourceMatchHTTP. The caller's namespace is that of the objects.
func listenerRows(namespace string) []row {
	reaches := func(host, service string) exchange {
		return exchange{request: request{host: host}, want: want{Status: 200, Service: service}}
	}
	const usual = "route: [{destination: {host: two, subset: a, port: {number: 80}}}]"
	return []row{
		{"a match of a port", rules("twin", "match: [{port: 8081}], "+usual, to("three")), []exchange{reaches("twin:8081", "two"), reaches("twin", "three")}},
		{"a destination without a port, which has not that of the request", rules("twin", to("one")), []exchange{reaches("twin", "one"),
			{request: request{host: "twin:8081"}, want: want{Status: 503, Flags: "NC", Detail: "cluster_not_found"}}}},
		{"a port without a rule", rules("twin", "match: [{port: 8081}], "+to("three")), []exchange{
			{request: request{host: "twin:8081"}, want: want{Status: 503, Flags: "NC", Detail: "cluster_not_found"}}, reaches("twin", "two")}},
		{"a match of another namespace", rules("one", "match: [{sourceNamespace: elsewhere}], "+to("two/a"), to("three")), []exchange{reaches("one", "three")}},
		{"a match of the caller's namespace", rules("one", "match: [{sourceNamespace: "+namespace+"}], "+to("two/a"), to("three")), []exchange{reaches("one", "two")}},
	}
}

// trafficPolicyRows: Istio's MergeSubsetTrafficPolicy. ROUND_ROBIN is told from the default by its even counts.
func trafficPolicyRows() []row {
	const round = "loadBalancer: {simple: ROUND_ROBIN}"
	even := func(name, policy, rule string, r request) row {
		return row{name, policy + rule, []exchange{{request: r, times: 400, parallel: 4,
			want: want{Status: 200, Versions: map[string]span{"a": {196, 204}, "b": {196, 204}}}}}}
	}
	twin := func(policy string) string {
		return strings.NewReplacer("name: two", "name: twin", "host: two", "host: twin").Replace(balancer(policy))
	}
	both := strings.Replace(balancer("{}"), "trafficPolicy: {}", "subsets: [{name: both, labels: {app: two}, trafficPolicy: {"+round+"}}]", 1)
	return []row{
		even("a balancer of a port", twin("{loadBalancer: {simple: RANDOM}, portLevelSettings: [{port: {number: 8081}, "+round+"}]}"), "", request{host: "twin:8081"}),
		even("a balancer of another port", twin("{"+round+", portLevelSettings: [{port: {number: 8081}, loadBalancer: {simple: RANDOM}}]}"), "", request{host: "twin"}),
		even("a balancer of a subset", both, rules("two", to("two/both")), request{host: "two"}),
		one("TLS switched off", balancer("{tls: {mode: DISABLE}}"), request{host: "two"}, want{Status: 200, Service: "two", Flags: "-"}),
	}
}
