package target_test

import (
	"fmt"
	"strings"

	"github.com/hellochaos/hellochaos/service"
)

// versioned has a Service for each version of two: Gateway API has no subsets.
const versioned = `
apiVersion: v1
kind: Service
metadata: {name: two-a}
spec: {selector: {app: two, version: a}, ports: [{name: http, port: 80, targetPort: 3000}]}
---
apiVersion: v1
kind: Service
metadata: {name: two-b}
spec: {selector: {app: two, version: b}, ports: [{name: http, port: 80, targetPort: 3000}]}
---
`

// httpRoute is an HTTPRoute with these rules, in flow style, bound to what parents and hostnames say.
func httpRoute(name, bound string, rules ...string) string {
	return fmt.Sprintf(`
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: %s}
spec:
  %s
  rules:
    - {%s}
---
`, name, bound, strings.Join(rules, "}\n    - {"))
}

// atOne binds an HTTPRoute to the sidecars that call one, and atDoor to the Gateway of door.
const (
	atOne  = `parentRefs: [{group: "", kind: Service, name: one, port: 80}]`
	atDoor = "parentRefs: [{name: door}]"
)

// routed is an HTTPRoute for host one, with a Service for each version of two.
func routed(rules ...string) string { return versioned + httpRoute("one", atOne, rules...) }

// door is a Gateway of Gateway API with these listeners, in flow style.
func door(listeners ...string) string {
	return `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: door}
spec:
  gatewayClassName: istio
  listeners:
    - {` + strings.Join(listeners, "}\n    - {") + `}
---
`
}

// backend is a rule's only backend, and backends are several with their weights: "one 80", "two-b 20".
func backend(name string) string { return backends(name) }

func backends(all ...string) string {
	var refs []string
	for _, one := range all {
		name, weight, ok := strings.Cut(one, " ")
		if ok {
			weight = ", weight: " + weight
		}
		refs = append(refs, "{name: "+name+", port: 80"+weight+"}")
	}
	return "backendRefs: [" + strings.Join(refs, ", ") + "]"
}

// leads is a request, and the service and version that must answer it; with "" it must be answered 404.
func leads(r request, to string) exchange {
	r.host = "one"
	if to == "" {
		return exchange{request: r, want: want{Status: 404, Body: empty, Tries: exactly(0), Flags: "NR", Detail: "route_not_found"}}
	}
	app, version, _ := strings.Cut(to, "/")
	return exchange{request: r, want: want{Status: 200, Service: app, Version: version, Tries: exactly(1)}}
}

// gatewayAPIRows are what Istio does with HTTPRoutes, and with a Gateway of Gateway API.
func gatewayAPIRows() (rows []row) {
	for _, part := range [][]row{routeMatchRows(), routeOrderRows(), backendRows(), routeFilterRows(), routeMirrorRows(), routeRetryRows(), routeDoorRows()} {
		rows = append(rows, part...)
	}
	return rows
}

func routeMatchRows() []row {
	path := func(kind, value string) string {
		return routed("matches: [{path: {type: " + kind + ", value: " + value + "}}], " + backend("two-b"))
	}
	to := func(path, service string) exchange { return leads(request{path: path}, service) }
	match := func(match string) string { return routed("matches: [{" + match + "}], " + backend("two-b")) }
	header := func(value string) request { return request{header: map[string]string{"x-v": value}} }
	return []row{
		{"HTTPRoute: a Service leads to another", routed(backend("two-b")), []exchange{
			leads(request{path: "/x"}, "two/b"), {request: request{host: "two-a"}, want: want{Status: 200, Version: "a"}}}},
		{"HTTPRoute: a prefix ends at a segment", path("PathPrefix", "/foo"), []exchange{
			to("/foo", "two/b"), to("/foo/x", "two/b"), to("/foo?x=1", "two/b"), to("/foobar", ""), to("/FOO", ""), to("/", "")}},
		{"HTTPRoute: a prefix with a slash at its end", path("PathPrefix", "/foo/"), []exchange{to("/foo", "two/b"), to("/foo/x", "two/b"), to("/foobar", "")}},
		{"HTTPRoute: an exact path", path("Exact", "/foo"), []exchange{to("/foo?x=1", "two/b"), to("/foo/", ""), to("/FOO", "")}},
		{"HTTPRoute: an expression for the path", path("RegularExpression", `"/f.o"`), []exchange{to("/foo?x=1", "two/b"), to("/foox", ""), to("/x/foo", "")}},
		{"HTTPRoute: a header", match("headers: [{name: X-V, value: b}]"), []exchange{leads(header("b"), "two/b"), leads(header("B"), ""), leads(header("bc"), "")}},
		{"HTTPRoute: an expression for a header", match(`headers: [{name: x-v, type: RegularExpression, value: "b."}]`), []exchange{
			leads(header("bc"), "two/b"), leads(header("b"), ""), leads(header("abc"), "")}},
		{"HTTPRoute: a query parameter", match(`queryParams: [{name: q, value: a}]`), []exchange{to("/?q=a&q=b", "two/b"), to("/?q=b&q=a", ""), to("/?Q=a", "")}},
		{"HTTPRoute: a method", match("method: POST"), []exchange{leads(request{method: "POST"}, "two/b"), leads(request{}, "")}},
		{"HTTPRoute: hostnames say nothing for a Service", versioned + httpRoute("one", atOne+"\n  hostnames: [other.example]", backend("two-b")), []exchange{
			leads(request{}, "two/b"), {request: request{host: "other.example"}, want: want{Status: 502, Body: empty, Tries: exactly(0)}}}},
		{"HTTPRoute: a port that the Service lacks", versioned + httpRoute("one", strings.Replace(atOne, "80", "81", 1), backend("two-b")), []exchange{leads(request{}, "one")}},
	}
}

func routeOrderRows() []row {
	rule := func(match, to string) string { return "matches: [{" + match + "}], " + backend(to) }
	path := func(kind, value, to string) string {
		return rule("path: {type: "+kind+", value: \""+value+"\"}", to)
	}
	asked := request{path: "/foo/bar?q=1&z=1", header: map[string]string{"x-v": "b", "x-w": "c"}}
	// wins: the last of the rules is met, although the others hold and stand first.
	wins := func(name string, rules ...string) row {
		return row{"HTTPRoute: " + name, routed(rules...), []exchange{leads(asked, "two/b")}}
	}
	return []row{
		wins("a longer prefix before a shorter one", backend("one"), path("PathPrefix", "/foo", "two-a"), path("PathPrefix", "/foo/bar", "two-b")),
		wins("an exact path before a prefix", path("PathPrefix", "/foo/bar", "two-a"), path("Exact", "/foo/bar", "two-b")),
		wins("a prefix before an expression", path("RegularExpression", "/foo/b.*", "two-a"), path("PathPrefix", "/", "two-b")),
		wins("a longer prefix before a header", rule(`path: {value: /foo}, headers: [{name: x-v, value: b}]`, "two-a"), path("PathPrefix", "/foo/bar", "two-b")),
		wins("a method before headers", rule("headers: [{name: x-v, value: b}, {name: x-w, value: c}]", "two-a"), rule("method: GET", "two-b")),
		wins("more headers before fewer", rule("headers: [{name: x-v, value: b}]", "two-a"), rule("headers: [{name: x-v, value: b}, {name: x-w, value: c}]", "two-b")),
		wins("a header before query parameters", rule(`queryParams: [{name: q, value: "1"}, {name: z, value: "1"}]`, "two-a"), rule("headers: [{name: x-v, value: b}]", "two-b")),
		{"HTTPRoute: the first of equal rules", routed(rule("headers: [{name: x-v, value: b}]", "two-b"), rule("headers: [{name: x-w, value: c}]", "two-a")), []exchange{leads(asked, "two/b")}},
		{"HTTPRoute: the older of two routes, or the first by name", versioned + httpRoute("a", atOne, backend("two-b")) + httpRoute("b", atOne, backend("two-a")), []exchange{leads(asked, "two/b")}},
		{"HTTPRoute: the more specific of two routes", versioned + httpRoute("a", atOne, backend("two-a")) + httpRoute("b", atOne, rule("headers: [{name: x-v, value: b}]", "two-b")), []exchange{
			leads(asked, "two/b"), leads(request{}, "two/a")}},
	}
}

func backendRows() []row {
	nothing := func(name, backends string, w want) row {
		w.Tries = exactly(0)
		return one("HTTPRoute: "+name, routed(backends), request{host: "one"}, w)
	}
	missing := want{Status: 500, Body: empty, Flags: "NC", Detail: "cluster_not_found"}
	none := want{Status: 500, Body: empty, Flags: "-", Detail: "direct_response"}
	unhealthy := want{Status: 503, Body: "no healthy upstream", Flags: "UH", Detail: "no_healthy_upstream"}
	shares := func(name string, times int, a, b span, refs ...string) row {
		return row{"HTTPRoute: " + name, routed(backends(refs...)), []exchange{{request: request{host: "one"}, times: times, parallel: 4,
			want: want{Status: 200, Versions: map[string]span{"a": a, "b": b}}}}}
	}
	return []row{
		nothing("a backend that does not exist", backend("nowhere"), missing),
		nothing("a port that the backend lacks", "backendRefs: [{name: two-b, port: 81}]", missing),
		nothing("no backend", "backendRefs: []", none),
		nothing("all weights 0", backends("two-a 0", "two-b 0"), none),
		nothing("a backend without pods", backend("empty"), unhealthy),
		{"HTTPRoute: one of two backends does not exist", routed(backends("nowhere", "two-b")), []exchange{{request: request{host: "one"}, times: 400, parallel: 4,
			want: want{Statuses: map[int]span{500: {150, 250}, 200: {150, 250}}}}}},
		shares("weights 80 and 20", 1000, span{735, 865}, span{135, 265}, "two-a 80", "two-b 20"),
		shares("no weights", 1000, span{420, 580}, span{420, 580}, "two-a", "two-b"),
		shares("weights 0 and 1", 100, span{0, 0}, span{100, 100}, "two-a 0", "two-b 1"),
	}
}

func routeFilterRows() []row {
	modify := func(filters string) string { return "filters: [{type: " + filters + "}], " + backend("one") }
	prefix := "matches: [{path: {value: /foo}}], "
	rewrite := func(name, match, spec string, sent ...string) row {
		r := row{name: "HTTPRoute: " + name, policy: routed(match + modify("URLRewrite, urlRewrite: {"+spec+"}"))}
		for i := 0; i < len(sent); i += 3 {
			r.exchanges = append(r.exchanges, sentAs(sent[i], sent[i+1], sent[i+2]))
		}
		return r
	}
	redirect := func(name, match, spec string, status int, located ...string) row {
		r := row{name: "HTTPRoute: " + name, policy: routed(match + "filters: [{type: RequestRedirect, requestRedirect: {" + spec + "}}]")}
		for i := 0; i < len(located); i += 2 {
			r.exchanges = append(r.exchanges, exchange{request: at(located[i]), want: want{Status: status, Body: empty, Tries: exactly(0),
				Header: map[string]string{"Location": located[i+1]}, Flags: "-", Detail: "direct_response"}})
		}
		return r
	}
	sentHeader := func(name, sent, told string) exchange {
		r := request{host: "one", header: map[string]string{service.HeaderTell: name}}
		if sent != "" {
			r.header[name] = sent
		}
		return exchange{request: r, want: want{Status: 200, Header: map[string]string{service.HeaderTold: told}}}
	}
	own := `backendRefs: [{name: one, port: 80, filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: x-s, value: backend}], add: [{name: x-a, value: backend}]}}]}]`
	return []row{
		{"HTTPRoute: headers of the request", routed(modify("RequestHeaderModifier, requestHeaderModifier: {set: [{name: x-s, value: s}], add: [{name: x-a, value: a}], remove: [x-r]}")), []exchange{
			sentHeader("x-s", "old", "s"), sentHeader("x-s", "", "s"), sentHeader("x-a", "old", "old|a"), sentHeader("x-r", "old", "-")}},
		{"HTTPRoute: headers of the answer", routed(modify("ResponseHeaderModifier, responseHeaderModifier: {set: [{name: x-s, value: s}], add: [{name: x-a, value: a}], remove: [content-type]}")), []exchange{
			{request: at("/x"), want: want{Status: 200, Header: map[string]string{"X-S": "s", "X-A": "a", "Content-Type": ""}}}}},
		{"HTTPRoute: headers of a backend", routed("filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: x-s, value: rule}], add: [{name: x-a, value: rule}]}}], " + own), []exchange{
			sentHeader("x-s", "old", "backend"), sentHeader("x-a", "", "rule|backend")}},
		{"HTTPRoute: headers of the answer of a backend", routed(backendAnswer("/backend", "x-r"), backendAnswer("/other", "x-other")), []exchange{
			withHeader("/backend", map[string]string{service.HeaderTold: "-", "x-s": "backend", "x-rule": "added", "x-backend": "added", "Content-Type": ""}),
			withHeader("/other", map[string]string{service.HeaderTold: "old"})}},
		rewrite("rewrite of the host", "", "hostname: z.example", "/x", "z.example", "/x"),
		rewrite("rewrite of the whole path", "", "path: {type: ReplaceFullPath, replaceFullPath: /new}", "/a?b=1", "one", "/new?b=1"),
		rewrite("rewrite of a prefix", prefix, "path: {type: ReplacePrefixMatch, replacePrefixMatch: /new}", "/foo", "one", "/new", "/foo/", "one", "/new/", "/foo/x?b=1", "one", "/new/x?b=1"),
		rewrite("rewrite of a prefix to nothing", prefix, "path: {type: ReplacePrefixMatch, replacePrefixMatch: /}", "/foo", "one", "/", "/foo/x", "one", "/x", "/foo?b=1", "one", "/?b=1"),
		rewrite("rewrite of every path", "", "path: {type: ReplacePrefixMatch, replacePrefixMatch: /new}", "/", "one", "/new", "/x", "one", "/newx"),
		redirect("redirect to a host", "", "hostname: z.example", 302, "/a?b=1", "http://z.example/a?b=1"),
		redirect("redirect to a scheme and a port", "", "scheme: https, port: 8443, statusCode: 301", 301, "/a", "https://one:8443/a"),
		redirect("redirect to the port of the scheme", "", "scheme: https, port: 443", 302, "/a", "https://one/a"),
		redirect("redirect of the whole path", "", "path: {type: ReplaceFullPath, replaceFullPath: /new}", 302, "/a?b=1", "http://one/new?b=1"),
		redirect("redirect of a prefix", prefix, "path: {type: ReplacePrefixMatch, replacePrefixMatch: /new}", 302, "/foo", "http://one/new", "/foo/x?b=1", "http://one/new/x?b=1"),
		redirect("redirect of a prefix to nothing", prefix, "path: {type: ReplacePrefixMatch, replacePrefixMatch: /}", 302, "/foo", "http://one/", "/foo/x", "http://one//x"),
	}
}

// backendAnswer is a rule whose filter and whose backend's filter set one header of the answer and add one each. The backend's filters also remove
// a header of the request and one of the answer.
func backendAnswer(prefix, removed string) string {
	answer := func(by, more string) string {
		return "{type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: x-s, value: " + by + "}], add: [{name: x-" + by + ", value: added}]" + more + "}}"
	}
	return under(prefix, "filters: ["+answer("rule", "")+"], backendRefs: [{name: one, port: 80, filters: [{type: RequestHeaderModifier, requestHeaderModifier: {remove: ["+removed+"]}}, "+
		answer("backend", ", remove: [content-type]")+"]}]")
}

// withHeader is a request to a path of one with the header x-r, of which the answer tells what arrived, and the headers of the answer.
func withHeader(path string, answer map[string]string) exchange {
	return exchange{request: request{host: "one", path: path, header: map[string]string{"x-r": "old", service.HeaderTell: "x-r"}}, want: want{Status: 200, Header: answer}}
}

func routeRetryRows() []row {
	retried := func(name, spec string, exchanges ...exchange) row {
		return row{"HTTPRoute: " + name, routed(spec + ", " + backend("one")), exchanges}
	}
	once := func(words string, status int) exchange {
		return exchange{request: script(words), want: want{Status: status, Tries: exactly(1), Attempts: "1", Flags: "-"}}
	}
	late := func(words, detail string) exchange {
		return exchange{request: script(words), want: want{Status: 504, Body: tooLate, Tries: exactly(1), Cut: exactly(1), Flags: "UT", Detail: detail,
			Elapsed: ms(300, slack)}}
	}
	return []row{
		retried("no retry", "name: plain", once("500,200", 500), once("503,200", 503), once("reset,200", 503)),
		retried("retry without codes", "retry: {attempts: 2}", once("500,200", 500), once("503,200", 503), once("504,200", 504), once("reset,200", 503)),
		retried("retry of a code", "retry: {codes: [500], attempts: 2, backoff: 1ms}",
			exchange{request: script("500,500,200"), want: want{Status: 200, Attempts: "1 2 3"}},
			exchange{request: script("500"), want: want{Status: 500, Attempts: "1 2 3", Flags: "URX"}}, once("503,200", 503), once("reset,200", 503)),
		retried("retry without attempts", "retry: {codes: [503], backoff: 1ms}",
			exchange{request: script("503,503,200"), want: want{Status: 200, Attempts: "1 2 3"}},
			exchange{request: script("503"), want: want{Status: 503, Attempts: "1 2 3", Flags: "URX"}},
			exchange{request: script("reset,200"), want: want{Status: 200, Attempts: "1 2"}}, once("500,200", 500)),
		retried("time limit of a request", "timeouts: {request: 300ms}", late("hang", "response_timeout"), once("200", 200)),
		retried("time limit of a try without retry", "timeouts: {request: 1s, backendRequest: 300ms}", late("hang", "response_timeout")),
		retried("a time limit of a try is not retried", "timeouts: {backendRequest: 300ms}, retry: {codes: [500, 504], attempts: 2, backoff: 1ms}", late("hang,200", "upstream_per_try_timeout")),
	}
}

// routeDoorRows are about a Gateway of Gateway API. There are few of them, since Istio makes pods for each one.
func routeDoorRows() []row {
	enters := func(host, path string, w want) exchange {
		return exchange{request: request{from: fromDoor, host: host, path: path}, want: w}
	}
	a, b := want{Status: 200, Version: "a"}, want{Status: 200, Version: "b"}
	nobody := want{Status: 404, Body: empty, Tries: exactly(0)}
	wild := door(`name: http, port: 80, protocol: HTTP, hostname: "*.example"`)
	return []row{
		{"Gateway: hosts of the listener and of routes", versioned + wild + httpRoute("wild", atDoor+"\n  hostnames: [\"*.example\"]", backend("two-a")) +
			httpRoute("one", atDoor+"\n  hostnames: [one.example, other.org]", "matches: [{path: {value: /only}}], "+backend("two-b")), []exchange{
			enters("two.example", "/", a), enters("a.b.example", "/only", a), enters("one.example", "/only", b), enters("ONE.example:8080", "/only/x", b),
			enters("one.example", "/", nobody), enters("other.org", "/only", nobody), enters("example", "/", nobody)}},
		{"Gateway: retries, and a backend that does not exist", versioned + door("name: http, port: 80, protocol: HTTP") + httpRoute("one", atDoor, "retry: {codes: [500], attempts: 2, backoff: 1ms}, "+backend("one"),
			"matches: [{path: {value: /nowhere}}], "+backend("nowhere"), "matches: [{path: {value: /two}}], "+backend("two-b")), []exchange{
			{request: request{from: fromDoor, host: "any.org", header: map[string]string{service.HeaderScript: "500,500,200"}}, want: want{Status: 200, Attempts: "1 2 3"}},
			enters("any.org", "/nowhere", want{Status: 500, Body: empty, Tries: exactly(0)}), enters("any.org", "/two", b), enters("any.org", "/twofold", want{Status: 200, Service: "one"})}},
		// extractServicePorts: Istio writes a Service for the Gateway, at whose ports sidecars listen as at those of any other.
		{"Gateway: sidecars listen at its ports", door("name: http, port: 8099, protocol: HTTP", "name: raw, port: 8097, protocol: TCP"), []exchange{
			{request: request{host: "nobody.example:8099"}, want: want{Status: 502, Body: empty, Tries: exactly(0)}},
			{request: request{host: "nobody.example:8097"}, want: want{Broken: true, Tries: exactly(0)}},
			{request: request{host: "nobody.example:8098"}, want: want{Broken: true, Tries: exactly(0)}}}},
	}
}
