package target_test

import (
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/service"
)

// plainGatewayAPI has one object of each kind of Gateway API, with no fields but those that are needed.
const plainGatewayAPI = `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: plain}
spec: {gatewayClassName: istio, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: plain}
spec: {parentRefs: [{group: "", kind: Service, name: six}], rules: [{backendRefs: [{name: six, port: 80}]}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: ReferenceGrant
metadata: {name: plain}
spec: {from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop}], to: [{group: "", kind: Service}]}
---
`

// route is an HTTPRoute for the callers of Service one, with these rules in flow style.
func route(rules ...string) string {
	return `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: one}
spec:
  parentRefs: [{group: "", kind: Service, name: one}]
  rules:
    - {` + strings.Join(rules, "}\n    - {") + `}
---
`
}

// toBackend is the only backend of a rule.
func toBackend(name string) string { return "backendRefs: [{name: " + name + ", port: 80}]" }

// listener is a Gateway of Gateway API with a listener, and an HTTPRoute at it that leads to one.
func listener(fields, parent string) string {
	return `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: door}
spec: {gatewayClassName: istio, listeners: [{` + fields + `}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: door}
spec: {parentRefs: [{` + parent + `}], hostnames: [one.example], rules: [{` + toBackend("one") + `}]}
---
`
}

const (
	listens80 = "name: http, port: 80, protocol: HTTP"
	ofRoute   = "HTTPRoute.spec.rules[]."
	ofDoor    = "gateway.networking.k8s.io Gateway."
)

func routePairs() map[string]pair {
	all := map[string]pair{
		ofRoute + "name":                    {without: route(toBackend("one")), with: route("name: a, " + toBackend("one")), requests: get("one")},
		ofRoute + "timeouts.request":        {without: brief + route(toBackend("one")), with: brief + route(toBackend("one")+", timeouts: {request: 50ms}"), requests: []request{script("hang")}},
		ofRoute + "timeouts.backendRequest": {without: brief + route(toBackend("one")), with: brief + route(toBackend("one")+", timeouts: {backendRequest: 50ms}"), requests: []request{script("hang")}},
		ofRoute + "retry.codes":             {without: route(toBackend("one") + ", retry: {attempts: 1}"), with: route(toBackend("one") + ", retry: {attempts: 1, codes: [500]}"), requests: []request{script("500,200")}},
		ofRoute + "retry.attempts":          edited(route(toBackend("one")+", retry: {codes: [500], attempts: 1}"), "attempts: 1", "attempts: 2", script("500,500,200")),
		ofRoute + "retry.backoff":           {without: route(toBackend("one") + ", retry: {attempts: 5, codes: [500], backoff: 1ms}"), with: route(toBackend("one") + ", retry: {attempts: 5, codes: [500], backoff: 40ms}"), requests: []request{script("500")}, slower: 100 * time.Millisecond},
	}
	for _, part := range []map[string]pair{routeMatchPairs(), routeFilterPairs(), routeMirrorPairs(), backendPairs(), parentPairs()} {
		for name, p := range part {
			all[name] = p
		}
	}
	return all
}

func routeMatchPairs() map[string]pair {
	asks := func(match string) string {
		return route("matches: [{"+match+"}], "+toBackend("one"), toBackend("frontend"))
	}
	const match = ofRoute + "matches[]."
	return map[string]pair{
		match + "path.type":           edited(asks("path: {type: PathPrefix, value: /x}"), "PathPrefix", "Exact", at("/x/y")),
		match + "path.value":          edited(asks("path: {type: PathPrefix, value: /x}"), "/x", "/y", at("/x/y")),
		match + "headers[].type":      edited(asks("headers: [{name: x-a, type: Exact, value: a.}]"), "Exact", "RegularExpression", via("x-a", "ab")),
		match + "headers[].name":      edited(asks("headers: [{name: x-a, value: a}]"), "x-a", "x-b", via("x-a", "a")),
		match + "headers[].value":     edited(asks("headers: [{name: x-a, value: a}]"), "value: a}]}]", "value: b}]}]", via("x-a", "a")),
		match + "queryParams[].type":  edited(asks("queryParams: [{name: q, type: Exact, value: a.}]"), "Exact", "RegularExpression", at("/?q=ab")),
		match + "queryParams[].name":  edited(asks("queryParams: [{name: q, value: a}]"), "name: q", "name: r", at("/?q=a")),
		match + "queryParams[].value": edited(asks("queryParams: [{name: q, value: a}]"), "value: a}]}]", "value: b}]}]", at("/?q=a")),
		match + "method":              edited(asks("method: GET"), "GET", "POST", get("one")...),
	}
}

func routeFilterPairs() map[string]pair {
	all := make(map[string]pair)
	rule := func(filter string) string { return route("filters: [{" + filter + "}], " + toBackend("one")) }
	backend := func(filter string) string {
		return route("backendRefs: [{name: one, port: 80, filters: [{" + filter + "}]}]")
	}
	for holder, of := range map[string]func(string) string{"filters[].": rule, "backendRefs[].filters[].": backend} {
		for name, tell := range map[string]request{"requestHeaderModifier": toldBy("x-a"), "responseHeaderModifier": {host: "one"}} {
			modifier := func(changes string) string {
				return of("type: " + strings.ToUpper(name[:1]) + name[1:] + ", " + name + ": {" + changes + "}")
			}
			place := ofRoute + holder + name + "."
			all[place+"set[].name"] = edited(modifier("set: [{name: x-a, value: b}]"), "x-a", "x-b", tell)
			all[place+"set[].value"] = edited(modifier("set: [{name: x-a, value: b}]"), "value: b", "value: c", tell)
			all[place+"add[].name"] = edited(modifier("add: [{name: x-a, value: b}]"), "x-a", "x-b", tell)
			all[place+"add[].value"] = edited(modifier("add: [{name: x-a, value: b}]"), "value: b", "value: c", tell)
			removed := "x-a"
			if name == "responseHeaderModifier" {
				removed = "content-type"
			}
			all[place+"remove"] = edited(modifier("remove: [x-other]"), "x-other", removed, tell)
		}
	}
	for name, p := range redirectPairs(rule) {
		all[name] = p
	}
	return all
}

func redirectPairs(rule func(string) string) map[string]pair {
	redirect := func(fields string) string {
		return route("matches: [{path: {value: /old}}], filters: [{type: RequestRedirect, requestRedirect: {" + fields + "}}]")
	}
	rewrite := func(fields string) string {
		return strings.Replace(rule("type: URLRewrite, urlRewrite: {"+fields+"}"), "- {", "- {matches: [{path: {value: /old}}], ", 1)
	}
	const to, sends = ofRoute + "filters[].requestRedirect.", ofRoute + "filters[].urlRewrite."
	const full = "path: {type: ReplaceFullPath, replaceFullPath: /new}"
	const prefix = "path: {type: ReplacePrefixMatch, replacePrefixMatch: /new}"
	old := at("/old/a")
	return map[string]pair{
		ofRoute + "filters[].type": edited(rule("type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: x-a, value: b}]}"),
			"type: RequestHeaderModifier, requestHeaderModifier", "type: ResponseHeaderModifier, responseHeaderModifier", toldBy("x-a")),
		to + "path.type":                  edited(redirect(full), "ReplaceFullPath, replaceFullPath", "ReplacePrefixMatch, replacePrefixMatch", old),
		sends + "path.type":               edited(rewrite(full), "ReplaceFullPath, replaceFullPath", "ReplacePrefixMatch, replacePrefixMatch", old),
		to + "scheme":                     edited(redirect("scheme: http"), "http}", "https}", old),
		to + "hostname":                   edited(redirect("hostname: a.example"), "a.example", "b.example", old),
		to + "port":                       edited(redirect("port: 81"), "port: 81", "port: 82", old),
		to + "statusCode":                 edited(redirect("statusCode: 301"), "301", "302", old),
		to + "path.replaceFullPath":       edited(redirect(full), "/new", "/other", old),
		to + "path.replacePrefixMatch":    edited(redirect(prefix), "/new", "/other", old),
		sends + "hostname":                edited(rewrite("hostname: a.example"), "a.example", "b.example", old),
		sends + "path.replaceFullPath":    edited(rewrite(full), "/new", "/other", old),
		sends + "path.replacePrefixMatch": edited(rewrite(prefix), "/new", "/other", old),
	}
}

// toldBy is a request to one with a header, whose answer has what arrived in it.
func toldBy(name string) request {
	return request{host: "one", header: map[string]string{name: "1", service.HeaderTell: name}}
}

func backendPairs() map[string]pair {
	const of = ofRoute + "backendRefs[]."
	two := route("backendRefs: [{name: one, port: 80, weight: 1}, {name: frontend, port: 80, weight: 0}]")
	away := strings.Replace(strings.Replace(serviceOf("one"), "name: one", "name: one, namespace: elsewhere", 1), "app: one", "app: nobody", 1)
	return map[string]pair{
		of + "name":      edited(route(toBackend("one")), "backendRefs: [{name: one", "backendRefs: [{name: frontend", get("one")...),
		of + "namespace": edited(away+route("backendRefs: [{name: one, port: 80, namespace: default}]"), "namespace: default", "namespace: elsewhere", get("one")...),
		of + "kind":      edited(route("backendRefs: [{name: one, port: 80, kind: Service}]"), "kind: Service}]}", "kind: Other}]}", get("one")...),
		of + "group":     edited(route(`backendRefs: [{name: one, port: 80, group: ""}]`), `group: ""}]}`, `group: a.example}]}`, get("one")...),
		of + "port":      edited(route(toBackend("one")), "port: 80", "port: 81", get("one")...),
		of + "filters[].type": edited(route("backendRefs: [{name: one, port: 80, filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: x-a, value: b}]}}]}]"),
			"type: RequestHeaderModifier, requestHeaderModifier", "type: ResponseHeaderModifier, responseHeaderModifier", toldBy("x-a")),
		of + "weight": edited(two, "weight: 0", "weight: 100", repeated(6, "one")...),
	}
}

func parentPairs() map[string]pair {
	const of = "HTTPRoute.spec.parentRefs[]."
	toOther := func(name, backend string) string {
		return strings.ReplaceAll(route(toBackend(backend)), "metadata: {name: one}", "metadata: {name: "+name+"}")
	}
	twoListeners := listener(listens80+"}, {name: other, port: 81, protocol: HTTP", "name: door, sectionName: http")
	door := atGateway("one.example")
	return map[string]pair{
		"HTTPRoute.metadata.name":      edited(toOther("b", "one")+toOther("c", "frontend"), "metadata: {name: c}", "metadata: {name: a}", get("one")...),
		"HTTPRoute.metadata.namespace": edited(route("backendRefs: [{name: frontend, namespace: default, port: 80}]"), "metadata: {name: one}", "metadata: {name: one, namespace: elsewhere}", get("one")...),
		"HTTPRoute.spec.hostnames":     edited(listener(listens80, "name: door"), "hostnames: [one.example]", "hostnames: [two.example]", door),
		of + "name":                    edited(route(toBackend("frontend")), "kind: Service, name: one", "kind: Service, name: two", get("one")...),
		of + "namespace":               edited(listener(listens80, "name: door, namespace: default"), "namespace: default", "namespace: elsewhere", door),
		of + "kind":                    edited(listener(listens80, "name: door"), "[{name: door}]", "[{name: door, kind: Gateway}]", door),
		of + "group":                   edited(listener(listens80, "name: door"), "[{name: door}]", "[{name: door, group: gateway.networking.k8s.io}]", door),
		of + "sectionName":             edited(twoListeners, "sectionName: http", "sectionName: other", door),
		of + "port":                    edited(listener(listens80, "name: door, port: 80"), "name: door, port: 80", "name: door, port: 81", door),
	}
}

func listenerPairs() map[string]pair {
	const of, routes = ofDoor + "spec.listeners[].", ofDoor + "spec.listeners[].allowedRoutes."
	door := atGateway("one.example")
	plain := listener(listens80, "name: door")
	twice := listener(listens80+"}, {name: other, port: 81, protocol: HTTP", "name: door, sectionName: http")
	allows := func(allowed string) string {
		return namespaces + listener(listens80+", allowedRoutes: {"+allowed+"}", "name: door")
	}
	chosen := allows("namespaces: {from: Selector, selector: {matchLabels: {team: a}}}")
	https := listener("name: https, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: a}]}", "name: door")
	return map[string]pair{
		ofDoor + "metadata.name":         edited(plain, "kind: Gateway\nmetadata: {name: door}", "kind: Gateway\nmetadata: {name: window}", door),
		ofDoor + "metadata.namespace":    edited(plain, "kind: Gateway\nmetadata: {name: door}", "kind: Gateway\nmetadata: {name: door, namespace: elsewhere}", door),
		ofDoor + "spec.gatewayClassName": edited(plain, "gatewayClassName: istio", "gatewayClassName: other", door),
		of + "name":                      edited(twice, "{name: http,", "{name: web,", door),
		of + "hostname":                  edited(listener(listens80+", hostname: one.example", "name: door"), "hostname: one.example", "hostname: two.example", door),
		of + "port":                      edited(listener(listens80, "name: door, port: 80"), "name: http, port: 80", "name: http, port: 81", door),
		of + "protocol":                  edited(twice, "port: 80, protocol: HTTP", "port: 80, protocol: TCP", door),
		of + "tls.mode":                  edited(https, "tls: {", "tls: {mode: Terminate, ", door),
		of + "tls.certificateRefs":       edited(https, "{name: a}]}", "{name: b}]}", door),
		of + "tls.options":               edited(https, "tls: {", "tls: {options: {a.example/b: c}, ", door),
		routes + "namespaces.from":       edited(strings.Replace(strings.Replace(allows("namespaces: {from: Same}"), "[{name: door}]", "[{name: door, namespace: default}]", 1), "kind: HTTPRoute\nmetadata: {name: door}", "kind: HTTPRoute\nmetadata: {name: door, namespace: shop}", 1), "from: Same", "from: All", door),
		routes + "namespaces.selector":   edited(chosen, "matchLabels: {team: a}", "matchLabels: {team: b}", door),
		routes + "kinds[].kind":          edited(allows("kinds: [{kind: HTTPRoute}]"), "kinds: [{kind: HTTPRoute}]", "kinds: [{kind: GRPCRoute}]", door),
		routes + "kinds[].group":         edited(allows("kinds: [{kind: HTTPRoute, group: gateway.networking.k8s.io}]"), "group: gateway", "group: other", door),
		"Namespace.metadata.labels":      edited(chosen, "labels: {team: a}", "labels: {team: c}", door),
		"Namespace.metadata.name":        edited(chosen, "kind: Namespace\nmetadata: {name: default", "kind: Namespace\nmetadata: {name: other", door),
	}
}

// namespaces are two of which listeners may choose one by its label.
const namespaces = `
apiVersion: v1
kind: Namespace
metadata: {name: default, labels: {team: a}}
---
`

func grantPairs() map[string]pair {
	const from, to = "ReferenceGrant.spec.from[].", "ReferenceGrant.spec.to[]."
	shop := `
apiVersion: gateway.networking.k8s.io/v1
kind: ReferenceGrant
metadata: {name: a, namespace: default}
spec: {from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop}], to: [{group: "", kind: Service, name: one}]}
---
` + strings.NewReplacer("kind: HTTPRoute\nmetadata: {name: door}", "kind: HTTPRoute\nmetadata: {name: door, namespace: shop}", "[{name: door}]", "[{name: door, namespace: default}]",
		"{name: one, port: 80}", "{name: one, namespace: default, port: 80}").Replace(listener(listens80+", allowedRoutes: {namespaces: {from: All}}", "name: door"))
	door := atGateway("one.example")
	edit := func(old, new string) pair { return edited(shop, old, new, door) }
	return map[string]pair{
		"ReferenceGrant.metadata.namespace": edit("{name: a, namespace: default}", "{name: a, namespace: shop}"),
		from + "group":                      edit("from: [{group: gateway", "from: [{group: other"),
		from + "kind":                       edit("k8s.io, kind: HTTPRoute", "k8s.io, kind: GRPCRoute"),
		from + "namespace":                  edit("namespace: shop}], to", "namespace: default}], to"),
		to + "group":                        edit(`to: [{group: ""`, "to: [{group: other"),
		to + "kind":                         edit("kind: Service, name: one", "kind: Secret, name: one"),
		to + "name":                         edit("kind: Service, name: one", "kind: Service, name: two"),
	}
}
