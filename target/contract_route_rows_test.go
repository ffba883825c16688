package target_test

import "strings"

// shareRows: the share of one of several mirrors, the old field for the share of a delay, and a delegate by its namespace.
func shareRows(namespace string) []row {
	inner := func(name, route string) string {
		return strings.Replace(rules(name, route), "  hosts: [\""+name+"\"]\n", "", 1)
	}
	const many = 500
	return []row{
		{"shares of mirrors and of delays, and delegates of a namespace", rules("one", to("two/a")+", mirrors: [{destination: {host: two, subset: b}, percentage: {value: 20}}, {destination: {host: three}, percentage: {value: 0}}]") +
			rules("three", to("three")+", fault: {delay: {fixedDelay: 1ms, percent: 30}}") +
			rules("two", "match: [{uri: {prefix: /own}}], delegate: {name: inner, namespace: "+namespace+"}", "match: [{uri: {prefix: /other}}], delegate: {name: inner, namespace: elsewhere}", to("three")) + inner("inner", to("two/b")), []exchange{
			{request: request{host: "one"}, times: many, parallel: 8, want: want{Status: 200, Versions: map[string]span{"a": {many, many}, "b": {60, 145}, "v1": {0, 0}}}},
			{request: request{host: "three"}, times: many, parallel: 8, want: want{Status: 200, Flagged: map[string]span{"DI": {100, 202}, "-": {298, 400}}}},
			{request: request{host: "two", path: "/own"}, want: want{Status: 200, Service: "two", Version: "b"}},
			{request: request{host: "two", path: "/other"}, want: want{Status: 200, Service: "three"}}}},
	}
}

// redirectRows: ApplyRedirect in Istio's route.go, and the prefix_rewrite of Envoy's redirects.
func redirectRows() []row {
	sends := func(host, path, location string) exchange {
		return exchange{request: request{host: host, path: path}, want: want{Status: 301, Body: empty, Tries: exactly(0), Header: map[string]string{"location": location}}}
	}
	// secure is a request that says that it came by https.
	secure := func(e exchange) exchange {
		e.request.header = map[string]string{"x-forwarded-proto": "https"}
		return e
	}
	redirect := func(match, settings string) string { return match + "redirect: {" + settings + "}" }
	return []row{
		{"redirects by prefix, scheme and port", rules("one", redirect("match: [{uri: {prefix: /old}}], ", "prefixRewrite: /new"), redirect("match: [{uri: {prefix: /slash}}], ", "prefixRewrite: /"), redirect("match: [{uri: {exact: /s}}], ", "scheme: https"),
			redirect("match: [{uri: {exact: /p}}], ", "port: 8443"), redirect("match: [{uri: {exact: /80}}], ", "port: 80"), redirect("match: [{uri: {exact: /plain}}], ", "scheme: http"),
			redirect("match: [{uri: {exact: /asked}}], ", "scheme: https, derivePort: FROM_REQUEST_PORT"), redirect("", "prefixRewrite: /all")) +
			rules("twin", redirect("match: [{uri: {exact: /d}}], ", "derivePort: FROM_REQUEST_PORT, authority: a.example"), redirect("", "derivePort: FROM_PROTOCOL_DEFAULT, authority: a.example")), []exchange{
			sends("one", "/old/a?x=1", "http://one/new/a?x=1"), sends("one", "/older", "http://one/newer"), sends("one", "/slash/a", "http://one//a"),
			sends("one", "/s", "https://one/s"), sends("one:80", "/s", "https://one/s"), sends("one", "/p", "http://one:8443/p"), sends("one:80", "/p", "http://one:8443/p"), sends("one", "/80", "http://one/80"), sends("one", "/x", "http://one/allx"),
			secure(sends("one", "/plain", "http://one/plain")), secure(sends("one", "/x", "https://one/allx")), sends("one", "/asked", "https://one:80/asked"),
			sends("twin:8081", "/d", "http://a.example:8081/d"), sends("twin:8081", "/", "http://a.example/")}},
	}
}
